"""What the store must have recorded by now, in every tenant: ends, starts, time-outs, and what follows from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import due, timeouts
from openpim.services.signin.housekeeping import forget_old
from openpim.workers.loop import attempt

_REVIEWER_CHECK = timedelta(seconds=30)
_TIDYING = timedelta(days=1)
_AHEAD = timedelta(seconds=1)


class Recording:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._check_at = deps.clock()
        self._tidy_at = deps.clock()

    def __call__(self) -> int:
        """One look at everything. Returns how much was done. A failing part never stops the others."""
        done = 0
        tenants = attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ()
        check = self._deps.clock() >= self._check_at
        for tenant in tenants:
            for act in (due.expire, due.start, timeouts.settle_approvals):
                done += attempt(partial(act, self._deps, tenant.id)) or 0
            if check:
                attempt(partial(timeouts.check_reviewers, self._deps, tenant.id))
        if check:
            self._check_at = self._deps.clock() + _REVIEWER_CHECK
        if self._deps.clock() >= self._tidy_at:
            attempt(partial(forget_old, self._deps))
            self._tidy_at = self._deps.clock() + _TIDYING
        return done

    def soon(self) -> float | None:
        """Seconds until the next end, where that is within a second: who follows the history of an end hears of it then,
        and not at the next look."""
        now = self._deps.clock()
        tenants = self._deps.store.read("", lambda tx: tx.tenants.all())
        ends = [self._deps.store.read(tenant.id, partial(_next_end, now=now)) for tenant in tenants]
        known = [end for end in ends if end is not None]
        return (min(known) - now).total_seconds() if known else None


def _next_end(tx: Transaction, now: datetime) -> datetime | None:
    found = tx.schedules.ending((now, ""), now + _AHEAD, 1)
    return found[0].ends_at if found else None
