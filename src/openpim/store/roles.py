"""Role definitions: the built-in ones from the package (in memory, the same everywhere), custom ones in a table."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from openpim.core import matching
from openpim.core.directory import RoleDefinition, fold
from openpim.core.query import Page, Query
from openpim.data import entra_roles
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.schema import metadata
from openpim.store.types import Folded, Instant

role_definitions = Table(
    "role_definitions",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("template_id", String(36), nullable=False),
    Column("display_name", String(256), nullable=False),
    Column("name_key", Folded(256), nullable=False),
    Column("description", String(1024)),
    Column("enabled", Boolean, nullable=False),
    Column("privileged", Boolean, nullable=False),
    Column("version", String(32)),
    Column("actions", Text, nullable=False),
    Column("excluded_actions", Text, nullable=False),
    Column("resource_scopes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)
_c = role_definitions.c
Index("uq_role_definitions_name", _c.tenant_id, _c.name_key, unique=True)

ATTRIBUTES = matching.Attributes(
    fields=(
        "id",
        "template_id",
        "display_name",
        "description",
        "built_in",
        "enabled",
        "privileged",
        "version",
        "resource_scopes",
    ),
    names=("display_name", "description"),
)


@cache
def built_in() -> MappingProxyType[str, RoleDefinition]:
    """The built-in roles by id."""
    return MappingProxyType(
        {
            role.id: RoleDefinition(
                id=role.id,
                display_name=role.name,
                actions=role.actions,
                built_in=True,
                privileged=role.privileged,
                description=f"Built-in role {role.name}",
                template_id=role.id,
                version="1",
                assignable=role.assignable,
            )
            for role in entra_roles()
        }
    )


def _make(row: AnyRow) -> RoleDefinition:
    return RoleDefinition(
        id=row["id"],
        display_name=row["display_name"],
        actions=tuple(json.loads(row["actions"])),
        built_in=False,
        enabled=row["enabled"],
        privileged=row["privileged"],
        description=row["description"],
        template_id=row["template_id"],
        version=row["version"],
        excluded_actions=tuple(json.loads(row["excluded_actions"])),
        resource_scopes=tuple(json.loads(row["resource_scopes"])),
        created_at=row["created_at"],
    )


def _values(role: RoleDefinition) -> dict[str, Any]:
    return {
        "template_id": role.template_id or role.id,
        "display_name": role.display_name,
        "name_key": fold(role.display_name),
        "description": role.description,
        "enabled": role.enabled,
        "privileged": role.privileged,
        "version": role.version,
        "actions": json.dumps(role.actions),
        "excluded_actions": json.dumps(role.excluded_actions),
        "resource_scopes": json.dumps(role.resource_scopes),
    }


_ALL = Prepared(select(role_definitions).where(_c.tenant_id == bindparam("tenant")).order_by(_c.id))


class Roles:
    """See `ports.roles.Roles`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def get(self, id: str) -> RoleDefinition | None:
        return self.many((id,)).get(id)

    def many(self, ids: Collection[str]) -> dict[str, RoleDefinition]:
        known = built_in()
        found = {id: known[id] for id in ids if id in known}  # noqa: A001
        custom = sorted(set(ids) - found.keys())
        if custom:
            statement = select(role_definitions).where(_c.tenant_id == self._tenant_id, _c.id.in_(custom))
            for row in self._connection.execute(statement).mappings():
                found[row["id"]] = _make(row)
        return found

    def page(self, query: Query) -> Page[RoleDefinition]:
        return matching.page(ATTRIBUTES, query, self.all())

    def all(self) -> tuple[RoleDefinition, ...]:
        return (*built_in().values(), *self.custom())

    def custom(self) -> tuple[RoleDefinition, ...]:
        return tuple(_make(row) for row in _ALL.rows(self._connection, {"tenant": self._tenant_id}))

    def find_by_name(self, name: str) -> RoleDefinition | None:
        key = fold(name)
        for role in built_in().values():
            if fold(role.display_name) == key:
                return role
        statement = select(role_definitions).where(_c.tenant_id == self._tenant_id, _c.name_key == key)
        row = self._connection.execute(statement).mappings().first()
        return _make(row) if row is not None else None

    def add(self, role: RoleDefinition) -> None:
        self._connection.execute(
            insert(role_definitions).values(
                tenant_id=self._tenant_id, id=role.id, created_at=role.created_at, **_values(role)
            )
        )

    def save(self, role: RoleDefinition) -> None:
        self._connection.execute(
            update(role_definitions)
            .where(_c.tenant_id == self._tenant_id, _c.id == role.id)
            .values(**_values(role))
        )

    def remove(self, id: str) -> bool:
        done = self._connection.execute(
            delete(role_definitions).where(_c.tenant_id == self._tenant_id, _c.id == id)
        )
        return done.rowcount > 0
