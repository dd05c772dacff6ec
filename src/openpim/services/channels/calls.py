"""One signed call to another system: what webhooks and questions share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openpim.core import webhooks
from openpim.core.channels import CHAT_PURPOSE, SECRET_PURPOSE, Channel
from openpim.ports.deps import Deps
from openpim.ports.outbound import Answer, OutboundError, OutboundFault

MAX_ANSWER = 64 * 1024
_LOST_KEY = "The key file that its address was sealed with is not the present one. Write the address anew."


def address_of(deps: Deps, channel: Channel) -> str:
    """The whole address. Raises OutboundError where it was sealed with another key file."""
    found = deps.sealer.unseal(CHAT_PURPOSE, channel.sealed_address)
    if found is None:
        raise OutboundError(OutboundFault.BAD_ADDRESS, _LOST_KEY)
    return found


def secrets_of(deps: Deps, channel: Channel, now: datetime) -> list[str]:
    """The secrets that count now, the present one first."""
    sealed = [channel.sealed_secret]
    if channel.previous_until is not None and now < channel.previous_until:
        sealed.append(channel.sealed_previous)
    opened = [deps.sealer.unseal(SECRET_PURPOSE, one) for one in sealed if one is not None]
    return [one for one in opened if one is not None]


def post(
    deps: Deps, channel: Channel, message_id: str, payload: Mapping[str, Any], now: datetime, seconds: float
) -> Answer:
    """Send JSON, signed. message_id: the same when the same thing is sent again. Raises OutboundError. Never inside a
    unit of work."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    secrets = secrets_of(deps, channel, now)
    if not secrets:
        raise OutboundError(OutboundFault.BAD_REQUEST, _LOST_KEY)
    headers = {"Content-Type": "application/json", **webhooks.headers(secrets, message_id, now, body)}
    return deps.outbound.request(
        "POST",
        address_of(deps, channel),
        headers=headers,
        body=body,
        seconds=seconds,
        max_bytes=MAX_ANSWER,
    )


def json_of(answer: Answer) -> Any:
    """What the body says; None where it is no JSON."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
