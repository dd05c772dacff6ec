"""The tables of what is told to whom, and of how people want to be told.

A delivery that is due has `due_at`; taking it moves that to when another may take it over, and raises `attempt`, which
fences whoever finishes late. What is over has none, so the index of what is due holds nothing else that is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from openpim.core.deliveries import Delivery, DeliveryStatus
from openpim.core.notification_preferences import MAIL, Preferences, Quiet
from openpim.core.query import Page, Query
from openpim.store.listing import Fields, page
from openpim.store.principals import batches
from openpim.store.schema import metadata
from openpim.store.types import Instant
from openpim.store.writing import inserter

deliveries = Table(
    "deliveries",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("key", String(600), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("audience", String(20), nullable=False),
    Column("group_key", String(40), nullable=False),
    Column("channel", String(60), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("due_at", Instant),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", Instant),
    Index("ix_deliveries_key", "tenant_id", "key", unique=True),
    Index("ix_deliveries_due", "due_at"),
    Index("ix_deliveries_ended", "ended_at"),
    Index("ix_deliveries_status", "tenant_id", "status", "created_at", "id"),
    Index("ix_deliveries_created", "tenant_id", "created_at", "id"),
    Index("ix_deliveries_sent", "tenant_id", "channel", "recipient", "group_key", "status", "ended_at"),
)
preferences = Table(
    "notification_preferences",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("principal_id", String(36), primary_key=True),
    Column("settings", Text, nullable=False),
)
_c = deliveries.c
_FIELDS = Fields({name: _c[name] for name in ("id", "status", "topic", "channel", "recipient", "created_at")})
_WAITING = DeliveryStatus.WAITING.value


class Deliveries:
    """See ports/deliveries.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def add(self, deliveries: Iterable[Delivery]) -> int:
        rows = [self._row(one) for one in deliveries]
        new = 0
        known = inserter(self._connection.dialect.name)
        for row in rows:
            statement = known(_TABLE).values(row).on_conflict_do_nothing()
            new += self._connection.execute(statement).rowcount
        return new

    def claim(
        self, now: datetime, until: datetime, limit: int, *, mail: bool | None = None
    ) -> list[Delivery]:
        statement = select(deliveries).where(_c.due_at <= now).order_by(_c.due_at).limit(limit)
        if mail is not None:
            statement = statement.where(_c.channel == MAIL if mail else _c.channel != MAIL)
        rows = self._connection.execute(statement.with_for_update(skip_locked=True)).mappings().all()
        for row in rows:
            self._connection.execute(
                update(deliveries)
                .where(_c.tenant_id == row["tenant_id"], _c.id == row["id"])
                .values(due_at=until, attempt=_c.attempt + 1)
            )
        return [_value({**row, "attempt": row["attempt"] + 1, "due_at": until}) for row in rows]

    def finish(self, delivery: Delivery, status: DeliveryStatus, reason: str, now: datetime) -> bool:
        return self._change(delivery, status=status.value, reason=reason[:500], due_at=None, ended_at=now)

    def again(self, delivery: Delivery, at: datetime, reason: str, *, failed: bool) -> bool:
        failures = delivery.failures + (1 if failed else 0)
        return self._change(delivery, due_at=at, reason=reason[:500], failures=failures)

    def _change(self, delivery: Delivery, **values: Any) -> bool:
        changed = self._connection.execute(
            update(deliveries)
            .where(
                _c.tenant_id == delivery.tenant_id,
                _c.id == delivery.id,
                _c.attempt == delivery.attempt,
                _c.status == _WAITING,
            )
            .values(**values)
        )
        return changed.rowcount == 1

    def last_sent(self, channel: str, recipient: str, group: str) -> datetime | None:
        found: datetime | None = self._connection.execute(
            select(func.max(_c.ended_at)).where(
                _c.tenant_id == self._tenant,
                _c.channel == channel,
                _c.recipient == recipient,
                _c.group_key == group,
                _c.status == DeliveryStatus.SENT.value,
            )
        ).scalar()
        return found

    def get(self, delivery_id: str) -> Delivery | None:
        statement = select(deliveries).where(_c.tenant_id == self._tenant, _c.id == delivery_id)
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else _value(row)

    def retry(self, delivery_id: str, now: datetime) -> bool:
        changed = self._connection.execute(
            update(deliveries)
            .where(
                _c.tenant_id == self._tenant,
                _c.id == delivery_id,
                _c.status == DeliveryStatus.DEAD.value,
            )
            .values(status=_WAITING, due_at=now, since=now, failures=0, ended_at=None)
        )
        return changed.rowcount == 1

    def page(self, query: Query) -> Page[Delivery]:
        statement = select(deliveries).where(_c.tenant_id == self._tenant)
        return page(self._connection, statement, _FIELDS, query, _value)

    def forget(self, before: datetime, limit: int) -> int:
        rows = self._connection.execute(
            select(_c.tenant_id, _c.id).where(_c.ended_at < before).order_by(_c.ended_at).limit(limit)
        ).all()
        for tenant_id, delivery_id in rows:
            self._connection.execute(
                delete(deliveries).where(_c.tenant_id == tenant_id, _c.id == delivery_id)
            )
        return len(rows)

    def _row(self, one: Delivery) -> dict[str, Any]:
        row = asdict(one) | {"tenant_id": self._tenant, "group_key": one.group, "status": one.status.value}
        del row["group"]
        return row


_TABLE = deliveries  # `add` has an argument of that name


def _value(row: RowMapping | dict[str, Any]) -> Delivery:
    return Delivery(
        id=row["id"],
        key=row["key"],
        topic=row["topic"],
        audience=row["audience"],
        group=row["group_key"],
        channel=row["channel"],
        recipient=row["recipient"],
        critical=row["critical"],
        facts=row["facts"],
        created_at=row["created_at"],
        since=row["since"],
        due_at=row["due_at"],
        tenant_id=row["tenant_id"],
        attempt=row["attempt"],
        failures=row["failures"],
        status=DeliveryStatus(row["status"]),
        reason=row["reason"],
        ended_at=row["ended_at"],
    )


class NotificationPreferences:
    """See ports/deliveries.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def get(self, principal_id: str) -> Preferences | None:
        return self.many([principal_id]).get(principal_id)

    def many(self, principal_ids: Iterable[str]) -> dict[str, Preferences]:
        found: dict[str, Preferences] = {}
        for part in batches(list(principal_ids)):
            rows = self._connection.execute(
                select(preferences.c.principal_id, preferences.c.settings).where(
                    preferences.c.tenant_id == self._tenant, preferences.c.principal_id.in_(part)
                )
            )
            found |= {row.principal_id: _preferences(json.loads(row.settings)) for row in rows}
        return found

    def put(self, principal_id: str, values: Preferences) -> None:
        mine = (preferences.c.tenant_id == self._tenant, preferences.c.principal_id == principal_id)
        text = json.dumps(asdict(values), sort_keys=True)
        changed = self._connection.execute(update(preferences).where(*mine).values(settings=text))
        if not changed.rowcount:
            self._connection.execute(
                insert(preferences).values(tenant_id=self._tenant, principal_id=principal_id, settings=text)
            )


def _preferences(read: dict[str, Any]) -> Preferences:
    quiet = read.get("quiet")
    return Preferences(
        channels=tuple(read.get("channels", ())),
        quiet=Quiet(quiet["begins"], quiet["ends"], quiet["zone"]) if quiet else None,
        zone=read.get("zone", ""),
    )
