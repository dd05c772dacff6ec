"""A loop that wakes and runs acts, and several of them side by side: what waits for a slow target (mail, a receiver of
events) has a loop of its own, and never holds up the record of an end.

Loops take no input, so one that was away catches up by running once, and several at the same time share the work
through row locks. Nothing that people may rely on waits for them: what has ended has ended, whether they ran or not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")

# An act says how much it did; whoever did this much or more may have left some, and is run again at once.
BATCH = 200
# Seconds between the first looks of two loops. All at once would open a connection to the database for each of them.
_APART = 0.1


class Loop:
    """name: of its thread. act: one look at everything. interval: seconds between two looks; `wake` cuts the pause
    short, but not below the rest. follows: it is woken when something has happened. then: names of loops that are woken
    when this one has done something. soon: seconds until it has something to do, if that is before the interval ends."""

    def __init__(
        self,
        name: str,
        act: Callable[[], int],
        interval: float = 1.0,
        *,
        follows: bool = False,
        then: Sequence[str] = (),
        rest: float = 0.1,
        soon: Callable[[], float | None] | None = None,
    ) -> None:
        self.name = name
        self.follows = follows
        self.then = tuple(then)
        self.after: tuple[Loop, ...] = ()
        self._rest = min(rest, interval)
        self.looked_at: datetime | None = None
        self._act = act
        self._interval = interval
        self._soon = soon
        self._wake = threading.Event()
        self._rested = threading.Event()  # set at the end only
        self._pause = 0.0
        self._stopping = False
        self._clock: Callable[[], datetime] | None = None
        self._thread: threading.Thread | None = None

    def start(self, clock: Callable[[], datetime] | None = None, after: float = 0) -> None:
        """after: seconds until the first look."""
        self._clock = clock
        self._pause = after
        self._thread = threading.Thread(target=self._run, name=f"openpim-{self.name}", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stopping = True
        self._rested.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout=seconds)

    def wake(self) -> None:
        self._wake.set()

    def once(self) -> int:
        """One look. A failure is logged, and tried again at the next look."""
        return attempt(self._act) or 0

    def _run(self) -> None:
        self._wake.wait(self._pause)
        while not self._stopping:
            self._wake.clear()
            done = self.once()
            if self._clock is not None:
                self.looked_at = self._clock()
            if done:
                for loop in self.after:
                    loop.wake()
            if done < BATCH and not self._stopping:
                self._rested.wait(self._rest)
                self._wake.wait(self._until_next())

    def _until_next(self) -> float:
        soon = attempt(self._soon) if self._soon is not None else None
        return max(0.0, min(self._interval - self._rest, self._interval if soon is None else soon))


class Loops:
    """All of a server's loops, started and stopped together."""

    def __init__(
        self,
        loops: Sequence[Loop],
        clock: Callable[[], datetime] | None = None,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        """clock: to note when each loop has looked. at_end: stops what the loops have begun."""
        self._loops = tuple(loops)
        self._clock = clock
        self._at_end = at_end
        named = {loop.name: loop for loop in loops}
        for loop in loops:
            loop.after = tuple(named[name] for name in loop.then if name in named)

    def start(self) -> None:
        for number, loop in enumerate(self._loops):
            loop.start(self._clock, number * _APART)

    def looks(self) -> dict[str, datetime | None]:
        """When each loop last finished a look; None: not yet."""
        return {loop.name: loop.looked_at for loop in self._loops}

    def stop(self) -> None:
        """Returns when all have ended, or after ten seconds: what a stuck target leaves undone is done later."""
        for loop in self._loops:
            loop.ask_to_stop()
        for number, loop in enumerate(self._loops):
            loop.join(10 if number == 0 else 2)
        if self._at_end is not None:
            self._at_end()

    def happened(self) -> None:
        """Something was committed that others follow: they need not wait for their next look."""
        for loop in self._loops:
            if loop.follows:
                loop.wake()

    def once(self) -> int:
        return sum(loop.once() for loop in self._loops)


def attempt(act: Callable[[], T]) -> T | None:
    try:
        return act()
    except Exception:  # noqa: BLE001 - one failing act must not stop the others
        _log.exception("a worker's act failed; it is tried again at the next look")
        return None
