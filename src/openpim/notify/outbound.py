"""The guarded road to servers of other people: every HTTP call that OpenPIM makes goes through here.

The name is looked up here, each address is judged, and the connection goes to the very address that was judged: a name
that changes between the look and the use gains nothing. TLS is verified, no redirect is followed, no proxy of the
environment is used, and one deadline and one size limit hold for the whole call, so that a server that drips, floods
or answers nonsense costs its caller a bounded time and nothing else.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from openpim.notify.addresses import Address, Allowed, Place, place
from openpim.ports.outbound import MAX_BYTES, TIMEOUT_SECONDS, Answer, OutboundError, OutboundFault

# name, port -> IP addresses as text, in the order to try
Resolve = Callable[[str, int], Sequence[str]]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "te"}
)
_HEAD_BYTES = 64 * 1024
_PIECE = 64 * 1024
_LOOK_UPS_AT_ONCE = 16


class GuardedOutbound:
    """See ports/outbound.py. allow: networks and names beyond the internet. ca_file: authorities (PEM) to trust beside
    the machine's. Raises ValueError where these cannot be."""

    def __init__(
        self, allow: Sequence[str] = (), ca_file: Path | None = None, resolve: Resolve | None = None
    ) -> None:
        if ca_file is not None and not ca_file.is_file():
            raise ValueError(f"outbound.ca_file: {ca_file} is not there")
        self._allowed = Allowed(allow)
        self._ca_file = ca_file
        self._resolve = resolve or _look_up
        self._looking_up = threading.BoundedSemaphore(_LOOK_UPS_AT_ONCE)
        self._context: ssl.SSLContext | None = None

    def fault(self, url: str) -> str | None:
        try:
            where = place(url)
            if where.literal is not None:
                self._judge(where, [where.literal])
            elif not where.secure and not self._allowed.named(where.host):
                raise _plain(where)
        except OutboundError as error:
            return error.message
        return None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = TIMEOUT_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        deadline = _Deadline(seconds)
        where = place(url)
        head = _head(method, where, headers or {}, len(body))
        allowed = self._judge(where, self._addresses(where, deadline))
        connection = _connect(where, allowed, deadline)
        try:
            if where.secure:
                connection = self._secured(connection, where, deadline)
            return _exchange(connection, method, where, head + body, deadline, max_bytes)
        finally:
            connection.close()

    def connect(
        self, host: str, port: int, *, seconds: float = TIMEOUT_SECONDS, secure: bool = True
    ) -> socket.socket:
        deadline = _Deadline(seconds)
        where = _server(host, port, secure=secure)
        connection = _connect(where, self._judge(where, self._addresses(where, deadline)), deadline)
        connection.settimeout(deadline.left(where))
        return connection

    def address(self, host: str, port: int, *, seconds: float = TIMEOUT_SECONDS, secure: bool = True) -> str:
        where = _server(host, port, secure=secure)
        return str(self._judge(where, self._addresses(where, _Deadline(seconds)))[0])

    def _addresses(self, where: Place, deadline: _Deadline) -> list[Address]:
        """Looked up in a thread of its own, because the system's look-up knows no deadline."""
        if where.literal is not None:
            return [where.literal]
        found: list[Sequence[str] | OSError] = []
        if not self._looking_up.acquire(timeout=deadline.left(where)):
            raise _late(where)

        def look() -> None:
            try:
                found.append(self._resolve(where.host, where.port))
            except (OSError, UnicodeError) as error:
                found.append(OSError(str(error)))
            finally:
                self._looking_up.release()

        thread = threading.Thread(target=look, name="openpim-name", daemon=True)
        thread.start()
        thread.join(deadline.left(where))
        if not found:
            raise _late(where)
        answer = found[0]
        if isinstance(answer, OSError) or not answer:
            raise OutboundError(OutboundFault.UNKNOWN_NAME, f"The name {where.host} is not known.")
        return [ipaddress.ip_address(text.partition("%")[0]) for text in answer]

    def _judge(self, where: Place, addresses: Sequence[Address]) -> list[Address]:
        """Those of the addresses that may be called; refused when none may."""
        allowed = [one for one in addresses if self._allowed.may_call(where.host, one)]
        if not allowed:
            raise OutboundError(
                OutboundFault.FORBIDDEN_ADDRESS,
                f"{where.host} leads to an address that is not on the internet. If it is meant, the operator of the "
                "server allows its name or network in the configuration, under [outbound] allow.",
            )
        if not where.secure:
            allowed = [one for one in allowed if self._allowed.named(where.host) or self._allowed.inside(one)]
            if not allowed:
                raise _plain(where)
        return allowed

    def _secured(self, connection: socket.socket, where: Place, deadline: _Deadline) -> socket.socket:
        if self._context is None:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["http/1.1"])
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            self._context = context
        connection.settimeout(deadline.left(where))
        try:
            return self._context.wrap_socket(connection, server_hostname=where.host.rstrip("."))
        except TimeoutError:
            raise _late(where) from None
        except ssl.SSLCertVerificationError as error:
            raise OutboundError(
                OutboundFault.CERTIFICATE,
                f"The certificate of {where.host} is not trusted: {error.verify_message}",
            ) from None
        except (OSError, ValueError):
            raise OutboundError(
                OutboundFault.CERTIFICATE, f"{where.host} does not speak TLS as it should."
            ) from None


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self, where: Place) -> float:
        """Seconds, more than none. Raises OutboundError(TIMED_OUT)."""
        seconds = self._at - time.monotonic()
        if seconds <= 0:
            raise _late(where)
        return seconds


