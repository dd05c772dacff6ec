"""The audit log: the tenant's events in the one order that everybody follows, under a hash tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from openpim.core.audit import AuditEvent


@dataclass(frozen=True, slots=True)
class Leaf:
    """position: 0, 1, 2, … without gaps; the event behind it may be gone by retention, its hash never is."""

    position: int
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is not in the log yet. event: None when its record is gone."""

    event_id: str
    event: AuditEvent | None


class AuditLog(Protocol):
    def size(self) -> int:
        """How many positions there are: the next one's number."""
        ...

    def since(self, position: int, limit: int) -> list[Leaf]:
        """Leaves from this position on, in order. A follower's cursor is the number of positions it has seen: 0 when
        new, and the last leaf's position + 1 afterwards."""
        ...

    def position_of(self, event_id: str) -> int | None:
        """Where an event is, None while it is not in the log."""
        ...

    def tile(self, level: int, number: int) -> bytes:
        """A run of hashes (proof/merkle.py), b"" when there is none."""
        ...

    def outside(self, limit: int) -> list[AuditEvent]:
        """Events that are neither in the log nor wait for it: nobody of ours wrote them. Reads the whole history."""
        ...

    # -- what growing needs
    def behind(self) -> list[str]:
        """The tenants that have events outside their logs; for the system's own unit of work."""
        ...

    def lock(self) -> int:
        """The size; until the commit nobody else adds to the log."""
        ...

    def waiting(self, limit: int) -> list[Waiting]:
        """Committed events outside the log, in the order of their writing."""
        ...

    def append(self, size: int, leaves: Sequence[tuple[AuditEvent, bytes]]) -> None:
        """Put events behind the `size` that are there, each with the hash of its leaf, and take them off what waits."""
        ...

    def give_up(self, event_ids: Sequence[str]) -> None:
        """These wait no more: there is nothing to add."""
        ...
