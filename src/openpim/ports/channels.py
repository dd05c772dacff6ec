"""Where notices go besides mail: webhooks and chat rooms of the organisation. What is configured (Channels), and how one
message leaves (Message, Outcome, Sender)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from openpim.core.callouts import Callout
from openpim.core.channels import Channel, ChannelKind


class Channels(Protocol):
    def get(self, channel_id: str, *, lock: bool = False) -> Channel | None: ...

    def all(self) -> tuple[Channel, ...]:
        """By name. There are a few of them for a tenant: see core/channels.py for how many."""
        ...

    def any_of(self, kind: ChannelKind) -> bool:
        """Whether the tenant has one of this kind."""
        ...

    def for_notice(self, notice: str) -> tuple[Channel, ...]:
        """Those that are enabled and want this kind of notice."""
        ...

    def add(self, channel: Channel) -> None: ...

    def save(self, channel: Channel) -> None: ...

    def remove(self, channel_id: str) -> None: ...

    # -- what is being asked (core/callouts.py)
    def callout(self, callout_id: str, *, lock: bool = False) -> Callout | None: ...

    def callout_of(self, approval_id: str, stage_id: str, channel_id: str) -> Callout | None:
        """Locked."""
        ...

    def callouts_of(self, approval_id: str) -> tuple[Callout, ...]:
        """The first first."""
        ...

    def resting(self, approval_ids: Collection[str], now: datetime) -> frozenset[str]:
        """Those of the approvals with a question that need not be asked now: it will be answered later, or it is not
        its time."""
        ...

    def add_callout(self, callout: Callout) -> None: ...

    def save_callout(self, callout: Callout) -> None: ...

    # -- tickets; numbers as core/tickets.py `same` has them
    def close_ticket(self, channel_id: str, number: str, now: datetime) -> None: ...

    def reopen_ticket(self, channel_id: str, number: str) -> bool: ...

    def closed_in(self, channel_ids: Collection[str], number: str) -> frozenset[str]:
        """The ids of those ticket systems that have said it is closed."""
        ...

    def closed_since(self, since: datetime) -> tuple[tuple[str, str], ...]:
        """(channel id, number)."""
        ...

    # -- what was received
    def receive(self, channel_id: str, message_id: str, now: datetime, forget_before: datetime) -> bool:
        """Remember a signed message; False: it was received before. Forgets what came before forget_before."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """id: of the delivery, the same at every try, so that a receiver can tell a repetition. notice: its kind.
    text: plain, several lines. data: small and JSON; what programs read."""

    id: str
    tenant_id: str
    notice: str
    at: datetime
    title: str
    text: str
    link: str | None = None
    critical: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """reason: for administrators, without secrets; empty when it was sent. retry False: trying again is no use."""

    sent: bool
    reason: str = ""
    retry: bool = True


class Sender(Protocol):
    """How a message leaves by one kind of channel. target: what follows the colon in a delivery's channel key. Called
    outside any unit of work; never raises for what the other side does."""

    def __call__(self, target: str, message: Message) -> Outcome: ...


class Chat(Protocol):
    """notify/chat.py: one message to the place a sealed chat address names."""

    def fault(self, url: str) -> str | None:
        """What is wrong with a chat address somebody writes into a setting, in a sentence; None: it can be used."""
        ...

    def send(self, url: str, message: Message) -> Outcome: ...
