"""Counts over schedules and requests: each walks an index, and stops after a given number of rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from openpim.core.directory import UserType
from openpim.core.grants import Action, AssignmentType, Kind, Provider
from openpim.core.lifecycle import RequestStatus
from openpim.ports.tallies import Eligible, People, Tally, Use
from openpim.store.principals import joined, principals
from openpim.store.requests import requests
from openpim.store.schedules import in_force_at, schedules
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


_waiting_of = [
    select(_r.id)
    .where(
        _r.tenant_id == bindparam("tenant"),
        _r.provider == bindparam("provider"),
        _r.kind == kind.value,
        _r.status.in_([one.value for one in WAITING]),
    )
    .limit(bindparam("most", type_=Integer))
    .subquery()
    for kind in Kind
]
_WAITING = select(
    sum((select(func.count()).select_from(one).scalar_subquery() for one in _waiting_of), literal(0))
)


class Tallies:
    """See ports/tallies.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def assigned(self, provider: Provider, now: datetime, most: int) -> list[Tally]:
        columns = (
            _s.role_id,
            (func.coalesce(_s.assignment_type, "") == AssignmentType.ACTIVATED.value).label("activated"),
            _s.ends_at.is_(None).label("permanent"),
            _s.request_id.is_(None).label("outside"),
        )
        walked = self._live(provider, Kind.ASSIGNMENT, now, *columns).order_by(_s.id).limit(most).subquery()
        rows = self._connection.execute(select(*walked.c, func.count()).group_by(*walked.c))
        return [Tally(provider, row[0], bool(row[1]), bool(row[2]), bool(row[3]), row[4]) for row in rows]

    def waiting(self, provider: Provider, most: int) -> int:
        given = {"tenant": self._tenant, "provider": provider.value, "most": most}
        return min(most, int(self._connection.execute(_WAITING, given).scalar_one()))

    def uses(self, provider: Provider, since: datetime, most: int) -> list[Use]:
        walked = (
            select(type_coerce(_r.created_at, BigInteger).label("at"), _r.role_id, _r.action, _r.status)
            .where(
                _r.tenant_id == self._tenant,
                _r.provider == provider.value,
                _r.kind == Kind.ASSIGNMENT.value,
                _r.created_at >= since,
            )
            .order_by(_r.created_at.desc(), _r.id.desc())
            .limit(most)
            .subquery()
        )
        begin = (since - _EPOCH) // timedelta(microseconds=1)
        day = ((walked.c.at - begin) // _DAY).label("day")
        inner = (
            select(day, walked.c.role_id)
            .where(
                walked.c.action == Action.SELF_ACTIVATE.value,
                walked.c.status.in_([one.value for one in _DONE]),
            )
            .subquery()
        )
        rows = self._connection.execute(
            select(inner.c.day, inner.c.role_id, func.count()).group_by(inner.c.day, inner.c.role_id)
        )
        return [Use(int(row[0]), provider, row[1], row[2]) for row in rows]

    def eligible(self, provider: Provider, now: datetime, most: int, shown: int) -> Eligible:
        walked = self._live(provider, Kind.ELIGIBILITY, now, _s.id).order_by(_s.id).limit(most).subquery()
        resting = schedules.alias("resting")
        used = exists().where(resting.c.tenant_id == self._tenant, resting.c.linked_id == walked.c.id)
        counting = select(func.count(), func.coalesce(func.sum(case((used, 0), else_=1)), 0))
        count, unused = self._connection.execute(counting.select_from(walked)).one()
        # Not ordered again: the walk is in the order of the ids, and ends at the first few.
        first = select(walked.c.id).where(~used).limit(shown)
        ids = self._connection.execute(first).scalars() if unused else ()
        return Eligible(int(count), int(unused), tuple(sorted(ids)))

    def standing(self, provider: Provider, now: datetime, most: int, shown: int) -> tuple[str, ...]:
        columns = (_s.id, _s.assignment_type, _s.ends_at, _s.request_id)
        walked = self._live(provider, Kind.ASSIGNMENT, now, *columns).order_by(_s.id).limit(most).subquery()
        statement = (
            select(walked.c.id)
            .where(
                walked.c.assignment_type == AssignmentType.ASSIGNED.value,
                or_(walked.c.ends_at.is_(None), walked.c.request_id.is_(None)),
            )
            .order_by(walked.c.id)
            .limit(shown)
        )
        return tuple(self._connection.execute(statement).scalars())

    def people(self, most: int) -> People:
        walked = (
            select(users.c.user_type, principals.c.enabled)
            .join(principals, joined(users))
            .where(users.c.tenant_id == self._tenant, principals.c.deleted_at.is_(None))
            .order_by(users.c.id)
            .limit(most)
            .subquery()
        )
        found = self._connection.execute(select(*walked.c, func.count()).group_by(*walked.c))
        rows = [(row[0], bool(row[1]), int(row[2])) for row in found]
        guests = sum(count for kind, _, count in rows if kind == UserType.GUEST.value)
        total = sum(count for _, _, count in rows)
        disabled = sum(count for _, enabled, count in rows if not enabled)
        return People(total - guests, guests, disabled, partial=total >= most)

    def _live(self, provider: Provider, kind: Kind, now: datetime, *columns: Any) -> Select[Any]:
        return select(*columns).where(
            and_(
                _s.tenant_id == self._tenant,
                _s.provider == provider.value,
                _s.kind == kind.value,
                in_force_at(now),
            )
        )