class _Reading(io.RawIOBase):
    """What http.client reads from: every piece within the deadline, all of them within the limit."""

    def __init__(self, connection: socket.socket, where: Place, deadline: _Deadline, limit: int) -> None:
        super().__init__()
        self._connection, self._where, self._deadline = connection, where, deadline
        self._left = limit
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(self._deadline.left(self._where))
        count = self._connection.recv_into(buffer)
        self._left -= count
        self.ended = self.ended or not count
        if self._left < 0:
            raise _large(self._where)
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The only thing http.client asks of a connection it reads an answer from."""
        return io.BufferedReader(self, _PIECE)


def _server(host: str, port: int, *, secure: bool) -> Place:
    scheme = "https" if secure else "http"
    return place(f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/")


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _head(method: str, where: Place, headers: Mapping[str, str], length: int) -> bytes:
    if method not in _METHODS:
        raise OutboundError(OutboundFault.BAD_REQUEST, f"{method!r} is not a method that is used here.")
    lines = [f"{method} {where.target} HTTP/1.1", f"Host: {where.authority}"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _OURS:
            raise OutboundError(OutboundFault.BAD_REQUEST, f"The header {name!r} cannot be sent.")
        lines.append(f"{name}: {value}")
    if all(name.lower() != "user-agent" for name in headers):
        lines.append("User-Agent: OpenPIM")
    lines += ["Accept-Encoding: identity", "Connection: close"]
    if length or method != "GET":
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _connect(where: Place, addresses: Sequence[Address], deadline: _Deadline) -> socket.socket:
    """To the first of the judged addresses that takes it. The time is shared fairly: a dead one does not use it up."""
    for number, address in enumerate(addresses):
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # a machine without IPv6
        connection.settimeout(deadline.left(where) / (len(addresses) - number))
        try:
            connection.connect((str(address), where.port))
        except OSError:
            connection.close()
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    deadline.left(where)
    raise OutboundError(OutboundFault.UNREACHABLE, f"{where.host} takes no connection on port {where.port}.")


def _exchange(
    connection: socket.socket, method: str, where: Place, request: bytes, deadline: _Deadline, max_bytes: int
) -> Answer:
    reading = _Reading(connection, where, deadline, max_bytes + _HEAD_BYTES)
    try:
        _write(connection, where, request, deadline)
        response = http.client.HTTPResponse(reading, method=method)  # type: ignore[arg-type]
        response.begin()
        if reading.ended:  # http.client takes a head that breaks off for a whole one
            raise http.client.IncompleteRead(b"")
        body = response.read(max_bytes + 1)
        if len(body) > max_bytes:
            raise _large(where)
        if response.length:  # http.client does not say so where a limit was given
            raise http.client.IncompleteRead(body, response.length)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body)
    except TimeoutError:
        raise _late(where) from None
    except (http.client.HTTPException, ValueError):
        raise OutboundError(
            OutboundFault.NONSENSE, f"What {where.host} answered is not HTTP, or not all of it."
        ) from None
    except OSError:
        raise OutboundError(OutboundFault.UNREACHABLE, f"{where.host} ended the connection.") from None


def _write(connection: socket.socket, where: Place, request: bytes, deadline: _Deadline) -> None:
    left = memoryview(request)
    try:
        while left:
            connection.settimeout(deadline.left(where))
            left = left[connection.send(left[:_PIECE]) :]
    except (BrokenPipeError, ConnectionResetError):
        return  # it may have answered before it read everything: the reading tells


def _plain(where: Place) -> OutboundError:
    return OutboundError(
        OutboundFault.BAD_ADDRESS,
        f"{where.host} is called over https only. Plain http is for names and networks that the operator of the "
        "server allows in the configuration, under [outbound] allow.",
    )


def _late(where: Place) -> OutboundError:
    return OutboundError(OutboundFault.TIMED_OUT, f"{where.host} did not answer in time.")


def _large(where: Place) -> OutboundError:
    return OutboundError(OutboundFault.TOO_LARGE, f"The answer of {where.host} is too large.")
