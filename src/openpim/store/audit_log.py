"""The tables of the audit log: its size, where each event is, and the hashes of its tree in tiles of 256.

Appending reads and writes the tiles at the right edge (one for each level: four at four billion events) and nothing
else; every proof reads a few tiles. A full tile is never written again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from openpim.core.audit import AuditEvent
from openpim.ports.audit_log import Leaf, Waiting
from openpim.proof.merkle import add_to_tiles, edge_of
from openpim.store.audit import RECORD, entries, events, queue, read_event
from openpim.store.schema import metadata
from openpim.store.writing import insert_if_missing, insert_rows

logs = Table(
    "audit_logs",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("fault", Text, nullable=False),
)
tiles = Table(
    "audit_log_tiles",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
)
_e, _c, _t = entries.c, events.c, tiles.c

_SIZE = select(logs.c.size).where(logs.c.tenant_id == bindparam("tenant"))
_SINCE = (
    select(*RECORD, _e.position)
    .select_from(entries.join(events, (_c.sequence == _e.sequence) & (_c.tenant_id == _e.tenant_id)))
    .where(_e.tenant_id == bindparam("tenant"), _e.position >= bindparam("first"))
    .order_by(_e.position)
    .limit(bindparam("most"))
)
_POSITION = (
    select(_e.position)
    .select_from(events.join(entries, _e.sequence == _c.sequence))
    .where(_c.tenant_id == bindparam("tenant"), _c.id == bindparam("event"))
)
_WAITING = (
    select(queue.c.event_id.label("waiting"), *RECORD, _e.position)
    .select_from(
        queue.outerjoin(events, (_c.tenant_id == queue.c.tenant_id) & (_c.id == queue.c.event_id)).outerjoin(
            entries, _e.sequence == _c.sequence
        )
    )
    .where(queue.c.tenant_id == bindparam("tenant"))
    .order_by(_c.sequence)
    .limit(bindparam("most"))
)
_OUTSIDE = (
    select(*RECORD, _e.position)
    .select_from(
        events.outerjoin(entries, _e.sequence == _c.sequence).outerjoin(
            queue, (queue.c.tenant_id == _c.tenant_id) & (queue.c.event_id == _c.id)
        )
    )
    .where(_c.tenant_id == bindparam("tenant"), _e.sequence.is_(None), queue.c.event_id.is_(None))
    .order_by(_c.sequence)
    .limit(bindparam("most"))
)
_TILE = select(_t.hashes).where(
    _t.tenant_id == bindparam("tenant"), _t.level == bindparam("at"), _t.number == bindparam("which")
)
_INSERT_ENTRY, _INSERT_TILE = insert(entries), insert(tiles)
_UPDATE_TILE = (
    update(tiles)
    .where(_t.tenant_id == bindparam("tenant"), _t.level == bindparam("at"), _t.number == bindparam("which"))
    .values(hashes=bindparam("longer"))
)
_DONE = delete(queue).where(queue.c.tenant_id == bindparam("tenant"), queue.c.event_id == bindparam("event"))


class AuditLog:
    """See ports/audit_log.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def size(self) -> int:
        return self._connection.execute(_SIZE, {"tenant": self._tenant}).scalar() or 0

    def since(self, position: int, limit: int) -> list[Leaf]:
        asked = {"tenant": self._tenant, "first": position, "most": limit}
        rows = self._connection.execute(_SINCE, asked).mappings()
        return [Leaf(row["position"], read_event(row)) for row in rows]

    def position_of(self, event_id: str) -> int | None:
        return self._connection.execute(_POSITION, {"tenant": self._tenant, "event": event_id}).scalar()

    def tile(self, level: int, number: int) -> bytes:
        asked = {"tenant": self._tenant, "at": level, "which": number}
        return self._connection.execute(_TILE, asked).scalar() or b""

    def outside(self, limit: int) -> list[AuditEvent]:
        asked = {"tenant": self._tenant, "most": limit}
        return [read_event(row) for row in self._connection.execute(_OUTSIDE, asked).mappings()]

    def behind(self) -> list[str]:
        return list(self._connection.execute(select(queue.c.tenant_id).distinct()).scalars())

    def lock(self) -> int:
        asked = _SIZE.with_for_update()
        found = self._connection.execute(asked, {"tenant": self._tenant}).scalar()
        if found is None:
            insert_if_missing(self._connection, logs, {"tenant_id": self._tenant, "size": 0, "fault": ""})
            found = self._connection.execute(asked, {"tenant": self._tenant}).scalar_one()
        return int(found)

    def waiting(self, limit: int) -> list[Waiting]:
        rows = self._connection.execute(_WAITING, {"tenant": self._tenant, "most": limit}).mappings()
        return [Waiting(row["waiting"], None if row["sequence"] is None else read_event(row)) for row in rows]

    def append(self, size: int, leaves: Sequence[tuple[AuditEvent, bytes]]) -> None:
        rows = [
            {"sequence": event.sequence, "tenant_id": self._tenant, "position": size + number}
            for number, (event, _) in enumerate(leaves)
        ]
        insert_rows(self._connection, _INSERT_ENTRY, rows)
        self.give_up([event.id for event, _ in leaves])
        edge = self._tiles(edge_of(size))
        self._write(add_to_tiles(size, edge, [hashed for _, hashed in leaves]), edge)
        grown = self._connection.execute(
            update(logs)
            .where(logs.c.tenant_id == self._tenant, logs.c.size == size)
            .values(size=size + len(leaves))
        )
        if grown.rowcount != 1:
            raise RuntimeError("the log grew meanwhile: it was not locked")

    def give_up(self, event_ids: Sequence[str]) -> None:
        rows = [{"tenant": self._tenant, "event": event_id} for event_id in event_ids]
        if rows:
            self._connection.execute(_DONE, rows)

    def _tiles(self, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        if not keys:
            return {}
        rows = self._connection.execute(
            select(_t.level, _t.number, _t.hashes).where(
                _t.tenant_id == self._tenant, tuple_(_t.level, _t.number).in_(keys)
            )
        )
        return {(level, number): hashes for level, number, hashes in rows}

    def _write(self, changed: dict[tuple[int, int], bytes], edge: dict[tuple[int, int], bytes]) -> None:
        new = [
            {"tenant_id": self._tenant, "level": level, "number": number, "hashes": hashes}
            for (level, number), hashes in changed.items()
            if (level, number) not in edge
        ]
        insert_rows(self._connection, _INSERT_TILE, new)
        for (level, number), hashes in changed.items():
            if (level, number) in edge:
                self._connection.execute(
                    _UPDATE_TILE,
                    {"tenant": self._tenant, "at": level, "which": number, "longer": hashes},
                )
