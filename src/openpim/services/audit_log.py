"""Takes committed events into the audit log, in one order that everybody follows.

An event counts as soon as its unit of work has committed; the log follows a moment later. An event that does not carry
this server's mark, or whose record is gone before it got here, does not stop the log: it is taken as it is, and an
alarm, an event of its own, says so.
"""

from __future__ import annotations

import hmac
import logging
from datetime import datetime
from typing import Final

from openpim.core.audit import AuditEvent, Target, leaf_bytes
from openpim.core.caller import system
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.proof.history import ALARMS
from openpim.proof.merkle import TreeError, leaf_hash
from openpim.services.checkpoints import DAMAGED, tell_fault
from openpim.services.recording import MAC_PURPOSE, record

_log = logging.getLogger(__name__)
BATCH: Final = 500
FORGED: Final = "Audit record not made by this server"
GONE: Final = "Audit record gone before it was in the log"
assert {FORGED, GONE} < set(ALARMS)  # noqa: S101 - what a check looks for


def behind(deps: Deps) -> list[str]:
    """The tenants whose logs have something to take in."""
    return deps.store.read("", lambda tx: tx.audit_log.behind())


def grow(deps: Deps, tenant_id: str) -> int:
    """Take in the events that wait, at most BATCH of them. Returns how many. Several may grow the same log at once:
    one after the other. When the hashes are damaged nothing can be added until they are mended; an alarm says so, and
    nothing is lost."""
    now = deps.clock()

    def work(tx: Transaction) -> int:
        size = tx.audit_log.lock()
        waiting = tx.audit_log.waiting(BATCH)
        leaves, forged = [], []
        gone = [one.event_id for one in waiting if one.event is None]
        for event in (one.event for one in waiting if one.event is not None):
            data = leaf_bytes(event, tenant_id)
            if event.position is None:
                leaves.append((event, leaf_hash(data)))
            if not hmac.compare_digest(event.mac, deps.sealer.mac(MAC_PURPOSE, data)):
                forged.append(event)
        known = [one.event_id for one in waiting if one.event is not None and one.event.position is not None]
        tx.audit_log.give_up(gone + known)
        if leaves:
            tx.audit_log.append(size, leaves)
        for event in forged:
            _alarm(tx, deps, now, FORGED, event.id, event)
        for event_id in gone:
            _alarm(tx, deps, now, GONE, event_id, None)
        return len(waiting)

    try:
        return deps.store.write(tenant_id, work)
    except TreeError:
        deps.store.write(tenant_id, lambda tx: tell_fault(tx, deps, DAMAGED, now))
        return 0


def _alarm(
    tx: Transaction, deps: Deps, now: datetime, activity: str, event_id: str, event: AuditEvent | None
) -> None:
    _log.error("audit log of %s: %s: %s", tx.tenant_id, activity, event_id)
    targets = (Target("AuditRecord", event_id[:36], event.activity if event else ""),)
    record(
        tx, deps, system(tx.tenant_id), now, activity=activity, category="DirectoryManagement",
        targets=targets, result="failure", reason=_ADVICE,
    )  # fmt: skip


_ADVICE = "Somebody or something other than OpenPIM wrote to the database. Run: pim audit verify"
