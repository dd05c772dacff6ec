"""The other systems of an organisation: webhooks and chat rooms that are told things, and systems that are asked before a
role is activated, that know tickets, and that may call back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST = 50  # channels of a tenant
LONGEST_NAME = 100
# How long the secret before the present one signs too, after a rotation.
OVERLAP = timedelta(hours=24)
CHAT_PURPOSE, SECRET_PURPOSE = "channel-address", "channel-secret"


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"  # is told: JSON, signed as the Standard Webhooks specification says
    CHAT = "chat"  # is told: Slack, Teams, ntfy and the like
    EXTENSION = "extension"  # is asked, signed in the same way, and may call back


SIGNED = frozenset({ChannelKind.WEBHOOK, ChannelKind.EXTENSION})


@dataclass(frozen=True, slots=True)
class Channel:
    """One other system.

    address: what may be shown: the whole URL of a signed one, the scheme and host of a chat (the rest is its password).
    sealed_address: the whole, for the sender. sealed_secret: the signing secret; sealed_previous: the one before it,
    which counts too until previous_until. notices: the kinds it is told of; "*" means all. offered: people may choose
    it for themselves. timeout_ms, retries: of one question to an extension.
    """

    id: str
    kind: ChannelKind
    name: str
    address: str
    sealed_address: str
    created_at: datetime
    description: str = ""
    enabled: bool = True
    offered: bool = False
    notices: tuple[str, ...] = ()
    sealed_secret: str | None = None
    sealed_previous: str | None = None
    previous_until: datetime | None = None
    timeout_ms: int = 10_000
    retries: int = 2

    @property
    def key(self) -> str:
        """As a delivery names it."""
        return f"{self.kind}:{self.id}"

    def wants(self, notice: str) -> bool:
        return self.enabled and ("*" in self.notices or notice in self.notices)
