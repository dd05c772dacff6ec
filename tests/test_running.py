"""Ctrl-C: obeyed where the server runs, and an interruption where it did not come to that."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openpim.running import run
from openpim.tls import ensure_certificates


@pytest.mark.parametrize("when", ["starting", "running"])
def test_ctrl_c(when: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ensure_certificates(tmp_path, ["localhost"], datetime.now(UTC))
    told: list[str] = []
    later: list[asyncio.Task[None]] = []

    async def once_it_runs() -> None:
        while "here it is" not in capsys.readouterr().out:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        if when == "starting":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            later.append(asyncio.create_task(once_it_runs()))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        told.append("put away")
        await send({"type": "lifespan.shutdown.complete"})

    def serve() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            run(app, [listening], files, [], ["here it is"], stopping=lambda: told.append("stopping"))

    if when == "starting":
        with pytest.raises(KeyboardInterrupt):
            serve()
        assert "here it is" not in capsys.readouterr().out
    else:
        serve()
    assert told == ["stopping", "put away"]
