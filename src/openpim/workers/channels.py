"""Other systems that are to decide are asked, and what rests on tickets that were closed ends. In a loop of its own: who
answers slowly holds up nothing but other questions."""

from __future__ import annotations

from functools import partial

from openpim.ports.deps import Deps
from openpim.services.channels import asking, tickets
from openpim.workers.loop import attempt


class Asking:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def __call__(self) -> int:
        """One look at everything. Returns how much was done."""
        done = 0
        for tenant in attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ():
            for act in (asking.ask_due, tickets.sweep):
                done += attempt(partial(act, self._deps, tenant.id)) or 0
        return done
