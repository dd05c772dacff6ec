"""Other systems call: an answer that was promised for later, a ticket that was closed or opened again.

Nobody is signed in here. Whoever has the channel's secret is that system, may say what that system may say, in its own
tenant, about what it was asked or what it knows, and nothing else; a message counts once, and only while it is fresh.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpim.core import callouts, webhooks
from openpim.core.callouts import CalloutStatus, Outcome
from openpim.core.channels import Channel, ChannelKind
from openpim.core.refusals import Code, Refusal
from openpim.core.tickets import LONGEST_NUMBER, same
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.channels import tickets
from openpim.services.channels.asking import answer, open_callout
from openpim.services.channels.calls import secrets_of
from openpim.services.recording import storable

MAX_BODY = 64 * 1024
_UNKNOWN = Refusal(
    Code.SIGN_IN,
    "The signature does not fit: check the address, the secret, and the clock. See the Standard Webhooks specification.",
)


@dataclass(frozen=True, slots=True)
class Done:
    """status: accepted, or seen (the message was received before, and nothing was done again)."""

    status: str
    ended: int = 0


def hear(
    deps: Deps,
    tenant_id: str,
    channel_id: str,
    headers: Mapping[str, str],
    body: bytes,
    ip: str | None = None,
) -> Done | Refusal:
    """headers: names in lower case. Refusals: SIGN_IN (whoever it is, it is not that system), INVALID, NOT_FOUND,
    ALREADY_DECIDED (it was answered otherwise, or nobody waits for it any more), THROTTLED."""
    now = deps.clock()
    channel = deps.store.read(tenant_id, lambda tx: tx.channels.get(channel_id))
    if channel is None or not _listens(channel):
        return _UNKNOWN
    message_id = webhooks.verified(secrets_of(deps, channel, now), headers, body, now)
    if message_id is None:
        return _UNKNOWN
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return Refusal(Code.INVALID, "The body must be a JSON object.")
    match data.get("type"):
        case "callout.answered":
            return _answered(deps, tenant_id, channel, message_id, data, now, ip)
        case "ticket.closed" | "ticket.reopened" as what:
            return _ticket(
                deps, tenant_id, channel, message_id, data, now, ip, closed=what == "ticket.closed"
            )
        case _:
            return Refusal(
                Code.INVALID,
                "type must be callout.answered, ticket.closed or ticket.reopened.",
                member="type",
            )


def _listens(channel: Channel) -> bool:
    return channel.kind is ChannelKind.EXTENSION and channel.enabled


def _new(tx: Transaction, channel: Channel, message_id: str, now: datetime) -> bool:
    """The first time this message is here. Locks the channel, so that two at once are one after the other."""
    held = tx.channels.get(channel.id, lock=True)
    if held is None or not _listens(held):
        return False
    # Fresh means: within the tolerance, before or after. Twice that, no copy can be fresh any more.
    return tx.channels.receive(channel.id, message_id, now, now - 2 * webhooks.TOLERANCE)


def _answered(
    deps: Deps,
    tenant_id: str,
    channel: Channel,
    message_id: str,
    data: dict[str, Any],
    now: datetime,
    ip: str | None,
) -> Done | Refusal:
    """The id in the signed body says which question it is about."""
    callout_id = data.get("calloutId")
    if not isinstance(callout_id, str) or len(callout_id) > 36 or not storable(callout_id):
        return Refusal(Code.INVALID, "Say which question it answers.", member="calloutId")
    said = callouts.read_evaluation(data)
    if isinstance(said, str):
        return Refusal(Code.INVALID, f"The answer cannot be used: {said}.", member="evaluationOutcome")
    asked = deps.store.read(tenant_id, lambda tx: tx.channels.callout(callout_id))
    if asked is None or asked.channel_id != channel.id:
        return Refusal(Code.NOT_FOUND, "This system was asked no such question.", member="calloutId")
    checked: tickets.Checked | None = None
    if said.outcome is not Outcome.DENIED:
        again = tickets.check_again(deps, tenant_id, asked.approval_id)
        if isinstance(again, Refusal):
            return again  # the message has not counted: it may be sent again
        checked = again

    def work(tx: Transaction) -> Done | Refusal:
        if not _new(tx, channel, message_id, now):
            return Done("seen")
        held = open_callout(tx, deps, asked.approval_id, now)
        known = tx.channels.callout(callout_id, lock=True)
        if known is not None and known.status is CalloutStatus.ANSWERED:
            if known.evaluation is not None and known.evaluation.outcome is said.outcome:
                return Done("seen")
            return Refusal(Code.ALREADY_DECIDED, "This question has been answered otherwise already.")
        if held is None or held[3].id != callout_id or held[3].status is CalloutStatus.FAILED:
            return Refusal(Code.ALREADY_DECIDED, "Nobody waits for this answer any more.")
        request, approval, _, callout = held
        answer(tx, deps, channel, request, approval, callout, said, now, checked, ip)
        return Done("accepted")

    return deps.store.write(tenant_id, work)


def _ticket(
    deps: Deps,
    tenant_id: str,
    channel: Channel,
    message_id: str,
    data: dict[str, Any],
    now: datetime,
    ip: str | None,
    *,
    closed: bool,
) -> Done | Refusal:
    number = data.get("ticketNumber")
    if (
        not isinstance(number, str)
        or not same(number)
        or len(same(number)) > LONGEST_NUMBER
        or not storable(number)
    ):
        return Refusal(
            Code.INVALID,
            f"Write a ticket number of at most {LONGEST_NUMBER} characters.",
            member="ticketNumber",
        )

    def work(tx: Transaction) -> Done | Refusal:
        if not _new(tx, channel, message_id, now):
            return Done("seen")
        if closed:
            return Done("accepted", tickets.close(tx, deps, channel, number, now, ip))
        tickets.reopen(tx, deps, channel, number, now, ip)
        return Done("accepted")

    return deps.store.write(tenant_id, work)
