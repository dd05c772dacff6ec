"""Activation: an eligible person takes a role up for a bounded time, at once, later, or after an approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from openpim.core import deciding
from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.deciding import Grant, Proof
from openpim.core.grants import Action, AssignmentType, Kind, Request, Schedule
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import (
    held_exactly,
    minimum,
    new_request,
    new_schedule,
    proof_of,
    tell,
)
from openpim.services.basis import Basis, policy_for
from openpim.services.channels import tickets
from openpim.services.channels.tickets import NOT_ASKED, Checked
from openpim.services.opening import open_approval
from openpim.services.timeouts import waiting

REQUESTED = "Add member to role requested (PIM activation)"
APPROVAL_REQUESTED = "Add member to role approval requested (PIM activation)"
COMPLETED = "Add member to role completed (PIM activation)"


def activate(
    tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime, checked: Checked = NOT_ASKED
) -> Request | Refusal:
    """selfActivate, and selfExtend of a running activation. checked: what was said about the ticket."""
    if ask.kind is not Kind.ASSIGNMENT:
        return Refusal(
            Code.INVALID,
            "An activation is a request for an assignment, not for an eligibility.",
            member="action",
        )
    extending = _running(tx, ask, now) if ask.action is Action.SELF_EXTEND else None
    if waiting(tx, deps, ask, now):
        return Refusal(
            Code.REQUEST_PENDING, "A request for this role here is waiting already. Cancel it to ask again."
        )
    grant = decide(tx, deps, ask, proof_of(caller), now, extending, checked=checked)
    if isinstance(grant, Refusal):
        return grant
    later = grant.starts_at > now
    if not grant.needs_approval:
        request = new_request(deps, caller, ask, RequestStatus.PROVISIONED, now, completed_at=now)
        tickets.note(tx, deps, request, checked, now)
        return apply(tx, deps, caller, request, grant, now, extending, fresh=True)
    status = RequestStatus.PENDING_APPROVAL_PROVISIONING if later else RequestStatus.PENDING_APPROVAL
    request = new_request(deps, caller, ask, status, now)
    request = replace(
        request, approval_id=request.id, schedule_id=extending.id if extending is not None else request.id
    )
    tx.requests.add(request)
    tickets.note(tx, deps, request, checked, now)
    version = grant.policy_version
    tell(tx, deps, caller, now, REQUESTED, request, None, then=APPROVAL_REQUESTED, policy_version=version)
    policy = policy_for(tx, deps, ask, grant.eligibility)
    limit = grant.starts_at if later and extending is None else None
    open_approval(tx, deps, request, policy.approval.stages, now, limit=limit)
    return request


def decide(
    tx: Transaction,
    deps: Deps,
    ask: Ask,
    proof: Proof,
    now: datetime,
    extending: Schedule | None,
    *,
    ignoring: str | None = None,
    shortest: timedelta | None = None,
    checked: Checked | None,
    basis: Basis | None = None,
) -> Grant | Refusal:
    """Read the facts and decide: at asking, again at approval, and again when a later start comes due (then the
    waiting schedule itself is ignored). shortest: another minimum than that of the settings. checked: what the ticket
    system said for this decision; None: it need not be asked again. basis: where this unit of work has read it already."""
    basis = basis or Basis(tx, deps, ask, now)
    policy = basis.policy(now if extending is not None else max(now, ask.window.start or now))
    grant = deciding.activation(
        ask,
        policy=policy,
        eligibilities=basis.eligibilities,
        activations=[
            held
            for held in held_exactly(tx, ask, now, Kind.ASSIGNMENT)
            if held.assignment_type is AssignmentType.ACTIVATED and held.id != ignoring
        ],
        proof=proof,
        minimum=minimum(deps) if shortest is None else shortest,
        now=now,
        extending=extending,
        ticket_fault=tickets.refused(tx, policy, ask.ticket, checked),
    )
    return grant if isinstance(grant, Refusal) else replace(grant, policy_version=str(policy.version))


def apply(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    grant: Grant,
    now: datetime,
    extending: Schedule | None,
    *,
    fresh: bool,
) -> Request:
    """Write a decided activation: a new schedule, or a later end of the one it extends. fresh: not stored yet."""
    linked = grant.eligibility.id if grant.eligibility is not None else None
    if extending is not None:
        schedule = replace(extending, ends_at=grant.ends_at, linked_id=linked, modified_at=now)
        tx.schedules.save(schedule)
        request = replace(
            request, status=RequestStatus.PROVISIONED, completed_at=now, schedule_id=schedule.id
        )
    else:
        later = grant.starts_at > now
        schedule = new_schedule(
            request,
            grant.starts_at,
            grant.ends_at,
            now,
            assignment_type=AssignmentType.ACTIVATED,
            linked_id=linked,
            waits=later,
        )
        tx.schedules.add(schedule)
        request = replace(
            request,
            status=RequestStatus.GRANTED if later else RequestStatus.PROVISIONED,
            completed_at=grant.starts_at if later else now,
            schedule_id=schedule.id,
        )
    done = COMPLETED if schedule.status is ScheduleStatus.PROVISIONED else ""
    if fresh:
        tx.requests.add(request)
        version = grant.policy_version
        tell(tx, deps, caller, now, REQUESTED, request, schedule, then=done, policy_version=version)
    else:
        tx.requests.save(request)
        if done:
            tell(tx, deps, caller, now, done, request, schedule, policy_version=grant.policy_version)
    return request


def running_activation(tx: Transaction, ask: Ask, now: datetime) -> Schedule | None:
    return _running(tx, ask, now)


def _running(tx: Transaction, ask: Ask, now: datetime) -> Schedule | None:
    for held in held_exactly(tx, ask, now, Kind.ASSIGNMENT):
        if held.assignment_type is AssignmentType.ACTIVATED and held.in_force(now):
            return held
    return None
