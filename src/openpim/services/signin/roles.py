"""Which directory roles a person holds now, and until when: for `wids`, and for how long a token may live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from openpim.core.grants import Kind, Provider
from openpim.ports.store import Transaction


@dataclass(frozen=True, slots=True)
class InForce:
    """wids: ids of the roles held over the whole tenant. ends: when each that is time-bound ends."""

    wids: tuple[str, ...] = ()
    ends: tuple[datetime, ...] = ()


def roles_in_force(tx: Transaction, principal_id: str, now: datetime) -> InForce:
    """tx: of the tenant. Directly, or through groups. Overlapping grants are a union: the latest end counts."""
    holders = {principal_id, *tx.groups.groups_of(principal_id, now)}
    found = tx.schedules.of(holders, provider=Provider.DIRECTORY, kind=Kind.ASSIGNMENT, live_at=now)
    ends: dict[str, datetime | None] = {}
    for schedule in found:
        if schedule.scope != "/" or not schedule.in_force(now):
            continue
        role, end = schedule.role_id, schedule.ends_at
        before = ends.get(role, end)
        ends[role] = None if before is None or end is None else max(before, end)
    return InForce(tuple(sorted(ends)), tuple(end for end in ends.values() if end is not None))
