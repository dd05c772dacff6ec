"""Tells receivers: plans what is to be told of each tenant's news, and pushes what is due, each stream in a thread of its
own. What is polled is fetched by the receivers themselves."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from openpim.services.signals.planning import BATCH as EVENTS
from openpim.services.signals.planning import plan
from openpim.services.signals.push import due, push, tidy
from openpim.services.signin.context import SignIn
from openpim.workers.beside import AT_ONCE, Beside
from openpim.workers.loop import BATCH, attempt

_TIDYING = timedelta(minutes=5)
_TIDIED = 1000  # in one unit of work
_ROUNDS = 40


class Signalling:
    """One look at the news of every tenant, and at what is due."""

    def __init__(self, signin: SignIn) -> None:
        self._deps = signin.deps
        self._tidy_at = self._deps.clock()
        self.pushing = Beside("signals", partial(due, self._deps), partial(push, signin), of_one=AT_ONCE // 4)

    def __call__(self) -> int:
        now = self._deps.clock()
        if now >= self._tidy_at:
            self._tidy_at = now + _TIDYING
            attempt(self._tidy)
        tenants = attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ()
        full = False
        for tenant in tenants:
            full |= (attempt(partial(plan, self._deps, tenant.id)) or 0) >= EVENTS
        attempt(self.pushing)
        return BATCH if full else 0

    def _tidy(self) -> None:
        for _ in range(_ROUNDS):
            if tidy(self._deps, limit=_TIDIED) < _TIDIED:
                return
