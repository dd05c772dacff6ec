"""How long things live, as functions of the time: sessions, access tokens, refresh families, signing keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum

from openpim.core.signin.values import Grant, RefreshToken, Session, SigningKey


def access_token_end(now: datetime, minutes: int, activation_ends: Iterable[datetime]) -> datetime:
    """A token never outlives the activation it rests on: the earliest of its own life and every end in `wids`."""
    return min([now + timedelta(minutes=minutes), *activation_ends])


def session_alive(session: Session, now: datetime, idle_minutes: int) -> bool:
    """Not ended, not past its absolute end, and used within the idle time."""
    return (
        session.ended_at is None
        and now < session.expires_at
        and now < session.seen_at + timedelta(minutes=idle_minutes)
    )


class Refresh(Enum):
    USABLE = "usable"
    GRACE = "grace"  # used a moment ago by a client that runs twice at once, or whose answer was lost
    REUSED = "reused"  # a stolen token: the whole family dies
    DEAD = "dead"


def judge_refresh(token: RefreshToken, grant: Grant, now: datetime, grace_seconds: int) -> Refresh:
    """What becomes of a refresh token that is presented now (RFC 9700 4.14.2)."""
    if grant.revoked_at is not None or now >= grant.expires_at or now >= token.expires_at:
        return Refresh.DEAD
    if token.used_at is None:
        return Refresh.USABLE
    if now < token.used_at + timedelta(seconds=grace_seconds):
        return Refresh.GRACE
    return Refresh.REUSED


def signer(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs now: the newest that is active."""
    active = [key for key in keys if key.active_at <= now]
    return max(active, key=lambda key: key.generation, default=None)


def next_key_due(keys: Sequence[SigningKey], now: datetime, days: int, lead: timedelta) -> datetime | None:
    """When a further key must become active, if it is time to make it; None if not. At first: at once."""
    newest = max(keys, key=lambda key: key.generation, default=None)
    if newest is None:
        return now
    due = newest.active_at + timedelta(days=days)
    if now < due - lead:
        return None
    return max(due, now + lead)


def published(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """The keys whose signatures count now, newest first: the future one too, and old ones while tokens live."""
    alive = [key for key in keys if key.expires_at is None or now < key.expires_at]
    return sorted(alive, key=lambda key: -key.generation)
