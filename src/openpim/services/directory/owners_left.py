"""Which groups would be left without an owner: roles can be assigned to them, and nobody but role managers could
repair it. `last_administrator.guarded(owned=…)` sees to it that their last lasting owner stays."""

from __future__ import annotations

from datetime import datetime

from openpim.core.query import Compare, Query
from openpim.ports.store import Transaction

_ASSIGNABLE = Query(Compare("role_assignable", "eq", True), limit=500)


def powerful_groups_of(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """Ids of the role-assignable groups that this principal owns."""
    return frozenset(group.id for group in tx.groups.owned(principal_id, now, _ASSIGNABLE).items)
