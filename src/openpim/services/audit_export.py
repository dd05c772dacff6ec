"""Takes the audit history out, portion by portion, the oldest first: constant memory for any number of events, and whoever
is interrupted goes on where he was.

Without a filter the log's own order is followed: no gap, and nothing twice. With one, events come by their time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from openpim.core.audit import AuditEvent
from openpim.core.caller import Caller
from openpim.core.query import All, Compare, Condition, Order, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.audits import may_read_all

MOST: Final = 5000
_ORDER: Final = (Order("at"), Order("sequence"))
# A unit of work that takes long commits events that are older than others that are there already.
_SETTLED: Final = timedelta(seconds=10)
_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Exported:
    """next: what to ask for then; None when there is nothing more."""

    events: tuple[AuditEvent, ...]
    next: str | None


def portion(
    deps: Deps, caller: Caller, where: Condition | None, after: str, limit: int = MOST
) -> Exported | Refusal:
    """after: "" to begin, then each portion's `next`. Who may not read all of the history gets his own part. Raises
    UnknownFieldError for a filter or a place that cannot be read."""
    now = deps.clock()

    def work(tx: Transaction) -> Exported | Refusal:
        everything = may_read_all(tx, caller, now)
        if everything and where is None:
            return _of_log(tx, after, limit)
        parts = [] if where is None else [where]
        if not everything:
            parts.append(Compare("concerns", "eq", caller.principal_id))
        parts.append(Compare("at", "le", now - _SETTLED))
        page = tx.audit.page(Query(All(tuple(parts)), _ORDER, limit, after or None))
        return Exported(page.items, page.next)

    return deps.store.read(caller.tenant_id, work)


def _of_log(tx: Transaction, after: str, limit: int) -> Exported | Refusal:
    if after and not (after.isascii() and after.isdigit() and len(after) <= _DIGITS):
        return Refusal(
            Code.INVALID, "That is not where a portion ended. Begin again, without `at`.", member="at"
        )
    leaves = tx.audit_log.since(int(after or 0), limit)
    following = str(leaves[-1].position + 1) if len(leaves) == limit else None
    return Exported(tuple(leaf.event for leaf in leaves), following)
