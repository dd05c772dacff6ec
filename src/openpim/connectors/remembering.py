"""A fence for targets that cannot keep one themselves: the highest epoch that has written is remembered in our own database, which
every server of ours looks at before it writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from openpim.ports.connector import Fault, Fence, Memory, TargetError

_NAME: Final = "epoch"


class RememberedFence:
    """Between the look and the writing another server may come in between: the target then gets two writings, both of which a
    holder of the lease wanted, and the next look makes it as it should be."""

    def __init__(self, memory: Memory, clock: Callable[[], datetime]) -> None:
        self._memory, self._clock = memory, clock

    def enter(self, fence: Fence) -> None:
        """Before the first writing of a lot. Raises TargetError(FENCED)."""
        self.in_time(fence)
        text = self._memory.load(_NAME)
        known = int(text) if text.isascii() and text.isdecimal() else -1
        if known > fence.epoch:
            raise fenced()
        if known < fence.epoch:
            self._memory.save(_NAME, str(fence.epoch))

    def in_time(self, fence: Fence) -> None:
        """Before each writing. Raises TargetError(FENCED)."""
        if self._clock() >= fence.until:
            raise TargetError(Fault.FENCED, "The time in which this server may write is over.")


def fenced() -> TargetError:
    return TargetError(Fault.FENCED, "A later server has written to this target.")
