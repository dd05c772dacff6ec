"""Counts over schedules and requests: each walks an index, and stops after a given number of rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    String,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)

from openpim.core.directory import UserType
from openpim.core.grants import LIVE, Action, AssignmentType, Kind, Provider
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.ports.tallies import Eligible, People, Tally, Use
from openpim.store.audit import queue
from openpim.store.audit_log import logs
from openpim.store.prepared import Prepared
from openpim.store.principals import joined, principals
from openpim.store.requests import requests
from openpim.store.schedules import in_force_at, schedules
from openpim.store.told import Told, once
from openpim.store.types import Instant
from openpim.store.users import users

_s = schedules.c
_r = requests.c
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_DAY = 86_400_000_000
WAITING = (
    RequestStatus.PENDING_APPROVAL,
    RequestStatus.PENDING_APPROVAL_PROVISIONING,
    RequestStatus.PENDING_ADMIN_DECISION,
)
_DONE = (RequestStatus.PROVISIONED, RequestStatus.GRANTED)


_PROVISIONED = _s.status == ScheduleStatus.PROVISIONED.value
_TENANT, _PROVIDER = bindparam("tenant", type_=String), bindparam("provider", type_=String)
_NOW = bindparam("now", type_=Instant)
_MOST, _SHOWN = bindparam("most", type_=Integer), bindparam("shown", type_=Integer)


def _walk(kind: Kind, *columns: Any) -> Subquery:
    """What is in force, `most` of it, in the order of the ids."""
    live = and_(_s.tenant_id == _TENANT, _s.provider == _PROVIDER, _s.kind == kind.value, in_force_at(_NOW))
    return select(*columns).where(live).order_by(_s.id).limit(_MOST).subquery()


# All of them are asked for one page: built once, because building them cost as much as running them.
_held = _walk(
    Kind.ASSIGNMENT,
    _s.role_id,
    (func.coalesce(_s.assignment_type, "") == AssignmentType.ACTIVATED.value).label("activated"),
    _s.ends_at.is_(None).label("permanent"),
    _s.request_id.is_(None).label("outside"),
)
_ASSIGNED = select(*_held.c, func.count()).group_by(*_held.c)

_stands = _walk(Kind.ASSIGNMENT, _s.id, _s.assignment_type, _s.ends_at, _s.request_id)
_STANDING = (
    select(_stands.c.id)
    .where(
        _stands.c.assignment_type == AssignmentType.ASSIGNED.value,
        or_(_stands.c.ends_at.is_(None), _stands.c.request_id.is_(None)),
    )
    .order_by(_stands.c.id)
    .limit(_SHOWN)
)

_may = _walk(Kind.ELIGIBILITY, _s.id)
_resting = schedules.alias("resting")
_used = exists().where(_resting.c.tenant_id == _TENANT, _resting.c.linked_id == _may.c.id)
_ELIGIBLE = select(func.count(), func.coalesce(func.sum(case((_used, 0), else_=1)), 0)).select_from(_may)
# Not ordered again: the walk is in the order of the ids, and ends at the first few.
_UNUSED = select(_may.c.id).where(~_used).limit(_SHOWN)

_asked = (
    select(type_coerce(_r.created_at, BigInteger).label("at"), _r.role_id, _r.action, _r.status)
    .where(
        _r.tenant_id == _TENANT,
        _r.provider == _PROVIDER,
        _r.kind == Kind.ASSIGNMENT.value,
        _r.created_at >= bindparam("since", type_=Instant),
    )
    .order_by(_r.created_at.desc(), _r.id.desc())
    .limit(_MOST)
    .subquery()
)
_done = (
    select(((_asked.c.at - bindparam("begin", type_=BigInteger)) // _DAY).label("day"), _asked.c.role_id)
    .where(
        _asked.c.action == Action.SELF_ACTIVATE.value,
        _asked.c.status.in_([one.value for one in _DONE]),
    )
    .subquery()
)
_USES = select(_done.c.day, _done.c.role_id, func.count()).group_by(_done.c.day, _done.c.role_id)

_waiting_of = [
    select(_r.id)
    .where(
        _r.tenant_id == _TENANT,
        _r.provider == _PROVIDER,
        _r.kind == kind.value,
        _r.status.in_([one.value for one in WAITING]),
    )
    .limit(_MOST)
    .subquery()
    for kind in Kind
]
_WAITING = select(
    sum((select(func.count()).select_from(one).scalar_subquery() for one in _waiting_of), literal(0))
)

_COUNTED = 500  # events that wait for the audit log; its worker leaves it no more than a few
_unlogged = select(queue.c.event_id).where(queue.c.tenant_id == _TENANT).limit(_COUNTED + 1).subquery()
_CHANGES = Prepared(
    select(
        func.coalesce(select(logs.c.size).where(logs.c.tenant_id == _TENANT).scalar_subquery(), 0).label(
            "size"
        ),
        select(func.count()).select_from(_unlogged).scalar_subquery().label("waiting"),
    )
)
_BEGINS = Prepared(select(func.min(_s.starts_at)).where(_PROVISIONED, _s.starts_at > _NOW))
# Of what waits for its beginning too: nobody may see to it before it is over.
_ends = union_all(
    *(
        select(func.min(_s.ends_at).label("at")).where(_s.status == one.value, _s.ends_at > _NOW)
        for one in sorted(LIVE)
    )
).subquery()
_ENDS = Prepared(select(func.min(_ends.c.at)))

_people = (
    select(users.c.user_type, principals.c.enabled)
    .join(principals, joined(users))
    .where(users.c.tenant_id == bindparam("tenant"), principals.c.deleted_at.is_(None))
    .order_by(users.c.id)
    .limit(_MOST)
    .subquery()
)
_PEOPLE = Prepared(select(*_people.c, func.count().label("count")).group_by(*_people.c))


class Tallies:
    """See ports/tallies.py."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant = tenant_id
        self._told = told

    def changes(self) -> int:
        def ask() -> int:
            ((size, waiting),) = _CHANGES.tuples(self._connection, {"tenant": self._tenant})
            return int(size + waiting) if waiting <= _COUNTED else 0

        return once(self._told, ("changes", self._tenant), ask)

    def next_turn(self, now: datetime) -> datetime | None:
        found = [one.tuples(self._connection, {"now": now})[0][0] for one in (_BEGINS, _ENDS)]
        return min((one for one in found if one is not None), default=None)

    def assigned(self, provider: Provider, now: datetime, most: int) -> list[Tally]:
        rows = self._connection.execute(_ASSIGNED, self._given(provider, most, now=now))
        return [Tally(provider, row[0], bool(row[1]), bool(row[2]), bool(row[3]), row[4]) for row in rows]

    def waiting(self, provider: Provider, most: int) -> int:
        return min(most, int(self._connection.execute(_WAITING, self._given(provider, most)).scalar_one()))

    def uses(self, provider: Provider, since: datetime, most: int) -> list[Use]:
        begin = (since - _EPOCH) // timedelta(microseconds=1)
        rows = self._connection.execute(_USES, self._given(provider, most, since=since, begin=begin))
        return [Use(int(row[0]), provider, row[1], row[2]) for row in rows]

    def eligible(self, provider: Provider, now: datetime, most: int, shown: int) -> Eligible:
        given = self._given(provider, most, now=now)
        count, unused = self._connection.execute(_ELIGIBLE, given).one()
        ids = self._connection.execute(_UNUSED, {**given, "shown": shown}).scalars() if unused else ()
        return Eligible(int(count), int(unused), tuple(sorted(ids)))

    def standing(self, provider: Provider, now: datetime, most: int, shown: int) -> tuple[str, ...]:
        given = self._given(provider, most, now=now, shown=shown)
        return tuple(self._connection.execute(_STANDING, given).scalars())

    def _given(self, provider: Provider, most: int, **more: Any) -> dict[str, Any]:
        return {"tenant": self._tenant, "provider": provider.value, "most": most, **more}

    def people(self, most: int) -> People:
        found = _PEOPLE.tuples(self._connection, {"tenant": self._tenant, "most": most})
        rows = [(row[0], bool(row[1]), int(row[2])) for row in found]
        guests = sum(count for kind, _, count in rows if kind == UserType.GUEST.value)
        total = sum(count for _, _, count in rows)
        disabled = sum(count for _, enabled, count in rows if not enabled)
        return People(total - guests, guests, disabled, partial=total >= most)
