"""How a notice leaves by a webhook or a chat: looks the channel up, opens its address, sends. One Sender for each kind."""

from __future__ import annotations

from typing import Any

from openpim.core.channels import Channel, ChannelKind
from openpim.ports.channels import Message, Outcome
from openpim.ports.deps import Deps
from openpim.ports.outbound import OutboundError, OutboundFault
from openpim.services.channels.calls import address_of, post

VERSION = 1
SECONDS = 10.0
# Trying again is no use: somebody has to change the channel first.
_FINAL = frozenset({OutboundFault.BAD_ADDRESS, OutboundFault.BAD_REQUEST, OutboundFault.FORBIDDEN_ADDRESS})


class Webhooks:
    """A Sender: JSON, signed. Received means: answered with 2xx. 410 Gone means: never again."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def __call__(self, target: str, message: Message) -> Outcome:
        channel = _channel(self._deps, message.tenant_id, target, ChannelKind.WEBHOOK)
        return channel if isinstance(channel, Outcome) else told(self._deps, channel, message)


class Chats:
    """A Sender: a title and a text, through the chat library."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def __call__(self, target: str, message: Message) -> Outcome:
        channel = _channel(self._deps, message.tenant_id, target, ChannelKind.CHAT)
        return channel if isinstance(channel, Outcome) else said(self._deps, channel, message)


def told(deps: Deps, channel: Channel, message: Message) -> Outcome:
    try:
        answer = post(deps, channel, message.id, payload(message), deps.clock(), SECONDS)
    except OutboundError as error:
        return Outcome(sent=False, reason=error.message, retry=error.fault not in _FINAL)
    if answer.ok:
        return Outcome(sent=True)
    return Outcome(sent=False, reason=f"It answered with {answer.status}.", retry=answer.status != 410)


def said(deps: Deps, channel: Channel, message: Message) -> Outcome:
    try:
        return deps.chat.send(address_of(deps, channel), message)
    except OutboundError as error:
        return Outcome(sent=False, reason=error.message, retry=error.fault not in _FINAL)


def payload(message: Message) -> dict[str, Any]:
    """As docs/how-to/webhooks.md describes it. A member that is added does not raise the version."""
    return {
        "type": f"notice.{message.notice}",
        "version": VERSION,
        "id": message.id,
        "timestamp": message.at.isoformat().replace("+00:00", "Z"),
        "tenantId": message.tenant_id,
        "critical": message.critical,
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "data": dict(message.data),
    }


def _channel(deps: Deps, tenant_id: str, channel_id: str, kind: ChannelKind) -> Channel | Outcome:
    found = deps.store.read(tenant_id, lambda tx: tx.channels.get(channel_id))
    if found is None or found.kind is not kind:
        return Outcome(sent=False, reason="This channel was removed.", retry=False)
    if not found.enabled:
        return Outcome(sent=False, reason="This channel is switched off.", retry=False)
    return found
