"""Several rows, or one, into a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert


def insert_rows(connection: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """All of the rows, which may be none. One row is not sent as a list of one: on PostgreSQL that costs twice as much."""
    if rows:
        connection.execute(statement, rows[0] if len(rows) == 1 else rows)
