"""The table of destinations of the audit history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from openpim.core.streams import Stream, StreamKind
from openpim.store.leases import ERROR, Leased, delivery_columns
from openpim.store.schema import metadata
from openpim.store.types import Instant

streams = Table(
    "audit_streams",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("address", Text, nullable=False),
    Column("header", String(100), nullable=False),
    Column("secret", Text, nullable=False),
    Column("facility", Integer, nullable=False),
    Column("gzip", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("begins_at", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(36), nullable=False),
    *delivery_columns(),
    Index("ix_audit_streams_due", "paused", "next_at"),
)
_c = streams.c
_SET = ("name", "kind", "address", "header", "secret", "facility", "gzip", "paused")


class Streams(Leased):
    """See ports/streams.py."""

    table = streams

    def all(self) -> list[Stream]:
        rows = self._connection.execute(
            select(streams).where(_c.tenant_id == self._tenant).order_by(_c.name, _c.id)
        )
        return [_value(row) for row in rows.mappings()]

    def get(self, stream_id: str) -> Stream | None:
        row = self._connection.execute(select(streams).where(*self._one(stream_id))).mappings().first()
        return None if row is None else _value(row)

    def put(self, stream: Stream) -> None:
        values = {name: getattr(stream, name) for name in _SET} | {"kind": stream.kind.value}
        changed = self._connection.execute(update(streams).where(*self._one(stream.id)).values(**values))
        if changed.rowcount == 0:
            row = {name: getattr(stream, name) for name in Stream.__dataclass_fields__} | values
            self._connection.execute(insert(streams).values(tenant_id=self._tenant, **row))

    def remove(self, stream_id: str) -> bool:
        return self._connection.execute(delete(streams).where(*self._one(stream_id))).rowcount == 1

    def due(self, now: datetime, limit: int) -> list[tuple[str, Stream]]:
        rows = self._connection.execute(
            select(streams)
            .where(_c.paused.is_(False), _c.next_at <= now, self._free(now))
            .order_by(_c.next_at)
            .limit(limit)
        )
        return [(row["tenant_id"], _value(row)) for row in rows.mappings()]

    def everywhere(self, limit: int) -> list[tuple[str, Stream]]:
        rows = self._connection.execute(select(streams).order_by(_c.tenant_id, _c.id).limit(limit))
        return [(row["tenant_id"], _value(row)) for row in rows.mappings()]

    def lease(self, stream_id: str, now: datetime, until: datetime) -> Stream | None:
        return self.get(stream_id) if self._lease(stream_id, now, until, _c.paused.is_(False)) else None

    def taken(self, stream: Stream, now: datetime, until: datetime, count: int, said: str = "") -> bool:
        return self._as_holder(
            stream,
            leased_until=until,
            sent_at=now,
            sent=_c.sent + count,
            failures=0,
            error=said[:ERROR],
            error_at=now if said else None,
        )


def _value(row: RowMapping) -> Stream:
    values = {name: row[name] for name in Stream.__dataclass_fields__}
    return Stream(**{**values, "kind": StreamKind(row["kind"])})
