"""Tells people: plans what is to be told of each tenant's news and of time passing, and sends what is due. The two have a
loop each, so that a mail server that does not answer keeps nothing from being planned."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from openpim.core.deliveries import KEPT
from openpim.ports.deps import Deps
from openpim.services.notices.digest import plan_digest
from openpim.services.notices.ending import plan_endings
from openpim.services.notices.planning import BATCH as EVENTS
from openpim.services.notices.planning import plan
from openpim.services.notices.sending import LIMIT, Ways, send_due
from openpim.workers.loop import BATCH, attempt

_TIME_CHECK = timedelta(seconds=30)
_TIDYING = timedelta(hours=1)
_TIDIED = 500  # in one unit of work
_ROUNDS = 40


class Planning:
    """One look at the news of every tenant."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._check_at = deps.clock()

    def __call__(self) -> int:
        now = self._deps.clock()
        check = now >= self._check_at
        if check:
            self._check_at = now + _TIME_CHECK
        tenants = attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ()
        full = False
        for tenant in tenants:
            full |= (attempt(partial(plan, self._deps, tenant.id)) or 0) >= EVENTS
            if check:
                attempt(partial(plan_endings, self._deps, tenant.id))
                attempt(partial(plan_digest, self._deps, tenant.id))
        return BATCH if full else 0


class Sending:
    """One look at what is due."""

    def __init__(self, deps: Deps, ways: Ways) -> None:
        self._deps = deps
        self._ways = ways
        self._tidy_at = deps.clock()

    def __call__(self) -> int:
        now = self._deps.clock()
        if now >= self._tidy_at:
            self._tidy_at = now + _TIDYING
            attempt(partial(self._tidy, now))
        sent = attempt(partial(send_due, self._deps, self._ways)) or 0
        return BATCH if sent >= LIMIT else 0

    def _tidy(self, now: datetime) -> None:
        for _ in range(_ROUNDS):
            gone = self._deps.store.write("", lambda tx: tx.deliveries.forget(now - KEPT, _TIDIED))
            if gone < _TIDIED:
                return
