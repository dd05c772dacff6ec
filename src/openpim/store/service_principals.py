"""Service principals: the face of an application in a tenant."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from openpim.core.directory import Principal, PrincipalKind, ServicePrincipal
from openpim.core.query import Page, Query
from openpim.store.listing import Fields, page
from openpim.store.memberships import forget
from openpim.store.principals import batches, joined, living, mark_deleted, named, principals, write_principal
from openpim.store.schema import metadata

service_principals = Table(
    "service_principals",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("app_id", String(36), nullable=False),
    Column("app_key", String(80), nullable=False),  # the app id; out of the way once deleted
    Column("permissions", Text, nullable=False),
)
Index("uq_service_principals_app", service_principals.c.tenant_id, service_principals.c.app_key, unique=True)

FIELDS = Fields(
    {
        "id": service_principals.c.id,
        "app_id": service_principals.c.app_key,
        "display_name": principals.c.name_key,
        "enabled": principals.c.enabled,
        "created_at": principals.c.created_at,
    },
    folded=("display_name",),
)


def _rows(tenant_id: Any) -> Select[Any]:
    return (
        select(
            service_principals,
            principals.c.display_name,
            principals.c.enabled,
            principals.c.created_at,
            principals.c.deleted_at,
        )
        .join(principals, joined(service_principals))
        .where(service_principals.c.tenant_id == tenant_id, principals.c.deleted_at.is_(None))
    )


def _make(row: RowMapping) -> ServicePrincipal:
    return ServicePrincipal(
        id=row["id"],
        app_id=row["app_id"],
        display_name=row["display_name"],
        enabled=row["enabled"],
        created_at=row["created_at"],
        permissions=tuple(json.loads(row["permissions"])),
        deleted_at=row["deleted_at"],
    )


def _principal(service_principal: ServicePrincipal) -> Principal:
    return Principal(
        id=service_principal.id,
        kind=PrincipalKind.SERVICE_PRINCIPAL,
        display_name=service_principal.display_name,
        enabled=service_principal.enabled,
        created_at=service_principal.created_at,
        deleted_at=service_principal.deleted_at,
    )


# Asked in every request: built once, because building a statement costs five times as much as running it.
_GET = _rows(bindparam("tenant")).where(service_principals.c.id == bindparam("key"))
_BY_APP_ID = _rows(bindparam("tenant")).where(service_principals.c.app_key == bindparam("key"))


class ServicePrincipals:
    """See `ports.service_principals.ServicePrincipals`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def get(self, id: str) -> ServicePrincipal | None:
        return self._first(_GET, id)

    def by_app_id(self, app_id: str) -> ServicePrincipal | None:
        return self._first(_BY_APP_ID, app_id)

    def many(self, ids: Collection[str]) -> dict[str, ServicePrincipal]:
        found: dict[str, ServicePrincipal] = {}
        for part in batches(ids):
            statement = _rows(self._tenant_id).where(service_principals.c.id.in_(part))
            for row in self._connection.execute(statement).mappings():
                found[row["id"]] = _make(row)
        return found

    def page(self, query: Query) -> Page[ServicePrincipal]:
        base = _rows(self._tenant_id)
        if named(query):  # then the index of names leads
            base = base.where(living(self._tenant_id, PrincipalKind.SERVICE_PRINCIPAL))
        return page(self._connection, base, FIELDS, query, _make)

    def add(self, service_principal: ServicePrincipal) -> None:
        write_principal(self._connection, self._tenant_id, _principal(service_principal), new=True)
        self._connection.execute(
            insert(service_principals).values(
                tenant_id=self._tenant_id,
                id=service_principal.id,
                app_id=service_principal.app_id,
                app_key=service_principal.app_id,
                permissions=json.dumps(service_principal.permissions),
            )
        )

    def save(self, service_principal: ServicePrincipal) -> None:
        write_principal(self._connection, self._tenant_id, _principal(service_principal), new=False)
        self._connection.execute(
            update(service_principals)
            .where(*self._one(service_principal.id))
            .values(permissions=json.dumps(service_principal.permissions))
        )

    def remove(self, id: str, now: datetime) -> bool:
        if not mark_deleted(self._connection, self._tenant_id, id, now):
            return False
        forget(self._connection, self._tenant_id, id)
        self._connection.execute(
            update(service_principals)
            .where(*self._one(id))
            .values(app_key=id + ":" + service_principals.c.app_id)
        )
        return True

    def _one(self, id: str) -> tuple[Any, ...]:
        return (service_principals.c.tenant_id == self._tenant_id, service_principals.c.id == id)

    def _first(self, statement: Select[Any], key: str) -> ServicePrincipal | None:
        row = self._connection.execute(statement, {"tenant": self._tenant_id, "key": key}).mappings().first()
        return _make(row) if row is not None else None
