"""The audit table: events as they happened, in order, and the targets they can be found by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    type_coerce,
)

from openpim.core.audit import (
    LONGEST_CORRELATION,
    LONGEST_NAME,
    LONGEST_TICKET,
    LONGEST_VERSION,
    AuditEvent,
    Target,
    fitting,
)
from openpim.core.query import Compare, Page, Query, UnknownFieldError
from openpim.store.listing import Fields, page
from openpim.store.prepared import Prepared
from openpim.store.schema import metadata
from openpim.store.types import Instant, words_text

_LONGEST = 80

events = Table(
    "audit_events",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("tenant_id", String(36), nullable=False),
    Column("id", String(36), nullable=False),
    Column("at", Instant, nullable=False),
    Column("activity", String(200), nullable=False),
    Column("category", String(40), nullable=False),
    Column("result", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor_id", String(36), nullable=False),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_name", String(256), nullable=False),
    Column("actor_upn", String(256)),
    Column("app_id", String(36)),
    Column("ip", String(64)),
    Column("client", String(256)),
    Column("amr", String(200), nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("targets", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("on_behalf_of_id", String(36), nullable=False),
    Column("on_behalf_of_name", String(LONGEST_NAME), nullable=False),
    Column("ticket_number", String(LONGEST_TICKET), nullable=False),
    Column("ticket_system", String(LONGEST_TICKET), nullable=False),
    Column("request_id", String(LONGEST_CORRELATION), nullable=False),
    Column("policy_version", String(LONGEST_VERSION), nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
    Index("ix_audit_events_id", "tenant_id", "id", unique=True),
    Index("ix_audit_events_at", "tenant_id", "at", "sequence"),
    Index("ix_audit_events_actor", "tenant_id", "actor_id", "at", "sequence"),
    Index("ix_audit_events_activity", "tenant_id", "activity", "at", "sequence"),
    Index("ix_audit_events_category", "tenant_id", "category", "at", "sequence"),
    Index("ix_audit_events_correlation", "tenant_id", "correlation_id"),
)
# What is not in the log yet: written with the event, taken away with its entry. Whoever reads it sees committed events
# only, however late they committed; no number has to be trusted to grow in the order of the commits.
queue = Table(
    "audit_queue",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("event_id", String(36), primary_key=True),
)
# Where an event is in the log.
entries = Table(
    "audit_log_entries",
    metadata,
    Column(
        "sequence",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("tenant_id", String(36), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("ix_audit_log_entries_position", "tenant_id", "position", unique=True),
)
targets = Table(
    "audit_targets",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("target_id", String(_LONGEST), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("event_id", String(36), primary_key=True),
)

_c = events.c


@lru_cache
def fields_of(tenant_id: str) -> Fields:
    """What the history can be asked about. The tenant is named in each question, so that it stands on its own and is
    answered first: events are then looked up by id."""

    def value_of(compare: Compare) -> str:
        if compare.op != "eq" or not isinstance(compare.value, str):
            msg = f"{compare.field} can only be compared with eq and a text"
            raise UnknownFieldError(msg)
        return compare.value

    def touching(target_id: str) -> Select[Any]:
        return select(targets.c.event_id).where(
            targets.c.tenant_id == tenant_id, targets.c.target_id == _key(target_id)
        )

    def about_target(compare: Compare) -> ColumnElement[bool]:
        return _c.id.in_(touching(value_of(compare)))

    def concerns(compare: Compare) -> ColumnElement[bool]:
        value = value_of(compare)
        acts = select(_c.id).where(_c.tenant_id == tenant_id, _c.actor_id == value)
        return _c.id.in_(touching(value).union(acts.correlate(None)))

    return Fields(
        _COLUMNS,
        names=("activity_text", "actor_name", "actor_upn"),
        conditions={"target_id": about_target, "concerns": concerns},
    )


def _key(target_id: str) -> str:
    """What a target is found by: its id, or where that is longer than the column its beginning and its digest."""
    if len(target_id) <= _LONGEST:
        return target_id
    digest = hashlib.sha256(target_id.encode()).hexdigest()
    return f"{target_id[: _LONGEST - len(digest) - 1]}~{digest}"


_COLUMNS = {
    name: _c[name]
    for name in (
        "id", "at", "activity", "category", "result", "reason", "actor_id", "actor_name", "actor_upn",
        "app_id", "correlation_id", "sequence",
    )
} | {"activity_text": _c.activity, "position": entries.c.position}  # fmt: skip

# The instant as its number: a record that was tampered with is shown, too.
RECORD = [column if column is not _c.at else type_coerce(column, BigInteger).label("at") for column in _c]
_ALL = select(*RECORD, entries.c.position).select_from(
    events.outerjoin(entries, entries.c.sequence == _c.sequence)
)
_LISTED = _ALL.where(_c.tenant_id == bindparam("tenant"))

_INSERT = Prepared(insert(events))
_INSERT_TARGET = Prepared(insert(targets))
_INSERT_WAITING = Prepared(insert(queue))
_REMOVE = delete(events).where(_c.tenant_id == bindparam("tenant"), _c.sequence == bindparam("which"))
_REMOVE_TARGET = delete(targets).where(
    targets.c.tenant_id == bindparam("tenant"),
    targets.c.target_id == bindparam("target"),
    targets.c.at == bindparam("moment"),
    targets.c.event_id == bindparam("event"),
)


# Where a connection keeps the events of the unit of work that it is in, for whoever counts what was committed.
ADDED = "openpim-added"


class Audit:
    """See ports/audit.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def _select(self) -> Select[Any]:
        return _ALL.where(_c.tenant_id == self._tenant)

    def add(self, *events: AuditEvent) -> None:
        rows: list[dict[str, Any]] = []
        before: AuditEvent | None = None
        for event in map(fitting, events):
            same = before is not None and event.targets is before.targets and event.details is before.details
            said = {name: rows[-1][name] for name in ("targets", "details")} if same else _said(event)
            rows.append({"tenant_id": self._tenant, **_row(event), **said})
            before = event
        _INSERT.run_all(self._connection, rows)
        self._connection.info.setdefault(ADDED, []).extend(events)
        waiting = [{"tenant_id": self._tenant, "event_id": event.id} for event in events]
        _INSERT_WAITING.run_all(self._connection, waiting)
        found = [
            {"tenant_id": self._tenant, "target_id": target_id, "at": event.at, "event_id": event.id}
            for event in events
            for target_id in sorted({_key(target.id) for target in event.targets if target.id})
        ]
        _INSERT_TARGET.run_all(self._connection, found)

    def get(self, event_id: str) -> AuditEvent | None:
        row = self._connection.execute(self._select().where(_c.id == event_id)).mappings().first()
        return None if row is None else read_event(row)

    def expired(self, before: datetime, below: int, keep: Sequence[str], limit: int) -> list[AuditEvent]:
        asked = (
            self._select()
            .where(_c.at < before, entries.c.position < below, _c.activity.not_in(keep))
            .order_by(_c.at, _c.sequence)
            .limit(limit)
        )
        return [read_event(row) for row in self._connection.execute(asked).mappings()]

    def remove(self, events: Sequence[AuditEvent]) -> None:
        rows = [{"tenant": self._tenant, "which": event.sequence} for event in events]
        index = [
            {"tenant": self._tenant, "target": target_id, "moment": event.at, "event": event.id}
            for event in events
            for target_id in sorted({_key(target.id) for target in event.targets if target.id})
        ]
        if rows:
            self._connection.execute(_REMOVE, rows)
        if index:
            self._connection.execute(_REMOVE_TARGET, index)

    def last_sequence(self) -> int:
        asked = select(func.max(_c.sequence)).where(_c.tenant_id == self._tenant)
        return int(self._connection.execute(asked).scalar() or 0)

    def targets_said(
        self, after: tuple[str, ...] | None, last: int, limit: int
    ) -> tuple[list[tuple[str, str, str]], tuple[str, ...] | None]:
        asked = self._select().where(_c.sequence > int(after[0] if after else 0), _c.sequence <= last)
        rows = self._connection.execute(asked.order_by(_c.sequence).limit(limit)).mappings().all()
        found = [
            (key, str(row["id"]), str(row["at"]))
            for row in rows
            for key in sorted({_key(target.id) for target in read_event(row).targets if target.id})
        ]
        return found, (str(rows[-1]["sequence"]),) if len(rows) == limit else None

    def targets_kept(
        self, after: tuple[str, ...] | None, last: int, limit: int
    ) -> tuple[list[tuple[str, str, str]], tuple[str, ...] | None]:
        t = targets.c
        at = type_coerce(t.at, BigInteger)
        # Of an event that came since, nothing; of one that is not there, all.
        asked = (
            select(t.target_id, t.event_id, at)
            .select_from(targets.outerjoin(events, (_c.tenant_id == t.tenant_id) & (_c.id == t.event_id)))
            .where(t.tenant_id == self._tenant, or_(_c.sequence.is_(None), _c.sequence <= last))
            .order_by(t.target_id, t.at, t.event_id)
            .limit(limit)
        )
        if after is not None:
            asked = asked.where(
                tuple_(t.target_id, at, t.event_id) > tuple_(after[0], int(after[1]), after[2])
            )
        rows = self._connection.execute(asked).all()
        found = [(str(target), str(event), str(moment)) for target, event, moment in rows]
        return found, (found[-1][0], found[-1][2], found[-1][1]) if len(rows) == limit else None

    def page(self, query: Query) -> Page[AuditEvent]:
        given = {"tenant": self._tenant}
        return page(self._connection, _LISTED, fields_of(self._tenant), query, read_event, given)


