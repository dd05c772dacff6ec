"""One connection to a directory: to an address that was judged, with TLS, and over in bounded time whatever the server does.

Operations go out many at a time and their answers are put together as they come. Referrals are not followed.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openpim.connectors.ldap.ber import BerError, header
from openpim.connectors.ldap.messages import (
    ENTRY,
    EXTENDED,
    REFERENCE,
    START_TLS,
    UNBIND,
    Code,
    Entry,
    Message,
    Outcome,
    Request,
    bind,
    entry,
    extended,
    message,
    opened,
    settle,
)
from openpim.ports.connector import Fault, TargetError
from openpim.ports.outbound import Outbound, OutboundError, OutboundFault

SECONDS = 10.0  # for each exchange …
SECONDS_EACH = 0.02  # … and for each operation in it
_AT_ONCE = 256  # operations on their way; OpenLDAP ends a connection with a thousand
_BYTES_AT_ONCE = 512 * 1024
_PIECE = 256 * 1024
_LARGEST = 64 * 1024 * 1024  # of one answer: a group with half a million members
_MOST = 256 * 1024 * 1024  # of all answers of an exchange, with the memory that they take
_A_LOOK = 0.5  # seconds between looks at `stop` while waiting for news


@dataclass(frozen=True, slots=True)
class Where:
    """How a directory is reached. security: ldaps, starttls or plain. authority: PEM text, "" for the machine's own
    authorities. account: the DN (or name, in Active Directory) to sign in as."""

    host: str
    port: int
    security: str
    authority: str
    account: str
    password: str


class Connection:
    """Signed in. Raises TargetError from every method, and is of no use after that."""

    def __init__(self, outbound: Outbound, where: Where, seconds: float = SECONDS) -> None:
        self._where = where
        self._seconds = seconds
        self._buffer = bytearray()
        self._last = 0
        self.broken = False
        try:
            self._socket: socket.socket = outbound.connect(
                where.host, where.port, seconds=seconds, secure=where.security != "plain"
            )
        except OutboundError as error:
            wrong = error.fault in {OutboundFault.BAD_ADDRESS, OutboundFault.FORBIDDEN_ADDRESS}
            raise TargetError(Fault.REFUSED if wrong else Fault.UNREACHABLE, error.message) from None
        try:
            # Small messages wait for no others.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if where.security == "ldaps":
                self._secure()
            elif where.security == "starttls":
                self._start_tls()
            self._sign_in()
        except BaseException:
            self.close()
            raise

    def ask(self, request: Request) -> Outcome:
        return self.exchange([request])[0]

    def exchange(self, requests: Sequence[Request]) -> list[Outcome]:
        """All of them, in no order that could be relied upon; what became of each, in the order of the requests."""
        ends = time.monotonic() + self._seconds + SECONDS_EACH * len(requests)
        outcomes = [Outcome() for _ in requests]
        waiting: dict[int, int] = {}  # number of a message -> place of its request
        sent = bytes_out = bytes_in = 0
        sizes: dict[int, int] = {}
        try:
            while sent < len(requests) or waiting:
                out: list[bytes] = []
                # In one go, and not one for each answer.
                room = len(waiting) <= _AT_ONCE // 2
                while room and sent < len(requests) and len(waiting) < _AT_ONCE:
                    self._last += 1
                    data = message(self._last, requests[sent])
                    if waiting and bytes_out + len(data) > _BYTES_AT_ONCE:
                        self._last -= 1
                        break
                    waiting[self._last], sizes[self._last] = sent, len(data)
                    bytes_out += len(data)
                    sent += 1
                    out.append(data)
                if out:
                    self._send(b"".join(out), ends)
                came, size = self._receive(ends)
                bytes_in += size
                if bytes_in > _MOST:
                    raise self._nonsense("an answer without end")
                place = waiting.get(came.number)
                if place is None:
                    self._unasked(came)
                    continue
                done = self._took(came, requests[place], outcomes[place])
                if came.tag == ENTRY:
                    bytes_in += outcomes[place].entries[-1].size
                if done:
                    del waiting[came.number]
                    bytes_out -= sizes.pop(came.number)
        except BerError as error:
            self.broken = True
            raise self._nonsense(str(error)) from None
        except BaseException:
            self.broken = True
            raise
        return outcomes

    def follow(
        self, requests: Sequence[Request], seen: Callable[[Entry], None], stop: threading.Event
    ) -> None:
        """Searches that never end: every entry that comes, until `stop` is set."""
        ends = time.monotonic() + self._seconds
        numbers = range(self._last + 1, self._last + 1 + len(requests))
        self._last += len(requests)
        self._send(b"".join(message(n, one) for n, one in zip(numbers, requests, strict=True)), ends)
        self.broken = True  # it is good for nothing else any more
        try:
            while not stop.is_set():
                if not self._buffer and not self._something_comes():
                    continue
                came, _ = self._receive(time.monotonic() + self._seconds)
                if came.number in numbers and came.tag == ENTRY:
                    seen(entry(came.content))
                elif came.number in numbers and came.tag != REFERENCE:
                    outcome = Outcome()
                    settle(outcome, came)
                    raise failure(outcome, self._where.host, "watch for changes")
                elif came.number not in numbers:
                    self._unasked(came)
        except BerError as error:
            raise self._nonsense(str(error)) from None

    @property
    def usable(self) -> bool:
        """Whether it may be used once more: nothing failed, and the server has not ended it meanwhile."""
        if self.broken or self._buffer:
            return False
        try:
            return not select.select([self._socket], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._socket.settimeout(0.2)
            self._last += 1
            self._socket.sendall(message(self._last, UNBIND))
        with contextlib.suppress(OSError):
            self._socket.close()
        self.broken = True

    # ---------------------------------------------------------------------------------------- the beginning

    def _secure(self) -> None:
        host = self._where.host
        try:
            context = ssl.create_default_context(cadata=self._where.authority or None)
        except (ssl.SSLError, ValueError):
            raise TargetError(
                Fault.REFUSED, "The setting authority holds no certificate in PEM form."
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._socket.settimeout(self._seconds)
            self._socket = context.wrap_socket(self._socket, server_hostname=host.rstrip("."))
        except TimeoutError:
            raise self._late() from None
        except ssl.SSLCertVerificationError as error:
            raise TargetError(
                Fault.REFUSED,
                f"The certificate of {host} is not trusted: {error.verify_message}. Write its authority's certificate into "
                "the setting authority, and the name that is in the certificate into host.",
            ) from None
        except (OSError, ValueError):
            raise TargetError(
                Fault.UNREACHABLE,
                f"{host} does not speak TLS as it should. Check the port and the setting security.",
            ) from None

    def _start_tls(self) -> None:
        outcome = self.ask(extended(START_TLS))
        if not outcome.ok:
            raise TargetError(
                Fault.REFUSED,
                f"{self._where.host} takes no StartTLS ({outcome.text or outcome.code}). Use ldaps.",
            )
        if self._buffer:  # sent before TLS: whoever put it there is not the directory
            raise self._nonsense("something before TLS that belongs behind it")
        self._secure()

    def _sign_in(self) -> None:
        if not self._where.account or not self._where.password:
            # A directory takes an account without a password for nobody in particular, and says yes.
            raise TargetError(Fault.REFUSED, "Give the account of OpenPIM and its password.")
        outcome = self.ask(bind(self._where.account, self._where.password))
        if not outcome.ok:
            raise failure(outcome, self._where.host, "sign in")

    # ----------------------------------------------------------------------------------------- the traffic

    def _send(self, data: bytes, ends: float) -> None:
        view = memoryview(data)
        try:
            while view:
                self._socket.settimeout(self._left(ends))
                view = view[self._socket.send(view[:_PIECE]) :]
        except TimeoutError:
            raise self._late() from None
        except OSError:
            raise self._gone() from None

    def _receive(self, ends: float) -> tuple[Message, int]:
        """The next message, and its size."""
        while True:
            found = header(self._buffer)
            if found is not None:
                tag, start, end = found
                if tag != 0x30 or end > _LARGEST:
                    raise self._nonsense("no message of LDAP")
                if len(self._buffer) >= end:
                    content = bytes(self._buffer[start:end])
                    del self._buffer[:end]
                    return opened(content), end
            try:
                self._socket.settimeout(self._left(ends))
                piece = self._socket.recv(_PIECE)
            except TimeoutError:
                raise self._late() from None
            except OSError:
                raise self._gone() from None
            if not piece:
                raise self._gone()
            self._buffer += piece

    def _something_comes(self) -> bool:
        try:
            self._socket.settimeout(_A_LOOK)
            piece = self._socket.recv(_PIECE)
        except TimeoutError:
            return False
        except OSError:
            raise self._gone() from None
        if not piece:
            raise self._gone()
        self._buffer += piece
        return True

    def _took(self, came: Message, request: Request, outcome: Outcome) -> bool:
        """Whether that was the last of this operation."""
        if came.tag == ENTRY:
            outcome.entries.append(entry(came.content))
            return False
        if came.tag == REFERENCE:
            return False
        settle(outcome, came)
        # Samba refuses what it does not understand with the answer of an extended operation.
        if came.tag != request.answers and (came.tag != EXTENDED or outcome.ok):
            raise BerError("an answer to another question")
        return True

    def _unasked(self, came: Message) -> None:
        """A notice of disconnection, most likely (RFC 4511, 4.4.1)."""
        if came.number == 0 and came.tag == EXTENDED:
            raise self._gone()
        raise self._nonsense("an answer that was not asked for")

    def _left(self, ends: float) -> float:
        left = ends - time.monotonic()
        if left <= 0:
            raise self._late()
        return left

    def _late(self) -> TargetError:
        return TargetError(Fault.UNREACHABLE, f"{self._where.host} did not answer in time.")

    def _gone(self) -> TargetError:
        return TargetError(Fault.UNREACHABLE, f"{self._where.host} ended the connection.")

    def _nonsense(self, what: str) -> TargetError:
        return TargetError(Fault.BROKEN, f"{self._where.host} does not speak LDAP as it should: {what}.")


def failure(outcome: Outcome, host: str, doing: str) -> TargetError:
    """What a result means for all of the target."""
    words = _words(outcome)
    match outcome.code:
        case Code.INVALID_CREDENTIALS:
            return TargetError(Fault.REFUSED, f"{host} does not accept the account or its password.")
        case Code.BUSY | Code.UNAVAILABLE:
            return TargetError(Fault.UNREACHABLE, f"{host} is busy or stopping ({words}).")
        case Code.REFERRAL:
            return TargetError(
                Fault.REFUSED,
                f"{host} sends us to another server. Write the one that takes changes into the setting host.",
            )
        case Code.STRONGER_AUTH_REQUIRED | Code.CONFIDENTIALITY_REQUIRED:
            return TargetError(Fault.REFUSED, f"{host} wants TLS: set security to ldaps or starttls.")
        case _:
            return TargetError(Fault.REFUSED, f"{host} did not let us {doing} ({words}).")


def _words(outcome: Outcome) -> str:
    said = "".join(letter if letter.isprintable() else " " for letter in outcome.text)[:200].strip()
    return f"{said}, code {outcome.code}" if said else f"code {outcome.code}"


def words(outcome: Outcome) -> str:
    """The server's own, on one line."""
    return _words(outcome)
