"""Processes that are killed with `kill -9`. Each is `main()` of a module beside this one, and says "ready" on its first line.

Most of what such a process costs is to import what it needs. So each process of the tests starts one that imports it once,
and forks from it whatever is to be killed: the same code, in a process, with connections and files of its own.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MODULES = ("growing", "logout_victim", "mail_victim", "signalling_victim", "streaming_victim", "victim")


class Victim:
    """One that runs: what it says, and what it is told."""

    def __init__(self, module: str, *arguments: str) -> None:
        hears, tells = os.pipe()
        reads, says = os.pipe()
        self._pid = _ask({"module": module, "arguments": arguments}, hears, says)
        os.close(hears)
        os.close(says)
        self.stdout, self.stdin = os.fdopen(reads), os.fdopen(tells, "w")
        assert self.stdout.readline() == "ready\n"

    def kill(self) -> str:
        """What it had still said."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        return self.end()

    def end(self) -> str:
        """The same for one that ends by itself."""
        rest = self.stdout.read()
        _ask({"gone": self._pid})
        self.stdout.close()
        self.stdin.close()
        return rest


@functools.cache
def _source() -> socket.socket:
    """The way to the process that forks. It ends with this one, and all it forked with it."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.victims", str(theirs.fileno())],
        cwd=ROOT,
        pass_fds=[theirs.fileno()],
    )
    process.returncode = 0  # nobody waits for it: no warning about that
    theirs.close()
    return ours


def _ask(what: dict[str, Any], *files: int) -> int:
    socket.send_fds(_source(), [json.dumps(what).encode()], files)
    return int(_source().recv(100))


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    for module in MODULES:
        importlib.import_module(f"tests.crash.{module}")
    gc.freeze()
    living: set[int] = set()
    while True:
        message, files, _, _ = socket.recv_fds(channel, 1 << 16, 2)
        if not message:
            break
        asked = json.loads(message)
        if (pid := asked.get("gone")) is not None:
            os.waitpid(pid, 0)
            living.remove(pid)
        else:
            pid = os.fork()
            if pid == 0:
                channel.close()
                _become(asked["module"], asked["arguments"], *files)
            living.add(pid)
            for file in files:
                os.close(file)
        channel.send(str(pid).encode())
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _become(module: str, arguments: list[str], hears: int, says: int) -> None:
    try:
        os.dup2(hears, 0)
        os.dup2(says, 1)
        os.close(hears)
        os.close(says)
        sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
        sys.argv = [module, *arguments]
        importlib.import_module(f"tests.crash.{module}").main()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - said, and no more: what called this is somebody else's
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
