"""Finds events by their words, the newest first, however many there are.

The words of each 256 positions of the log are entered once, when these are full; a search looks through the runs that have
all of its words, and through the newest events that are not entered yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openpim.core.audit import AuditEvent
from openpim.core.audit_words import asked, has, words_of
from openpim.core.query import All, Compare, Condition, Page, Query, Some, UnknownFieldError
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction

RUN: Final = 256
CURSOR: Final = "search"
_AT_ONCE: Final = 8
_MOST_RUNS: Final = 24  # of one page: then the page ends early, and the next one goes on


def enter(deps: Deps, tenant_id: str) -> int:
    """Enter the words of runs that are full, a few at a time. Returns how many runs."""
    now = deps.clock()

    def work(tx: Transaction) -> int:
        before = tx.cursors.position(CURSOR)
        runs = min((tx.audit_log.size() - before) // RUN, _AT_ONCE)
        if runs <= 0 or not tx.cursors.move(CURSOR, before, before + runs * RUN, now):
            return 0
        found: dict[int, set[str]] = {}
        for leaf in tx.audit_log.since(before, runs * RUN):
            if leaf.position < before + runs * RUN:
                found.setdefault(leaf.position // RUN, set()).update(words_of(leaf.event))
        for run, words in found.items():
            tx.audit_search.enter(run, sorted(words))
        return runs

    return deps.store.write(tenant_id, work) if _full(deps, tenant_id) else 0


def _full(deps: Deps, tenant_id: str) -> bool:
    return deps.store.read(tenant_id, lambda tx: tx.audit_log.size() - tx.cursors.position(CURSOR) >= RUN)


@dataclass(frozen=True, slots=True)
class _Looking:
    tx: Transaction
    where: Condition | None
    words: list[str]
    limit: int


def find(tx: Transaction, text: str, query: Query) -> Page[AuditEvent]:
    """The events that have all the words of the text and meet the query's condition; its order is always the newest
    position first, and it is not counted. A page may be shorter than its limit and have a next one. Raises
    UnknownFieldError for a cursor that is not one of ours."""
    words, ids = asked(text)
    parts: list[Condition] = [query.where] if query.where is not None else []
    for one in ids:
        fields = ("concerns", "correlation_id", "id")
        parts.append(Some(tuple(Compare(field, "eq", one) for field in fields)))
    where = All(tuple(parts)) if parts else None
    end = tx.audit_log.size() if query.after is None else _before(query.after)
    if not words and not ids:
        return Page(())
    looking = _Looking(tx, where, words, max(1, query.limit))
    found: list[AuditEvent] = []
    entered = tx.cursors.position(CURSOR)
    looked = 0
    while end > 0 and looked < _MOST_RUNS:
        if end > entered or not words:
            first = max(entered if words else 0, (end - 1) // RUN * RUN)
            spans = [(first, end)]
        else:
            runs = tx.audit_search.runs(words, (end - 1) // RUN + 1, _MOST_RUNS)
            spans = [(run * RUN, min((run + 1) * RUN, end)) for run in runs]
            if not spans:
                return Page(tuple(found))
        for first, last in spans:
            looked += 1
            end = first
            found += _in(looking, first, last)
            if len(found) >= looking.limit:
                return _page(found, looking.limit)
    return Page(tuple(found), f"p{end}" if end > 0 else None)


def _in(looking: _Looking, first: int, last: int) -> list[AuditEvent]:
    rows = looking.tx.audit_search.between(first, last, looking.where, looking.words)
    return [event for event in rows if not looking.words or has(event, looking.words)]


def _page(found: list[AuditEvent], limit: int) -> Page[AuditEvent]:
    shown = found[:limit]
    position = shown[-1].position or 0
    return Page(tuple(shown), f"p{position}" if position > 0 else None)


def _before(cursor: str) -> int:
    number = cursor[1:]
    if cursor[:1] != "p" or not (number.isascii() and number.isdigit() and len(number) < 16):
        msg = "the page cursor is not one of ours"
        raise UnknownFieldError(msg)
    return int(number)
