"""What stays open as long as a client likes, and is closed when the server stops, so that stopping does not wait for it."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakSet


class Open(Protocol):
    def close(self) -> None: ...


_open: WeakSet[Open] = WeakSet()


def closed_at_stop(one: Open) -> None:
    _open.add(one)


def close_all() -> None:
    """Of every application in this process; may be called from any thread."""
    for one in list(_open):
        one.close()
