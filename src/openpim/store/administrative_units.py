"""Administrative units: scopes made of the users and groups that are put in them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from openpim.core.directory import AdministrativeUnit, Principal, fold
from openpim.core.query import Page, Query
from openpim.store.listing import Fields, page
from openpim.store.memberships import administrative_unit_members, forget
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import batches, fields_by, make_principal, principals
from openpim.store.schema import metadata
from openpim.store.types import Folded, Instant

administrative_units = Table(
    "administrative_units",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("display_name", String(256), nullable=False),
    Column("name_key", Folded(256), nullable=False),
    Column("description", String(1024)),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)
_c = administrative_units.c
_members = administrative_unit_members.c
Index("ix_administrative_units_name", _c.tenant_id, _c.name_key, _c.id)

FIELDS = Fields(
    {
        "id": _c.id,
        "display_name": _c.name_key,
        "description": _c.description,
        "created_at": _c.created_at,
    },
    names=("description",),
    folded=("display_name",),
)

_MEMBER_FIELDS = fields_by(_members.member_id)


def _make(row: AnyRow) -> AdministrativeUnit:
    return AdministrativeUnit(
        id=row["id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        description=row["description"],
        deleted_at=row["deleted_at"],
    )


def _values(unit: AdministrativeUnit) -> dict[str, Any]:
    return {
        "display_name": unit.display_name,
        "name_key": fold(unit.display_name),
        "description": unit.description,
        "deleted_at": unit.deleted_at,
    }


def _rows(tenant_id: Any) -> Select[Any]:
    return select(administrative_units).where(_c.tenant_id == tenant_id, _c.deleted_at.is_(None))


_GET = Prepared(_rows(bindparam("tenant")).where(_c.id == bindparam("id")))
_MANY = Prepared(_rows(bindparam("tenant")).where(_c.id.in_(bindparam("ids", expanding=True))), "ids")


class AdministrativeUnits:
    """See `ports.administrative_units.AdministrativeUnits`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def get(self, id: str) -> AdministrativeUnit | None:
        row = _GET.first(self._connection, {"tenant": self._tenant_id, "id": id})
        return _make(row) if row is not None else None

    def many(self, ids: Collection[str]) -> dict[str, AdministrativeUnit]:
        found: dict[str, AdministrativeUnit] = {}
        for part in batches(ids):
            for row in _MANY.rows(self._connection, {"tenant": self._tenant_id, "ids": part}):
                found[row["id"]] = _make(row)
        return found

    def page(self, query: Query) -> Page[AdministrativeUnit]:
        return page(self._connection, self._rows(), FIELDS, query, _make)

    def add(self, unit: AdministrativeUnit) -> None:
        self._connection.execute(
            insert(administrative_units).values(
                tenant_id=self._tenant_id, id=unit.id, created_at=unit.created_at, **_values(unit)
            )
        )

    def save(self, unit: AdministrativeUnit) -> None:
        self._connection.execute(
            update(administrative_units)
            .where(_c.tenant_id == self._tenant_id, _c.id == unit.id)
            .values(**_values(unit))
        )

    def remove(self, id: str, now: datetime) -> bool:
        done = self._connection.execute(
            update(administrative_units)
            .where(_c.tenant_id == self._tenant_id, _c.id == id, _c.deleted_at.is_(None))
            .values(deleted_at=now)
        )
        if done.rowcount == 0:
            return False
        forget(self._connection, self._tenant_id, id)
        return True

    def members(self, unit_id: str, query: Query) -> Page[Principal]:
        base = (
            select(principals)
            .join(
                administrative_unit_members,
                and_(_members.tenant_id == principals.c.tenant_id, _members.member_id == principals.c.id),
            )
            .where(
                _members.tenant_id == self._tenant_id,
                _members.unit_id == unit_id,
                principals.c.deleted_at.is_(None),
            )
        )
        return page(self._connection, base, _MEMBER_FIELDS, query, make_principal)

    def is_member(self, unit_id: str, principal_id: str) -> bool:
        statement = select(_members.member_id).where(*self._one(unit_id, principal_id))
        return self._connection.execute(statement).first() is not None

    def add_member(self, unit_id: str, member_id: str) -> bool:
        if self.is_member(unit_id, member_id):
            return False
        self._connection.execute(
            insert(administrative_unit_members).values(
                tenant_id=self._tenant_id, unit_id=unit_id, member_id=member_id
            )
        )
        return True

    def remove_member(self, unit_id: str, member_id: str) -> bool:
        done = self._connection.execute(
            delete(administrative_unit_members).where(*self._one(unit_id, member_id))
        )
        return done.rowcount > 0

    def units_of(self, principal_id: str) -> frozenset[str]:
        statement = select(_members.unit_id).where(
            _members.tenant_id == self._tenant_id, _members.member_id == principal_id
        )
        return frozenset(self._connection.execute(statement).scalars())

    def _rows(self) -> Select[Any]:
        return _rows(self._tenant_id)

    def _one(self, unit_id: str, member_id: str) -> tuple[Any, ...]:
        return (
            _members.tenant_id == self._tenant_id,
            _members.unit_id == unit_id,
            _members.member_id == member_id,
        )
