"""Where a tenant's audit history is sent to: the destinations ("streams"), what may be said of one, and how long a failing
one waits. Each has its own place in the history; an event is sent again until the receiver took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from openpim.core.pauses import doubled

LONGEST_NAME = 60
LONGEST_ADDRESS = 2000
LONGEST_SECRET = 4000
MOST_STREAMS = 10
_LONGEST_PAUSE = timedelta(minutes=5)


class StreamKind(StrEnum):
    SYSLOG = "syslog"  # RFC 5424 over TLS (RFC 5425), or plain TCP where the configuration allows it
    OTLP = "otlp"  # OpenTelemetry logs, OTLP/HTTP in JSON
    OCSF = "ocsf"  # OCSF events over HTTPS, a JSON array a request


@dataclass(frozen=True, slots=True)
class Stream:
    """One destination.

    address: tls://host:port or tcp://host:port for syslog, an https URL for the others. header: the HTTP header that the
    secret is sent in. secret: sealed; "" when there is none. facility: of syslog, 0 to 23. begins_at: the position in the
    history of its first event. next_at: when it is looked at again. attempt: counts the leases, and fences a late one.
    failures: in a row. error: why the last try failed, in words, "" when it did not. sent: events taken so far.
    """

    id: str
    name: str
    kind: StreamKind
    address: str
    created_at: datetime
    created_by: str
    next_at: datetime
    begins_at: int = 0
    header: str = "Authorization"
    secret: str = ""
    facility: int = 13
    gzip: bool = True
    paused: bool = False
    leased_until: datetime | None = None
    attempt: int = 0
    failures: int = 0
    error: str = ""
    error_at: datetime | None = None
    sent_at: datetime | None = None
    sent: int = 0

    @property
    def cursor(self) -> str:
        return f"stream:{self.id}"


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a stream is behind: events not yet taken, and since when the oldest of them waits."""

    events: int
    since: datetime | None

    def seconds(self, now: datetime) -> int:
        return max(0, int((now - self.since).total_seconds())) if self.since is not None else 0


def pause_after(failures: int) -> timedelta:
    """How long a destination rests after so many failures in a row: 1 s, 2 s, 4 s, … five minutes at most."""
    return doubled(failures, _LONGEST_PAUSE)


def syslog_place(address: str) -> tuple[bool, str, int] | None:
    """(over TLS, host, port) of tls://host:port or tcp://host:port; None when it is neither."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in {"tls", "tcp"}
        or not host
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        return None
    if "@" in parts.netloc or not host.isascii() or port == 0:
        return None
    return parts.scheme == "tls", host, port or (6514 if parts.scheme == "tls" else 514)
