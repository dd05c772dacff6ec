"""Server processes that are killed with `kill -9`, several at once."""

from __future__ import annotations

from tests.crash.victims import Victim


class Servers:
    """Each runs this module of this folder with these arguments."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._module = module
        self._arguments = arguments
        self._running: list[Victim] = []

    def start(self) -> None:
        self._running.append(Victim(self._module, *self._arguments))

    def kill(self) -> None:
        """The one that started first."""
        self._running.pop(0).kill()

    def kill_all(self) -> None:
        while self._running:
            self.kill()
