"""One connection to a PostgreSQL server: to an address that was judged, with nothing taken from this machine's own settings,
and with a bound on the time of every call, whatever the other side does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import errors

from openpim.connectors.servers import away, busy, not_done, refused, said_by_server
from openpim.connectors.taking import MOST_BYTES, MOST_ENTRIES, too_large, too_many
from openpim.ports.connector import Fault, Opening, TargetError
from openpim.ports.outbound import OutboundError

T = TypeVar("T")

CONNECT_SECONDS = 5
CALL_SECONDS = 20.0
_LOCK_MS = 5000
_RECEIVED_AT = 128  # tcpi_bytes_received in struct tcp_info
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "search_path": "pg_catalog",  # no function or operator of anybody else's stands in for PostgreSQL's own
        "statement_timeout": int(CALL_SECONDS * 1000),
        "lock_timeout": _LOCK_MS,
        "idle_in_transaction_session_timeout": 15000,  # a worker that stops here holds its lock no longer than that
        "default_transaction_isolation": "read\\ committed",
    }.items()
)


class _TooLargeError(Exception):
    """More has come than is taken."""


class BoundedConnection(psycopg.Connection[Any]):
    """`deadline`, by time.monotonic(): a wait past it closes the connection and is an OperationalError. `most`: as many bytes
    may have come by then; more of them close it and are a _TooLargeError."""

    deadline: float = float("inf")
    most: float = float("inf")

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Any:
        """Asks the server things, too, and keeps what it answers."""
        gen, ready = super()._connect_gen(conninfo), None
        while True:
            try:
                asked = gen.send(ready)  # type: ignore[arg-type]
            except StopIteration as stop:
                return stop.value
            if received(asked[0]) > MOST_BYTES:
                gen.close()
                raise _TooLargeError
            ready = yield asked

    def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
        return super().wait(self._bounded(gen), *args, **more)

    def _bounded(self, gen: Any) -> Generator[Any, Any, Any]:
        sent = None
        while True:
            try:
                asked = gen.send(sent)
            except StopIteration as stop:
                return stop.value
            if time.monotonic() > self.deadline:
                self.pgconn.finish()
                raise errors.ConnectionTimeout("the server did not answer in time")
            if received(self.pgconn.socket) > self.most:
                self.pgconn.finish()
                raise _TooLargeError
            sent = yield asked


def received(number: int) -> int:
    """Bytes that came over a TCP connection since it was made, by its file's number, as the kernel counts them: libpq keeps a
    whole answer before it gives any of it. 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    beside = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, number)
    try:
        told = beside.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + 8)
    finally:
        beside.detach()
    return int.from_bytes(told[_RECEIVED_AT : _RECEIVED_AT + 8], sys.byteorder)


class Session:
    """Connects when it is first used, and again when the server has ended the connection."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._connection: BoundedConnection | None = None
        self._where = f"PostgreSQL on {opening.settings['host']}"

    def run(self, work: Callable[[BoundedConnection], T], seconds: float = CALL_SECONDS) -> T:
        """What work returns. It may be done twice: where a connection from before turns out to be gone. Raises TargetError."""
        had_one = self._connection is not None
        try:
            return self._once(work, seconds)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            gone = self._connection is None
            if not (had_one and gone) or isinstance(error, errors.ConnectionTimeout):
                raise self._fault(error) from None
        except psycopg.Error as error:
            raise self._fault(error) from None
        try:
            return self._once(work, seconds)
        except psycopg.Error as error:
            raise self._fault(error) from None

    def rows(self, connection: BoundedConnection, statement: LiteralString, *values: Any) -> list[Any]:
        """Inside `run`: of a question whose answer grows with what the server has."""
        cursor = connection.execute(statement, values or None)
        if cursor.rowcount > MOST_ENTRIES:
            raise too_many(self._where)
        return cursor.fetchall()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def why(self, error: psycopg.Error) -> str:
        """What the server said, in one line, for administrators."""
        said = error.diag.message_primary or (str(error).strip().splitlines() or [type(error).__name__])[0]
        return said_by_server(said, self._opening.secrets)

    def _once(self, work: Callable[[BoundedConnection], T], seconds: float) -> T:
        try:
            return self._bounded(work, seconds)
        except _TooLargeError:
            raise too_large(self._where) from None

    def _bounded(self, work: Callable[[BoundedConnection], T], seconds: float) -> T:
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        connection.deadline = time.monotonic() + seconds
        connection.most = received(connection.pgconn.socket) + MOST_BYTES
        try:
            return work(connection)
        finally:
            if connection.closed or connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.close()

    def _connect(self) -> BoundedConnection:
        settings, secrets = self._opening.settings, self._opening.secrets
        host, port, mode = settings["host"], int(settings["port"]), settings["sslmode"]
        verified = mode.startswith("verify-")
        try:
            address = self._opening.outbound.address(host, port, seconds=CONNECT_SECONDS, secure=verified)
        except OutboundError as error:
            raise TargetError(Fault.UNREACHABLE, error.message) from None
        with _authorities(settings.get("ca", ""), verified=verified) as trusted:
            return BoundedConnection.connect(
                host=host,
                hostaddr=address,
                port=port,
                dbname=settings["database"],
                user=settings["user"],
                password=secrets.get("password", ""),
                passfile=os.devnull,
                sslmode=mode,
                sslrootcert=trusted,
                sslcertmode="disable",
                ssl_min_protocol_version="TLSv1.2",
                gssencmode="disable",
                # a server that is not known by its certificate gets no password to keep
                require_auth=None if verified else "scram-sha-256",
                target_session_attrs="read-write",
                connect_timeout=CONNECT_SECONDS,
                keepalives=1,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=10000,
                application_name="openpim",
                client_encoding="UTF8",
                options=_OPTIONS,
                autocommit=True,
                prepare_threshold=None,
            )

    def _fault(self, error: psycopg.Error) -> TargetError:
        where = self._where
        said = self.why(error)
        if isinstance(error, errors.InvalidAuthorizationSpecification | errors.InsufficientPrivilege):
            return refused(where, said)
        if isinstance(error, errors.InvalidSchemaName | errors.UndefinedTable):
            return TargetError(
                Fault.REFUSED,
                f"{where} has no schema of ours: {said}. Run CREATE SCHEMA openpim AUTHORIZATION …, with the role that "
                "OpenPIM signs in as.",
            )
        if isinstance(error, errors.LockNotAvailable | errors.QueryCanceled):
            return busy(where, said)
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            if "authentication" in said:  # what fails while connecting carries no code
                return TargetError(
                    Fault.REFUSED, f"{where} does not let us in: {said}. Check user and password."
                )
            return away(where, said)
        return not_done(where, said)


@contextlib.contextmanager
def _authorities(pem: str, *, verified: bool) -> Iterator[str]:
    """The name of a file with the certificates to trust; it is needed while connecting only."""
    if not pem and not verified:
        yield "/nonexistent"  # else one in this user's home would be taken
        return
    if not pem:
        known = ssl.get_default_verify_paths().cafile
        yield known or next((one for one in _BUNDLES if Path(one).is_file()), "system")
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        yield file.name
