"""One connection to a MariaDB server: over a socket to an address that was judged, with a bound on the time of every call."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from socket import IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_NODELAY
from typing import Any, Never, TypeVar

import pymysql
from pymysql.constants import CR, ER

from openpim.connectors.servers import away, busy, not_done, refused, said_by_server
from openpim.connectors.taking import Taken
from openpim.ports.connector import Fault, Opening, TargetError
from openpim.ports.outbound import OutboundError

T = TypeVar("T")

CONNECT_SECONDS = 5.0
CALL_SECONDS = 20.0
# What is quoted and escaped here rests on these modes; no account comes to be by a grant; a worker that stops here loses its
# connection, and with it the lock, soon.
_FIRST = (
    "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_CREATE_USER', wait_timeout = 30, "
    "max_statement_time = 15, lock_wait_timeout = 5, innodb_lock_wait_timeout = 5, autocommit = 1"
)
_REFUSED = frozenset(
    {
        ER.ACCESS_DENIED_ERROR,
        ER.DBACCESS_DENIED_ERROR,
        ER.TABLEACCESS_DENIED_ERROR,
        ER.COLUMNACCESS_DENIED_ERROR,
        ER.SPECIFIC_ACCESS_DENIED_ERROR,
        ER.KILL_DENIED_ERROR,
        ER.BAD_DB_ERROR,
        ER.NO_SUCH_TABLE,
    }
)
_GONE = frozenset(
    {
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST,
        CR.CR_CONN_HOST_ERROR,
        CR.CR_CONNECTION_ERROR,
        0,
        1927,
        1053,
        1152,
        1158,
        1159,
        1160,
        1161,
    }
)
_BUSY = frozenset({ER.LOCK_WAIT_TIMEOUT, 1969})


class _Bounded(pymysql.connections.Connection):  # type: ignore[misc,unused-ignore]
    """One that stops reading, and closes, once `taken` has enough."""

    taken: Taken

    def _read_packet(self, *args: Any, **more: Any) -> Any:
        self._within(lambda: self.taken.entries(1))
        return super()._read_packet(*args, **more)

    def _read_bytes(self, num_bytes: int) -> Any:
        self._within(lambda: self.taken.bytes(num_bytes))
        return super()._read_bytes(num_bytes)

    def _within(self, count: Callable[[], None]) -> None:
        try:
            count()
        except TargetError:
            self._force_close()
            raise


class _NoPlainPassword:
    """For a server that asks for the password itself: it is not told."""

    def __init__(self, _connection: Any) -> None:
        pass

    def authenticate(self, _packet: Any) -> Never:
        raise pymysql.err.OperationalError(
            ER.ACCESS_DENIED_ERROR, "the server asks for the password in plain text"
        )


class Session:
    """Connects when it is first used, and again when the server has ended the connection."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._connection: Any = None
        self._deadline = float("inf")
        self._where = f"MariaDB on {opening.settings['host']}"
        self._taken = Taken(self._where)

    def run(self, work: Callable[[], T], seconds: float = CALL_SECONDS) -> T:
        """What work returns. It may be done twice: where a connection from before turns out to be gone. Raises TargetError."""
        had_one = self._connection is not None
        self._deadline = time.monotonic() + seconds
        self._taken = Taken(self._where)
        try:
            return self._once(work)
        except pymysql.MySQLError as error:
            if not (had_one and self._connection is None) or time.monotonic() > self._deadline:
                raise self._fault(error) from None
        try:
            return self._once(work)
        except pymysql.MySQLError as error:
            raise self._fault(error) from None

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Inside `run`."""
        with self._ready().cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def do(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Inside `run`. How many rows (or connections) it was."""
        with self._ready().cursor() as cursor:
            return int(cursor.execute(statement, values or None))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection._force_close()  # noqa: SLF001 - a polite goodbye may wait for a server that does not answer

    def why(self, error: pymysql.MySQLError) -> str:
        """What the server said, in one line, for administrators."""
        said = str(error.args[1] if len(error.args) > 1 else error)
        return said_by_server(said, self._opening.secrets)

    def _once(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (pymysql.MySQLError, TargetError) as error:
            gone = self._connection is not None and not self._connection.open
            if gone or (isinstance(error, pymysql.MySQLError) and broken(error)):
                self.close()
            raise
        except (OSError, UnicodeError, IndexError, KeyError, ValueError, AssertionError) as error:
            self.close()  # what the library does with nonsense, or with a connection that breaks in the middle
            if isinstance(error, OSError):
                raise pymysql.err.OperationalError(CR.CR_SERVER_LOST, "the connection broke") from None
            raise pymysql.err.InternalError(
                CR.CR_MALFORMED_PACKET, "what it says is not the protocol"
            ) from None

    def _ready(self) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        left = self._deadline - time.monotonic()
        if left <= 0:
            self.close()
            raise pymysql.err.OperationalError(CR.CR_SERVER_LOST, "it did not answer in time")
        self._connection.taken = self._taken
        self._connection._read_timeout = self._connection._write_timeout = left  # noqa: SLF001 - there is no other way
        return self._connection

    def _connect(self) -> Any:
        settings, secrets = self._opening.settings, self._opening.secrets
        mode, host = settings["sslmode"], settings["host"]
        seconds = min(CONNECT_SECONDS, max(self._deadline - time.monotonic(), 0.1))
        try:
            socket = self._opening.outbound.connect(
                host, int(settings["port"]), seconds=seconds, secure=mode.startswith("verify-")
            )
        except OutboundError as error:
            raise TargetError(Fault.UNREACHABLE, error.message) from None
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
        try:
            connection = _Bounded(
                host=host,
                user=settings["user"],
                password=secrets.get("password", ""),
                charset="utf8mb4",
                autocommit=True,
                defer_connect=True,
                connect_timeout=seconds,
                read_timeout=seconds,
                write_timeout=seconds,
                ssl=_context(mode, settings.get("ca", "")),
                ssl_disabled=mode == "disable",
                local_infile=False,
                program_name="openpim",
                auth_plugin_map={"mysql_clear_password": _NoPlainPassword, "dialog": _NoPlainPassword},
                init_command=_FIRST,
            )
            connection.taken = self._taken
            connection.connect(socket)
        except BaseException:
            socket.close()
            raise
        return connection

    def _fault(self, error: pymysql.MySQLError) -> TargetError:
        where, said, code = self._where, self.why(error), code_of(error)
        if code in _REFUSED:
            return refused(where, said)
        if code in _BUSY:
            return busy(where, said)
        if code in _GONE or "SSL" in said or "certificate" in said.lower():
            return away(where, said)
        return not_done(where, said)


def code_of(error: pymysql.MySQLError) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def broken(error: pymysql.MySQLError) -> bool:
    """The connection, not the statement."""
    code = code_of(error)
    return code in _GONE or 2000 <= code < 3000


def _context(mode: str, pem: str) -> ssl.SSLContext | None:
    if mode == "disable":
        return None
    context = ssl.create_default_context(cadata=pem or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if mode != "verify-full":
        context.check_hostname = False
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
