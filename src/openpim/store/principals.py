"""Principals: the one id space of users, groups and service principals, and what they all have.

The nouns with details (users, groups, service principals) write their row here through `write_principal`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    String,
    Table,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from openpim.core import query as q
from openpim.core.directory import Principal, PrincipalKind, fold
from openpim.core.query import Page, Query
from openpim.store.listing import Fields, page, starts_with
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.schema import metadata
from openpim.store.told import Told, once
from openpim.store.types import Folded, Instant

principals = Table(
    "principals",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("display_name", String(256), nullable=False),
    Column("name_key", Folded(256), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)
Index("ix_principals_name", principals.c.tenant_id, principals.c.kind, principals.c.name_key, principals.c.id)
Index("ix_principals_kind", principals.c.tenant_id, principals.c.kind, principals.c.id)


def fields_by(identity: ColumnElement[str]) -> Fields:
    """identity: the column that carries the principal's id in the table that leads the list."""
    return Fields(
        {
            "id": identity,
            "kind": principals.c.kind,
            "display_name": principals.c.name_key,
            "enabled": principals.c.enabled,
            "created_at": principals.c.created_at,
        },
        folded=("display_name",),
    )


FIELDS = fields_by(principals.c.id)
BATCH = 500  # ids in one IN list: SQLite's and PostgreSQL's limits on parameters lie far above


_KINDS = {one.value: one for one in PrincipalKind}


def make_principal(row: AnyRow) -> Principal:
    return Principal(
        id=row["id"],
        kind=_KINDS[row["kind"]],
        display_name=row["display_name"],
        enabled=row["enabled"],
        created_at=row["created_at"],
        deleted_at=row["deleted_at"],
    )


def batches(ids: Iterable[str]) -> Iterable[list[str]]:
    """The distinct ids, in pieces that fit an IN list."""
    distinct = sorted(set(ids))
    for start in range(0, len(distinct), BATCH):
        yield distinct[start : start + BATCH]


def living(tenant_id: Any, *kinds: PrincipalKind) -> ColumnElement[bool]:
    """The condition of every list: this tenant, these kinds (all when none is named), not deleted."""
    parts = [principals.c.tenant_id == tenant_id, principals.c.deleted_at.is_(None)]
    if len(kinds) == 1:
        parts.append(principals.c.kind == kinds[0].value)
    elif kinds:
        parts.append(principals.c.kind.in_([kind.value for kind in kinds]))
    return and_(*parts)


def named(query: Query) -> bool:
    """Whether the display name decides which rows come, or in which order."""

    def asks(where: q.Condition | None) -> bool:
        match where:
            case q.All(parts) | q.Some(parts):
                return any(asks(part) for part in parts)
            case q.Not(part):
                return asks(part)
            case q.AnyOf(field) | q.Compare(field):
                return field == "display_name"
            case None:
                return False

    return any(order.field == "display_name" for order in query.order[:1]) or asks(query.where)


def joined(detail: Table) -> ColumnElement[bool]:
    """The join between a table of details and its principals."""
    return and_(detail.c.tenant_id == principals.c.tenant_id, detail.c.id == principals.c.id)


def write_principal(connection: Connection, tenant_id: str, principal: Principal, *, new: bool) -> None:
    """Insert or update the shared part of a user, group or service principal."""
    forget_read(connection)
    values: dict[str, Any] = {
        "display_name": principal.display_name,
        "name_key": fold(principal.display_name),
        "enabled": principal.enabled,
        "deleted_at": principal.deleted_at,
    }
    if new:
        connection.execute(
            insert(principals).values(
                tenant_id=tenant_id,
                id=principal.id,
                kind=principal.kind.value,
                created_at=principal.created_at,
                **values,
            )
        )
        return
    connection.execute(
        update(principals)
        .where(principals.c.tenant_id == tenant_id, principals.c.id == principal.id)
        .values(**values)
    )


def mark_deleted(connection: Connection, tenant_id: str, id: str, now: datetime) -> bool:
    """Soft-delete; True when there was a living one."""
    forget_read(connection)
    done = connection.execute(
        update(principals)
        .where(principals.c.tenant_id == tenant_id, principals.c.id == id, principals.c.deleted_at.is_(None))
        .values(deleted_at=now)
    )
    return done.rowcount > 0


