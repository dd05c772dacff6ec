"""Deny assignments of the resource tree."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from openpim.core.permissions import DenyAssignment
from openpim.store.resource_roles import permissions_text, permissions_value
from openpim.store.schema import metadata
from openpim.store.types import Instant

deny_assignments = Table(
    "deny_assignments",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("name", String(512), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("permissions", Text, nullable=False),
    Column("principals", Text, nullable=False),
    Column("excluded", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("below", Boolean, nullable=False),
    Column("audit_only", Boolean, nullable=False),
    Column("created_at", Instant),
    Column("created_by", String(36)),
    Index("ix_deny_assignments_scope", "tenant_id", "scope"),
)
_c = deny_assignments.c


class DenyAssignments:
    """See ports/resources.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def get(self, id: str) -> DenyAssignment | None:
        statement = select(deny_assignments).where(_c.tenant_id == self._tenant, _c.id == id)
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else _value(row)

    def at(self, scopes: Collection[str]) -> tuple[DenyAssignment, ...]:
        statement = select(deny_assignments).where(_c.tenant_id == self._tenant, _c.scope.in_(scopes))
        return tuple(_value(row) for row in self._connection.execute(statement.order_by(_c.id)).mappings())

    def every(self) -> tuple[DenyAssignment, ...]:
        statement = select(deny_assignments).where(_c.tenant_id == self._tenant).order_by(_c.id)
        return tuple(_value(row) for row in self._connection.execute(statement).mappings())

    def put(self, deny: DenyAssignment) -> None:
        self.remove(deny.id)
        self._connection.execute(
            insert(deny_assignments),
            {
                "tenant_id": self._tenant,
                "id": deny.id,
                "name": deny.name,
                "scope": deny.scope,
                "permissions": permissions_text(deny.permissions),
                "principals": json.dumps(list(deny.principals)),
                "excluded": json.dumps(list(deny.excluded)),
                "description": deny.description,
                "below": deny.below,
                "audit_only": deny.audit_only,
                "created_at": deny.created_at,
                "created_by": deny.created_by,
            },
        )

    def remove(self, id: str) -> bool:
        done = self._connection.execute(
            delete(deny_assignments).where(_c.tenant_id == self._tenant, _c.id == id)
        )
        return done.rowcount == 1


def _value(row: RowMapping) -> DenyAssignment:
    return DenyAssignment(
        id=row["id"],
        name=row["name"],
        scope=row["scope"],
        permissions=permissions_value(row["permissions"]),
        principals=tuple(json.loads(row["principals"])),
        excluded=tuple(json.loads(row["excluded"])),
        description=row["description"],
        below=row["below"],
        audit_only=row["audit_only"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
