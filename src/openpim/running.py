"""Listens and serves until a signal comes: one application over TLS, and others beside it in the same process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

from starlette.types import ASGIApp

from openpim.collecting import collect_seldom
from openpim.tls import TlsFiles

SETTLED: dict[str, Any] = {
    "loop": "uvloop",
    "http": "openpim.faces.shared.short:ShortWay",
    "log_config": None,  # ours: logs.py
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": 5,
    "timeout_keep_alive": 75,  # clients poll every five seconds on one connection
}


def run(
    app: ASGIApp,
    listening: Sequence[socket.socket],
    tls: TlsFiles,
    beside: Sequence[tuple[ASGIApp, socket.socket]],
    lines: Sequence[str],
    *,
    stopping: Callable[[], None],
) -> None:
    """beside: applications without TLS, each with its socket. lines: to print when it serves. stopping: told of the signal
    first. Raises KeyboardInterrupt where Ctrl-C came before it served."""
    import uvicorn  # noqa: PLC0415 - `pim serve --help` does without

    class Beside(uvicorn.Server):
        """Runs in the loop of the other, which hears the signals."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    class Server(uvicorn.Server):
        others: tuple[tuple[Beside, asyncio.Task[None]], ...] = ()
        serves = False

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            stopping()
            super().handle_exit(sig, frame)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.should_exit:
                return
            self.serves = True
            servers = [
                (Beside(uvicorn.Config(one, lifespan="off", **SETTLED)), opened) for one, opened in beside
            ]
            self.others = tuple(
                (server, asyncio.create_task(server.serve(sockets=[opened]))) for server, opened in servers
            )
            print("\n".join(lines), flush=True)  # noqa: T201 - this is the command's own output

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for other, running in self.others:
                other.should_exit = True
                await running
            await super().shutdown(sockets=sockets)

    files: dict[str, Any] = {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
    collect_seldom()
    server = Server(uvicorn.Config(app, **files, **SETTLED))
    try:
        server.run(sockets=list(listening))
    except KeyboardInterrupt:
        # It was heard, everything was put away in order, and then uvicorn raises it anew: it was obeyed, and is no fault.
        if not server.serves:
            raise


def listen(host: str, port: int) -> socket.socket | None:
    opened = bound(host, port)
    if isinstance(opened, OSError):
        where = f"{host}:{port}"
        print(  # noqa: T201 - this is the command's own output
            f"pim serve: cannot listen on {where}: {opened.strerror}. Choose another port with --port.",
            file=sys.stderr,
        )
        return None
    return opened


def bound(host: str, port: int) -> socket.socket | OSError:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
    except OSError as error:
        listening.close()
        return error
    return listening
