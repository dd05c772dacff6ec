"""The history of a place and of everything below it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from openpim.core.audit import AuditEvent
from openpim.core.caller import Caller
from openpim.core.query import All, Compare, Condition, Order, Page, Query
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.resources import browse
from openpim.services.resources.browse import Facts
from openpim.services.resources.rights import reads

READ = "Microsoft.Insights/eventtypes/values/read"
PAGE = 500
DEFAULT = timedelta(days=90)


def page(
    deps: Deps,
    caller: Caller,
    scope: str,
    *,
    since: datetime | None,
    until: datetime | None,
    after: str | None,
) -> Page[AuditEvent] | Refusal:
    """Newest first; since: the last 90 days unless said. A page may hold fewer events than the next one."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[AuditEvent] | Refusal:
        refusal = reads(tx, caller, READ, scope, now)
        if refusal is not None:
            return refusal
        parts: list[Condition] = [
            Compare("category", "eq", "ResourceManagement"),
            Compare("at", "ge", since or now - DEFAULT),
        ]
        if until is not None:
            parts.append(Compare("at", "le", until))
        newest = (Order("at", descending=True), Order("sequence", descending=True))
        found = tx.audit.page(Query(All(tuple(parts)), order=newest, limit=PAGE, after=after))
        if scope == ROOT:
            return found
        places = {place for one in found.items if (place := scope_of(one)) is not None}
        inside = browse.inside(tx, scope, places)
        return Page(tuple(one for one in found.items if scope_of(one) in inside), found.next)

    return deps.store.read(caller.tenant_id, work)


def scope_of(event: AuditEvent) -> str | None:
    """The place an event is about."""
    for target in event.targets:
        if target.kind in {"Directory", "Resource"} and target.id.startswith("/"):
            return target.id
    return None


def places(deps: Deps, caller: Caller, events: Sequence[AuditEvent]) -> Facts:
    return browse.facts(
        deps, caller, scopes={scope for one in events if (scope := scope_of(one)) is not None}
    )
