"""The requests table: what was asked and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from msgspec.json import decode
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from openpim.core.grants import LIVE, Action, Kind, Provider, Request, Ticket
from openpim.core.lifecycle import OPEN, REQUEST_MOVES, IllegalMoveError, RequestStatus
from openpim.core.query import Order, Page, Query
from openpim.core.tickets import LONGEST_NUMBER, same
from openpim.store.listing import Fields, page
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import batches
from openpim.store.schedules import schedules
from openpim.store.schema import metadata
from openpim.store.types import Instant, Path, words_text
from openpim.store.windows import window_text, window_value

requests = Table(
    "requests",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("kind", String(11), nullable=False),
    Column("provider", String(9), nullable=False),
    Column("action", String(14), nullable=False),
    Column("status", String(32), nullable=False),
    Column("principal_id", String(36), nullable=False),
    Column("role_id", String(64), nullable=False),
    Column("scope", Path(512), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(36), nullable=False),
    Column("created_by_kind", String(16), nullable=False),
    Column("completed_at", Instant),
    Column("justification", Text),
    Column("ticket_number", Text),
    Column("ticket_system", Text),
    Column("ticket_key", String(LONGEST_NUMBER)),
    Column("window", String(200), nullable=False),
    Column("schedule_id", String(36)),
    Column("approval_id", String(36)),
    Column("custom_data", Text),
    Column("amr", String(200), nullable=False),
    Column("acrs", Text, nullable=False),
    Column("failure", Text),
    Index("ix_requests_list", "tenant_id", "provider", "kind", "created_at", "id"),
    Index("ix_requests_principal", "tenant_id", "principal_id", "kind", "provider", "created_at", "id"),
    Index("ix_requests_open", "tenant_id", "principal_id", "status"),
    Index("ix_requests_status", "tenant_id", "provider", "kind", "status", "created_at", "id"),
    Index("ix_requests_creator", "tenant_id", "created_by", "created_at"),
    Index("ix_requests_due", "tenant_id", "status", "completed_at"),
    Index("ix_requests_schedule", "tenant_id", "schedule_id"),
    Index("ix_requests_scope", "tenant_id", "provider", "kind", "scope", "id"),
    # What carries a ticket, by number: of most requests none.
    Index(
        "ix_requests_ticket",
        "tenant_id",
        "ticket_key",
        sqlite_where=text("ticket_key IS NOT NULL"),
    ),
    Index("ix_requests_role", "tenant_id", "provider", "kind", "role_id", "created_at", "id"),
)

_c, _s = requests.c, schedules.c
FIELDS = Fields(
    {
        name: _c[name]
        for name in (
            "id", "action", "status", "principal_id", "role_id", "scope", "created_at", "created_by",
            "completed_at", "schedule_id", "approval_id",
        )
    }
)  # fmt: skip
_KINDS = {one.value: one for one in Kind}
_PROVIDERS = {one.value: one for one in Provider}
_ACTIONS = {one.value: one for one in Action}
_STATUSES = {one.value: one for one in RequestStatus}
_OPEN = tuple(sorted(status.value for status in OPEN))
_SOURCES: dict[RequestStatus, tuple[str, ...]] = {
    status: (status.value, *(old.value for old, moves in REQUEST_MOVES.items() if status in moves))
    for status in RequestStatus
}


class Requests:
    """See ports/requests.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def _select(self) -> Select[Any]:
        return select(requests).where(_c.tenant_id == self._tenant)

    def get(self, request_id: str, *, lock: bool = False) -> Request | None:
        statement = _GET_LOCKED if lock else _GET
        row = statement.first(self._connection, {"tenant": self._tenant, "id": request_id})
        return None if row is None else _value(row)

    def many(self, request_ids: Collection[str]) -> dict[str, Request]:
        found: dict[str, Request] = {}
        for part in batches(request_ids):
            given = {"tenant": self._tenant, "ids": part}
            found |= {row["id"]: _value(row) for row in _MANY.rows(self._connection, given)}
        return found

    def add(self, request: Request) -> None:
        _INSERT.run(self._connection, {"tenant_id": self._tenant, **_row(request)})

    def save(self, request: Request) -> None:
        values = {"b_tenant": self._tenant, "b_id": request.id, **_row(request)}
        if _save(request.status).run(self._connection, values) != 1:
            msg = f"request {request.id} cannot become {request.status}"
            raise IllegalMoveError(msg)

    def open_of(
        self,
        principal_id: str,
        *,
        kind: Kind | None = None,
        provider: Provider | None = None,
        role_id: str | None = None,
        scope: str | None = None,
    ) -> list[Request]:
        asked = {
            "tenant_id": self._tenant,
            "principal_id": principal_id,
            "kind": kind.value if kind is not None else None,
            "provider": provider.value if provider is not None else None,
            "role_id": role_id,
            "scope": scope,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return [_value(row) for row in _open_of(frozenset(given)).rows(self._connection, given)]

    def started(self, now: datetime, limit: int) -> list[Request]:
        statement = (
            self._select()
            .where(
                _c.status == RequestStatus.GRANTED.value,
                _c.completed_at <= now,
                _c.action.not_like("self%"),
            )
            .limit(limit)
        )
        return [_value(row) for row in self._connection.execute(statement).mappings()]

    def reasons(self, principal_id: str, look: int) -> list[str]:
        given = {"tenant": self._tenant, "principal": principal_id, "look": look}
        return [reason for (reason,) in _REASONS.tuples(self._connection, given)]

    def of_schedule(self, schedule_id: str) -> list[Request]:
        statement = self._select().where(_c.schedule_id == schedule_id).order_by(_c.created_at.desc())
        return [_value(row) for row in self._connection.execute(statement).mappings()]

    def to_decide(
        self, principal_ids: Collection[str], provider: Provider, kind: Kind, most: int = 500
    ) -> list[Request]:
        found: list[Request] = []
        for part in batches(principal_ids):
            given = {
                "tenant": self._tenant,
                "provider": provider.value,
                "kind": kind.value,
                "ids": part,
                "most": most,
            }
            found += [_value(row) for row in _TO_DECIDE.rows(self._connection, given)]
        return found[:most]

    def with_ticket(self, number: str, now: datetime) -> list[Request]:
        statement = (
            select(requests)
            .join(schedules, and_(_s.tenant_id == _c.tenant_id, _s.id == _c.schedule_id))
            .where(
                _c.tenant_id == self._tenant,
                _c.ticket_key == same(number),
                _s.status.in_([status.value for status in LIVE]),
                or_(_s.ends_at.is_(None), _s.ends_at > now),
            )
            .order_by(_s.principal_id, _s.id, _c.created_at)
        )
        return [_value(row) for row in self._connection.execute(statement).mappings()]

    def page(
        self, provider: Provider, kind: Kind, query: Query, *, ids: Collection[str] | None = None
    ) -> Page[Request]:
        statement = self._select().where(_c.provider == provider.value, _c.kind == kind.value)
        if ids is not None:
            statement = statement.where(_c.id.in_(ids))
        if not query.order:  # every index of theirs is in this order
            query = replace(query, order=(Order("created_at"),))
        return page(self._connection, statement, FIELDS, query, _value)


_TO_DECIDE = Prepared(
    select(requests)
    .where(
        _c.tenant_id == bindparam("tenant"),
        _c.provider == bindparam("provider"),
        _c.kind == bindparam("kind"),
        _c.status == RequestStatus.PENDING_ADMIN_DECISION.value,
        _c.principal_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(_c.created_at, _c.id)
    .limit(bindparam("most", type_=Integer)),
    "ids",
)
_own = (
    select(_c.id, _c.principal_id, _c.action, _c.justification, _c.created_at)
    .where(_c.tenant_id == bindparam("tenant"), _c.created_by == bindparam("principal"))
    .order_by(_c.created_at.desc())
    .limit(bindparam("look", type_=Integer))
    .subquery()
)
_REASONS = Prepared(
    select(_own.c.justification)
    .where(
        _own.c.principal_id == bindparam("principal"),
        _own.c.action == Action.SELF_ACTIVATE.value,
        _own.c.justification.is_not(None),
    )
    .order_by(_own.c.created_at.desc(), _own.c.id.desc())
)
_one = select(requests).where(_c.tenant_id == bindparam("tenant"), _c.id == bindparam("id"))
_GET = Prepared(_one)
_GET_LOCKED = Prepared(_one.with_for_update())
_MANY = Prepared(
    select(requests).where(_c.tenant_id == bindparam("tenant"), _c.id.in_(bindparam("ids", expanding=True))),
    "ids",
)
_INSERT = Prepared(insert(requests))


@cache
def _save(status: RequestStatus) -> Prepared:
    """Parameters of an UPDATE's condition may not be called as its columns are: hence b_."""
    return Prepared(
        update(requests).where(
            _c.tenant_id == bindparam("b_tenant"),
            _c.id == bindparam("b_id"),
            _c.status.in_([literal(source) for source in _SOURCES[status]]),
        )
    )


@cache
def _open_of(columns: frozenset[str]) -> Prepared:
    """The statement of `Requests.open_of`. Building one costs five times as much as running it."""
    given = (_c[name] == bindparam(name) for name in sorted(columns))
    # literal(): a list of plain values would be written into the statement anew at each run.
    is_open = _c.status.in_([literal(status) for status in _OPEN])
    return Prepared(select(requests).where(*given, is_open).order_by(_c.created_at))


def _row(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind.value,
        "provider": request.provider.value,
        "action": request.action.value,
        "status": request.status.value,
        "principal_id": request.principal_id,
        "role_id": request.role_id,
        "scope": request.scope,
        "created_at": request.created_at,
        "created_by": request.created_by,
        "created_by_kind": request.created_by_kind,
        "completed_at": request.completed_at,
        "justification": request.justification,
        "ticket_number": request.ticket.number,
        "ticket_system": request.ticket.system,
        "ticket_key": same(request.ticket.number)[:LONGEST_NUMBER] or None,
        "window": window_text(request.window),
        "schedule_id": request.schedule_id,
        "approval_id": request.approval_id,
        "custom_data": request.custom_data,
        "amr": words_text(request.amr),
        "acrs": words_text(request.acrs),
        "failure": request.failure,
    }


def _value(row: AnyRow) -> Request:
    return Request(
        id=row["id"],
        kind=_KINDS[row["kind"]],
        provider=_PROVIDERS[row["provider"]],
        action=_ACTIONS[row["action"]],
        status=_STATUSES[row["status"]],
        principal_id=row["principal_id"],
        role_id=row["role_id"],
        scope=row["scope"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        created_by_kind=row["created_by_kind"],
        completed_at=row["completed_at"],
        justification=row["justification"],
        ticket=Ticket(row["ticket_number"], row["ticket_system"]),
        window=window_value(row["window"]),
        schedule_id=row["schedule_id"],
        approval_id=row["approval_id"],
        custom_data=row["custom_data"],
        amr=tuple(decode(row["amr"])),
        acrs=tuple(decode(row["acrs"])),
        failure=row["failure"],
    )
