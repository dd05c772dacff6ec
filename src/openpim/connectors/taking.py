"""How much is taken of what a target answers: it is held in memory, and a target that is not well, or not ours any more, may
never end."""

from __future__ import annotations

from typing import Final

from openpim.ports.connector import Fault, TargetError

_MIB: Final = 1024 * 1024
MOST_ENTRIES: Final = 200_000  # of one reading: people in a group, rows of a query
MOST_BYTES: Final = 64 * _MIB  # of one reading, over all its answers


class Taken:
    """Of one reading. where: the target, in words."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._bytes = self._entries = 0

    def bytes(self, count: int) -> None:
        """Raises TargetError where it is too much."""
        self._bytes += count
        if self._bytes > MOST_BYTES:
            raise too_large(self._where)

    def entries(self, count: int) -> None:
        """Raises TargetError where they are too many."""
        self._entries += count
        if self._entries > MOST_ENTRIES:
            raise too_many(self._where)


def too_large(where: str, most: int = MOST_BYTES) -> TargetError:
    return TargetError(
        Fault.BROKEN,
        f"{where} answered with more than {most // _MIB} MiB, which is not taken. See what answers there.",
    )


def too_many(where: str) -> TargetError:
    return TargetError(
        Fault.BROKEN,
        f"{where} answered with more than {MOST_ENTRIES:,} entries, which are not taken. Manage smaller groups or roles, or "
        "several targets.",
    )
