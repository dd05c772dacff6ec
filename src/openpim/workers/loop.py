"""The worker: wakes, looks at what is due in every tenant, does it. It takes no input, so one that was away catches
up by running once, and several at the same time share the work through row locks.

Nothing that people may rely on waits for it: what has ended has ended, whether this ran or not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

from openpim.ports.deps import Deps
from openpim.services import due, timeouts
from openpim.services.settling import Effect, settle_due
from openpim.services.signin.housekeeping import forget_old

_log = logging.getLogger(__name__)
T = TypeVar("T")
_BATCH = 200
_REVIEWER_CHECK = timedelta(seconds=30)
_TIDYING = timedelta(days=1)


class Worker:
    """effects: what follows the store. interval: seconds between two looks; `wake` cuts the pause short."""

    def __init__(self, deps: Deps, effects: Sequence[Effect] = (), interval: float = 1.0) -> None:
        self._deps = deps
        self._effects = effects
        self._interval = interval
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._check_at = deps.clock()
        self._tidy_at = deps.clock()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="openpim-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def wake(self) -> None:
        self._wake.set()

    def once(self) -> int:
        """One look at everything. Returns how much was done. A failing part never stops the others."""
        done = 0
        tenants = self._try(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ()
        check = self._deps.clock() >= self._check_at
        for tenant in tenants:
            for act in (due.expire, due.start, timeouts.settle_approvals):
                done += self._try(partial(act, self._deps, tenant.id)) or 0
            if check:
                self._try(partial(timeouts.check_reviewers, self._deps, tenant.id))
        if check:
            self._check_at = self._deps.clock() + _REVIEWER_CHECK
        if self._deps.clock() >= self._tidy_at:
            self._try(partial(forget_old, self._deps))
            self._tidy_at = self._deps.clock() + _TIDYING
        done += self._try(partial(settle_due, self._deps, self._effects, limit=_BATCH)) or 0
        return done

    def _run(self) -> None:
        while not self._stopping:
            done = self.once()
            if done < _BATCH:
                self._wake.wait(self._interval)
            self._wake.clear()

    def _try(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except Exception:  # noqa: BLE001 - one failing part must not stop the worker
            _log.exception("a worker's act failed; it is tried again at the next look")
            return None
