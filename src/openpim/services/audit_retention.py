"""Removes events that an organisation does not keep any longer, and says so in the log first.

What is removed is the record; its place in the log and its hash stay, so the rest is proved as before. An event in the
log names the positions: a check takes exactly those for removed by retention, and any other gap for tampering. Only what a
checkpoint proves is removed, and what every follower has read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from openpim.core.audit import AuditEvent, Target
from openpim.core.audit_words import words_of
from openpim.core.caller import system
from openpim.core.checkpoints import origin_of
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.proof.history import ALARMS, KEPT, RETENTION
from openpim.services.audit_log import grow
from openpim.services.audit_search import CURSOR, RUN
from openpim.services.notices.planning import CURSOR as NOTICES
from openpim.services.recording import record

_AT_ONCE: Final = 1000
_KEEP: Final = (*KEPT, *ALARMS)


def remove_due(deps: Deps, tenant_id: str) -> int:
    """Remove some of what is due. Returns how many events. Safe to stop anywhere: what was named and is still there is
    named again."""
    now = deps.clock()

    def due(tx: Transaction) -> list[AuditEvent]:
        days = tx.organisation_settings.get().audit_retention_days
        last = tx.checkpoints.last()
        if days is None or last is None or tx.checkpoints.fault():
            return []
        followers = [CURSOR, NOTICES, *(one.cursor for one in tx.streams.all() if not one.paused)]
        below = min(last.size, *(tx.cursors.position(one) for one in followers))
        return tx.audit.expired(now - timedelta(days=days), below, _KEEP, _AT_ONCE)

    def name(tx: Transaction) -> AuditEvent | None:
        found = due(tx)
        if not found:
            return None
        days = tx.organisation_settings.get().audit_retention_days
        positions = ranges([event.position for event in found if event.position is not None])
        return record(
            tx, deps, system(tenant_id), now, activity=RETENTION, category="DirectoryManagement",
            targets=(Target("AuditLog", tenant_id, origin_of(tenant_id)),),
            details=(("Positions", positions), ("Count", str(len(found))), ("RetentionDays", str(days))),
        )  # fmt: skip

    def remove(tx: Transaction) -> int:
        if named is None or tx.audit_log.position_of(named.id) is None:
            return 0
        covered = dict(named.details)["Positions"]
        found = [event for event in due(tx) if _in(event.position or 0, covered)]
        tx.audit.remove(found)
        _forget_words(tx, found)
        return len(found)

    if not deps.store.read(tenant_id, due):
        return 0
    named = deps.store.write(tenant_id, name)
    while deps.store.read(tenant_id, lambda tx: bool(tx.audit_log.waiting(1))):
        if grow(deps, tenant_id) == 0:
            break
    return deps.store.write(tenant_id, remove)


def ranges(positions: list[int]) -> str:
    """As they are written in the event: `0-99,120`."""
    found: list[list[int]] = []
    for one in sorted(positions):
        if found and found[-1][1] == one - 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def _in(position: int, covered: str) -> bool:
    for part in covered.split(","):
        first, _, last = part.partition("-")
        if int(first) <= position <= int(last or first):
            return True
    return False


def _forget_words(tx: Transaction, removed: list[AuditEvent]) -> None:
    """What the words of a removed event were is not to be found out from the index."""
    entered = tx.cursors.position(CURSOR)
    gone: dict[int, set[str]] = {}
    for event in removed:
        if event.position is not None and event.position < entered:
            gone.setdefault(event.position // RUN, set()).update(words_of(event))
    for run, words in gone.items():
        left = tx.audit_search.between(run * RUN, (run + 1) * RUN, None, ())
        kept = {word for event in left for word in words_of(event)}
        tx.audit_search.leave(run, sorted(words - kept))
