"""What is worked out from the privilege of a tenant, and kept for as long as nothing changes in it.

No privilege changes without an audit event, so the number of these says whether anything has; time is all else that changes
what is in force, and does so where a schedule begins or ends (docs/decisions/0095). What things are called changes without
either, and so is never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from openpim.ports.deps import Deps
from openpim.ports.store import Transaction

T = TypeVar("T")
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Known:
    """changes: of the tenant, when it was worked out. As long as there are no more, it is so from `since` until `until`."""

    changes: int
    since: datetime
    until: datetime
    value: Any


def while_unchanged(
    deps: Deps, tx: Transaction, key: Hashable, now: datetime, make: Callable[[], T], latest: datetime = NEVER
) -> T:
    """What `make` gives, which must not be changed by whoever gets it; from last time, if it would give the same now.

    key: what it is about, and everything in its question but the tenant. latest: when it ends in any case. `make` asks the
    database itself: what a page was told before (store/told.py) may be older than the number.
    """
    changes = tx.tallies.changes()  # before it is made: a change meanwhile makes it old at once
    if not changes:
        return make()
    known: _Known | None = deps.kept.get((tx.tenant_id, key))
    if known is None or known.changes != changes or not known.since <= now < known.until:
        until = min(latest, tx.tallies.next_turn(now) or NEVER)
        known = _Known(changes, now, until, make())
        deps.kept.keep((tx.tenant_id, key), known)
    found: T = known.value
    return found
