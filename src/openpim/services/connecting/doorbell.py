"""Who waits for news of a target, in this process. A hint only: whoever waits looks again after a second by himself."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

Key = tuple[str, str]  # tenant id, target id


class Doorbell:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Key, list[Callable[[], None]]] = {}

    def ring(self, key: Key) -> None:
        with self._lock:
            waiting = list(self._waiting.get(key, ()))
        for tell in waiting:
            tell()

    @contextlib.contextmanager
    def listening(self, key: Key, tell: Callable[[], None]) -> Iterator[None]:
        """tell: called from any thread, and must return at once."""
        with self._lock:
            self._waiting.setdefault(key, []).append(tell)
        try:
            yield
        finally:
            with self._lock:
                self._waiting[key].remove(tell)
                if not self._waiting[key]:
                    del self._waiting[key]


BELL = Doorbell()
