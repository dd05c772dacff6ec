"""Keeps the audit logs of all tenants up with what was committed, and signs their checkpoints."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from openpim.ports.deps import Deps
from openpim.services import audit_log, audit_search, checkpoints
from openpim.workers.loop import attempt

_LOOK = timedelta(seconds=15)


class GrowingLogs:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._sign_at = deps.clock()

    def __call__(self) -> int:
        """One look at every tenant that is behind. Returns how many events were taken in."""
        behind = attempt(partial(audit_log.behind, self._deps)) or ()
        grown = {tenant: attempt(partial(audit_log.grow, self._deps, tenant)) for tenant in behind}
        for tenant_id in grown:
            attempt(partial(audit_search.enter, self._deps, tenant_id))
        if self._deps.clock() >= self._sign_at:
            tenants = attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ()
            for tenant in tenants:
                # Not of a log that cannot take in what was committed: its events would seem to come too late.
                if grown.get(tenant.id, 0) is not None:
                    attempt(partial(checkpoints.sign_due, self._deps, tenant.id))
            self._sign_at = self._deps.clock() + _LOOK
        return sum(filter(None, grown.values()))
