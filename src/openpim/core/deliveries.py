"""A delivery: one notice to one recipient by one channel, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from openpim.core.pauses import doubled

GIVE_UP = timedelta(days=3)
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=2)
ONE_MAIL_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=90)  # after it is over


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"  # there was no need any more: `reason` says why
    DEAD = "dead"  # given up after `GIVE_UP`, or refused for good; an administrator can have it tried again


@dataclass(frozen=True, slots=True)
class Delivery:
    """key: what it tells whom by which channel; there is one of each. channel: "mail", or that of a channel.
    recipient: a person's id, an address that a role's settings name, or "" for a channel of the organisation.
    facts: as JSON. since: when trying began. due_at: the next try; while one is under way, when it may be taken
    over; None when it is over. attempt: counts tries, and fences one that finishes late."""

    id: str
    key: str
    topic: str
    audience: str
    group: str
    channel: str
    recipient: str
    critical: bool
    facts: str
    created_at: datetime
    since: datetime
    due_at: datetime | None
    tenant_id: str = ""
    attempt: int = 0
    failures: int = 0
    status: DeliveryStatus = DeliveryStatus.WAITING
    reason: str = ""
    ended_at: datetime | None = None


def pause_after(failures: int) -> timedelta:
    """How long to wait after this many failures: half a minute, doubled each time, two hours at most."""
    return doubled(failures, LONGEST_PAUSE, FIRST_PAUSE)
