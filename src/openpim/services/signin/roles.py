"""Which directory roles a person holds now, and until when: for `wids`, and for how long a token may live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from openpim.core.scopes import TENANT
from openpim.ports.store import Transaction
from openpim.services.authority import assignments_of, identities
from openpim.services.membership import bounded


@dataclass(frozen=True, slots=True)
class InForce:
    """wids: ids of the roles held over the whole tenant. ends: when each that is time-bound ends."""

    wids: tuple[str, ...] = ()
    ends: tuple[datetime, ...] = ()


def roles_in_force(tx: Transaction, principal_id: str, now: datetime) -> InForce:
    """tx: of the tenant. Directly, or through groups, for as long as the person is in them. Overlapping grants are a
    union: the latest end counts."""
    assignments = assignments_of(tx, principal_id, now)
    if any(held.principal_id != principal_id for held in assignments):
        assignments = bounded(tx, principal_id, identities(tx, principal_id, now), assignments, now)
    ends = union_ends((held.role_id, held.ends_at) for held in assignments if held.scope == TENANT)
    return InForce(tuple(sorted(ends)), tuple(end for end in ends.values() if end is not None))


def union_ends(held: Iterable[tuple[str, datetime | None]]) -> dict[str, datetime | None]:
    """The last end of each; None: for good."""
    ends: dict[str, datetime | None] = {}
    for key, end in held:
        before = ends.get(key, end)
        ends[key] = None if before is None or end is None else max(before, end)
    return ends