def _row(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at,
        "activity": event.activity,
        "category": event.category,
        "result": event.result,
        "reason": event.reason,
        "actor_id": event.actor_id,
        "actor_kind": event.actor_kind,
        "actor_name": event.actor_name,
        "actor_upn": event.actor_upn,
        "app_id": event.app_id,
        "ip": event.ip,
        "client": event.client,
        "amr": words_text(event.amr),
        "correlation_id": event.correlation_id,
        "on_behalf_of_id": event.on_behalf_of_id,
        "on_behalf_of_name": event.on_behalf_of_name,
        "ticket_number": event.ticket_number,
        "ticket_system": event.ticket_system,
        "request_id": event.request_id,
        "policy_version": event.policy_version,
        "mac": event.mac,
    }


def _said(event: AuditEvent) -> dict[str, str]:
    """The two of its columns that take longest, and are the same for what was done right after."""
    return {
        "targets": json.dumps([(one.kind, one.id, one.name, one.changes) for one in event.targets]),
        "details": json.dumps(event.details),
    }


def read_event(record: RowMapping) -> AuditEvent:
    """The event of a row of RECORD and the position. Whatever is written in the row, it is read and shown."""
    row: dict[str, Any] = dict(record)  # looked into fifty times
    try:
        event = _read(row)
        texts = [row[name] for name in _TEXTS]
        texts += [row[name] for name in _PERHAPS if row[name] is not None]
        texts += event.amr
        for pair in event.details:
            texts += pair
        for target in event.targets:
            texts += (target.kind, target.id, target.name)
            for change in target.changes:
                texts += [text for text in change if text is not None]
        "".join(texts).encode()
        if not isinstance(row["mac"], bytes):
            return _unreadable(row)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        return _unreadable(row)
    return event


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = (
    "id", "activity", "category", "result", "reason", "actor_id", "actor_kind", "actor_name", "correlation_id",
    "on_behalf_of_id", "on_behalf_of_name", "ticket_number", "ticket_system", "request_id", "policy_version",
)  # fmt: skip
_PERHAPS = ("actor_upn", "app_id", "ip", "client")
UNREADABLE = "Unreadable audit record"


