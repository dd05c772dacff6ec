"""Several rows, or one, into a table; and a row that may be there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table


def insert_rows(connection: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """All of the rows, which may be none. One row is not sent as a list of one: on PostgreSQL that costs twice as much."""
    if rows:
        connection.execute(statement, rows[0] if len(rows) == 1 else rows)


def inserter(dialect: str) -> Any:
    """The INSERT that knows ON CONFLICT. Only the dialect in use is imported: the other one would slow the start."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415

        return insert
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite  # noqa: PLC0415

    return insert_sqlite


def insert_if_missing(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """One row, unless its key is there already: then that stays as it is."""
    insert = inserter(connection.dialect.name)
    connection.execute(insert(table).values(row).on_conflict_do_nothing())
