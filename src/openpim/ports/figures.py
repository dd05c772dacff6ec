"""Counts for monitoring, of the whole server (unit of work of tenant ""). Each walks an index and stops after `most` rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

MOST = 100_000


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """waiting: entries not done. failing: those of them whose last try failed. oldest: when the one was written that is due
    the longest."""

    waiting: int
    failing: int
    oldest: datetime | None


class Figures(Protocol):
    def grants(self, now: datetime, most: int = MOST) -> Mapping[tuple[str, str], int]:
        """(provider, kind) -> schedules in force."""
        ...

    def requests_waiting(self, tenants: Sequence[str], most: int = MOST) -> Mapping[str, int]:
        """Provider -> requests of these tenants that wait for somebody's decision."""
        ...

    def outbox(self, topics: Sequence[str], most: int = MOST) -> OutboxFigures: ...

    def deliveries(self, tenants: Sequence[str], most: int = MOST) -> tuple[int, int]:
        """Waiting, and dead."""
        ...

    def audit_log(self, most: int = MOST) -> tuple[int, int]:
        """Events in the logs, and committed events that are in none yet."""
        ...

    def oldest_checkpoint(self, tenants: Sequence[str]) -> datetime | None:
        """Of the last checkpoints of these tenants' logs."""
        ...
