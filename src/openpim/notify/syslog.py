"""Audit events as syslog messages: RFC 5424, over TLS with octet counting (RFC 5425), or over plain TCP (RFC 6587) to
places that the configuration names.

Syslog has no answer. So a batch is one connection: after the last message our side of it is closed, and the receiver, which
closes its own when it has read everything, thereby says that it has. One that dies before that resets the connection or says
nothing, and the batch is sent again.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from openpim.core.audit import leaf_of
from openpim.core.audit_form import compact, one_line, when
from openpim.core.streams import Stream, syslog_place
from openpim.ports.outbound import Outbound, OutboundError
from openpim.ports.streams import NotTakenError, Outgoing

SECONDS: Final = 30.0
# What every receiver takes (RFC 5425, 4.3.1, "SHOULD"); rsyslog's own limit is the same.
LONGEST: Final = 8192
# IANA's number for documentation (RFC 5612): OpenPIM has none of its own.
SD_ID: Final = "openpim@32473"
_INFORMATIONAL, _WARNING = 6, 4
_TEXT = 200  # characters: with all of them as long as they can be, a message still has its structured data
_PIECE = 64 * 1024


class Syslog:
    """See ports/streams.py, Sender. host: our own name in the messages. ca_file: authorities (PEM) to trust beside the
    machine's."""

    def __init__(
        self, outbound: Outbound, host: str, ca_file: Path | None = None, seconds: float = SECONDS
    ) -> None:
        self._outbound = outbound
        self._host = one_line(host).replace(" ", "")[:255] or "-"
        self._ca_file = ca_file
        self._seconds = seconds
        self._context: ssl.SSLContext | None = None

    def send(self, stream: Stream, secret: str, batch: Sequence[Outgoing]) -> str:
        found = syslog_place(stream.address)
        if found is None:
            raise NotTakenError("The address is not one of a syslog receiver. Correct it.")
        secure, host, port = found
        data = b"".join(frame(message(one, self._host, stream.facility)) for one in batch)
        ends = time.monotonic() + self._seconds
        try:
            connection = self._outbound.connect(host, port, seconds=self._seconds / 3, secure=secure)
        except OutboundError as error:
            raise NotTakenError(error.message) from None
        try:
            if secure:
                connection = self._secured(connection, host)
            _deliver(connection, data, lambda: max(ends - time.monotonic(), 0.001), host)
        finally:
            connection.close()
        return ""

    def _secured(self, connection: socket.socket, host: str) -> ssl.SSLSocket:
        if self._context is None:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            self._context = context
        try:
            return self._context.wrap_socket(connection, server_hostname=host)
        except TimeoutError:
            raise NotTakenError(f"{host} did not answer in time.") from None
        except ssl.SSLCertVerificationError as error:
            said = f"The certificate of {host} is not trusted: {error.verify_message}"
            raise NotTakenError(said) from None
        except (OSError, ValueError):
            raise NotTakenError(f"{host} does not speak TLS as it should.") from None


def _deliver(connection: socket.socket, data: bytes, left: Callable[[], float], host: str) -> None:
    """Send all of it, close our side, and wait until the receiver has closed its own."""
    view = memoryview(data)
    try:
        while view:
            connection.settimeout(left())
            view = view[connection.send(view[:_PIECE]) :]
        connection.settimeout(left())
        if isinstance(connection, ssl.SSLSocket):
            connection = _close_notify(connection)
        else:
            connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            connection.settimeout(left())
    except TimeoutError:
        raise NotTakenError(f"{host} did not take the messages in time.") from None
    except OSError:
        raise NotTakenError(f"{host} broke off the connection before it had taken the messages.") from None


def _close_notify(connection: ssl.SSLSocket) -> Any:
    """Our goodbye, and the receiver's. Some close without one: the end of the connection says as much, but not a reset."""
    try:
        return connection.unwrap()
    except ssl.SSLEOFError:
        return _Ended()
    except OSError as error:
        if error.errno in {None, 0}:
            return _Ended()
        raise


class _Ended:
    """A connection that both sides have closed."""

    def recv(self, _size: int) -> bytes:
        return b""


def frame(message: bytes) -> bytes:
    """Octet counting: MSG-LEN SP SYSLOG-MSG."""
    return str(len(message)).encode("ascii") + b" " + message


def message(one: Outgoing, host: str, facility: int) -> bytes:
    """SYSLOG-MSG of RFC 5424: the searchable facts as structured data, the whole event as JSON (in ASCII) behind them. An
    event that is too long for one message keeps its structured data, and says where the rest is."""
    event = one.event
    severity = _INFORMATIONAL if event.result == "success" else _WARNING
    about = next((t for t in event.targets if t.kind in {"User", "Group", "ServicePrincipal"}), None)
    role = next((t for t in event.targets if t.kind == "Role"), None)
    parameters = {
        "id": event.id,
        "position": str(one.position),
        "tenant": one.tenant_id,
        "activity": event.activity,
        "result": event.result,
        "reason": event.reason,
        "actor": event.actor_upn or event.actor_name,
        "actorId": event.actor_id,
        "target": (about.name or about.id) if about else "",
        "targetId": about.id if about else "",
        "role": (role.name or role.id) if role else "",
        "address": event.ip or "",
        "correlationId": event.correlation_id,
    }
    data = "".join(f' {name}="{_parameter(value)}"' for name, value in parameters.items() if value)
    header = f"<{facility * 8 + severity}>1 {when(event.at)} {host} openpim - {event.category}"
    sequence = f'[meta sequenceId="{one.position % 2147483647 + 1}"]'
    start = f"{header} {sequence}[{SD_ID}{data}] ".encode()
    whole = start + compact({"position": one.position, **leaf_of(event, one.tenant_id)}).encode("ascii")
    if len(whole) <= LONGEST:
        return whole
    return start + compact({"id": event.id, "position": one.position, "truncated": True}).encode("ascii")


def _parameter(text: str) -> str:
    r"""PARAM-VALUE: `"`, `\` and `]` with a backslash; nothing that ends a line."""
    short = one_line(text)
    short = short if len(short) <= _TEXT else short[: _TEXT - 1] + "…"
    return short.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
