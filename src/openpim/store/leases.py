"""Rows of places that are delivered to at their own pace (destinations of the history, event streams of receivers): the
columns that delivering keeps, and leases with an attempt number, as in the outbox: who comes late changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, or_, update

from openpim.store.types import Instant

ERROR = 500  # characters of one


def delivery_columns() -> tuple[Column[Any], ...]:
    return (
        Column("next_at", Instant, nullable=False),
        Column("leased_until", Instant),
        Column("attempt", Integer, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("error", Text, nullable=False),
        Column("error_at", Instant),
        Column("sent_at", Instant),
        Column("sent", BigInteger, nullable=False),
    )


class Place(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def attempt(self) -> int: ...


class Leased:
    """The rows of `table`, of one tenant."""

    table: ClassVar[Table]

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def release(self, place: Place, next_at: datetime) -> bool:
        return self._as_holder(place, leased_until=None, next_at=next_at)

    def failed(self, place: Place, now: datetime, next_at: datetime, error: str) -> bool:
        values = {"failures": self.table.c.failures + 1, "error": error[:ERROR], "error_at": now}
        return self._as_holder(place, leased_until=None, next_at=next_at, **values)

    def wake(self, place_id: str, now: datetime) -> None:
        waits = update(self.table).where(*self._one(place_id), self.table.c.next_at > now)
        self._connection.execute(waits.values(next_at=now))

    def _lease(self, place_id: str, now: datetime, until: datetime, *where: Any) -> bool:
        """where: what else it has to be."""
        free = update(self.table).where(*self._one(place_id), *where, self._free(now))
        taken = self._connection.execute(free.values(leased_until=until, attempt=self.table.c.attempt + 1))
        return taken.rowcount == 1

    def _as_holder(self, place: Place, **values: Any) -> bool:
        """Change what only the holder of the lease may change; False when that is somebody else by now."""
        mine = update(self.table).where(*self._one(place.id), self.table.c.attempt == place.attempt)
        return self._connection.execute(mine.values(**values)).rowcount == 1

    def _one(self, place_id: str) -> tuple[Any, Any]:
        return self.table.c.tenant_id == self._tenant, self.table.c.id == place_id

    def _free(self, now: datetime) -> Any:
        return or_(self.table.c.leased_until.is_(None), self.table.c.leased_until <= now)
