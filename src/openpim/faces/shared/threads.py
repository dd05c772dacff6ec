"""The one thread hop: `await in_thread(act, ...)` runs a plain synchronous act off the event loop.

All faces share one limit: as many threads as the database has connections; more would only queue there.
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
# A limiter belongs to the event loop it is used in: a server has one, tests have several.
_limiter: RunVar[CapacityLimiter] = RunVar("openpim-threads")


async def in_thread(act: Callable[..., T], *args: object, **kwargs: object) -> T:
    limiter = _limiter.get(None)
    if limiter is None:
        limiter = CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(partial(act, *args, **kwargs), limiter=limiter)
