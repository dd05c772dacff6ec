"""Keeps the audit logs of all tenants up with what was committed."""

from __future__ import annotations

from functools import partial

from openpim.ports.deps import Deps
from openpim.services import audit_log
from openpim.workers.loop import attempt


class GrowingLogs:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def __call__(self) -> int:
        """One look at every tenant that is behind. Returns how many events were taken in."""
        behind = attempt(partial(audit_log.behind, self._deps)) or ()
        return sum(attempt(partial(audit_log.grow, self._deps, tenant)) or 0 for tenant in behind)
