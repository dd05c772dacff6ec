"""Tickets of activations: the system that knows them is asked before the unit of work, and what it said is used, and
put on record, inside. What a system said of itself (a ticket was closed) ends what rests on the ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from openpim.core import caller as callers
from openpim.core.ask import Ask, ask_of
from openpim.core.audit import Target
from openpim.core.channels import Channel, ChannelKind
from openpim.core.deciding import best_eligibility
from openpim.core.grants import Action, AssignmentType, Kind, Request, Ticket
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import Policy
from openpim.core.refusals import Code, Refusal
from openpim.core.tickets import NO_FACTS, TicketFacts, TicketState, fault, same
from openpim.ports.deps import Deps
from openpim.ports.outbound import OutboundError
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.basis import policy_for
from openpim.services.channels.calls import json_of, post
from openpim.services.channels.turns import Turns
from openpim.services.ending import end
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, record

CHECKED = "Ticket checked"
CLOSED = "Ticket closed"
REOPENED = "Ticket reopened"
ENDED = "Remove member from role completed (PIM deactivate)"
_LONGEST_REASON = 200
_WAIT_FOR_A_TURN = 0.2  # seconds: who waits holds a thread too
# A person waits for the answer, and a thread with him: slow ticket systems may not use them all up, and those of one
# organisation may not keep the others' from being asked.
_AT_ONCE, _OF_ONE_TENANT = 4, 2
_BUSY = Refusal(
    Code.THROTTLED,
    "Too many tickets are being checked at this moment. Try again in a few seconds.",
    retry_after=5,
)
_LOOK_BACK = timedelta(hours=1)

# What each system said about the ticket of one ask, by the system's channel id.
Checked = Mapping[str, TicketFacts]
NOT_ASKED: Checked = MappingProxyType({})
# Nobody was asked, but may be: a decision that turns out to rest on what a system says raises NotAskedYet.
UNTIL_NEEDED: Checked = MappingProxyType({})


class NotAskedYet(Exception):  # noqa: N818 - undoes the unit of work, after which the systems are asked and it is done again
    """Raised by `refused` for UNTIL_NEEDED: a system has to be asked, and never inside a unit of work."""


_turns = Turns(_AT_ONCE, _OF_ONE_TENANT)


def check(deps: Deps, tenant_id: str, ask: Ask) -> Checked:
    """Ask every system that the settings name for this activation. Never inside a unit of work. Only for who is
    eligible, so that nobody else can try out numbers."""
    number = same(ask.ticket.number)
    if (
        not number
        or ask.action not in {Action.SELF_ACTIVATE, Action.SELF_EXTEND}
        or ask.kind is not Kind.ASSIGNMENT
    ):
        return {}
    now = deps.clock()

    def work(tx: Transaction) -> list[Channel]:
        if not tx.channels.any_of(ChannelKind.EXTENSION):  # most organisations have no system to ask
            return []
        if (
            ask.provider not in PROVIDERS
            or PROVIDERS[ask.provider].fault(tx, ask.role_id, ask.scope) is not None
        ):
            return []
        policy = _policy(tx, deps, ask, now)
        # A number that will be refused anyway is not asked about.
        if policy is None or refused(tx, policy, ask.ticket, None) is not None:
            return []
        found = [
            tx.channels.get(rules.system_id) for rules in policy.all_tickets if rules.system_id is not None
        ]
        return [one for one in found if one is not None]

    systems = deps.store.read(tenant_id, work)
    return {one.id: _ask(deps, tenant_id, one, ask, number, now) for one in systems}


def check_again(deps: Deps, tenant_id: str, request_id: str, decider_id: str = "") -> Checked | Refusal:
    """The same for a request that is about to be approved, by this person: nobody's own request is asked about for him.
    THROTTLED: it has to be tried again, for an approval that was not checked would end the request."""

    def work(tx: Transaction) -> Request | None:
        return tx.requests.get(request_id) if tx.channels.any_of(ChannelKind.EXTENSION) else None

    request = deps.store.read(tenant_id, work)
    if request is None or (decider_id and decider_id in {request.principal_id, request.created_by}):
        return {}
    checked = check(deps, tenant_id, ask_of(request))
    return _BUSY if any(facts.state is TicketState.BUSY for facts in checked.values()) else checked


def refused(tx: Transaction, policy: Policy, ticket: Ticket, checked: Checked | None) -> str | None:
    """Why this ticket will not do under this policy. checked None: the systems need not have been asked now. Raises
    NotAskedYet."""
    number = same(ticket.number)
    if not number:
        return None
    systems = [rules.system_id for rules in policy.all_tickets if rules.system_id is not None]
    if systems and checked is UNTIL_NEEDED:
        raise NotAskedYet
    closed = tx.channels.closed_in(systems, number) if systems else frozenset()
    for rules in policy.all_tickets:
        facts = (checked or {}).get(rules.system_id or "", NO_FACTS)
        facts = replace(facts, closed=rules.system_id in closed)
        found = fault(rules, number, facts, ask_again=checked is not None)
        if found is not None:
            return found
    return None


def note(tx: Transaction, deps: Deps, request: Request, checked: Checked | None, now: datetime) -> None:
    """Put on record what was said about the ticket of a request."""
    for channel_id, facts in (checked or {}).items():
        channel = tx.channels.get(channel_id)
        name = channel.name if channel is not None else ""
        record(
            tx,
            deps,
            callers.extension(tx.tenant_id, channel_id, name),
            now,
            activity=CHECKED,
            category=category_of(request.provider),
            targets=(Target("Request", request.id), Target("Channel", channel_id, name)),
            result="failure" if facts.state in {TicketState.UNREACHABLE, TicketState.BUSY} else "success",
            reason=facts.reason,
            details=(
                ("TicketNumber", request.ticket.number or ""),
                ("TicketState", facts.state.value if facts.state is not None else ""),
            ),
            correlation_id=request.id,
        )


def close(tx: Transaction, deps: Deps, channel: Channel, number: str, now: datetime, ip: str | None) -> int:
    """The system says that a ticket is closed: whatever rests on it, and is to end with it, ends. Returns how many."""
    tx.channels.close_ticket(channel.id, same(number), now)
    caller = callers.extension(tx.tenant_id, channel.id, channel.name, ip)
    _note(tx, deps, caller, channel, now, CLOSED, number)
    return _end(tx, deps, caller, channel, number, now)


def reopen(tx: Transaction, deps: Deps, channel: Channel, number: str, now: datetime, ip: str | None) -> None:
    """It may be used again; what has ended stays ended."""
    if tx.channels.reopen_ticket(channel.id, same(number)):
        caller = callers.extension(tx.tenant_id, channel.id, channel.name, ip)
        _note(tx, deps, caller, channel, now, REOPENED, number)


def sweep(deps: Deps, tenant_id: str) -> int:
    """End what was granted on a ticket at the very moment in which it was closed. Takes no input."""
    now = deps.clock()

    def find(tx: Transaction) -> list[tuple[str, str]]:
        return [
            one for one in tx.channels.closed_since(now - _LOOK_BACK) if tx.requests.with_ticket(one[1], now)
        ]

    done = 0
    for channel_id, number in deps.store.read(tenant_id, find):

        def work(tx: Transaction, channel_id: str = channel_id, number: str = number) -> int:
            channel = tx.channels.get(channel_id)
            if channel is None or not tx.channels.closed_in([channel_id], number):
                return 0
            caller = callers.extension(tx.tenant_id, channel.id, channel.name)
            return _end(tx, deps, caller, channel, number, now)

        done += deps.store.write(tenant_id, work)
    return done


# ---------------------------------------------------------------- inside


def _policy(tx: Transaction, deps: Deps, ask: Ask, now: datetime) -> Policy | None:
    """The policy that an activation would be decided by; None for who is not eligible."""
    found = tx.schedules.of(
        identities(tx, ask.principal_id, now),
        provider=ask.provider,
        kind=Kind.ELIGIBILITY,
        role_id=ask.role_id,
        scopes=PROVIDERS[ask.provider].chain(tx, ask.scope),
        live_at=now,
    )
    best = best_eligibility(found, max(now, ask.window.start or now))
    return None if best is None else policy_for(tx, deps, ask, best)


def _ask(deps: Deps, tenant_id: str, channel: Channel, ask: Ask, number: str, now: datetime) -> TicketFacts:
    facts = TicketFacts(asked_of=channel.id, asked=number, state=TicketState.UNREACHABLE)
    if channel.kind is not ChannelKind.EXTENSION or not channel.enabled:
        return replace(facts, reason="It was switched off.")
    if not _turns.take(tenant_id, _WAIT_FOR_A_TURN):
        return replace(facts, state=TicketState.BUSY, reason="Too many are asking at the same time.")
    question = {
        "type": "ticket.asked",
        "version": 1,
        "tenantId": tenant_id,
        "ticketNumber": ask.ticket.number,
        "ticketSystem": ask.ticket.system,
        "principalId": ask.principal_id,
        "roleDefinitionId": ask.role_id,
        "scope": ask.scope,
    }
    try:
        answer = post(deps, channel, deps.new_id(), question, now, channel.timeout_ms / 1000)
    except OutboundError as error:
        return replace(facts, reason=error.message)
    finally:
        _turns.give_back(tenant_id)
    data = json_of(answer) if answer.ok else None
    said: dict[str, object] = data if isinstance(data, dict) else {}
    state = said.get("state")
    if not isinstance(state, str) or state not in {"valid", "closed", "unknown"}:
        what = f"It answered with {answer.status}." if not answer.ok else "Its answer cannot be used."
        return replace(facts, reason=what)
    reason = said.get("reason")
    words = reason[:_LONGEST_REASON] if isinstance(reason, str) and reason.isprintable() else ""
    return replace(facts, state=TicketState(state), reason=words)


def _end(
    tx: Transaction, deps: Deps, caller: callers.Caller, channel: Channel, number: str, now: datetime
) -> int:
    """The same road as every other end."""
    done = 0
    for found in tx.requests.with_ticket(number, now):
        PROVIDERS[found.provider].hold(tx, found.scope)
        tx.lock_principal(found.principal_id)
        schedule = tx.schedules.get(found.schedule_id or "")
        if (
            schedule is None
            or not schedule.live(now)
            or schedule.assignment_type is not AssignmentType.ACTIVATED
            or same(_ticket_of(tx, schedule.id)) != same(number)
        ):
            continue
        basis = tx.schedules.get(schedule.linked_id or "")
        policy = policy_for(tx, deps, ask_of(found), basis)
        if any(rules.ends_with_ticket and rules.system_id == channel.id for rules in policy.all_tickets):
            reason = f"Its ticket {number.strip()} was closed."
            end(tx, deps, caller, schedule, now, activity=ENDED, reason=reason)
            done += 1
    return done


def _ticket_of(tx: Transaction, schedule_id: str) -> str | None:
    """The ticket an activation rests on: that of its last extension, else its own."""
    granted = {RequestStatus.PROVISIONED, RequestStatus.GRANTED}
    for request in tx.requests.of_schedule(schedule_id):
        if (
            request.status in granted
            and request.ticket.number
            and request.action is not Action.SELF_DEACTIVATE
        ):
            return request.ticket.number
    return None


def _note(
    tx: Transaction,
    deps: Deps,
    caller: callers.Caller,
    channel: Channel,
    now: datetime,
    activity: str,
    number: str,
) -> None:
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category="RoleManagement",
        targets=(Target("Channel", channel.id, channel.name),),
        details=(("TicketNumber", number.strip()),),
    )
