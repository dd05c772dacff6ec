"""What administrators do: assign, update, extend, renew and remove eligibilities and active assignments."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core import deciding
from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind
from openpim.core.deciding import Grant
from openpim.core.grants import Action, AssignmentType, Kind, Request, Schedule
from openpim.core.lifecycle import RequestStatus
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
from openpim.services.ending import close_request, end, end_guarded, leave, loosen
from openpim.services.providers import PROVIDERS

_FORBIDDEN = Refusal(
    Code.FORBIDDEN,
    "Changing assignments needs the role Privileged Role Administrator or Global Administrator. Activate it first.",
)


def give(tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime) -> Request | Refusal:
    """adminAssign, adminUpdate, adminExtend, adminRenew."""
    rules = PROVIDERS[ask.provider]
    if not rules.may_manage(tx, caller, ask.role_id, ask.scope, now):
        return _FORBIDDEN
    existing = held_exactly(tx, ask, now)
    replacing: Schedule | None = None
    if ask.action in {Action.ADMIN_UPDATE, Action.ADMIN_EXTEND}:
        replacing = _meant(existing, ask)
        if replacing is None:
            return Refusal(Code.ASSIGNMENT_MISSING, "There is no such assignment to change. Assign it first.")
    if ask.action is Action.ADMIN_RENEW and (existing or last_ended(tx, ask, now) is None):
        if existing:
            return Refusal(Code.ASSIGNMENT_EXISTS, "This assignment has not ended. Extend it instead.")
        return Refusal(Code.ASSIGNMENT_MISSING, "There is no ended assignment to renew. Assign it instead.")
    grant: Grant | Refusal
    if caller.kind is CallerKind.SYSTEM:
        start = ask.window.start if ask.window.start is not None and ask.window.start > now else now
        grant = Grant(start, ask.window.ends(start))
    else:
        policy = rules.policy(tx, deps, ask.role_id, ask.scope)
        grant = deciding.assignment(
            ask,
            policy=policy,
            existing=existing,
            proof=proof_of(caller),
            minimum=minimum(deps),
            now=now,
            replacing=replacing,
        )
        if not isinstance(grant, Refusal):
            grant = replace(grant, policy_version=str(policy.version))
    if isinstance(grant, Refusal):
        return grant
    if (
        ask.action is Action.ADMIN_EXTEND
        and replacing is not None
        and not _later(grant.ends_at, replacing.ends_at)
    ):
        return Refusal(Code.INVALID, "The new end is not later than the present one.", member="endDateTime")
    later = replacing is None and grant.starts_at > now
    status = RequestStatus.GRANTED if later else RequestStatus.PROVISIONED
    request = new_request(
        deps, caller, ask, status, now, completed_at=max(grant.starts_at, now) if later else now
    )
    return write(tx, deps, caller, request, grant, replacing, now, fresh=True)


def write(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    grant: Grant,
    replacing: Schedule | None,
    now: datetime,
    *,
    fresh: bool,
) -> Request | Refusal:
    """Write a decided assignment: a new schedule, or the old one changed in place (same id, no gap)."""
    if replacing is None:
        schedule = new_schedule(
            request,
            grant.starts_at,
            grant.ends_at,
            now,
            assignment_type=AssignmentType.ASSIGNED if request.kind is Kind.ASSIGNMENT else None,
        )
        tx.schedules.add(schedule)
        request = replace(request, schedule_id=schedule.id)
    else:
        schedule = replace(
            replacing,
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            modified_at=now,
            window=replace(request.window, start=grant.starts_at),
        )
        request = replace(request, schedule_id=schedule.id)

        def change() -> Refusal | None:
            tx.schedules.save(schedule)
            return None

        refusal = end_guarded(tx, now, [replacing], change)
        if refusal is not None:
            return refusal
        if schedule.kind is Kind.ELIGIBILITY:
            loosen(tx, deps, caller, schedule, now)
        else:
            leave(tx, deps, caller, schedule, now)
    completed = _name(request, schedule, "completed")
    if fresh:
        tx.requests.add(request)
        requested = _name(request, schedule, "requested")
        version = grant.policy_version
        tell(tx, deps, caller, now, requested, request, schedule, then=completed, policy_version=version)
    else:
        tx.requests.save(request)
        tell(tx, deps, caller, now, completed, request, schedule, policy_version=grant.policy_version)
    return request


def remove(tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime) -> Request | Refusal:
    """adminRemove: end every live schedule of this principal, role and scope (or the one named)."""
    if not PROVIDERS[ask.provider].may_manage(tx, caller, ask.role_id, ask.scope, now):
        return _FORBIDDEN
    held = [
        schedule
        for schedule in held_exactly(tx, ask, now)
        if ask.schedule_id is None or schedule.id == ask.schedule_id
    ]
    if not held:
        return Refusal(Code.ASSIGNMENT_MISSING, "There is no such assignment to remove.")
    early = deciding.removable(held, minimum=minimum(deps), now=now)
    if early is not None:
        return early
    request = new_request(deps, caller, ask, RequestStatus.REVOKED, now, completed_at=now)
    request = replace(request, schedule_id=held[0].id)
    what = "eligible member" if ask.kind is Kind.ELIGIBILITY else "member"

    def change() -> Refusal | None:
        tx.requests.add(request)
        tell(
            tx,
            deps,
            caller,
            now,
            f"Remove {what} from role in PIM requested ({_term(held[0])})",
            request,
            held[0],
        )
        for schedule in held:
            if schedule.starts_at > now:
                for waiting in tx.requests.of_schedule(schedule.id):
                    if waiting.status is RequestStatus.GRANTED and not waiting.action.by_self:
                        close_request(
                            tx, waiting.id, RequestStatus.CANCELED, now, "Removed by an administrator."
                        )
            current = tx.schedules.get(schedule.id)
            if current is not None and current.live(now):
                activity = f"Remove {what} from role in PIM completed ({_term(schedule)})"
                reason = ask.justification or "Removed by an administrator."
                end(tx, deps, caller, current, now, activity=activity, reason=reason)
        return None

    refusal = end_guarded(tx, now, held, change)
    return refusal if refusal is not None else request


def last_ended(tx: Transaction, ask: Ask, now: datetime) -> Schedule | None:
    """The most recent schedule of this principal, role and scope that ended by time."""
    ended = [
        schedule
        for schedule in tx.schedules.of(
            [ask.principal_id], provider=ask.provider, kind=ask.kind, role_id=ask.role_id, scopes=[ask.scope]
        )
        if schedule.ends_at is not None
        and schedule.ends_at <= now
        and schedule.assignment_type is not AssignmentType.ACTIVATED
        and schedule.status.value in {"Provisioned", "Expired"}
    ]
    return max(ended, key=lambda schedule: (schedule.ends_at, schedule.id), default=None)


def _meant(existing: list[Schedule], ask: Ask) -> Schedule | None:
    candidates = [held for held in existing if held.assignment_type is not AssignmentType.ACTIVATED]
    if ask.schedule_id is not None:
        return next((held for held in candidates if held.id == ask.schedule_id), None)
    return candidates[0] if candidates else None


def _later(new: datetime | None, old: datetime | None) -> bool:
    if old is None:
        return False
    return new is None or new > old


def _term(schedule: Schedule) -> str:
    return "permanent" if schedule.ends_at is None else "timebound"


def _name(request: Request, schedule: Schedule, step: str) -> str:
    """Entra's activity name."""
    eligible = request.kind is Kind.ELIGIBILITY
    if request.action in {Action.ADMIN_EXTEND, Action.SELF_EXTEND}:
        return (
            "Update eligible member in PIM requested (extend)"
            if eligible
            else "Update member in PIM requested (extend)"
        )
    if request.action is Action.ADMIN_UPDATE:
        return "Process role update request"
    term = (
        "renew"
        if request.action in {Action.ADMIN_RENEW, Action.SELF_RENEW} and step == "requested"
        else _term(schedule)
    )
    who = "eligible member" if eligible else "member"
    return f"Add {who} to role in PIM {step} ({term})"
