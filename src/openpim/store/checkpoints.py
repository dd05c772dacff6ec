"""The tables of signed checkpoints and of the keys that signed them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    select,
    update,
)

from openpim.core.checkpoints import LogKey, SignedCheckpoint
from openpim.store.audit_log import logs
from openpim.store.schema import metadata
from openpim.store.types import Instant

checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("stamp", LargeBinary),
)
keys = Table(
    "audit_log_keys",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("endorsement", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)
_c, _k = checkpoints.c, keys.c
_SELECT = select(_c.number, _c.size, _c.at, _c.note, _c.stamp)


class Checkpoints:
    """See ports/checkpoints.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id
        self._select = _SELECT.where(_c.tenant_id == tenant_id)

    def last(self) -> SignedCheckpoint | None:
        return next(iter(self.page(None, 1)), None)

    def get(self, number: int) -> SignedCheckpoint | None:
        row = self._connection.execute(self._select.where(_c.number == number)).first()
        return None if row is None else SignedCheckpoint(*row)

    def covering(self, position: int) -> SignedCheckpoint | None:
        # By number, whose index is there: sizes grow with the numbers, so the search halves its way.
        last = self.last()
        if last is None or last.size <= position:
            return None
        low, high, found = 0, last.number, last
        while low < high:
            middle = self.get((low + high) // 2)
            if middle is not None and middle.size > position:
                high, found = middle.number, middle
            else:
                low = (low + high) // 2 + 1
        return found

    def page(self, before: int | None, limit: int) -> list[SignedCheckpoint]:
        asked = self._select if before is None else self._select.where(_c.number < before)
        rows = self._connection.execute(asked.order_by(_c.number.desc()).limit(limit))
        return [SignedCheckpoint(*row) for row in rows]

    def since(self, number: int, limit: int) -> list[SignedCheckpoint]:
        asked = self._select.where(_c.number >= number).order_by(_c.number).limit(limit)
        return [SignedCheckpoint(*row) for row in self._connection.execute(asked)]

    def add(self, checkpoint: SignedCheckpoint) -> None:
        self._connection.execute(
            checkpoints.insert().values(
                tenant_id=self._tenant,
                number=checkpoint.number,
                size=checkpoint.size,
                at=checkpoint.at,
                note=checkpoint.note,
                stamp=checkpoint.stamp,
            )
        )

    def stamp(self, number: int, stamp: bytes) -> None:
        self._connection.execute(
            update(checkpoints).where(_c.tenant_id == self._tenant, _c.number == number).values(stamp=stamp)
        )

    def log_keys(self) -> list[LogKey]:
        asked = select(_k.generation, _k.key, _k.sealed, _k.endorsement, _k.created_at)
        rows = self._connection.execute(asked.where(_k.tenant_id == self._tenant).order_by(_k.generation))
        return [LogKey(*row) for row in rows]

    def add_key(self, key: LogKey) -> None:
        self._connection.execute(
            keys.insert().values(
                tenant_id=self._tenant,
                generation=key.generation,
                key=key.key,
                sealed=key.sealed,
                endorsement=key.endorsement,
                created_at=key.created_at,
            )
        )

    def fault(self) -> str:
        asked = select(logs.c.fault).where(logs.c.tenant_id == self._tenant)
        return self._connection.execute(asked).scalar() or ""

    def set_fault(self, why: str) -> None:
        self._connection.execute(update(logs).where(logs.c.tenant_id == self._tenant).values(fault=why))
