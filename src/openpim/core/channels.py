"""Webhooks and chat rooms of an organisation: where notices go besides mail, and which systems are asked or may call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST = 50  # channels of a tenant


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"  # JSON, signed as the Standard Webhooks specification says
    CHAT = "chat"  # Slack, Teams, ntfy and the like


@dataclass(frozen=True, slots=True)
class Channel:
    """A place that is told things.

    address: what may be shown: the whole URL of a webhook, the scheme and host of a chat (the rest is its password).
    sealed_address: the whole, for the sender. sealed_secret: a webhook's signing secret; sealed_previous: the one
    before it, which signs too until previous_until. notices: the kinds it is told of; "*" means all. offered: people
    may choose it for themselves.
    """

    id: str
    kind: ChannelKind
    name: str
    address: str
    sealed_address: str
    created_at: datetime
    enabled: bool = True
    offered: bool = False
    notices: tuple[str, ...] = ()
    sealed_secret: str | None = None
    sealed_previous: str | None = None
    previous_until: datetime | None = None

    @property
    def key(self) -> str:
        """As a delivery names it."""
        return f"{self.kind}:{self.id}"

    def wants(self, notice: str) -> bool:
        return self.enabled and ("*" in self.notices or notice in self.notices)
