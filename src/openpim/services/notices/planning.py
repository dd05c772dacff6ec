"""The follower of the audit log that plans what is told: events become deliveries in the same commit that moves its cursor,
so nothing is told twice, nothing is left out, and nothing is told of what rolled back."""

from __future__ import annotations

import logging

from openpim.core.notices import STALE
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.notices.deliveries import deliver
from openpim.services.notices.happened import news_of

_log = logging.getLogger(__name__)
CURSOR = "notices"
_FAULTS = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)  # of ours; what the database does is tried again
BATCH = 50


def plan(deps: Deps, tenant_id: str, *, limit: int = BATCH) -> int:
    """Deal with the next events of one tenant. Returns how many events.

    What happened longer ago than STALE is passed over: a server that was away for weeks, or that has just learned to
    send mail, does not tell old stories. An event that cannot be understood is passed over too, and logged: it must not
    keep all later ones from being told.
    """
    if deps.store.read(tenant_id, _nothing_new):
        return 0
    try:
        return _step(deps, tenant_id, limit, skip=False)
    except _FAULTS:
        _log.exception("notices of tenant %s: an event cannot be understood", tenant_id)
    try:
        return _step(deps, tenant_id, 1, skip=False)
    except _FAULTS:
        return _step(deps, tenant_id, 1, skip=True)


def _step(deps: Deps, tenant_id: str, limit: int, *, skip: bool) -> int:
    now = deps.clock()

    def work(tx: Transaction) -> int:
        before = tx.cursors.position(CURSOR)
        leaves = tx.audit_log.since(before, limit)
        if not leaves or not tx.cursors.move(CURSOR, before, leaves[-1].position + 1, now):
            return 0  # somebody else deals with them
        break_glass = tx.organisation_settings.get().break_glass
        for leaf in leaves:
            if leaf.event.at >= now - STALE and not skip:
                for facts in news_of(tx, leaf.event, break_glass):
                    deliver(tx, deps, facts, now=now)
        return len(leaves)

    return deps.store.write(tenant_id, work)


def _nothing_new(tx: Transaction) -> bool:
    return not tx.audit_log.since(tx.cursors.position(CURSOR), 1)
