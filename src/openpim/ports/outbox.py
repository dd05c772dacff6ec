"""The outbox: what must happen after the commit, written in the same commit, done at least once.

A worker claims entries for a time (a lease); the attempt number fences a worker that finishes late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """tenant_id is carried because workers claim across tenants. attempt counts claims, from 1."""

    id: str
    tenant_id: str
    topic: str
    key: str
    payload: str
    created_at: datetime
    attempt: int = 0


class Outbox(Protocol):
    def put(self, entry_id: str, topic: str, key: str, payload: str, now: datetime) -> None: ...

    def due_keys(self, topic: str, now: datetime, limit: int) -> list[tuple[str, str]]:
        """(tenant id, key) of what there is something to claim for, in every tenant."""
        ...

    def claim(self, topic: str, key: str, now: datetime, lease_until: datetime, limit: int) -> list[Entry]:
        """Lease due entries of one key of this tenant: skips what others hold."""
        ...

    def done(self, entry: Entry, now: datetime) -> bool:
        """False when the lease was lost meanwhile (somebody else has a later attempt): then nothing is changed."""
        ...

    def retry(self, entry: Entry, at: datetime, error: str) -> bool: ...

    def forget(self, before: datetime, topics: tuple[str, ...]) -> int:
        """Drop what was done before."""
        ...
