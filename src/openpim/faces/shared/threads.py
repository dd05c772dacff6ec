"""The one thread hop: `await in_thread(act, ...)` runs a plain synchronous act off the event loop.

All faces share one limit: as many threads as the database has connections; more would only queue there. What waits for
somebody else's server has a few of its own (`beside`): one that does not answer holds up nobody who does not ask it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

T = TypeVar("T")
_THREADS = 8
_BESIDE = 4
# A limiter belongs to the event loop it is used in: a server has one, tests have several.
_limiter: RunVar[CapacityLimiter] = RunVar("openpim-threads")
_beside: RunVar[CapacityLimiter] = RunVar("openpim-threads-beside")


async def in_thread(act: Callable[..., T], *args: object, **kwargs: object) -> T:
    return await _run(_limiter, _THREADS, partial(act, *args, **kwargs))


async def beside(act: Callable[..., T], *args: object, **kwargs: object) -> T:
    """The same for an act that waits for somebody else's server."""
    return await _run(_beside, _BESIDE, partial(act, *args, **kwargs))


async def _run(known: RunVar[CapacityLimiter], most: int, act: Callable[[], T]) -> T:
    limiter = known.get(None)
    if limiter is None:
        limiter = CapacityLimiter(most)
        known.set(limiter)
    return await anyio.to_thread.run_sync(act, limiter=limiter)
