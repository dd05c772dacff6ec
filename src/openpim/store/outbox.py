"""The outbox table: leases with an attempt number, so that a worker that finishes late changes nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
    update,
)

from openpim.ports.outbox import Entry
from openpim.store.schema import metadata
from openpim.store.types import Instant

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant_id", String(36), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("key", String(80), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),  # null: done
    Column("leased_until", Instant),
    Column("attempt", Integer, nullable=False),
    Column("error", Text),
    Column("done_at", Instant),
    Index("ix_outbox_due", "topic", "due_at", "tenant_id", "key"),
)
_c = outbox.c


_INSERT = insert(outbox)


class Outbox:
    """See ports/outbox.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def put(self, entry_id: str, topic: str, key: str, payload: str, now: datetime) -> None:
        self._connection.execute(
            _INSERT,
            {
                "id": entry_id,
                "tenant_id": self._tenant,
                "topic": topic,
                "key": key,
                "payload": payload,
                "created_at": now,
                "due_at": now,
                "attempt": 0,
            },
        )

    def due_keys(self, topic: str, now: datetime, limit: int) -> list[tuple[str, str]]:
        statement = select(_c.tenant_id, _c.key).where(_c.topic == topic, *_free(now)).distinct().limit(limit)
        return [(row.tenant_id, row.key) for row in self._connection.execute(statement)]

    def claim(self, topic: str, key: str, now: datetime, lease_until: datetime, limit: int) -> list[Entry]:
        rows = (
            self._connection.execute(
                select(outbox)
                .where(_c.topic == topic, _c.tenant_id == self._tenant, _c.key == key, *_free(now))
                .order_by(_c.due_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            .mappings()
            .all()
        )
        if not rows:
            return []
        self._connection.execute(
            update(outbox)
            .where(_c.id.in_([row["id"] for row in rows]))
            .values(leased_until=lease_until, attempt=_c.attempt + 1)
        )
        return [
            Entry(
                id=row["id"],
                tenant_id=row["tenant_id"],
                topic=row["topic"],
                key=row["key"],
                payload=row["payload"],
                created_at=row["created_at"],
                attempt=row["attempt"] + 1,
            )
            for row in rows
        ]

    def done(self, entry: Entry, now: datetime) -> bool:
        changed = self._connection.execute(
            update(outbox)
            .where(_c.id == entry.id, _c.attempt == entry.attempt, _c.due_at.is_not(None))
            .values(due_at=None, leased_until=None, done_at=now, error=None)
        )
        return changed.rowcount == 1

    def retry(self, entry: Entry, at: datetime, error: str) -> bool:
        changed = self._connection.execute(
            update(outbox)
            .where(_c.id == entry.id, _c.attempt == entry.attempt, _c.due_at.is_not(None))
            .values(due_at=at, leased_until=None, error=error[:500])
        )
        return changed.rowcount == 1

    def forget(self, before: datetime, topics: tuple[str, ...]) -> int:
        gone = delete(outbox).where(_c.topic.in_(topics), _c.due_at.is_(None), _c.done_at < before)
        return self._connection.execute(gone).rowcount


def _free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Due, and held by nobody."""
    return (_c.due_at <= now, or_(_c.leased_until.is_(None), _c.leased_until <= now))
