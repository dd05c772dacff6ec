"""Calls to servers of other people: one guarded road for all of them (notify/outbound.py holds the rules)."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 256 * 1024


class OutboundFault(StrEnum):
    """Why there is no answer."""

    BAD_ADDRESS = (
        "bad_address"  # the URL is not one we call: wrong form, scheme, or plain http to the internet
    )
    BAD_REQUEST = "bad_request"  # a header that cannot be sent
    FORBIDDEN_ADDRESS = (
        "forbidden_address"  # it leads to a private address that the configuration does not allow
    )
    UNKNOWN_NAME = "unknown_name"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"  # TLS failed: not trusted, another name, expired
    TIMED_OUT = "timed_out"
    TOO_LARGE = "too_large"
    NONSENSE = "nonsense"  # what came back is not HTTP, or ended in the middle


class OutboundError(Exception):
    """message: for administrators; it names the host, never the path, the query or a header (they hold secrets)."""

    def __init__(self, fault: OutboundFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    """Whatever the server said, redirects and errors included: nothing is followed. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Outbound(Protocol):
    def fault(self, url: str) -> str | None:
        """What is wrong with an address somebody writes into a setting, in a sentence; None: it may be called.

        Looks at the text only: a name is resolved, and its addresses are judged, at each call.
        """
        ...

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
        """One call, over when `seconds` are (looking up the name, TLS and reading included). max_bytes: of the
        answer's body. Raises OutboundError. Never inside a unit of work."""
        ...

    def connect(
        self, host: str, port: int, *, seconds: float = TIMEOUT_SECONDS, secure: bool = True
    ) -> socket.socket:
        """The same for what is not HTTP (syslog): a TCP connection to an address of this host that was judged. The
        socket times out after the seconds that are left; its reader speaks TLS itself. secure: False where it does
        not, which is judged as plain http is. Raises OutboundError."""
        ...

    def address(self, host: str, port: int, *, seconds: float = TIMEOUT_SECONDS, secure: bool = True) -> str:
        """The same for a library that connects by itself: an address of this host that was judged, as text. Connect to it
        and to no name, and check the certificate against the host. Raises OutboundError."""
        ...
