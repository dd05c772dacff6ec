"""The one thread hop: `await in_thread(act, ...)` runs a plain synchronous act off the event loop.

All faces share one limit: as many threads as the database has connections; more would only queue there. What waits for
somebody else's server has a few of its own (`beside`): one that does not answer holds up nobody who does not ask it.

What only reads from a database in this very process takes turns (`reading`): two threads that go through its rows at once
hand the interpreter to each other at every row, and each answer costs up to twice as much. An act that takes long lets the
next one begin beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

from openpim.ports.store import Store

T = TypeVar("T")
_THREADS = 8
_BESIDE = 4
_TURNS = 1
_LONG = 0.05  # seconds
# A limiter belongs to the event loop it is used in: a server has one, tests have several.
_limiter: RunVar[CapacityLimiter] = RunVar("openpim-threads")
_beside: RunVar[CapacityLimiter] = RunVar("openpim-threads-beside")
_turns: RunVar[CapacityLimiter] = RunVar("openpim-threads-turns")


async def in_thread(act: Callable[..., T], *args: object, **kwargs: object) -> T:
    return await _run(_limiter, _THREADS, partial(act, *args, **kwargs))


async def beside(act: Callable[..., T], *args: object, **kwargs: object) -> T:
    """The same for an act that waits for somebody else's server."""
    return await _run(_beside, _BESIDE, partial(act, *args, **kwargs))


def reading(store: Store) -> Callable[..., Awaitable[Any]]:
    """The hop for an act that only reads in this store, and waits for nobody else."""
    return _in_turn if store.local else in_thread


async def _in_turn(act: Callable[..., T], *args: object, **kwargs: object) -> T:
    turns = _known(_turns, _TURNS)
    async with turns:
        late = _Late(turns)
        timer = asyncio.get_running_loop().call_later(_LONG, late.begin)
        try:
            return await in_thread(act, *args, **kwargs)
        finally:
            timer.cancel()
            late.end()


class _Late:
    """An act that takes long: while it lasts there is one turn more."""

    def __init__(self, turns: CapacityLimiter) -> None:
        self._turns = turns
        self._begun = False

    def begin(self) -> None:
        self._begun = True
        self._turns.total_tokens += 1

    def end(self) -> None:
        if self._begun:
            self._turns.total_tokens -= 1


async def _run(known: RunVar[CapacityLimiter], most: int, act: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(act, limiter=_known(known, most))


def _known(known: RunVar[CapacityLimiter], most: int) -> CapacityLimiter:
    limiter = known.get(None)
    if limiter is None:
        limiter = CapacityLimiter(most)
        known.set(limiter)
    return limiter
