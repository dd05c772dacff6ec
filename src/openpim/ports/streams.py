"""Destinations of the audit history: where they are kept, and what sends to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openpim.core.audit import AuditEvent
from openpim.core.streams import Stream, StreamKind


class Streams(Protocol):
    def all(self) -> list[Stream]:
        """By name."""
        ...

    def get(self, stream_id: str) -> Stream | None: ...

    def put(self, stream: Stream) -> None:
        """A new one, or what its administrators set of one that is there; what sending keeps is left alone."""
        ...

    def remove(self, stream_id: str) -> bool: ...

    def due(self, now: datetime, limit: int) -> list[tuple[str, Stream]]:
        """(tenant id, stream) of every tenant that may be looked at now (unit of work of tenant ""): not paused, its
        pause over, and leased by nobody. The one that waits longest comes first."""
        ...

    def everywhere(self, limit: int) -> list[tuple[str, Stream]]:
        """Of every tenant, for figures."""
        ...

    def lease(self, stream_id: str, now: datetime, until: datetime) -> Stream | None:
        """Take it, with the next attempt; None when somebody else holds it, or it is paused or gone."""
        ...

    def taken(self, stream: Stream, now: datetime, until: datetime, count: int, said: str = "") -> bool:
        """The receiver took so many more, and may have said something against some of them. The lease holds until
        then; False when it was lost."""
        ...

    def release(self, stream: Stream, next_at: datetime) -> bool: ...

    def failed(self, stream: Stream, now: datetime, next_at: datetime, error: str) -> bool: ...

    def wake(self, stream_id: str, now: datetime) -> None:
        """Look at it at once, whatever pause it is in."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event on its way out. position: its place in the tenant's log, which with the id makes a repetition visible."""

    tenant_id: str
    position: int
    event: AuditEvent


class NotTakenError(Exception):
    """The receiver did not take the batch, and none of it counts as sent. message: for administrators, without secrets.
    too_large: a smaller batch may do. wait_seconds: what the receiver asked for."""

    def __init__(self, message: str, *, too_large: bool = False, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.too_large = too_large
        self.wait_seconds = wait_seconds


class Sender(Protocol):
    def send(self, stream: Stream, secret: str, batch: Sequence[Outgoing]) -> str:
        """Returns when the receiver took all of the batch: "", or what it said against some of it. Raises NotTakenError."""
        ...


Senders = Mapping[StreamKind, Sender]
