"""What psycopg is told about being used by SQLAlchemy. Only imported where the database is PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

_ROWS = frozenset({ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE})


class PlainCursor(Cursor[Any]):
    """SQLAlchemy asks for the description of every result, and looks into it the first time a statement is run.
    psycopg makes an object of each column each time: a seventh of all calls that an activation took."""

    @property
    def description(self) -> Any:
        result = self.pgresult
        return Columns(result) if result is not None and result.status in _ROWS else None


class Columns(Sequence[tuple[Any, ...]]):
    """Name and type of each column, as of PEP 249; the other five members are left out, as it allows."""

    def __init__(self, result: PGresult) -> None:
        self._result = result

    def __len__(self) -> int:
        return self._result.nfields

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        name = self._result.fname(range(len(self))[at]) or b""
        return name.decode(), self._result.ftype(at), None, None, None, None, None
