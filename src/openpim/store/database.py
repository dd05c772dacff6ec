"""Opens the database and runs units of work on it: the only place that knows which database it is.

SQLite: one write connection behind a lock (BEGIN IMMEDIATE, WAL, synchronous=FULL: several writers queue in
SQLite with p99 of a second, one lock does not), and a pool of autocommit readers.
PostgreSQL: a pool of READ COMMITTED writers that rely on row locks, and a separate AUTOCOMMIT pool for reads (the
rollback after each read would throw away prepared statements).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool, StaticPool

from openpim.core.audit import AuditEvent
from openpim.ports.store import StoreUnavailableError
from openpim.store.audit import ADDED
from openpim.store.schema import tell_postgresql
from openpim.store.told import Told
from openpim.store.transaction import StoreTransaction

T = TypeVar("T")
# Told of what one unit of work has added to the audit, of which tenant ("": of several), after its commit, in its thread: it
# only takes note and never fails.
Observer = Callable[[str, Sequence[AuditEvent]], None]
_TRIES = 4
_RETRY_STATES = frozenset(
    {"40001", "40P01", "23505"}
)  # serialization, deadlock, lost a race for a unique key


class Database:
    """A `ports.store.Store` on SQLite or PostgreSQL.

    url: an SQLAlchemy URL: "sqlite:////path/file.db" or "postgresql+psycopg://user@host/name"
    (plain "postgresql://" is understood too).
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.observers: list[Observer] = []
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.dialect = parsed.get_backend_name()
        self.url = parsed
        if self.dialect == "sqlite":
            self._writer = _sqlite_writer(parsed)
            self._reader = _sqlite_reader(parsed, pool_size)
            self._gate: AbstractContextManager[Any] = threading.Lock()
        else:
            from openpim.store.postgres import PlainCursor  # noqa: PLC0415 - SQLite does without psycopg

            tell_postgresql()
            common: dict[str, Any] = {
                "pool_size": pool_size,
                "max_overflow": 0,
                "pool_pre_ping": False,
                "hide_parameters": True,
                "connect_args": {"cursor_factory": PlainCursor},
            }
            self._writer = create_engine(parsed, **common, isolation_level="READ COMMITTED")
            self._reader = create_engine(
                parsed,
                **common,
                isolation_level="AUTOCOMMIT",
                pool_reset_on_return=None,
                skip_autocommit_rollback=True,
            )
            self._gate = nullcontext()

    def write(self, tenant_id: str, work: Callable[[StoreTransaction], T]) -> T:
        """Run `work` in one transaction: commit when it returns, roll back when it raises.

        tenant_id: the tenant every query is bound to; "" for work on the system's own tables.
        `work` may be run again when the database asks for a retry, so it must have no effect outside.
        Raises StoreUnavailableError when the database cannot be reached.
        """
        for attempt in range(_TRIES):
            try:
                with self._gate, self._writer.begin() as connection:
                    added = connection.info[ADDED] = []
                    result = work(StoreTransaction(connection, tenant_id))
                if added:
                    for observe in self.observers:
                        observe(tenant_id, added)
                return result
            except (OperationalError, IntegrityError, InterfaceError) as error:
                if attempt + 1 < _TRIES and _worth_a_retry(error):
                    continue
                if isinstance(error, IntegrityError):
                    raise
                msg = "the database cannot be reached or refused the work"
                raise StoreUnavailableError(msg) from error
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def read(self, tenant_id: str, work: Callable[[StoreTransaction], T], told: Told | None = None) -> T:
        """Run `work` on a read connection; it must not write. Raises StoreUnavailableError like `write`.

        told: what others that belong to it were told before.
        """
        for attempt in range(_TRIES):
            try:
                with self._reader.connect() as connection:
                    return work(StoreTransaction(connection, tenant_id, {} if told is None else told))
            except (OperationalError, InterfaceError) as error:
                if attempt + 1 < _TRIES and _worth_a_retry(error):
                    continue
                msg = "the database cannot be reached or refused the work"
                raise StoreUnavailableError(msg) from error
        raise AssertionError  # pragma: no cover

    def snapshot(self, tenant_id: str, work: Callable[[StoreTransaction], T]) -> T:
        """Run `work` on a read connection; all that it reads is of one moment. Raises StoreUnavailableError."""

        def reading(tx: StoreTransaction) -> T:
            tx.connection.exec_driver_sql(self._begin_snapshot)
            try:
                return work(tx)
            finally:
                if not tx.connection.invalidated:
                    tx.connection.exec_driver_sql("ROLLBACK")

        return self.read(tenant_id, reading)

    @property
    def local(self) -> bool:
        return self.dialect == "sqlite"

    def gathered(self) -> Gathered:
        return Gathered(self)

    @property
    def _begin_snapshot(self) -> str:
        if self.dialect == "sqlite":
            return "BEGIN"
        return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and tests."""
        return self._writer

    @property
    def reading_engine(self) -> Engine:
        return self._reader

    def pools(self) -> dict[str, tuple[int, int]]:
        """Of each pool how many connections are open, and how many of them in use."""
        found = {}
        for name, engine in (("write", self._writer), ("read", self._reader)):
            if isinstance(engine.pool, QueuePool):
                pool = engine.pool
                found[name] = (pool.checkedin() + pool.checkedout(), pool.checkedout())
        return found

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()


class Gathered:
    """See `ports.store.Store.gathered`. Between two reads it holds no connection: others wait for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: Told = {}
        self.local = database.local

    def read(self, tenant_id: str, work: Callable[[StoreTransaction], T]) -> T:
        return self._database.read(tenant_id, work, self._told)

    def snapshot(self, tenant_id: str, work: Callable[[StoreTransaction], T]) -> T:
        return self._database.snapshot(tenant_id, work)

    def write(self, tenant_id: str, work: Callable[[StoreTransaction], T]) -> T:
        try:
            return self._database.write(tenant_id, work)
        finally:
            self._told.clear()

    def gathered(self) -> Gathered:
        return self


def _worth_a_retry(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    return getattr(error.orig, "sqlstate", None) in _RETRY_STATES


_SQLITE: dict[str, Any] = {
    "hide_parameters": True,
    "connect_args": {"check_same_thread": False, "timeout": 10.0},
}


def _sqlite_writer(url: Any) -> Engine:
    engine = create_engine(url, poolclass=StaticPool, **_SQLITE)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    def begin(dbapi_connection: PoolProxiedConnection) -> None:
        dbapi_connection.cursor().execute("BEGIN IMMEDIATE")

    # Not as a listener to "begin": an engine that has any listener asks all of them around every statement, which
    # made an activation cost a tenth more.
    engine.dialect.do_begin = begin  # type: ignore[method-assign]
    return engine


def _sqlite_reader(url: Any, size: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        **_SQLITE,
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return engine
