"""The tables of the event streams of receivers. A stream's row is held by whoever gives out its next numbers, so events become
visible in their order."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

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
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from openpim.core.signals import (
    MOST_HELD,
    DefaultSubjects,
    Method,
    Signal,
    SignalStream,
    Status,
    SubjectFormat,
)
from openpim.store.leases import ERROR, Leased, delivery_columns
from openpim.store.principals import batches
from openpim.store.schema import metadata
from openpim.store.types import Instant

streams = Table(
    "signal_streams",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("owner_id", String(36), nullable=False),
    Column("app_id", String(36), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("method", String(20), nullable=False),
    Column("endpoint_url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("requested", Text, nullable=False),
    Column("description", Text),
    Column("subject_format", String(10), nullable=False),
    Column("default_subjects", String(4), nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", Text),
    Column("last_number", BigInteger, nullable=False),
    *delivery_columns(),
    Column("dropped", BigInteger, nullable=False),
    Column("polled_at", Instant),
    Column("verified_at", Instant),
    Column("verifications", Integer, nullable=False),
    Index("ix_signal_streams_due", "method", "next_at"),
    Index("ix_signal_streams_owner", "tenant_id", "owner_id"),
)
events = Table(
    "signal_events",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("stream_id", String(36), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("jti", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Column("always", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_signal_events_jti", "tenant_id", "stream_id", "jti", unique=True),
    Index("ix_signal_events_created", "created_at"),
)
subjects = Table(
    "signal_subjects",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("stream_id", String(36), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("included", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
_c, _e, _s = streams.c, events.c, subjects.c
_SET = (
    "method",
    "endpoint_url",
    "secret",
    "requested",
    "description",
    "subject_format",
    "default_subjects",
    "status",
    "reason",
)
_AT_ONCE = 500


class SignalStreams(Leased):
    """See ports/signals.py."""

    table = streams

    def all(self) -> list[SignalStream]:
        return self._streams(_c.tenant_id == self._tenant)

    def of(self, owner_id: str) -> list[SignalStream]:
        return self._streams(_c.tenant_id == self._tenant, _c.owner_id == owner_id)

    def _streams(self, *where: Any) -> list[SignalStream]:
        statement = select(streams).where(*where).order_by(_c.created_at, _c.id)
        return [_value(row) for row in self._connection.execute(statement).mappings()]

    def get(self, stream_id: str) -> SignalStream | None:
        statement = select(streams).where(*self._one(stream_id))
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else _value(row)

    def put(self, stream: SignalStream) -> None:
        row = {name: getattr(stream, name) for name in SignalStream.__dataclass_fields__}
        row["requested"] = json.dumps(stream.requested)
        changed = self._connection.execute(
            update(streams).where(*self._one(stream.id)).values({name: row[name] for name in _SET})
        )
        if not changed.rowcount:
            self._connection.execute(insert(streams).values(tenant_id=self._tenant, **row))

    def remove(self, stream_id: str) -> bool:
        for table in (events, subjects):
            self._connection.execute(
                delete(table).where(table.c.tenant_id == self._tenant, table.c.stream_id == stream_id)
            )
        return self._connection.execute(delete(streams).where(*self._one(stream_id))).rowcount == 1

    # -- what waits
    def queue(self, stream_id: str, signals: Sequence[Signal]) -> None:
        statement = (
            update(streams)
            .where(*self._one(stream_id))
            .values(last_number=_c.last_number + len(signals))
            .returning(_c.last_number)
        )
        last = self._connection.execute(statement).scalar()
        if last is None:
            return  # it is gone
        rows = [
            {
                "tenant_id": self._tenant,
                "stream_id": stream_id,
                "number": last - len(signals) + place,
                "jti": one.jti,
                "body": one.body,
                "always": one.always,
                "created_at": one.created_at,
            }
            for place, one in enumerate(signals, 1)
        ]
        for begin in range(0, len(rows), _AT_ONCE):
            self._connection.execute(insert(events), rows[begin : begin + _AT_ONCE])

    def waiting(self, stream_id: str, limit: int, *, all_of_it: bool = True) -> list[Signal]:
        statement = select(events).where(*self._in(stream_id)).order_by(_e.number).limit(limit)
        if not all_of_it:
            statement = statement.where(_e.always.is_(True))
        names = Signal.__dataclass_fields__
        rows = self._connection.execute(statement).mappings()
        return [Signal(**{name: row[name] for name in names}) for row in rows]

    def done(self, stream_id: str, jtis: Collection[str]) -> int:
        return sum(
            self._connection.execute(delete(events).where(*self._in(stream_id), _e.jti.in_(part))).rowcount
            for part in batches(list(jtis))
        )

    def clear(self, stream_id: str) -> int:
        mine = delete(events).where(*self._in(stream_id), _e.always.is_(False))
        return self._connection.execute(mine).rowcount

    def held(self, stream_id: str) -> tuple[int, datetime | None]:
        statement = select(func.count(), func.min(_e.created_at)).where(*self._in(stream_id))
        count, since = self._connection.execute(statement).one()
        return count, since

    def expire(self, before: datetime, most: int, limit: int) -> int:
        old = select(_e.tenant_id, _e.stream_id, _e.number).where(_e.created_at < before).limit(limit)
        found = [tuple(row) for row in self._connection.execute(old)]
        mine = (_e.tenant_id == _c.tenant_id, _e.stream_id == _c.id)
        over = (
            select(_e.tenant_id, _e.stream_id, _e.number)
            .join(streams, (mine[0]) & (mine[1]))
            .where(_e.number <= _c.last_number - most)
            .limit(limit)
        )
        found += [tuple(row) for row in self._connection.execute(over) if tuple(row) not in found]
        counts: dict[tuple[str, str], int] = {}
        for tenant_id, stream_id, number in found[:limit]:
            counts[tenant_id, stream_id] = counts.get((tenant_id, stream_id), 0) + 1
            self._connection.execute(
                delete(events).where(
                    _e.tenant_id == tenant_id, _e.stream_id == stream_id, _e.number == number
                )
            )
        for (tenant_id, stream_id), count in counts.items():
            self._connection.execute(
                update(streams)
                .where(_c.tenant_id == tenant_id, _c.id == stream_id)
                .values(dropped=_c.dropped + count)
            )
        return len(found[:limit])

    def everywhere(self) -> tuple[int, datetime | None, int]:
        some = select(_e.created_at).limit(MOST_HELD).subquery()
        waiting = self._connection.execute(select(func.count()).select_from(some)).scalar_one()
        since = self._connection.execute(select(func.min(_e.created_at))).scalar()
        failing = select(func.count()).where(_c.method == Method.PUSH.value, _c.failures > 0)
        return waiting, since, self._connection.execute(failing).scalar_one()

    # -- delivering
    def due(self, now: datetime, limit: int) -> list[tuple[str, SignalStream]]:
        mine = (_e.tenant_id == _c.tenant_id, _e.stream_id == _c.id)
        something = or_(
            (_c.status == Status.ENABLED.value) & exists().where(*mine),
            (_c.status != Status.ENABLED.value) & exists().where(*mine, _e.always.is_(True)),
        )
        rows = self._connection.execute(
            select(streams)
            .where(_c.method == Method.PUSH.value, _c.next_at <= now, self._free(now), something)
            .order_by(_c.next_at)
            .limit(limit)
        )
        return [(row["tenant_id"], _value(row)) for row in rows.mappings()]

    def lease(self, stream_id: str, now: datetime, until: datetime) -> SignalStream | None:
        ready = (_c.method == Method.PUSH.value, _c.next_at <= now)
        return self.get(stream_id) if self._lease(stream_id, now, until, *ready) else None

    def taken(self, stream: SignalStream, now: datetime, until: datetime) -> bool:
        return self._as_holder(
            stream, leased_until=until, sent_at=now, sent=_c.sent + 1, failures=0, error=""
        )

    def refused(self, stream: SignalStream, now: datetime, until: datetime, error: str) -> bool:
        values = {"error": error[:ERROR], "error_at": now, "dropped": _c.dropped + 1, "failures": 0}
        return self._as_holder(stream, leased_until=until, **values)

    def polled(self, stream_id: str, now: datetime, taken: int, dropped: int, error: str) -> None:
        values: dict[str, Any] = {"polled_at": now}
        if taken:
            values |= {"sent": _c.sent + taken, "sent_at": now}
        if taken and not error:
            values["error"] = ""
        if error:
            values |= {"dropped": _c.dropped + dropped, "error": error[:ERROR], "error_at": now}
        self._connection.execute(update(streams).where(*self._one(stream_id)).values(values))

    def verifying(self, stream_id: str, since: datetime, count: int) -> None:
        self._connection.execute(
            update(streams).where(*self._one(stream_id)).values(verified_at=since, verifications=count)
        )

    # -- subjects
    def subjects(self, stream_id: str) -> int:
        statement = select(func.count()).where(_s.tenant_id == self._tenant, _s.stream_id == stream_id)
        return self._connection.execute(statement).scalar_one()

    def name_subject(self, stream_id: str, key: str, subject: str, now: datetime, *, included: bool) -> bool:
        mine = (_s.tenant_id == self._tenant, _s.stream_id == stream_id, _s.key == key)
        before = self._connection.execute(select(_s.included).where(*mine)).scalar()
        if before is None:
            self._connection.execute(
                insert(subjects).values(
                    tenant_id=self._tenant,
                    stream_id=stream_id,
                    key=key,
                    subject=subject,
                    included=included,
                    changed_at=now,
                )
            )
        else:
            self._connection.execute(update(subjects).where(*mine).values(included=included, changed_at=now))
        return before is not included

    def named(self, stream_id: str, keys: Collection[str]) -> dict[str, tuple[bool, datetime]]:
        rows = self._connection.execute(
            select(_s.key, _s.included, _s.changed_at).where(
                _s.tenant_id == self._tenant, _s.stream_id == stream_id, _s.key.in_(list(keys))
            )
        )
        return {row.key: (row.included, row.changed_at) for row in rows}

    def _in(self, stream_id: str) -> tuple[Any, Any]:
        return _e.tenant_id == self._tenant, _e.stream_id == stream_id


def _value(row: RowMapping) -> SignalStream:
    values = {name: row[name] for name in SignalStream.__dataclass_fields__}
    values |= {
        "method": Method(row["method"]),
        "requested": tuple(json.loads(row["requested"])),
        "subject_format": SubjectFormat(row["subject_format"]),
        "default_subjects": DefaultSubjects(row["default_subjects"]),
        "status": Status(row["status"]),
    }
    return SignalStream(**values)
