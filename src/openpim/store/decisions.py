"""The rows the index of decisions is made of. It has no table of its own: it reads those of others, many rows at a time.

Instants come as their numbers: a million datetimes would be made only to be taken apart again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    not_,
    or_,
    select,
    type_coerce,
)

from openpim.core.lifecycle import ScheduleStatus
from openpim.core.resources import ResourceKind
from openpim.ports.decisions import GrantRow, Happened
from openpim.store.audit import entries, events, queue
from openpim.store.audit_log import logs
from openpim.store.memberships import administrative_unit_members, group_members, group_owners
from openpim.store.principals import batches
from openpim.store.principals import principals as principals_table
from openpim.store.resources import resources
from openpim.store.schedules import schedules
from openpim.store.users import users

_PART = 10_000
_EVENT = (events.c.id, events.c.activity, events.c.category, events.c.result, events.c.targets)
_UPPER = [ResourceKind.MANAGEMENT_GROUP.value, ResourceKind.SUBSCRIPTION.value]

# Asked four times a second: built once, because building a statement costs more than running it.
_SIZE = select(logs.c.size).where(logs.c.tenant_id == bindparam("tenant"))
_WAITING = select(queue.c.event_id).where(queue.c.tenant_id == bindparam("tenant"))


class Decisions:
    """See ports/decisions.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    # -- facts
    def grants(self, now: int, principals: Collection[str] | None = None) -> Iterator[GrantRow]:
        c = schedules.c
        ends = type_coerce(c.ends_at, BigInteger)
        asked = select(
            c.kind, c.provider, c.principal_id, c.role_id, c.scope, type_coerce(c.starts_at, BigInteger), ends
        ).where(
            c.tenant_id == self._tenant,
            c.status == ScheduleStatus.PROVISIONED.value,
            or_(c.ends_at.is_(None), ends > now),
        )
        for row in self._rows(asked, c.principal_id, principals):
            yield (row[0], row[1], row[2], row[3], row[4], row[5], row[6])

    def members(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        c = group_members.c
        asked = select(c.member_id, c.group_id).where(c.tenant_id == self._tenant)
        for row in self._rows(asked, c.member_id, principals):
            yield (row[0], row[1])

    def members_of(self, groups: Collection[str]) -> list[str]:
        c = group_members.c
        asked = select(c.member_id).where(c.tenant_id == self._tenant)
        return [row[0] for row in self._rows(asked, c.group_id, groups)]

    def owners_of(self, groups: Collection[str]) -> list[str]:
        c = group_owners.c
        asked = select(c.owner_id).where(c.tenant_id == self._tenant)
        return [row[0] for row in self._rows(asked, c.group_id, groups)]

    def owners(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        c = group_owners.c
        asked = select(c.owner_id, c.group_id).where(c.tenant_id == self._tenant)
        for row in self._rows(asked, c.owner_id, principals):
            yield (row[0], row[1])

    def unit_members(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        c = administrative_unit_members.c
        asked = select(c.member_id, c.unit_id).where(c.tenant_id == self._tenant)
        for row in self._rows(asked, c.member_id, principals):
            yield (row[0], row[1])

    def unable(self, principals: Collection[str] | None = None) -> Iterator[str]:
        c = principals_table.c
        asked = select(c.id).where(
            c.tenant_id == self._tenant, or_(not_(c.enabled), c.deleted_at.is_not(None))
        )
        for row in self._rows(asked, c.id, principals):
            yield row[0]

    def homes(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str, str]]:
        c = users.c
        asked = select(c.id, c.home_tenant_id, c.home_user_id).where(
            c.tenant_id == self._tenant, c.home_tenant_id.is_not(None), c.home_user_id.is_not(None)
        )
        for row in self._rows(asked, c.id, principals):
            yield (row[0], row[1], row[2])

    def places(self) -> Iterator[tuple[str, str]]:
        c = resources.c
        asked = select(c.id, c.parent_id).where(c.tenant_id == self._tenant, c.kind.in_(_UPPER))
        for row in self._rows(asked, c.id, None):
            yield (row[0], row[1])

    # -- the feed
    def size(self) -> int:
        return self._connection.execute(_SIZE, {"tenant": self._tenant}).scalar() or 0

    def waiting(self) -> list[str]:
        return list(self._connection.execute(_WAITING, {"tenant": self._tenant}).scalars())

    def events(self, ids: Collection[str]) -> list[Happened]:
        asked = select(*_EVENT).where(events.c.tenant_id == self._tenant)
        return [_happened(row) for row in self._rows(asked, events.c.id, ids)]

    def logged(self, position: int, limit: int) -> list[Happened]:
        asked = (
            select(*_EVENT)
            .select_from(
                entries.join(
                    events,
                    and_(events.c.sequence == entries.c.sequence, events.c.tenant_id == entries.c.tenant_id),
                )
            )
            .where(entries.c.tenant_id == self._tenant, entries.c.position >= position)
            .order_by(entries.c.position)
            .limit(limit)
        )
        return [_happened(row) for row in self._connection.execute(asked)]

    def _rows(
        self, asked: Select[Any], column: ColumnElement[str], wanted: Collection[str] | None
    ) -> Iterator[Any]:
        if wanted is None:
            yield from self._connection.execute(asked.execution_options(yield_per=_PART))
            return
        for part in batches(wanted):
            yield from self._connection.execute(asked.where(column.in_(part)))


def _happened(row: Any) -> Happened:
    """What cannot be read concerns everything: its targets are nobody's, and no activity is called so."""
    try:
        targets = tuple(str(target[1]) for target in json.loads(row.targets))
    except (ValueError, LookupError, TypeError, RecursionError):
        return Happened(row.id, "", "", "", ())
    return Happened(row.id, row.activity, row.category, row.result, targets)
