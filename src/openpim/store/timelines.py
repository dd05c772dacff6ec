"""Who held what when. What is over is found through the newest requests, which are kept for ever and have indices in the
order of time; what lasts, through its own index. Either walk ends after a given number of rows.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, or_, select, union

from openpim.core.grants import Kind
from openpim.core.lifecycle import ScheduleStatus
from openpim.ports.timelines import About, Held
from openpim.store.prepared import Prepared
from openpim.store.requests import requests
from openpim.store.schedules import live_at, one_or_many, schedule_of, schedules

_s, _r = schedules.c, requests.c
_LISTS = {"principal_ids"}
_NEVER = (ScheduleStatus.CANCELED.value, ScheduleStatus.FAILED.value)


class Timelines:
    """See ports/timelines.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def held(
        self, about: About, since: datetime, until: datetime, now: datetime, *, look: int, most: int
    ) -> Held:
        asked = {
            "provider": about.provider.value if about.provider is not None else None,
            "role_id": about.role_id,
            "scope": about.scope,
        }
        where: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        if about.holders is not None:
            where |= one_or_many("principal_id", sorted(about.holders))
        names = frozenset(where)
        walk = names - {"scope"} if about.everywhere else names
        given = {"tenant": self._tenant, "look": look, "most": most + 1, "until": until, "now": now, **where}
        rows = _newest(walk, names).rows(self._connection, {**given, "since": since})
        newest = tuple(schedule_of(row) for row in rows[:most])
        if len(rows) > most:
            return Held(newest, cut=True)
        ((older, more),) = _beyond(walk).tuples(self._connection, given)
        return Held(newest, cut=more is not None or (older is not None and older > since))


def _where(columns: Any, names: frozenset[str]) -> list[Any]:
    """Of either table."""
    conditions = [columns.tenant_id == bindparam("tenant"), columns.kind == Kind.ASSIGNMENT.value]
    for name in sorted(names):
        if name == "principal_ids":
            conditions.append(columns.principal_id.in_(bindparam(name, expanding=True)))
        else:
            conditions.append(columns[name] == bindparam(name))
    return conditions


def _newest_requests(names: frozenset[str]) -> Select[Any]:
    return (
        select(_r.schedule_id, _r.created_at)
        .where(*_where(_r, names), _r.created_at < bindparam("until"))
        .order_by(_r.created_at.desc(), _r.id.desc())
    )


def _live(names: frozenset[str], *columns: Any) -> Select[Any]:
    return select(*columns).where(*_where(_s, names), live_at(bindparam("now"))).order_by(_s.id)


def _touching(columns: Any) -> list[Any]:
    """`Schedule.overlaps`, of what has ever been in force or may yet be."""
    return [
        columns.status.not_in(_NEVER),
        columns.starts_at < bindparam("until"),
        or_(columns.ends_at.is_(None), columns.ends_at > bindparam("since")),
    ]


@cache
def _newest(walk: frozenset[str], names: frozenset[str]) -> Prepared:
    """Of what either walk meets, in one statement: most of it is met by both."""
    look = bindparam("look", type_=Integer)
    asked_for = select(_newest_requests(walk).limit(look).subquery().c.schedule_id)
    lasting = select(_live(walk, _s.id).limit(look).subquery().c.id)
    newest = (
        select(schedules)
        .where(*_where(_s, names), *_touching(_s), _s.id.in_(union(asked_for, lasting)))
        .order_by(_s.starts_at.desc(), _s.id.desc())
        .limit(bindparam("most", type_=Integer))
    )
    return Prepared(newest, *_LISTS & names)


@cache
def _beyond(names: frozenset[str]) -> Prepared:
    """What is not looked at any more: when the first such request was made, and the first such schedule that lasts."""
    look = bindparam("look", type_=Integer)
    older = _newest_requests(names).with_only_columns(_r.created_at).offset(look).limit(1)
    more = _live(names, _s.id).offset(look).limit(1)
    found = select(older.scalar_subquery().label("older"), more.scalar_subquery().label("more"))
    return Prepared(found, *_LISTS & names)
