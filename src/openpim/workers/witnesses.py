"""Gives checkpoints to their witnesses, and removes what retention lets go: work on the audit log that may wait."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from openpim.ports.deps import Deps
from openpim.services import audit_retention
from openpim.services.witnesses import Witnesses
from openpim.workers.loop import attempt

_RETENTION = timedelta(hours=1)


class Witnessing:
    def __init__(self, deps: Deps, witnesses: Witnesses) -> None:
        self._deps = deps
        self._witnesses = witnesses
        self._remove_at = deps.clock()

    def __call__(self) -> int:
        """One look at every tenant."""
        tenants = attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ()
        done = sum(attempt(partial(self._witnesses.tell, tenant.id)) or 0 for tenant in tenants)
        if self._deps.clock() >= self._remove_at:
            removed = sum(
                attempt(partial(audit_retention.remove_due, self._deps, tenant.id)) or 0 for tenant in tenants
            )
            if not removed:  # else there may be more
                self._remove_at = self._deps.clock() + _RETENTION
        return done
