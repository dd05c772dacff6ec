"""Copies of one PostgreSQL database for one test after another, and the connections to them.

To copy a database, to connect to it and to drop it cost a test more than most tests do themselves. So a test process
keeps its copies and its connections, and gives both to its next test as if they were new:

- a copy, once all its rows are gone and its sequences stand at their beginning. One in which anything else has changed
  (its tables, its statistics, what it held from the first) or that somebody else still uses is dropped.
- a connection, once its transaction is undone and all that its session held is discarded.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

USES = 50  # of one copy: nothing vacuums it
LARGE = 8 * 8192  # bytes of a table: below, a planner takes it for as small as one that was always empty
GONE_SECONDS = 5
CATALOGS = (
    "pg_namespace", "pg_class", "pg_attribute", "pg_attrdef", "pg_index", "pg_constraint", "pg_trigger", "pg_proc",
    "pg_statistic", "pg_policy", "pg_rewrite", "pg_type", "pg_largeobject_metadata",
)  # fmt: skip
SIZES = """SELECT oid::regclass::text, pg_relation_size(oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0"""
OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND NOT pid = ANY(%s)"
# What a connection may be asked for and still be as any other.
PLAIN = frozenset({"host", "user", "dbname", "context", "cursor_factory"})

_kept: dict[str, list[psycopg.Connection[Any]]] = {}  # of each copy, those that nobody uses


class Copies:
    """The copies of one template that this process has."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[_Copy] = []
        self._lent: dict[str, _Copy] = {}

    def lend(self, name: str) -> str:
        """The name of one that is as the template is: this one, if it has to be made."""
        while self._free:
            copy = self._free.pop()
            if copy.uses < USES and copy.emptied():
                break
            copy.close()
            self._server.drop(copy.name)
        else:
            self._server.create(name, template=self._template)
            copy = _Copy(self._server, name)
        copy.uses += 1
        self._lent[copy.name] = copy
        return copy.name

    def take_back(self, name: str) -> bool:
        """False when it is none of these."""
        copy = self._lent.pop(name, None)
        if copy is not None:
            self._free.append(copy)
        return copy is not None

    def close(self) -> None:
        for copy in (*self._free, *self._lent.values()):
            copy.close()


class _Copy:
    def __init__(self, server: PostgresServer, name: str) -> None:
        self.name = name
        self.uses = 0
        self._connection = server.connect(name)
        self._held = [table for table, _ in self._connection.execute(SIZES)]
        self._sequences = [
            row[0] for row in self._connection.execute("SELECT seqrelid::regclass::text FROM pg_sequence")
        ]
        self._look = sql.SQL(" UNION ALL ").join(
            [
                *(
                    sql.SQL("SELECT count(*) || ' ' || max(xmin::text::bigint) FROM {}").format(
                        sql.Identifier(catalog)
                    )
                    for catalog in CATALOGS
                ),
                *(
                    sql.SQL("SELECT string_agg(held::text, ' ' ORDER BY held::text) FROM {} held").format(
                        sql.SQL(table)
                    )
                    for table in self._held
                ),
            ]
        )
        self._as_made = self._connection.execute(self._look).fetchall()
        _kept[name] = []

    def emptied(self) -> bool:
        """Whether it is as it was made."""
        try:
            return self._alone() and self._unchanged() and self._without_rows()
        except psycopg.Error:
            return False

    def _alone(self) -> bool:
        """Nobody else is connected: who still is, has to go."""
        ours = [self._connection.info.backend_pid, *(one.info.backend_pid for one in _kept[self.name])]
        end = time.monotonic() + GONE_SECONDS
        while others := [pid for (pid,) in self._connection.execute(OTHERS, [ours])]:
            if time.monotonic() > end:
                return False
            for pid in others:
                self._connection.execute("SELECT pg_terminate_backend(%s)", [pid])
            time.sleep(0.005)
        return True

    def _unchanged(self) -> bool:
        return self._connection.execute(self._look).fetchall() == self._as_made

    def _without_rows(self) -> bool:
        found = [row for row in self._connection.execute(SIZES) if row[0] not in self._held]
        large = [table for table, size in found if size > LARGE]
        # One after the other, whatever refers to them and whoever forbids it.
        self._connection.execute(
            "; ".join(
                [
                    "BEGIN; SET LOCAL session_replication_role = replica",
                    *(f"TRUNCATE {table} CASCADE" for table in large),
                    *(f"DELETE FROM {table}" for table, _ in found if table not in large),
                    *(f"SELECT setval('{sequence}', 1, false)" for sequence in self._sequences),
                    "COMMIT",
                ]
            )
        )
        if large:
            self._as_made = self._connection.execute(self._look).fetchall()
        return True

    def close(self) -> None:
        self._connection.close()
        for connection in _kept.pop(self.name, ()):
            connection.close()


# ---------------------------------------------------------------- connections


@contextlib.contextmanager
def kept_connections() -> Iterator[None]:
    """While this is open, SQLAlchemy's connections to copies that are lent go from one engine to another."""
    connect, close = PGDialect_psycopg.connect, PGDialect_psycopg.do_close

    def kept_or_new(self: Any, *arguments: Any, **wanted: Any) -> Any:
        stock = _kept.get(wanted.get("dbname", ""))
        if stock is None or arguments or not wanted.keys() <= PLAIN:
            return connect(self, *arguments, **wanted)
        while stock:
            with contextlib.suppress(IndexError):  # another thread was faster
                found = stock.pop()
                if found.cursor_factory is wanted.get("cursor_factory", psycopg.Cursor) and _as_new(found):
                    return found
                found.close()
        return connect(self, **wanted)

    def keep(self: Any, connection: Any) -> None:
        stock = _kept.get(connection.info.dbname) if not connection.closed else None
        if stock is not None and _as_new(connection):
            stock.append(connection)
        else:
            close(self, connection)

    PGDialect_psycopg.connect = kept_or_new  # type: ignore[method-assign]
    PGDialect_psycopg.do_close = keep  # type: ignore[method-assign]
    try:
        yield
    finally:
        PGDialect_psycopg.connect, PGDialect_psycopg.do_close = connect, close  # type: ignore[method-assign]


def _as_new(connection: psycopg.Connection[Any]) -> bool:
    """False when it cannot be."""
    try:
        connection.rollback()
        connection.isolation_level = connection.read_only = connection.deferrable = None
        connection.autocommit = True
        psycopg.Cursor(connection).execute("DISCARD ALL")
        connection.autocommit = False
    except psycopg.Error:
        return False
    connection._prepared = type(connection._prepared)()
    connection._notice_handlers.clear()
    return True
