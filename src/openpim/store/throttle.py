"""The table of failure counters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Index, Integer, String, Table, select, update

from openpim.core.signin.values import Counter
from openpim.store.schema import metadata
from openpim.store.types import Instant
from openpim.store.writing import insert_if_missing

failure_counters = Table(
    "failure_counters",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("last", Instant, nullable=False),
)
Index(None, failure_counters.c.last)

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Throttle:
    """See `ports.throttle.Throttle`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        c = failure_counters.c
        self._select = select(c.key, c.failures, c.since, c.last)

    def get(self, keys: Sequence[str]) -> dict[str, Counter]:
        rows = self._connection.execute(self._select.where(failure_counters.c.key.in_(list(keys))))
        return {row.key: Counter(*row) for row in rows}

    def lock(self, keys: Sequence[str]) -> dict[str, Counter]:
        # A row that is not there cannot be locked, and the first failures would be counted over each other.
        wanted = sorted(set(keys))
        for key in wanted:
            row = {"key": key, "failures": 0, "since": _NEVER, "last": _NEVER}
            insert_if_missing(self._connection, failure_counters, row)
        statement = self._select.where(failure_counters.c.key.in_(wanted)).order_by(failure_counters.c.key)
        return {row.key: Counter(*row) for row in self._connection.execute(statement.with_for_update())}

    def put(self, counter: Counter) -> None:
        values = {"failures": counter.failures, "since": counter.since, "last": counter.last}
        changed = self._connection.execute(
            update(failure_counters).where(failure_counters.c.key == counter.key).values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(failure_counters.insert().values(key=counter.key, **values))

    def clear(self, keys: Sequence[str]) -> None:
        self._connection.execute(failure_counters.delete().where(failure_counters.c.key.in_(list(keys))))

    def forget(self, before: datetime) -> int:
        c = failure_counters.c
        return self._connection.execute(failure_counters.delete().where(c.last < before)).rowcount
