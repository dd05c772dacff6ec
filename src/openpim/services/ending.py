"""Ends grants: one road for removal, deactivation, the end of an eligibility, and the loss of a principal.

Ending a schedule never touches another one that still gives the same (grants are a union); an activation ends with
the eligibility it rests on unless another eligibility covers it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from openpim.core.approval import StageStatus, with_stage
from openpim.core.caller import Caller
from openpim.core.deciding import best_eligibility
from openpim.core.directory import PrincipalKind
from openpim.core.grants import AssignmentType, Kind, Provider, Schedule
from openpim.core.lifecycle import OPEN, ApprovalStatus, RequestStatus, ScheduleStatus
from openpim.core.refusals import Refusal
from openpim.core.roles import PROTECTED
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.last_administrator import guarded
from openpim.services.membership import bounded
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_details, grant_targets, record

SHORTENED = "Update member in PIM completed (shortened)"


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
    """End one live schedule now, and what rests on it alone. One that still waits for its start has failed."""
    if schedule.status is ScheduleStatus.GRANTED:
        status = ScheduleStatus.FAILED
        _fail_request(tx, schedule, now, reason)
    else:
        status = ScheduleStatus.CANCELED if schedule.starts_at > now else ScheduleStatus.REVOKED
    ended = replace(schedule, status=status, ends_at=_earlier(schedule.ends_at, now), modified_at=now)
    tx.schedules.save(ended)
    _note(tx, deps, caller, ended, now, activity, reason)
    if schedule.kind is Kind.ELIGIBILITY:
        loosen(tx, deps, caller, schedule, now)
    leave(tx, deps, caller, schedule, now)


def leave(tx: Transaction, deps: Deps, caller: Caller, ended: Schedule, now: datetime) -> None:
    """Where the schedule that ended (or ends earlier now) is a group membership: so does what its holders activated
    through the group."""
    if ended.provider is Provider.GROUP and ended.kind is Kind.ASSIGNMENT and ended.role_id == "member":
        release(tx, deps, caller, people_in(tx, ended.principal_id, now), now)


def people_in(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """The principal, and all that are in it when it is a group: whoever a change of its membership concerns."""
    principal = tx.principals.get(principal_id)
    if principal is None or principal.kind is not PrincipalKind.GROUP:
        return frozenset({principal_id})
    return tx.groups.transitive_member_ids(principal_id, now) | {principal_id}


def release(
    tx: Transaction, deps: Deps, caller: Caller, principal_ids: Collection[str], now: datetime
) -> None:
    """Look again at what these people activated through groups they have left, or will leave earlier."""
    tx.lock_principals(principal_ids)  # an activation that is being made at this moment must be seen below
    for activation in tx.schedules.of(principal_ids, kind=Kind.ASSIGNMENT, live_at=now):
        if activation.assignment_type is not AssignmentType.ACTIVATED or activation.linked_id is None:
            continue
        basis = tx.schedules.get(activation.linked_id)
        if basis is not None and basis.principal_id == activation.principal_id:
            continue
        reason = "The holder left the group that was eligible."
        rest_anew(tx, deps, caller, activation, now, reason=reason)


def loosen(tx: Transaction, deps: Deps, caller: Caller, eligibility: Schedule, now: datetime) -> None:
    """The eligibility changed or went: its activations move to another one that covers them, shrink, or end."""
    for activation in tx.schedules.resting_on(eligibility.id, now):
        rest_anew(tx, deps, caller, activation, now, reason="The eligible assignment it rested on has ended.")


def rest_anew(
    tx: Transaction, deps: Deps, caller: Caller, activation: Schedule, now: datetime, *, reason: str
) -> None:
    """Look again for an eligibility that carries a live activation; without one it ends.

    The one it rests on is kept while it carries the activation to its end, so that nothing changes without need.
    """
    tx.lock_principal(activation.principal_id)  # it may be extended, or found to have expired, at this moment
    held = tx.schedules.get(activation.id)
    if held is None or not held.live(now):
        return
    at = max(now, held.starts_at)
    who = identities(tx, held.principal_id, now)
    found = tx.schedules.of(
        who,
        provider=held.provider,
        kind=Kind.ELIGIBILITY,
        role_id=held.role_id,
        scopes=PROVIDERS[held.provider].chain(tx, held.scope),
        live_at=now,
    )
    candidates = bounded(tx, held.principal_id, who, found, now)
    carrying = [one for one in candidates if one.in_force(at)]
    kept = next((one for one in carrying if one.id == held.linked_id and _reaches(one, held.ends_at)), None)
    best = kept or best_eligibility(carrying, at)
    if best is None:
        activity = "Remove member from role completed (PIM deactivate)"
        end(tx, deps, caller, held, now, activity=activity, reason=reason)
        return
    ends_at = held.ends_at if _reaches(best, held.ends_at) else best.ends_at
    if best.id == held.linked_id and ends_at == held.ends_at:
        return
    moved = replace(held, linked_id=best.id, ends_at=ends_at, modified_at=now)
    tx.schedules.save(moved)
    if ends_at != held.ends_at:  # a target that ends access by itself must hear of the new end
        _note(tx, deps, caller, moved, now, SHORTENED, "The eligible assignment it rests on ends earlier.")
        leave(tx, deps, caller, moved, now)


def _reaches(eligibility: Schedule, end_at: datetime | None) -> bool:
    return eligibility.ends_at is None or (end_at is not None and end_at <= eligibility.ends_at)


def _fail_request(tx: Transaction, schedule: Schedule, now: datetime, reason: str) -> None:
    """The request behind a schedule that will never start."""
    request = tx.requests.get(schedule.request_id or "", lock=True)
    if request is not None and request.status is RequestStatus.GRANTED:
        tx.requests.save(
            replace(request, status=RequestStatus.FAILED, completed_at=now, failure=reason or "Called off.")
        )


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
    if request is None or request.status not in OPEN:
        return
    tx.requests.save(replace(request, status=status, completed_at=now, failure=reason))
    if request.approval_id is not None:
        approval = tx.approvals.get(request.approval_id, lock=True)
        if approval is not None and approval.status is ApprovalStatus.IN_PROGRESS:
            closed = (
                ApprovalStatus.TIMED_OUT if status is RequestStatus.TIMED_OUT else ApprovalStatus.CANCELED
            )
            stage = approval.current
            if stage is not None:  # else it would be found due for ever
                over = StageStatus.EXPIRED if closed is ApprovalStatus.TIMED_OUT else StageStatus.COMPLETED
                approval = with_stage(approval, replace(stage, status=over))
            tx.approvals.save(replace(approval, status=closed))
    if request.schedule_id is not None:
        schedule = tx.schedules.get(request.schedule_id)
        if schedule is not None and schedule.status is ScheduleStatus.GRANTED:
            tx.schedules.save(replace(schedule, status=ScheduleStatus.CANCELED, modified_at=now))


def end_guarded(
    tx: Transaction, now: datetime, held: Iterable[Schedule], change: Callable[[], Refusal | None]
) -> Refusal | None:
    """Run a change that ends these schedules; refuse it when it would lose a last administrator or owner."""
    assigned = [
        one for one in held if one.kind is Kind.ASSIGNMENT and one.assignment_type is AssignmentType.ASSIGNED
    ]
    protected = any(one.role_id in PROTECTED for one in assigned)
    owned = frozenset(
        one.scope for one in assigned if one.provider is Provider.GROUP and one.role_id == "owner"
    )
    return guarded(tx, now, change, owned=owned) if protected or owned else change()


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


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other < one else one
