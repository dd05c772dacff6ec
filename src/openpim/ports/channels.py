"""Where notices go besides mail: webhooks and chat rooms of the organisation. What is configured (Channels), and how one
message leaves (Message, Outcome, Sender)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from openpim.core.channels import Channel


class Channels(Protocol):
    def get(self, channel_id: str, *, lock: bool = False) -> Channel | None: ...

    def all(self) -> tuple[Channel, ...]:
        """By name. There are a few of them for a tenant: see core/channels.py for how many."""
        ...

    def for_notice(self, notice: str) -> tuple[Channel, ...]:
        """Those that are enabled and want this kind of notice."""
        ...

    def add(self, channel: Channel) -> None: ...

    def save(self, channel: Channel) -> None: ...

    def remove(self, channel_id: str) -> None: ...


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
