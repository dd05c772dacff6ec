"""The table of cursors: one row for each follower of a tenant's audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, String, Table, bindparam, delete, select, update

from openpim.store.schema import metadata
from openpim.store.types import Instant
from openpim.store.writing import insert_if_missing

cursors = Table(
    "cursors",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("moved_at", Instant, nullable=False),
)
_c = cursors.c
_POSITION = select(_c.position).where(_c.tenant_id == bindparam("tenant"), _c.name == bindparam("named"))
_MOVE = (
    update(cursors)
    .where(
        _c.tenant_id == bindparam("tenant"), _c.name == bindparam("named"), _c.position == bindparam("old")
    )
    .values(position=bindparam("new"), moved_at=bindparam("now"))
)


class Cursors:
    """See ports/cursors.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def position(self, name: str) -> int:
        found = self._connection.execute(_POSITION, {"tenant": self._tenant, "named": name}).scalar()
        return 0 if found is None else found

    def move(self, name: str, before: int, after: int, now: datetime) -> bool:
        row = {"tenant_id": self._tenant, "name": name, "position": 0, "moved_at": now}
        if before == 0:
            insert_if_missing(self._connection, cursors, row)
        moved = self._connection.execute(
            _MOVE, {"tenant": self._tenant, "named": name, "old": before, "new": after, "now": now}
        )
        return moved.rowcount == 1

    def drop(self, name: str) -> None:
        self._connection.execute(delete(cursors).where(_c.tenant_id == self._tenant, _c.name == name))
