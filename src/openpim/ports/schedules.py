"""Schedules: who may have, or has, which role where, from when until when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.query import Page, Query


class Brief(NamedTuple):
    """A schedule by its keys alone: what long lists are sorted and counted by."""

    id: str
    kind: Kind
    provider: Provider
    principal_id: str
    role_id: str
    scope: str


class Schedules(Protocol):
    def get(self, schedule_id: str) -> Schedule | None: ...

    def many(self, schedule_ids: Collection[str]) -> dict[str, Schedule]:
        """By id, whatever has become of them."""
        ...

    def add(self, schedule: Schedule) -> None: ...

    def save(self, schedule: Schedule) -> None:
        """Write back a changed schedule. Raises IllegalMoveError when its status may not move so."""
        ...

    def of(
        self,
        principal_ids: Collection[str],
        *,
        provider: Provider | None = None,
        kind: Kind | None = None,
        role_id: str | None = None,
        scopes: Collection[str] | None = None,
        live_at: datetime | None = None,
        share: bool = False,
    ) -> list[Schedule]:
        """Schedules of any of these principals. live_at: only those in force then or still to come.

        share: nobody changes them until the commit (others may share them too).
        """
        ...

    def eligible(self, principal_ids: Collection[str], now: datetime) -> list[tuple[str, Provider, str, str]]:
        """(id, provider, role, scope) of every eligibility in force of any of these principals."""
        ...

    def of_role(
        self, provider: Provider, kind: Kind, role_id: str, scope: str, *, now: datetime
    ) -> list[Schedule]:
        """All that are in force at `now` for one role at exactly one scope."""
        ...

    def live(self, principal_ids: Collection[str], now: datetime) -> list[Brief]:
        """Everything of these principals that is in force or will be, in no order."""
        ...

    def ended(self, principal_id: str, now: datetime, most: int) -> list[Schedule]:
        """What was given to a principal itself and is over, no activations; the last to end first."""
        ...

    def last_activations(
        self, asked: Collection[tuple[str, Provider, str, str]], most: int
    ) -> dict[tuple[str, Provider, str, str], list[Schedule]]:
        """asked: a principal, and a role at exactly a scope. Of each `most`, whatever has become of them, the last to
        start first."""
        ...

    def resting_on(self, eligibility_id: str, now: datetime) -> list[Schedule]:
        """Live activations that rest on an eligibility."""
        ...

    def page(
        self,
        provider: Provider,
        kind: Kind,
        query: Query,
        *,
        in_force_at: datetime | None = None,
        live_at: datetime | None = None,
        ended: tuple[datetime, datetime] | None = None,
        principal_ids: Collection[str] | None = None,
        role_ids: Collection[str] | None = None,
    ) -> Page[Schedule]:
        """A page of schedules; in_force_at keeps instances only, live_at drops what has ended. principal_ids, role_ids: of
        these.

        ended: what administrators gave (no activations) that has an end after the first moment, up to the second.
        """
        ...

    def due_to_start(self, now: datetime, limit: int) -> list[Schedule]:
        """Granted schedules whose start has come."""
        ...

    def due_to_end(self, now: datetime, limit: int) -> list[Schedule]:
        """Provisioned schedules whose end has come and is not recorded yet, the longest ended first."""
        ...

    def ending(self, after: tuple[datetime, str], until: datetime, limit: int) -> list[Schedule]:
        """Provisioned schedules that end at or before `until`, by end and id, behind `after` (an end and an id)."""
        ...

    def still_due_to_end(self, ids: Collection[str], now: datetime) -> list[Schedule]:
        """Those of them that nobody has recorded or prolonged meanwhile, held until the commit."""
        ...
