"""Reads the audit history: all of it for readers, one's own part for everyone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.audit import AuditEvent
from openpim.core.caller import Caller, CallerKind
from openpim.core.query import All, Compare, Order, Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import READERS
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import audit_search
from openpim.services.authority import roles_of

REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"
ALL_READERS = READERS | {REPORTS_READER}  # may read the whole history


def page(deps: Deps, caller: Caller, query: Query, text: str = "") -> Page[AuditEvent]:
    """Newest first unless the query orders otherwise. Who may not read all sees what he did or what was done to
    him. text: words that the event must have; then always the newest first, and never counted."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[AuditEvent]:
        newest = (Order("at", descending=True), Order("sequence", descending=True))
        asked = query if query.order else replace(query, order=newest)
        if not may_read_all(tx, caller, now):
            mine = Compare("concerns", "eq", caller.principal_id)
            asked = replace(asked, where=mine if query.where is None else All((mine, query.where)))
        return audit_search.find(tx, text, asked) if text.strip() else tx.audit.page(asked)

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, event_id: str) -> AuditEvent | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> AuditEvent | Refusal:
        event = tx.audit.get(event_id)
        if event is not None and (
            may_read_all(tx, caller, now)
            or event.actor_id == caller.principal_id
            or any(target.id == caller.principal_id for target in event.targets)
        ):
            return event
        return Refusal(Code.NOT_FOUND, f"There is no audit event {event_id}.")

    return deps.store.read(caller.tenant_id, work)


def reads_all(deps: Deps, caller: Caller) -> bool:
    """Whether this caller sees everybody's events."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: may_read_all(tx, caller, now))


def may_read_all(tx: Transaction, caller: Caller, now: datetime) -> bool:
    """Whether this caller sees everybody's events."""
    if caller.kind is CallerKind.SERVICE_PRINCIPAL and "AuditLog.Read.All" in caller.permissions:
        return True
    return bool(roles_of(tx, caller, now) & ALL_READERS)
