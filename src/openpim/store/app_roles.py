"""Assignments of applications' roles to people, groups and applications."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Connection, Index, RowMapping, String, Table, delete, insert, select

from openpim.core.query import Page, Query
from openpim.core.relying import AppRoleAssignment
from openpim.store.listing import Fields, page
from openpim.store.schema import metadata
from openpim.store.types import Instant

app_role_assignments = Table(
    "app_role_assignments",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("principal_id", String(36), nullable=False),
    Column("resource_id", String(36), nullable=False),
    Column("app_role_id", String(36), nullable=False),
    Column("created_at", Instant, nullable=False),
)
_c = app_role_assignments.c
Index("uq_app_role_assignments", _c.tenant_id, _c.principal_id, _c.resource_id, _c.app_role_id, unique=True)
Index("ix_app_role_assignments_resource", _c.tenant_id, _c.resource_id, _c.id)

FIELDS = Fields(
    {
        "id": _c.id,
        "principal_id": _c.principal_id,
        "resource_id": _c.resource_id,
        "app_role_id": _c.app_role_id,
        "created_at": _c.created_at,
    }
)
_BATCH = 500


def _make(row: RowMapping) -> AppRoleAssignment:
    return AppRoleAssignment(
        row["id"], row["principal_id"], row["resource_id"], row["app_role_id"], row["created_at"]
    )


def forget(connection: Connection, tenant_id: str, principal_id: str) -> None:
    """A principal goes away: what it has, and what others have at it."""
    for column in (_c.principal_id, _c.resource_id):
        connection.execute(
            delete(app_role_assignments).where(_c.tenant_id == tenant_id, column == principal_id)
        )


class AppRoleAssignments:
    """See `ports.app_roles.AppRoleAssignments`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def _rows(self, *where: Any) -> list[AppRoleAssignment]:
        statement = select(app_role_assignments).where(_c.tenant_id == self._tenant_id, *where)
        return [_make(row) for row in self._connection.execute(statement).mappings()]

    def get(self, id: str) -> AppRoleAssignment | None:
        return next(iter(self._rows(_c.id == id)), None)

    def of(self, principal_ids: Collection[str], resource_id: str) -> list[AppRoleAssignment]:
        ids = sorted(principal_ids)
        return [
            one
            for start in range(0, len(ids), _BATCH)
            for one in self._rows(
                _c.principal_id.in_(ids[start : start + _BATCH]), _c.resource_id == resource_id
            )
        ]

    def find(self, principal_id: str, resource_id: str, app_role_id: str) -> AppRoleAssignment | None:
        found = self._rows(
            _c.principal_id == principal_id, _c.resource_id == resource_id, _c.app_role_id == app_role_id
        )
        return next(iter(found), None)

    def page(self, query: Query) -> Page[AppRoleAssignment]:
        base = select(app_role_assignments).where(_c.tenant_id == self._tenant_id)
        return page(self._connection, base, FIELDS, query, _make)

    def add(self, assignment: AppRoleAssignment) -> None:
        self._connection.execute(
            insert(app_role_assignments).values(
                tenant_id=self._tenant_id,
                id=assignment.id,
                principal_id=assignment.principal_id,
                resource_id=assignment.resource_id,
                app_role_id=assignment.app_role_id,
                created_at=assignment.created_at,
            )
        )

    def remove(self, id: str) -> bool:
        gone = delete(app_role_assignments).where(_c.tenant_id == self._tenant_id, _c.id == id)
        return self._connection.execute(gone).rowcount > 0

    def remove_role(self, resource_id: str, app_role_id: str) -> None:
        self._connection.execute(
            delete(app_role_assignments).where(
                _c.tenant_id == self._tenant_id, _c.resource_id == resource_id, _c.app_role_id == app_role_id
            )
        )
