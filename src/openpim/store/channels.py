"""The other systems of an organisation: what is told and asked (channels), what is being asked (callouts), which tickets
are closed, and which signed messages were received already."""

from __future__ import annotations

import json
from collections.abc import Collection
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
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from openpim.core.callouts import Callout, CalloutStatus, Evaluation, Outcome
from openpim.core.channels import Channel, ChannelKind
from openpim.store.prepared import Prepared
from openpim.store.schema import metadata
from openpim.store.types import Instant

channels = Table(
    "channels",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("name", String(100), nullable=False),
    Column("description", String(500), nullable=False),
    Column("address", Text, nullable=False),
    Column("sealed_address", Text, nullable=False),
    Column("sealed_secret", Text),
    Column("sealed_previous", Text),
    Column("previous_until", Instant),
    Column("enabled", Boolean, nullable=False),
    Column("offered", Boolean, nullable=False),
    Column("notices", Text, nullable=False),
    Column("timeout_ms", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)
callouts = Table(
    "callouts",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("approval_id", String(36), nullable=False),
    Column("stage_id", String(36), nullable=False),
    Column("channel_id", String(36), nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("answered_at", Instant),
    Column("outcome", String(12)),
    Column("evaluation_id", String(100)),
    Column("reasons", Text),
    Index("ix_callouts_stage", "tenant_id", "approval_id", "stage_id", "channel_id", unique=True),
)
closed_tickets = Table(
    "closed_tickets",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("channel_id", String(36), primary_key=True),
    Column("number", String(100), primary_key=True),
    Column("closed_at", Instant, nullable=False),
    Index("ix_closed_tickets_closed", "tenant_id", "closed_at"),
)
received = Table(
    "received_webhooks",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("channel_id", String(36), primary_key=True),
    Column("message_id", String(128), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("ix_received_webhooks_at", "tenant_id", "at"),
)

_c, _o, _t, _r = channels.c, callouts.c, closed_tickets.c, received.c
_ALL = select(channels).where(_c.tenant_id == bindparam("tenant")).order_by(_c.name, _c.id)
_GET = select(channels).where(_c.tenant_id == bindparam("tenant"), _c.id == bindparam("id"))
_GET_LOCKED = _GET.with_for_update()
_OF_KIND = Prepared(
    select(_c.id)
    .where(_c.tenant_id == bindparam("tenant"), _c.kind == bindparam("kind", type_=String))
    .limit(1)
)


class Channels:
    """See ports/channels.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def get(self, channel_id: str, *, lock: bool = False) -> Channel | None:
        given = {"tenant": self._tenant, "id": channel_id}
        row = self._connection.execute(_GET_LOCKED if lock else _GET, given).mappings().first()
        return None if row is None else _channel(row)

    def all(self) -> tuple[Channel, ...]:
        rows = self._connection.execute(_ALL, {"tenant": self._tenant}).mappings()
        return tuple(_channel(row) for row in rows)

    def any_of(self, kind: ChannelKind) -> bool:
        given = {"tenant": self._tenant, "kind": kind.value}
        return bool(_OF_KIND.tuples(self._connection, given))

    def for_notice(self, notice: str) -> tuple[Channel, ...]:
        return tuple(one for one in self.all() if one.wants(notice))

    def add(self, channel: Channel) -> None:
        self._connection.execute(insert(channels), {"tenant_id": self._tenant, **_row(channel)})

    def save(self, channel: Channel) -> None:
        self._connection.execute(
            update(channels)
            .where(_c.tenant_id == self._tenant, _c.id == channel.id)
            .values({name: value for name, value in _row(channel).items() if name != "id"})
        )

    def remove(self, channel_id: str) -> None:
        for table in (channels, closed_tickets, received):
            key = table.c.id if table is channels else table.c.channel_id
            self._connection.execute(
                delete(table).where(table.c.tenant_id == self._tenant, key == channel_id)
            )

    # -- what is being asked

    def callout(self, callout_id: str, *, lock: bool = False) -> Callout | None:
        statement = select(callouts).where(_o.tenant_id == self._tenant, _o.id == callout_id)
        return self._callout(statement.with_for_update() if lock else statement)

    def callout_of(self, approval_id: str, stage_id: str, channel_id: str) -> Callout | None:
        return self._callout(
            select(callouts)
            .where(
                _o.tenant_id == self._tenant,
                _o.approval_id == approval_id,
                _o.stage_id == stage_id,
                _o.channel_id == channel_id,
            )
            .with_for_update()
        )

    def callouts_of(self, approval_id: str) -> tuple[Callout, ...]:
        rows = self._connection.execute(
            select(callouts)
            .where(_o.tenant_id == self._tenant, _o.approval_id == approval_id)
            .order_by(_o.created_at, _o.id)
        ).mappings()
        return tuple(_value(row) for row in rows)

    def resting(self, approval_ids: Collection[str], now: datetime) -> frozenset[str]:
        found = self._connection.execute(
            select(_o.approval_id).where(
                _o.tenant_id == self._tenant,
                _o.approval_id.in_(approval_ids),
                or_(
                    _o.status == CalloutStatus.WAITING.value,
                    and_(_o.status == CalloutStatus.DUE.value, _o.next_at > now),
                ),
            )
        )
        return frozenset(found.scalars())

    def add_callout(self, callout: Callout) -> None:
        self._connection.execute(insert(callouts), {"tenant_id": self._tenant, **_callout_row(callout)})

    def save_callout(self, callout: Callout) -> None:
        self._connection.execute(
            update(callouts)
            .where(_o.tenant_id == self._tenant, _o.id == callout.id)
            .values({name: value for name, value in _callout_row(callout).items() if name != "id"})
        )

    def _callout(self, statement: Any) -> Callout | None:
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else _value(row)

    # -- tickets

    def close_ticket(self, channel_id: str, number: str, now: datetime) -> None:
        self.reopen_ticket(channel_id, number)
        self._connection.execute(
            insert(closed_tickets),
            {"tenant_id": self._tenant, "channel_id": channel_id, "number": number, "closed_at": now},
        )

    def reopen_ticket(self, channel_id: str, number: str) -> bool:
        gone = self._connection.execute(
            delete(closed_tickets).where(
                _t.tenant_id == self._tenant, _t.channel_id == channel_id, _t.number == number
            )
        )
        return gone.rowcount == 1

    def closed_in(self, channel_ids: Collection[str], number: str) -> frozenset[str]:
        found = self._connection.execute(
            select(_t.channel_id).where(
                _t.tenant_id == self._tenant, _t.channel_id.in_(channel_ids), _t.number == number
            )
        )
        return frozenset(found.scalars())

    def closed_since(self, since: datetime) -> tuple[tuple[str, str], ...]:
        rows = self._connection.execute(
            select(_t.channel_id, _t.number).where(_t.tenant_id == self._tenant, _t.closed_at >= since)
        )
        return tuple((row.channel_id, row.number) for row in rows)

    # -- what was received

    def receive(self, channel_id: str, message_id: str, now: datetime, forget_before: datetime) -> bool:
        self._connection.execute(delete(received).where(_r.tenant_id == self._tenant, _r.at < forget_before))
        known = self._connection.execute(
            select(_r.at).where(
                _r.tenant_id == self._tenant, _r.channel_id == channel_id, _r.message_id == message_id
            )
        ).first()
        if known is not None:
            return False
        self._connection.execute(
            insert(received),
            {"tenant_id": self._tenant, "channel_id": channel_id, "message_id": message_id, "at": now},
        )
        return True


def _row(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "kind": channel.kind.value,
        "name": channel.name,
        "description": channel.description,
        "address": channel.address,
        "sealed_address": channel.sealed_address,
        "sealed_secret": channel.sealed_secret,
        "sealed_previous": channel.sealed_previous,
        "previous_until": channel.previous_until,
        "enabled": channel.enabled,
        "offered": channel.offered,
        "notices": json.dumps(list(channel.notices)),
        "timeout_ms": channel.timeout_ms,
        "retries": channel.retries,
        "created_at": channel.created_at,
    }


def _channel(row: RowMapping) -> Channel:
    values = {name: row[name] for name in row if name not in {"tenant_id", "kind", "notices"}}
    return Channel(kind=ChannelKind(row["kind"]), notices=tuple(json.loads(row["notices"])), **values)


def _callout_row(callout: Callout) -> dict[str, Any]:
    said = callout.evaluation
    return {
        "id": callout.id,
        "approval_id": callout.approval_id,
        "stage_id": callout.stage_id,
        "channel_id": callout.channel_id,
        "status": callout.status.value,
        "created_at": callout.created_at,
        "next_at": callout.next_at,
        "attempt": callout.attempt,
        "answered_at": callout.answered_at,
        "outcome": said.outcome.value if said is not None else None,
        "evaluation_id": said.id if said is not None else None,
        "reasons": json.dumps(list(said.reasons)) if said is not None else None,
    }


def _value(row: RowMapping) -> Callout:
    said = None
    if row["outcome"] is not None:
        said = Evaluation(Outcome(row["outcome"]), row["evaluation_id"], tuple(json.loads(row["reasons"])))
    return Callout(
        id=row["id"],
        approval_id=row["approval_id"],
        stage_id=row["stage_id"],
        channel_id=row["channel_id"],
        status=CalloutStatus(row["status"]),
        created_at=row["created_at"],
        next_at=row["next_at"],
        attempt=row["attempt"],
        evaluation=said,
        answered_at=row["answered_at"],
    )
