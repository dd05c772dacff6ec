"""Whom do the last events concern? What the portal's live pages ask every second, once for all who are looking.

Only a hint to look again: it names nobody and nothing, and what is then shown is decided by the acts. An event that commits
late is still found, because each look goes back a little further than the last one. A page says how many changes there were
when it was made, so nothing is missed before it listens.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.audit import AuditEvent
from openpim.core.query import Compare, Order, Query
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import able_reviewers, delegated_reviewers

OVERLAP = timedelta(seconds=10)
LONG_AGO = timedelta(minutes=1)  # from then on, whatever happened counts as news for everybody
_MOST = 200


@dataclass(frozen=True, slots=True)
class Look:
    """Where a look ended: for the next one. seen: ids of the events that it may meet again. changes: of the tenant, after
    everything that was seen."""

    at: datetime
    seen: frozenset[str] = frozenset()
    changes: int = 0


def first_look(deps: Deps) -> Look:
    return Look(deps.clock())


def concerned(
    deps: Deps, tenant_id: str, before: Look, listeners: Collection[str]
) -> tuple[Look, frozenset[str]]:
    """Which of the listeners (ids of people) the events since the look before concern. All of them, when there were too
    many events to tell."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Look, frozenset[str]]:
        query = Query(
            where=Compare("at", "ge", before.at - OVERLAP),
            order=(Order("at", descending=True), Order("sequence", descending=True)),
            limit=_MOST,
        )
        events = tx.audit.page(query).items
        seen = frozenset(one.id for one in events if one.at >= now - OVERLAP)
        after = Look(now, seen, tx.tallies.changes())
        fresh = [one for one in events if one.id not in before.seen and one.category != "Authentication"]
        if len(events) == _MOST and len(fresh) == _MOST:
            return after, frozenset(listeners)
        found: set[str] = set()
        for event in fresh:
            found |= _people(tx, event, now)
        return after, frozenset(found & set(listeners))

    return deps.store.read(tenant_id, work)


def missed(deps: Deps, tenant_id: str, who: str, changes: int, at: datetime) -> bool:
    """Whether something may have concerned a person since a page was made: at that moment, when the tenant had so many
    changes."""
    now = deps.clock()
    if changes and deps.store.read(tenant_id, lambda tx: tx.tallies.changes()) == changes:
        return False
    if not timedelta() <= now - at <= LONG_AGO:
        return True
    return who in concerned(deps, tenant_id, Look(at), {who})[1]


def _people(tx: Transaction, event: AuditEvent, now: datetime) -> set[str]:
    """Who did it, whom it was done to, the members of groups it was done to, and who can now decide."""
    found = {event.actor_id}
    for target in event.targets:
        if target.kind == "User":
            found.add(target.id)
        elif target.kind == "Group":
            found |= tx.groups.transitive_member_ids(target.id, now)
        elif target.kind == "Request":
            approval = tx.approvals.get(target.id)
            if approval is not None:
                keys = frozenset().union(*(stage.keys for stage in approval.stages))
                found |= able_reviewers(tx, keys, approval.requestor_id, now)
                found |= delegated_reviewers(tx, keys, approval.requestor_id, now)
    return found
