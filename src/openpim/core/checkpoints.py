"""Signed statements about the audit log: how large it was, what its root was, when, and the keys that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A log that nothing is added to says once a day that it is as it was.
STANDSTILL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """number: 0, 1, 2, … without gaps. note: the signed text (proof/note.py). stamp: an RFC 3161 time-stamp of the note's
    bytes, DER, None while there is none."""

    number: int
    size: int
    at: datetime
    note: str
    stamp: bytes | None = None


@dataclass(frozen=True, slots=True)
class LogKey:
    """key: the verifier key (proof/note.py). sealed: its private half. endorsement: the note in which the key before
    vouches for it, empty for the first."""

    generation: int
    key: str
    sealed: str
    endorsement: str
    created_at: datetime


def origin_of(tenant_id: str) -> str:
    """The name of a tenant's log in its checkpoints; stays the same wherever the server moves."""
    return f"openpim.audit/{tenant_id}"


def due(last: SignedCheckpoint | None, size: int, now: datetime, rhythm: timedelta) -> bool:
    """Whether a checkpoint must be signed now."""
    if last is None:
        return size > 0
    return now - last.at >= (rhythm if size != last.size else max(rhythm, STANDSTILL))


def key_due(keys: Sequence[LogKey], now: datetime, life: timedelta) -> bool:
    """Whether the next key must be made."""
    return not keys or now - keys[-1].created_at >= life
