"""Server processes that are killed with `kill -9`, several at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Servers:
    """Each runs `python -m tests.crash.{module} arguments…`, and says "ready" on its first line."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", f"tests.crash.{module}", *arguments]
        self._running: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        process = subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """The one that started first."""
        process = self._running.pop(0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def kill_all(self) -> None:
        while self._running:
            self.kill()
