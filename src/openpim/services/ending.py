"""Ends grants: one road for removal, deactivation, the end of an eligibility, and the loss of a principal.

Ending a schedule never touches another one that still gives the same (grants are a union); an activation ends with
the eligibility it rests on unless another eligibility covers it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.deciding import best_eligibility
from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.core.lifecycle import ApprovalStatus, RequestStatus, ScheduleStatus
from openpim.core.roles import PROTECTED
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import settling
from openpim.services.authority import identities
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_details, grant_targets, record


def end(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    schedule: Schedule,
    now: datetime,
    *,
    activity: str,
    reason: str = "",
) -> None:
    """End one live schedule now, and what rests on it alone."""
    status = ScheduleStatus.CANCELED if schedule.starts_at > now else ScheduleStatus.REVOKED
    ended = replace(schedule, status=status, ends_at=_earlier(schedule.ends_at, now), modified_at=now)
    tx.schedules.save(ended)
    _note(tx, deps, caller, ended, now, activity, reason)
    if schedule.kind is Kind.ELIGIBILITY:
        loosen(tx, deps, caller, schedule, now)


def loosen(tx: Transaction, deps: Deps, caller: Caller, eligibility: Schedule, now: datetime) -> None:
    """The eligibility changed or went: its activations move to another one that covers them, shrink, or end."""
    current = tx.schedules.get(eligibility.id)
    for activation in tx.schedules.resting_on(eligibility.id, now):
        rules = PROVIDERS[activation.provider]
        at = max(now, activation.starts_at)
        candidates = tx.schedules.of(
            identities(tx, activation.principal_id, now),
            provider=activation.provider,
            kind=Kind.ELIGIBILITY,
            role_id=activation.role_id,
            scopes=rules.chain(tx, activation.scope),
            live_at=now,
        )
        best = current if current is not None and current.in_force(at) else best_eligibility(candidates, at)
        if best is None:
            end(
                tx, deps, caller, activation, now,
                activity="Remove member from role completed (PIM deactivate)",
                reason="The eligible assignment it rested on has ended.",
            )  # fmt: skip
            continue
        ends_at = activation.ends_at
        if best.ends_at is not None and (ends_at is None or ends_at > best.ends_at):
            ends_at = best.ends_at
        if best.id != activation.linked_id or ends_at != activation.ends_at:
            tx.schedules.save(replace(activation, linked_id=best.id, ends_at=ends_at, modified_at=now))


def end_all_of(tx: Transaction, deps: Deps, caller: Caller, principal_id: str, now: datetime) -> None:
    """A principal is gone: end its schedules, cancel its open requests, and take it out of open approvals.

    Run it inside `last_administrator.guarded`.
    """
    tx.lock_principal(principal_id)
    for request in tx.requests.open_of(principal_id):
        close_request(tx, request.id, RequestStatus.CANCELED, now, "The subject was deleted.")
    for schedule in tx.schedules.of([principal_id], live_at=now):
        current = tx.schedules.get(schedule.id)
        if current is not None and current.live(now):
            end(tx, deps, caller, current, now, activity="Remove member from role in PIM completed (permanent)",
                reason="The subject was deleted.")  # fmt: skip


def close_request(
    tx: Transaction, request_id: str, status: RequestStatus, now: datetime, reason: str
) -> None:
    """Bring an open request to a terminal status, its approval and its waiting schedule with it."""
    request = tx.requests.get(request_id, lock=True)
    if request is None:
        return
    tx.requests.save(replace(request, status=status, completed_at=now, failure=reason))
    if request.approval_id is not None:
        approval = tx.approvals.get(request.approval_id, lock=True)
        if approval is not None and approval.status is ApprovalStatus.IN_PROGRESS:
            closed = (
                ApprovalStatus.TIMED_OUT if status is RequestStatus.TIMED_OUT else ApprovalStatus.CANCELED
            )
            tx.approvals.save(replace(approval, status=closed))
    if request.schedule_id is not None:
        schedule = tx.schedules.get(request.schedule_id)
        if schedule is not None and schedule.status is ScheduleStatus.GRANTED:
            tx.schedules.save(replace(schedule, status=ScheduleStatus.CANCELED, modified_at=now))


def is_protected(schedules: Iterable[Schedule]) -> bool:
    """Whether ending these could concern the last administrator."""
    return any(
        schedule.role_id in PROTECTED
        and schedule.kind is Kind.ASSIGNMENT
        and schedule.assignment_type is AssignmentType.ASSIGNED
        for schedule in schedules
    )


def _note(
    tx: Transaction, deps: Deps, caller: Caller, schedule: Schedule, now: datetime, activity: str, reason: str
) -> None:
    rules = PROVIDERS[schedule.provider]
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category=category_of(schedule.provider),
        targets=grant_targets(
            tx,
            role_id=schedule.role_id,
            role_name=rules.role_name(tx, schedule.role_id, schedule.scope),
            principal_id=schedule.principal_id,
            scope=schedule.scope,
            request_id=schedule.request_id,
        ),
        reason=reason,
        details=grant_details(schedule=schedule, role_id=schedule.role_id),
    )
    settling.ask_for(tx, deps, schedule, now)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other < one else one