# Asked in every unit of work: built once, because building a statement costs five times as much as running it.
_c = principals.c
_whole = select(_c.id, _c.kind, _c.display_name, _c.enabled, _c.created_at, _c.deleted_at)
_one = _whole.where(_c.tenant_id == bindparam("tenant"), _c.id == bindparam("id"))
_some = _whole.where(_c.tenant_id == bindparam("tenant"), _c.id.in_(bindparam("ids", expanding=True)))
_GET, _MANY = Prepared(_one), Prepared(_some, "ids")
_LOCK = Prepared(_some.order_by(_c.id).with_for_update(), "ids")
_LOCK_ONE = Prepared(_one.with_for_update())  # IN costs twice as much to prepare

# The principals that a unit of work has read, by its connection: a decision asks for the same few a dozen times.
# Forgotten at every write and at every return to a savepoint; a lock reads anew.
_read: WeakKeyDictionary[Connection, dict[tuple[str, str], Principal]] = WeakKeyDictionary()


def forget_read(connection: Connection) -> None:
    """What is asked next is read from the database again."""
    known = _read.get(connection)
    if known is not None:
        known.clear()


class Principals:
    """See `ports.principals.Principals`."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        known = _read.setdefault(connection, {})
        self._known: dict[tuple[str, str], Principal] = once(told, "principals", lambda: known)

    def get(self, id: str, *, deleted: bool = False) -> Principal | None:
        found = self._known.get((self._tenant_id, id))
        if found is None:
            rows = _GET.tuples(self._connection, {"tenant": self._tenant_id, "id": id})
            found = self._keep(rows[0]) if rows else None
        return found if found is not None and (deleted or found.deleted_at is None) else None

    def many(self, ids: Collection[str], *, deleted: bool = False) -> dict[str, Principal]:
        wanted = set(ids)
        known = (self._known.get((self._tenant_id, id)) for id in wanted)  # noqa: A001
        found = {one.id: one for one in known if one is not None}
        for part in batches(wanted - found.keys()):
            given = {"tenant": self._tenant_id, "ids": part}
            for row in _MANY.tuples(self._connection, given):
                found[row[0]] = self._keep(row)
        return {one.id: one for one in found.values() if deleted or one.deleted_at is None}

    def _keep(self, row: Iterable[Any]) -> Principal:
        """row: as in _whole."""
        id, kind, name, enabled, created_at, deleted_at = row  # noqa: A001
        principal = Principal(id, _KINDS[kind], name, enabled, created_at, deleted_at)
        self._known[self._tenant_id, id] = principal
        return principal

    def page(self, query: Query, kinds: Collection[PrincipalKind] = ()) -> Page[Principal]:
        base = select(principals).where(living(self._tenant_id, *kinds))
        return page(self._connection, base, FIELDS, query, make_principal)

    def search(
        self, text: str, kinds: Collection[PrincipalKind] = (), limit: int = 20
    ) -> tuple[Principal, ...]:
        statement = (
            select(principals)
            .where(
                living(self._tenant_id, *(kinds or PrincipalKind)), starts_with(principals.c.name_key, text)
            )
            .order_by(principals.c.name_key, principals.c.id)
            .limit(limit)
        )
        return tuple(make_principal(row) for row in self._connection.execute(statement).mappings())

    def find_by_name(self, name: str, kind: PrincipalKind | None = None) -> tuple[Principal, ...]:
        kinds = (kind,) if kind is not None else tuple(PrincipalKind)
        statement = (
            select(principals)
            .where(living(self._tenant_id, *kinds), principals.c.name_key == fold(name))
            .order_by(principals.c.id)
            .limit(50)
        )
        return tuple(make_principal(row) for row in self._connection.execute(statement).mappings())

    def lock(self, *ids: str) -> None:
        if self._connection.dialect.name == "sqlite":
            return  # there is one writer
        for part in batches(ids):
            if len(part) == 1:
                rows = _LOCK_ONE.tuples(self._connection, {"tenant": self._tenant_id, "id": part[0]})
            else:
                rows = _LOCK.tuples(self._connection, {"tenant": self._tenant_id, "ids": part})
            for row in rows:
                self._keep(row)  # as it is now that nobody else changes it
