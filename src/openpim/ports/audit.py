"""The audit history: only ever added to, in the same commit as what it tells of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from openpim.core.audit import AuditEvent
from openpim.core.query import Page, Query


class Audit(Protocol):
    def add(self, *events: AuditEvent) -> None:
        """One or more, in the order in which they happened."""
        ...

    def get(self, event_id: str) -> AuditEvent | None: ...

    def expired(self, before: datetime, below: int, keep: Sequence[str], limit: int) -> list[AuditEvent]:
        """Events in the log below a position that are older than an instant, but for the activities to keep; the oldest
        first."""
        ...

    def remove(self, events: Sequence[AuditEvent]) -> None:
        """Take the records away, and what they are found by; their places and hashes in the log stay."""
        ...

    def last_sequence(self) -> int: ...

    def targets_said(
        self, after: tuple[str, ...] | None, last: int, limit: int
    ) -> tuple[list[tuple[str, str, str]], tuple[str, ...] | None]:
        """What the index of targets must hold for the events up to the sequence `last`: (target, event, instant in
        microseconds), and where to go on, None at the end."""
        ...

    def targets_kept(
        self, after: tuple[str, ...] | None, last: int, limit: int
    ) -> tuple[list[tuple[str, str, str]], tuple[str, ...] | None]:
        """The same, as the index holds it."""
        ...

    def page(self, query: Query) -> Page[AuditEvent]:
        """Fields: id at activity (as written) activity_text (in any case) category result actor_id actor_name correlation_id target_id (any target), and
        concerns (the actor, or any target)."""
        ...
