"""The table of favourites and bundles of roles."""

from __future__ import annotations

import json

from sqlalchemy import Column, Connection, String, Table, Text, bindparam, delete, insert, select

from openpim.core.bundles import Bundle
from openpim.core.grants import Provider
from openpim.store.prepared import Prepared
from openpim.store.schema import metadata

bundles = Table(
    "bundles",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("principal_id", String(36), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("roles", Text, nullable=False),
)
_c = bundles.c
_OF = Prepared(
    select(_c.name, _c.roles)
    .where(_c.tenant_id == bindparam("tenant"), _c.principal_id == bindparam("principal"))
    .order_by(_c.name)
)


class Bundles:
    """See ports/bundles.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def of(self, principal_id: str) -> tuple[Bundle, ...]:
        rows = _OF.tuples(self._connection, {"tenant": self._tenant, "principal": principal_id})
        return tuple(
            Bundle(name, tuple((Provider(one[0]), one[1], one[2]) for one in json.loads(roles)))
            for name, roles in rows
        )

    def put(self, principal_id: str, bundle: Bundle) -> None:
        self.remove(principal_id, bundle.name)
        roles = [[provider.value, role, scope] for provider, role, scope in bundle.roles]
        self._connection.execute(
            insert(bundles).values(
                tenant_id=self._tenant, principal_id=principal_id, name=bundle.name, roles=json.dumps(roles)
            )
        )

    def remove(self, principal_id: str, name: str) -> bool:
        gone = self._connection.execute(
            delete(bundles).where(
                _c.tenant_id == self._tenant, _c.principal_id == principal_id, _c.name == name
            )
        )
        return gone.rowcount == 1
