"""The schedules table: eligibilities and assignments of all three providers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    and_,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from openpim.core.grants import (
    LIVE,
    AssignmentType,
    Kind,
    Provider,
    Schedule,
)
from openpim.core.lifecycle import SCHEDULE_MOVES, IllegalMoveError, ScheduleStatus
from openpim.core.query import Page, Query
from openpim.ports.schedules import Brief
from openpim.store.listing import Fields, page
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import batches
from openpim.store.schema import metadata
from openpim.store.told import Told, once
from openpim.store.types import Instant, Path
from openpim.store.windows import window_text, window_value

schedules = Table(
    "schedules",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("kind", String(11), nullable=False),
    Column("provider", String(9), nullable=False),
    Column("principal_id", String(36), nullable=False),
    Column("role_id", String(64), nullable=False),
    Column("scope", Path(512), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("status", String(20), nullable=False),
    Column("assignment_type", String(9)),
    Column("created_at", Instant, nullable=False),
    Column("modified_at", Instant),
    Column("request_id", String(36)),
    Column("linked_id", String(36)),
    Column("window", String(200), nullable=False),
    Index("ix_schedules_principal", "tenant_id", "principal_id", "kind", "provider", "status"),
    Index("ix_schedules_scope", "tenant_id", "provider", "kind", "scope", "id"),
    Index("ix_schedules_list", "tenant_id", "provider", "kind", "id"),
    Index("ix_schedules_request", "tenant_id", "request_id"),
    Index("ix_schedules_linked", "tenant_id", "linked_id"),
    Index("ix_schedules_end", "status", "ends_at"),
    Index("ix_schedules_start", "status", "starts_at"),
)

_c = schedules.c
# What lasts is little beside what is over: lists of it walk an index that holds nothing else. The statuses stand in
# the statements as they are, because no planner can know that a parameter fits the index.
_alive = _c.status.in_([literal_column(f"'{status.value}'") for status in sorted(LIVE)])
for _name, _columns in {
    "ix_schedules_live": (_c.tenant_id, _c.provider, _c.kind, _c.id),
    "ix_schedules_role": (_c.tenant_id, _c.provider, _c.kind, _c.role_id, _c.id),
}.items():
    Index(_name, *_columns, sqlite_where=_alive)
# What administrators gave and is over: nearly all that is over are activations, which no list of it shows.
_given = or_(
    _c.assignment_type.is_(None), _c.assignment_type == literal_column(f"'{AssignmentType.ASSIGNED.value}'")
)
Index(
    "ix_schedules_ended", _c.tenant_id, _c.provider, _c.kind, _c.ends_at.desc(), _c.id,
    sqlite_where=_given,
)  # fmt: skip
_columns_asked = {
    name: _c[name]
    for name in (
        "id", "kind", "principal_id", "role_id", "scope", "status", "assignment_type",
        "starts_at", "ends_at", "created_at", "modified_at", "request_id", "linked_id",
    )
}  # fmt: skip
FIELDS = Fields(_columns_asked)
_ENDED_FIELDS = Fields(_columns_asked, filled=("ends_at",))
_SOURCES: dict[ScheduleStatus, tuple[str, ...]] = {
    status: (status.value, *(old.value for old, moves in SCHEDULE_MOVES.items() if status in moves))
    for status in ScheduleStatus
}


class Schedules:
    """See ports/schedules.py."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant = tenant_id
        self._told = told

    def _select(self) -> Select[Any]:
        return select(schedules).where(_c.tenant_id == self._tenant)

    def get(self, schedule_id: str) -> Schedule | None:
        row = _GET.first(self._connection, {"tenant": self._tenant, "id": schedule_id})
        return None if row is None else schedule_of(row)

    def many(self, schedule_ids: Collection[str]) -> dict[str, Schedule]:
        found: dict[str, Schedule] = {}
        for part in batches(schedule_ids):
            given = {"tenant": self._tenant, "ids": part}
            found |= {row["id"]: schedule_of(row) for row in _MANY.rows(self._connection, given)}
        return found

    def add(self, schedule: Schedule) -> None:
        _INSERT.run(self._connection, {"tenant_id": self._tenant, **_row(schedule)})

    def save(self, schedule: Schedule) -> None:
        values = {"b_tenant": self._tenant, "b_id": schedule.id, **_row(schedule)}
        if _save(schedule.status).run(self._connection, values) != 1:
            msg = f"schedule {schedule.id} cannot become {schedule.status}"
            raise IllegalMoveError(msg)

    def of(
        self,
        principal_ids: Collection[str],
        *,
        provider: Provider | None = None,
        kind: Kind | None = None,
        role_id: str | None = None,
        scopes: Collection[str] | None = None,
        live_at: datetime | None = None,
        share: bool = False,
    ) -> list[Schedule]:
        asked: dict[str, Any] = {
            "tenant": self._tenant,
            "provider": provider.value if provider is not None else None,
            "kind": kind.value if kind is not None else None,
            "role": role_id,
            "now": live_at,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        if scopes is not None:
            given |= one_or_many("scope", list(scopes))

        def ask() -> tuple[Schedule, ...]:
            found: list[Schedule] = []
            for part in batches(principal_ids):
                values = given | one_or_many("principal", part)
                asking = _prepared(frozenset(values), share=share)
                found += [schedule_of(row) for row in asking.rows(self._connection, values)]
            return tuple(sorted(found, key=lambda one: (one.starts_at, one.id)))

        where = None if scopes is None else frozenset(scopes)
        of = ("of", self._tenant, frozenset(principal_ids), kind, live_at)
        wider = None if self._told is None else self._told.get((*of, None, None, None))
        if wider is not None:
            return [
                one
                for one in wider
                if provider in {None, one.provider}
                and role_id in {None, one.role_id}
                and (where is None or one.scope in where)
            ]
        return list(once(self._told, (*of, provider, role_id, where), ask))

    def eligible(self, principal_ids: Collection[str], now: datetime) -> list[tuple[str, Provider, str, str]]:
        found: list[tuple[str, Provider, str, str]] = []
        for part in batches(principal_ids):
            values = {"tenant": self._tenant, "in_force": now, **one_or_many("principal", part)}
            rows = _eligible("principal" in values).tuples(self._connection, values)
            found += [(one, _PROVIDERS[provider], role, scope) for one, provider, role, scope in rows]
        return found

    def live(self, principal_ids: Collection[str], now: datetime) -> list[Brief]:
        found: list[Brief] = []
        for part in batches(principal_ids):
            values = {"tenant": self._tenant, "now": now, **one_or_many("principal", part)}
            rows = _brief(frozenset(values)).tuples(self._connection, values)
            found += [
                Brief(one, _KINDS[kind], _PROVIDERS[provider], who, role, scope)
                for one, kind, provider, who, role, scope in rows
            ]
        return found

    def ended(self, principal_id: str, now: datetime, most: int) -> list[Schedule]:
        given = {"tenant": self._tenant, "principal": principal_id, "now": now, "most": most}
        return [schedule_of(row) for row in self._connection.execute(_ENDED, given).mappings()]

    def of_role(
        self, provider: Provider, kind: Kind, role_id: str, scope: str, *, now: datetime
    ) -> list[Schedule]:
        statement = self._select().where(
            _c.provider == provider.value,
            _c.kind == kind.value,
            _c.role_id == role_id,
            _c.scope == scope,
            in_force_at(now),
        )
        return [schedule_of(row) for row in self._connection.execute(statement).mappings()]

    def last_activations(
        self, asked: Collection[tuple[str, Provider, str, str]], most: int
    ) -> dict[tuple[str, Provider, str, str], list[Schedule]]:
        found: dict[tuple[str, Provider, str, str], list[Schedule]] = {one: [] for one in asked}
        for part in batches({one[0] for one in found}):
            given = {
                "tenant": self._tenant,
                "principals": part,
                "providers": sorted({one[1].value for one in found}),
                "roles": sorted({one[2] for one in found}),
                "scopes": sorted({one[3] for one in found}),
                "most": most,
            }
            for row in _LAST_ACTIVATIONS.rows(self._connection, given):
                one = schedule_of(row)
                # All of the roles at all of the scopes are read: one's role at another's scope is not asked for.
                found.get((one.principal_id, one.provider, one.role_id, one.scope), []).append(one)
        return found

    def resting_on(self, eligibility_id: str, now: datetime) -> list[Schedule]:
        statement = self._select().where(_c.linked_id == eligibility_id, live_at(now))
        return [schedule_of(row) for row in self._connection.execute(statement).mappings()]

    def page(
        self,
        provider: Provider,
        kind: Kind,
        query: Query,
        *,
        in_force_at: datetime | None = None,
        live_at: datetime | None = None,
        ended: tuple[datetime, datetime] | None = None,
        principal_ids: Collection[str] | None = None,
        role_ids: Collection[str] | None = None,
    ) -> Page[Schedule]:
        given: dict[str, Any] = {"tenant": self._tenant, "provider": provider.value, "kind": kind.value}
        if in_force_at is not None:
            given["in_force"] = in_force_at
        if live_at is not None:
            given["now"] = live_at
        if ended is not None:
            given["ended_since"], given["ended_until"] = ended
        if principal_ids is not None:
            given |= one_or_many("principal", list(principal_ids))
        if role_ids is not None:
            given |= one_or_many("role", list(role_ids))
        fields = FIELDS if ended is None else _ENDED_FIELDS
        return page(self._connection, _of(frozenset(given), share=False), fields, query, schedule_of, given)

    def due_to_start(self, now: datetime, limit: int) -> list[Schedule]:
        statement = (
            self._select()
            .where(_c.status == ScheduleStatus.GRANTED.value, _c.starts_at <= now)
            .order_by(_c.starts_at)
            .limit(limit)
        )
        return [schedule_of(row) for row in self._connection.execute(statement).mappings()]

    def due_to_end(self, now: datetime, limit: int) -> list[Schedule]:
        statement = (
            self._select()
            .where(_c.status == ScheduleStatus.PROVISIONED.value, _c.ends_at <= now)
            .order_by(_c.ends_at)
            .limit(limit)
        )
        return [schedule_of(row) for row in self._connection.execute(statement).mappings()]

    def ending(self, after: tuple[datetime, str], until: datetime, limit: int) -> list[Schedule]:
        end, last = after
        statement = (
            self._select()
            .where(
                _c.status == ScheduleStatus.PROVISIONED.value,
                _c.ends_at >= end,
                _c.ends_at <= until,
                or_(_c.ends_at > end, _c.id > last),
            )
            .order_by(_c.ends_at, _c.id)
            .limit(limit)
        )
        return [schedule_of(row) for row in self._connection.execute(statement).mappings()]

    def still_due_to_end(self, ids: Collection[str], now: datetime) -> list[Schedule]:
        statement = self._select().where(
            _c.status == ScheduleStatus.PROVISIONED.value, _c.ends_at <= now, _c.id.in_(ids)
        )
        rows = self._connection.execute(statement.order_by(_c.id).with_for_update()).mappings()
        return sorted((schedule_of(row) for row in rows), key=lambda one: (one.ends_at or now, one.id))


_KINDS = {one.value: one for one in Kind}
_PROVIDERS = {one.value: one for one in Provider}
_STATUSES = {one.value: one for one in ScheduleStatus}
_TYPES = {one.value: one for one in AssignmentType}
_LISTS = frozenset({"principals", "scopes"})
_GET = Prepared(select(schedules).where(_c.tenant_id == bindparam("tenant"), _c.id == bindparam("id")))
_MANY = Prepared(
    select(schedules).where(_c.tenant_id == bindparam("tenant"), _c.id.in_(bindparam("ids", expanding=True))),
    "ids",
)
_ranked = (
    select(
        schedules,
        func.row_number()
        .over(
            partition_by=(_c.principal_id, _c.provider, _c.role_id, _c.scope),
            order_by=(_c.starts_at.desc(), _c.id),
        )
        .label("place"),
    )
    .where(
        _c.tenant_id == bindparam("tenant"),
        _c.principal_id.in_(bindparam("principals", expanding=True)),
        _c.kind == Kind.ASSIGNMENT.value,
        _c.provider.in_(bindparam("providers", expanding=True)),
        _c.role_id.in_(bindparam("roles", expanding=True)),
        _c.scope.in_(bindparam("scopes", expanding=True)),
        _c.assignment_type == AssignmentType.ACTIVATED.value,
    )
    .subquery()
)
_LAST_ACTIVATIONS = Prepared(
    select(*(_ranked.c[column.name] for column in schedules.c))
    .where(_ranked.c.place <= bindparam("most", type_=Integer))
    .order_by(_ranked.c.starts_at.desc(), _ranked.c.id),
    "principals",
    "providers",
    "roles",
    "scopes",
)
_INSERT = Prepared(insert(schedules))


def one_or_many(name: str, values: list[str]) -> dict[str, Any]:
    """The parameter of `= :name` for one value, of `IN :names` for several: IN costs twice as much to prepare."""
    return {name: values[0]} if len(values) == 1 else {f"{name}s": values}


@cache
def _save(status: ScheduleStatus) -> Prepared:
    """Parameters of an UPDATE's condition may not be called as its columns are: hence b_."""
    return Prepared(
        update(schedules).where(
            _c.tenant_id == bindparam("b_tenant"),
            _c.id == bindparam("b_id"),
            _c.status.in_([literal(source) for source in _SOURCES[status]]),
        )
    )


@cache
def _eligible(one: bool) -> Prepared:
    statement = select(_c.id, _c.provider, _c.role_id, _c.scope).where(
        _c.tenant_id == bindparam("tenant"),
        _c.kind == Kind.ELIGIBILITY.value,
        _c.principal_id == bindparam("principal")
        if one
        else _c.principal_id.in_(bindparam("principals", expanding=True)),
        in_force_at(bindparam("in_force")),
    )
    return Prepared(statement, *(() if one else ("principals",)))


_ENDED = (
    select(schedules)
    .where(
        _c.tenant_id == bindparam("tenant"),
        _c.principal_id == bindparam("principal"),
        _given,
        or_(_c.status.not_in([status.value for status in LIVE]), _c.ends_at <= bindparam("now")),
    )
    .order_by(func.coalesce(_c.ends_at, _c.created_at).desc(), _c.id.desc())
    .limit(bindparam("most", type_=Integer))
)


@cache
def _brief(parameters: frozenset[str]) -> Prepared:
    columns = (_c.id, _c.kind, _c.provider, _c.principal_id, _c.role_id, _c.scope)
    return Prepared(_of(parameters, share=False).with_only_columns(*columns), *(_LISTS & parameters))


@cache
def _prepared(parameters: frozenset[str], *, share: bool) -> Prepared:
    return Prepared(_of(parameters, share=share), *(_LISTS & parameters))


@cache
def _of(parameters: frozenset[str], *, share: bool) -> Select[Any]:
    """The statement of `Schedules.of` and `.page` with these parameters. Building one costs five times as much as running it."""
    conditions = {
        "tenant": _c.tenant_id == bindparam("tenant"),
        "provider": _c.provider == bindparam("provider"),
        "kind": _c.kind == bindparam("kind"),
        "role": _c.role_id == bindparam("role"),
        "roles": _c.role_id.in_(bindparam("roles", expanding=True)),
        "scope": _c.scope == bindparam("scope"),
        "scopes": _c.scope.in_(bindparam("scopes", expanding=True)),
        "principal": _c.principal_id == bindparam("principal"),
        "principals": _c.principal_id.in_(bindparam("principals", expanding=True)),
        "now": live_at(bindparam("now")),
        "in_force": in_force_at(bindparam("in_force")),
        "ended_since": and_(_given, _c.ends_at > bindparam("ended_since")),
        "ended_until": _c.ends_at <= bindparam("ended_until"),
    }
    statement = select(schedules).where(*(conditions[name] for name in sorted(parameters)))
    return statement.with_for_update(read=True) if share else statement


def in_force_at(now: Any) -> Any:
    """The SQL of `Schedule.in_force`: truth is a function of time."""
    return and_(
        _alive,
        _c.status == ScheduleStatus.PROVISIONED.value,
        _c.starts_at <= now,
        or_(_c.ends_at.is_(None), _c.ends_at > now),
    )


def live_at(now: Any) -> Any:
    """In force then or still to come."""
    return and_(_alive, or_(_c.ends_at.is_(None), _c.ends_at > now))


def _row(schedule: Schedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "kind": schedule.kind.value,
        "provider": schedule.provider.value,
        "principal_id": schedule.principal_id,
        "role_id": schedule.role_id,
        "scope": schedule.scope,
        "starts_at": schedule.starts_at,
        "ends_at": schedule.ends_at,
        "status": schedule.status.value,
        "assignment_type": schedule.assignment_type.value if schedule.assignment_type else None,
        "created_at": schedule.created_at,
        "modified_at": schedule.modified_at,
        "request_id": schedule.request_id,
        "linked_id": schedule.linked_id,
        "window": window_text(schedule.window),
    }


def schedule_of(row: AnyRow) -> Schedule:
    return Schedule(
        id=row["id"],
        kind=_KINDS[row["kind"]],
        provider=_PROVIDERS[row["provider"]],
        principal_id=row["principal_id"],
        role_id=row["role_id"],
        scope=row["scope"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        status=_STATUSES[row["status"]],
        assignment_type=_TYPES[row["assignment_type"]] if row["assignment_type"] else None,
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        request_id=row["request_id"],
        linked_id=row["linked_id"],
        window=window_value(row["window"]),
    )
