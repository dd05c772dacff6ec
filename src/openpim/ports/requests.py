"""Requests: what was asked and what became of it; kept for ever."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.grants import Kind, Provider, Request
from openpim.core.query import Page, Query


class Requests(Protocol):
    def get(self, request_id: str, *, lock: bool = False) -> Request | None:
        """lock: hold the row until the unit of work ends, so that two deciders queue."""
        ...

    def many(self, request_ids: Collection[str]) -> dict[str, Request]: ...

    def add(self, request: Request) -> None: ...

    def save(self, request: Request) -> None:
        """Write back a changed request. Raises IllegalMoveError when its status may not move so."""
        ...

    def open_of(
        self,
        principal_id: str,
        *,
        kind: Kind | None = None,
        provider: Provider | None = None,
        role_id: str | None = None,
        scope: str | None = None,
    ) -> list[Request]:
        """Requests about this principal that are not decided yet, or wait for their start."""
        ...

    def to_decide(
        self, principal_ids: Collection[str], provider: Provider, kind: Kind, most: int = 500
    ) -> list[Request]:
        """Requests about these principals to extend or renew, which an administrator must decide."""
        ...

    def with_ticket(self, number: str, now: datetime) -> list[Request]:
        """Those that carry this ticket (however its number is written) and whose schedule is in force or waits for its
        start."""
        ...

    def started(self, now: datetime, limit: int) -> list[Request]:
        """Granted requests of administrators whose schedule has started by time."""
        ...

    def reasons(self, principal_id: str, look: int) -> list[str]:
        """What somebody gave as the reason of activations of his own, among the last `look` requests that he made; the
        last one first."""
        ...

    def of_schedule(self, schedule_id: str) -> list[Request]: ...

    def page(
        self, provider: Provider, kind: Kind, query: Query, *, ids: Collection[str] | None = None
    ) -> Page[Request]: ...
