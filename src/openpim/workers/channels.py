"""Other systems that are to decide are asked, and what rests on tickets that were closed ends. In a loop of its own: who
answers slowly holds up nothing but other questions."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from openpim.ports.deps import Deps
from openpim.services.channels import asking, tickets
from openpim.workers.loop import BATCH, attempt

_ALL = timedelta(seconds=15)


class Asking:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._all_at = deps.clock()

    def __call__(self) -> int:
        """One look at everything. Returns how much was done, BATCH where there may be more."""
        now = self._deps.clock()
        resting = now >= self._all_at
        if resting:
            self._all_at = now + _ALL
        done, full = 0, False
        for tenant in attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ():
            asked = attempt(partial(asking.ask_due, self._deps, tenant.id, resting=resting)) or 0
            full |= asked >= asking.AT_ONCE
            done += asked + (attempt(partial(tickets.sweep, self._deps, tenant.id)) or 0)
        return BATCH if full else done
