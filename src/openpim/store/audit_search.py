"""The words of the audit log, by run of 256 positions: which runs a word occurs in.

A run is entered once, when it is full, so its words are told apart before they are written: some hundreds of rows for 256
events. A search takes the runs that have all its words, the newest first, and looks at the events of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from openpim.core.audit import AuditEvent
from openpim.core.query import Condition
from openpim.store.audit import RECORD, entries, events, fields_of, read_event
from openpim.store.listing import condition, starts_with
from openpim.store.schema import metadata
from openpim.store.types import Folded
from openpim.store.writing import insert_rows

LONGEST_WORD = 40
_NEWEST = 256
words = Table(
    "audit_words",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("word", Folded(LONGEST_WORD), primary_key=True),
    Column("run", BigInteger, primary_key=True),
)
_w, _c, _e = words.c, events.c, entries.c
_INSERT = insert(words)
_DELETE = delete(words).where(
    _w.tenant_id == bindparam("tenant"), _w.word == bindparam("gone"), _w.run == bindparam("where")
)
_TEXT = reduce(
    lambda left, right: left + " " + right,
    (
        _c.activity, _c.actor_name, func.coalesce(_c.actor_upn, ""), _c.reason, _c.targets, _c.details,
        _c.ticket_number, _c.ticket_system, _c.on_behalf_of_name, func.coalesce(_c.ip, ""), _c.result,
    ),
)  # fmt: skip


class AuditSearch:
    """See ports/audit_search.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def enter(self, run: int, found: Sequence[str]) -> None:
        rows = [{"tenant_id": self._tenant, "word": word, "run": run} for word in found]
        insert_rows(self._connection, _INSERT, rows)

    def leave(self, run: int, words: Sequence[str]) -> None:
        rows = [{"tenant": self._tenant, "gone": word, "where": run} for word in words]
        if rows:
            self._connection.execute(_DELETE, rows)

    def runs(self, beginnings: Sequence[str], before: int, limit: int) -> list[int]:
        # Each word's runs by themselves, among the newest first: words that are in every run are found there at once.
        for low in (max(0, before - _NEWEST), 0):
            found: set[int] | None = None
            for one in beginnings:
                asked = select(_w.run).where(self._with(one), _w.run >= low, _w.run < before).distinct()
                runs = set(self._connection.execute(asked).scalars())
                found = runs if found is None else found & runs
                if not found:
                    break
            if found:
                return sorted(found, reverse=True)[:limit]
        return []

    def _with(self, beginning: str) -> ColumnElement[bool]:
        return and_(_w.tenant_id == self._tenant, starts_with(_w.word, beginning))

    def between(
        self, first: int, end: int, where: Condition | None, beginnings: Sequence[str]
    ) -> list[AuditEvent]:
        asked = (
            select(*RECORD, _e.position)
            .select_from(entries.join(events, (_c.sequence == _e.sequence) & (_c.tenant_id == _e.tenant_id)))
            .where(_e.tenant_id == self._tenant, _e.position >= first, _e.position < end)
            .order_by(_e.position.desc())
        )
        if where is not None:
            asked = asked.where(condition(fields_of(self._tenant), where))
        for one in beginnings:
            if one.isascii():  # what SQLite and PostgreSQL fold alike; the rest is looked at afterwards
                asked = asked.where(func.lower(_TEXT).contains(one, autoescape=True))
        return [read_event(row) for row in self._connection.execute(asked).mappings()]
