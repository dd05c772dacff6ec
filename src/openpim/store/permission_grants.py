"""Delegated permissions: one row for each application, API and person (or everybody)."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from openpim.core.query import Page, Query
from openpim.core.signin.consent import PermissionGrant
from openpim.store.listing import Fields, page
from openpim.store.schema import metadata
from openpim.store.types import Instant

permission_grants = Table(
    "permission_grants",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("client_id", String(36), nullable=False),
    Column("resource_id", String(36), nullable=False),
    Column(
        "principal_id", String(36), nullable=False
    ),  # "" for everybody, so that the unique index holds it too
    Column("scope", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)
_c = permission_grants.c
Index("uq_permission_grants", _c.tenant_id, _c.client_id, _c.principal_id, _c.resource_id, unique=True)
Index("ix_permission_grants_principal", _c.tenant_id, _c.principal_id)
Index("ix_permission_grants_resource", _c.tenant_id, _c.resource_id)

EVERYBODY = ""
FIELDS = Fields(
    {
        "id": _c.id,
        "client_id": _c.client_id,
        "resource_id": _c.resource_id,
        "principal_id": _c.principal_id,
    }
)
# Asked at every call of a registered application: built once.
_OF = select(permission_grants).where(
    _c.tenant_id == bindparam("tenant"),
    _c.client_id == bindparam("client"),
    _c.principal_id.in_([bindparam("person"), bindparam("everybody")]),
)


def _make(row: RowMapping) -> PermissionGrant:
    return PermissionGrant(
        id=row["id"],
        client_id=row["client_id"],
        resource_id=row["resource_id"],
        principal_id=row["principal_id"] or None,
        scope=tuple(json.loads(row["scope"])),
        created_at=row["created_at"],
    )


class PermissionGrants:
    """See `ports.permission_grants.PermissionGrants`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def _rows(self, *where: Any) -> list[PermissionGrant]:
        statement = select(permission_grants).where(_c.tenant_id == self._tenant_id, *where)
        return [_make(row) for row in self._connection.execute(statement).mappings()]

    def get(self, id: str) -> PermissionGrant | None:
        return next(iter(self._rows(_c.id == id)), None)

    def of(self, client_id: str, principal_id: str) -> list[PermissionGrant]:
        given = {
            "tenant": self._tenant_id,
            "client": client_id,
            "person": principal_id,
            "everybody": EVERYBODY,
        }
        return [_make(row) for row in self._connection.execute(_OF, given).mappings()]

    def of_client(self, client_id: str) -> list[PermissionGrant]:
        return self._rows(_c.client_id == client_id)

    def page(self, query: Query) -> Page[PermissionGrant]:
        base = select(permission_grants).where(_c.tenant_id == self._tenant_id)
        return page(self._connection, base, FIELDS, query, _make)

    def find(self, client_id: str, resource_id: str, principal_id: str | None) -> PermissionGrant | None:
        found = self._rows(
            _c.client_id == client_id,
            _c.principal_id == (principal_id or EVERYBODY),
            _c.resource_id == resource_id,
        )
        return next(iter(found), None)

    def put(self, grant: PermissionGrant) -> None:
        scope = json.dumps(list(grant.scope))
        changed = self._connection.execute(
            update(permission_grants)
            .where(_c.tenant_id == self._tenant_id, _c.id == grant.id)
            .values(scope=scope)
        )
        if changed.rowcount == 0:
            self._connection.execute(
                insert(permission_grants).values(
                    tenant_id=self._tenant_id,
                    id=grant.id,
                    client_id=grant.client_id,
                    resource_id=grant.resource_id,
                    principal_id=grant.principal_id or EVERYBODY,
                    scope=scope,
                    created_at=grant.created_at,
                )
            )

    def remove(self, id: str) -> bool:
        statement = delete(permission_grants).where(_c.tenant_id == self._tenant_id, _c.id == id)
        return self._connection.execute(statement).rowcount > 0

    def remove_of(self, principal_id: str) -> None:
        self._connection.execute(
            delete(permission_grants).where(
                _c.tenant_id == self._tenant_id,
                or_(
                    _c.client_id == principal_id,
                    _c.resource_id == principal_id,
                    _c.principal_id == principal_id,
                ),
            )
        )
