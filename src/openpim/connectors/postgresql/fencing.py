"""One writer at a time, and none that is late.

All that is written goes through `writing`: a transaction that holds the lock of the target, has left its epoch in the table
`openpim.fence` (a later one there ends it), and is committed only before the end of its lease by the server's own clock:
the look at that clock and the COMMIT go to the server in one message, so nothing can come between them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg
from psycopg import errors, sql

from openpim.connectors.postgresql.session import BoundedConnection
from openpim.connectors.servers import late, overtaken
from openpim.ports.connector import Fault, Fence, TargetError

LONGEST_SECONDS = 60.0
# "OpenPIM" in letters: whoever writes memberships from here, to whatever target in this database, waits for the others.
_LOCK = 0x4F70656E50494D
_MAKE = "CREATE TABLE IF NOT EXISTS openpim.fence (target text PRIMARY KEY, epoch bigint NOT NULL)"
_OURS = """
    SELECT n.nspowner = u.oid AND coalesce(c.relowner = u.oid, true)
    FROM pg_namespace n JOIN pg_roles u ON u.rolname = current_user
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'fence'
    WHERE n.nspname = 'openpim'"""
_BEGIN = """
    BEGIN; SET LOCAL statement_timeout = {milliseconds}; SELECT pg_advisory_xact_lock({lock});
    INSERT INTO openpim.fence AS f (target, epoch) VALUES ({target}, {epoch})
    ON CONFLICT (target) DO UPDATE SET epoch = excluded.epoch WHERE f.epoch <= excluded.epoch
    RETURNING clock_timestamp() < {until}"""


class Fencing:
    """clock: ours, to know how long a call may take at most."""

    def __init__(self, target_id: str, clock: Callable[[], datetime]) -> None:
        self._target_id = target_id
        self._clock = clock
        self._ready = False

    def seconds(self, fence: Fence) -> float:
        """What is left of the lease. Raises TargetError(FENCED)."""
        left = (fence.until - self._clock()).total_seconds()
        if left <= 0:
            raise late()
        return min(left, LONGEST_SECONDS)

    @contextlib.contextmanager
    def writing(self, connection: BoundedConnection, fence: Fence) -> Iterator[None]:
        """Raises TargetError(FENCED), and psycopg's errors; then nothing has been written."""
        self._prepare(connection)
        begin = sql.SQL(_BEGIN).format(
            milliseconds=int(self.seconds(fence) * 1000) + 1,
            lock=_LOCK,
            target=self._target_id,
            epoch=fence.epoch,
            until=fence.until,
        )
        try:
            _, passed = send(connection, begin)
            if not passed:
                raise overtaken("database")
            if not passed[0][0]:
                raise late()
            yield
            self._commit(connection, fence)
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            raise

    def _commit(self, connection: BoundedConnection, fence: Fence) -> None:
        statement = sql.SQL("SELECT 1 / (clock_timestamp() < {})::int; COMMIT")
        try:
            send(connection, statement.format(sql.Literal(fence.until)))
        except errors.DivisionByZero:
            raise late() from None

    def _prepare(self, connection: BoundedConnection) -> None:
        """A table that others own could run what they like in our name: it has to be ours."""
        if self._ready:
            return
        ours = connection.execute(_OURS).fetchone()
        if ours is None or not ours[0]:
            raise TargetError(
                Fault.REFUSED,
                "The schema openpim is missing, or it is not owned by the role that OpenPIM signs in as. "
                "Run CREATE SCHEMA openpim AUTHORIZATION … with that role.",
            )
        with connection.transaction():
            connection.execute(
                "SELECT pg_advisory_xact_lock(%s)", (_LOCK,)
            )  # two that make it at once: one fails
            connection.execute(_MAKE)
        self._ready = True


def send(connection: BoundedConnection, statements: sql.Composed | bytes) -> list[list[tuple[Any, ...]]]:
    """Several, in one message: the first that fails is the last that is done. The rows of those that give any."""
    cursor = connection.execute(statements)
    found = [cursor.fetchall()] if cursor.description else []
    while cursor.nextset():
        if cursor.description:
            found.append(cursor.fetchall())
    return found
