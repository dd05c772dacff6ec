"""Resource role definitions: the built-in ones from package data, the tenant's own from a table."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Index, RowMapping, String, Table, Text, delete, insert, select

from openpim.core.permissions import Permission, ResourceRole
from openpim.data import azure_roles
from openpim.store.schema import metadata
from openpim.store.types import Instant

resource_roles = Table(
    "resource_role_definitions",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("name", String(512), nullable=False),
    Column("name_key", String(512), nullable=False),
    Column("description", Text, nullable=False),
    Column("permissions", Text, nullable=False),
    Column("assignable_scopes", Text, nullable=False),
    Column("created_at", Instant),
    Column("updated_at", Instant),
    Column("created_by", String(36)),
    Column("updated_by", String(36)),
    Index("ix_resource_role_definitions_name", "tenant_id", "name_key", unique=True),
)
_c = resource_roles.c


@cache
def built_in() -> dict[str, ResourceRole]:
    """By id. Read once, when first asked for."""
    return {
        role_id: ResourceRole(
            id=role_id,
            name=name,
            permissions=tuple(Permission(*parts) for parts in permissions),
            built_in=True,
        )
        for role_id, name, permissions in azure_roles()
    }


@cache
def _built_in_names() -> dict[str, str]:
    return {role.name.lower(): role.id for role in built_in().values()}


class ResourceRoles:
    """See ports/resources.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def get(self, id: str) -> ResourceRole | None:
        return self.many([id]).get(id)

    def many(self, ids: Collection[str]) -> dict[str, ResourceRole]:
        found = {one: built_in()[one] for one in ids if one in built_in()}
        custom = [one for one in ids if one not in found]
        if custom:
            found |= {role.id: role for role in self._rows(custom)}
        return found

    def by_name(self, name: str) -> ResourceRole | None:
        known = _built_in_names().get(name.lower())
        if known is not None:
            return built_in()[known]
        row = (
            self._connection.execute(
                select(resource_roles).where(_c.tenant_id == self._tenant, _c.name_key == name.lower())
            )
            .mappings()
            .first()
        )
        return None if row is None else _value(row)

    def all(self) -> tuple[ResourceRole, ...]:
        return (*built_in().values(), *self.custom())

    def custom(self) -> tuple[ResourceRole, ...]:
        return tuple(self._rows(None))

    def put(self, role: ResourceRole) -> None:
        self.remove(role.id)
        self._connection.execute(
            insert(resource_roles),
            {
                "tenant_id": self._tenant,
                "id": role.id,
                "name": role.name,
                "name_key": role.name.lower(),
                "description": role.description,
                "permissions": permissions_text(role.permissions),
                "assignable_scopes": json.dumps(list(role.assignable_scopes)),
                "created_at": role.created_at,
                "updated_at": role.updated_at,
                "created_by": role.created_by,
                "updated_by": role.updated_by,
            },
        )

    def remove(self, id: str) -> bool:
        done = self._connection.execute(
            delete(resource_roles).where(_c.tenant_id == self._tenant, _c.id == id)
        )
        return done.rowcount == 1

    def _rows(self, ids: Iterable[str] | None) -> list[ResourceRole]:
        statement = select(resource_roles).where(_c.tenant_id == self._tenant)
        if ids is not None:
            statement = statement.where(_c.id.in_(list(ids)))
        return [_value(row) for row in self._connection.execute(statement.order_by(_c.name_key)).mappings()]


def permissions_text(permissions: Iterable[Permission]) -> str:
    return json.dumps(
        [
            [list(one.actions), list(one.not_actions), list(one.data_actions), list(one.not_data_actions)]
            for one in permissions
        ]
    )


def permissions_value(text: str) -> tuple[Permission, ...]:
    return tuple(Permission(*(tuple(part) for part in parts)) for parts in json.loads(text))


def _value(row: RowMapping) -> ResourceRole:
    values: dict[str, Any] = {
        name: row[name]
        for name in ("id", "name", "description", "created_at", "updated_at", "created_by", "updated_by")
    }
    return ResourceRole(
        **values,
        permissions=permissions_value(row["permissions"]),
        assignable_scopes=tuple(json.loads(row["assignable_scopes"])),
        built_in=False,
    )