def _unreadable(row: Mapping[str, Any]) -> AuditEvent:
    """What stands for a record that somebody spoilt: it can be told from every other one."""
    digest = hashlib.sha256(repr([row[column.name] for column in _c]).encode()).hexdigest()
    return AuditEvent(
        id=str(row["id"]),
        at=_EPOCH,
        activity=UNREADABLE,
        category="DirectoryManagement",
        result="failure",
        details=(("Digest", digest),),
        sequence=row["sequence"],
        position=row["position"],
    )


def _read(row: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(
        id=row["id"],
        at=_EPOCH + timedelta(microseconds=row["at"]),
        activity=row["activity"],
        category=row["category"],
        result=row["result"],
        reason=row["reason"],
        actor_id=row["actor_id"],
        actor_kind=row["actor_kind"],
        actor_name=row["actor_name"],
        actor_upn=row["actor_upn"],
        app_id=row["app_id"],
        ip=row["ip"],
        client=row["client"],
        amr=tuple(json.loads(row["amr"])),
        correlation_id=row["correlation_id"],
        targets=tuple(
            Target(kind, found, name, tuple((c[0], c[1], c[2]) for c in changes))
            for kind, found, name, changes in json.loads(row["targets"])
        ),
        details=tuple((pair[0], pair[1]) for pair in json.loads(row["details"])),
        on_behalf_of_id=row["on_behalf_of_id"],
        on_behalf_of_name=row["on_behalf_of_name"],
        ticket_number=row["ticket_number"],
        ticket_system=row["ticket_system"],
        request_id=row["request_id"],
        policy_version=row["policy_version"],
        mac=row["mac"],
        sequence=row["sequence"],
        position=row["position"],
    )
