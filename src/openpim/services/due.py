"""What time brings about: ends are recorded, waiting starts are decided again. Takes no input.

Being in force never waits for this: an end that is not recorded yet has ended all the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from openpim.core import caller as callers
from openpim.core.ask import ask_of
from openpim.core.deciding import Grant, Proof
from openpim.core.grants import AssignmentType, ExpirationType, Kind, Request, Schedule, Window
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions import activate
from openpim.services.actions.common import tell
from openpim.services.ending import leave
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_details, grant_targets, record
from openpim.services.review import standing

STARTED = "Start assignment"
EXPIRED_ACTIVATION = "Remove member from role (PIM activation expired)"


def expire(deps: Deps, tenant_id: str, *, limit: int = 200) -> int:
    """Record the end of schedules whose time is over. Returns how many."""
    now = deps.clock()
    due = deps.store.read(tenant_id, lambda tx: tx.schedules.due_to_end(now, limit))
    if not due:
        return 0

    def work(tx: Transaction) -> None:
        # First whom they are of, as every act does; what another process has recorded meanwhile is no longer due.
        tx.lock_principals({schedule.principal_id for schedule in due})
        for schedule in tx.schedules.still_due_to_end([schedule.id for schedule in due], now):
            _expire(tx, deps, schedule, now)

    deps.store.write(tenant_id, work)
    return len(due)


def start(deps: Deps, tenant_id: str, *, limit: int = 100) -> int:
    """Decide waiting activations whose start has come; note the start of what an administrator gave."""
    now = deps.clock()
    due = deps.store.read(tenant_id, lambda tx: tx.schedules.due_to_start(now, limit))
    for schedule in due:
        deps.store.write(tenant_id, partial(_start, deps=deps, found=schedule, now=now))
    noted = deps.store.read(tenant_id, lambda tx: tx.requests.started(now, limit))
    for request in noted:
        deps.store.write(tenant_id, partial(_note_start, deps=deps, found=request, now=now))
    return len(due) + len(noted)


def _expire(tx: Transaction, deps: Deps, schedule: Schedule, now: datetime) -> None:
    tx.schedules.save(replace(schedule, status=ScheduleStatus.EXPIRED))
    for request in tx.requests.of_schedule(schedule.id):
        if request.status is RequestStatus.GRANTED:
            tx.requests.save(replace(request, status=RequestStatus.PROVISIONED))
    if schedule.assignment_type is AssignmentType.ACTIVATED:
        activity = EXPIRED_ACTIVATION
    elif schedule.kind is Kind.ELIGIBILITY:
        activity = "Remove eligible member from role in PIM completed (timebound)"
    else:
        activity = "Remove member from role in PIM completed (timebound)"
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=activity,
        category=category_of(schedule.provider),
        targets=grant_targets(
            tx,
            role_id=schedule.role_id,
            role_name=PROVIDERS[schedule.provider].role_name(tx, schedule.role_id, schedule.scope),
            principal_id=schedule.principal_id,
            scope=schedule.scope,
            request_id=schedule.request_id,
        ),
        details=(
            *grant_details(schedule=schedule, role_id=schedule.role_id),
            ("AuditType", "RemoveActivatedRole"),
            ("ActionType", "Revoke"),
        ),
        correlation_id=schedule.request_id or schedule.id,
    )
    leave(tx, deps, callers.system(tx.tenant_id), schedule, now)


def _start(tx: Transaction, deps: Deps, found: Schedule, now: datetime) -> None:
    PROVIDERS[found.provider].hold(tx, found.scope)
    tx.lock_principal(found.principal_id)
    schedule = tx.schedules.get(found.id)
    request = tx.requests.get(found.request_id or "", lock=True)
    if schedule is None or schedule.status is not ScheduleStatus.GRANTED or request is None:
        return
    refusal = standing(tx, request)
    grant = refusal if refusal is not None else _decided_again(tx, deps, request, schedule, now)
    system = callers.system(tx.tenant_id)
    if isinstance(grant, Refusal):
        refusal = grant
        tx.schedules.save(replace(schedule, status=ScheduleStatus.FAILED, modified_at=now))
        failed = replace(request, status=RequestStatus.FAILED, completed_at=now, failure=refusal.message)
        tx.requests.save(failed)
        tell(
            tx, deps, system, now, "Process request", replace(failed, justification=refusal.message), schedule
        )
        return
    running = replace(
        schedule,
        status=ScheduleStatus.PROVISIONED,
        linked_id=grant.eligibility.id if grant.eligibility is not None else None,
        ends_at=_within(schedule.ends_at, grant.eligibility),
        modified_at=now,
    )
    tx.schedules.save(running)
    done = replace(request, status=RequestStatus.PROVISIONED, completed_at=now)
    tx.requests.save(done)
    tell(tx, deps, system, now, activate.COMPLETED, done, running, policy_version=grant.policy_version)


def _decided_again(
    tx: Transaction, deps: Deps, request: Request, schedule: Schedule, now: datetime
) -> Grant | Refusal:
    """Decide the activation again as of now; what it waits for itself does not stand in its way, and that a worker
    was late does not make it too short."""
    if schedule.ends_at is not None and schedule.ends_at <= now:
        return Refusal(Code.INVALID, "Its time was over before it could start.")
    # Only what is left of its time is asked for: counted anew from now it would run into what comes after it.
    left = Window(
        type=ExpirationType.NO_EXPIRATION if schedule.ends_at is None else ExpirationType.AFTER_DATE_TIME,
        end=schedule.ends_at,
    )
    ask = replace(ask_of(request), window=left)
    proof = Proof(frozenset(request.amr), frozenset(request.acrs))
    grant = activate.decide(
        tx, deps, ask, proof, now, None, ignoring=schedule.id, shortest=timedelta(0), checked=None
    )
    if isinstance(grant, Grant) and grant.needs_approval and request.approval_id is None:
        return Refusal(
            Code.POLICY, "The role asks for an approval by now, and nobody has approved this. Ask again."
        )
    return grant


def _within(end_at: datetime | None, eligibility: Schedule | None) -> datetime | None:
    """The end, not later than that of the eligibility it rests on now."""
    if eligibility is None or eligibility.ends_at is None:
        return end_at
    return eligibility.ends_at if end_at is None else min(end_at, eligibility.ends_at)


def _note_start(tx: Transaction, deps: Deps, found: Request, now: datetime) -> None:
    """A future assignment an administrator gave is in force by time alone; the request only says so now."""
    request = tx.requests.get(found.id, lock=True)
    if request is None or request.status is not RequestStatus.GRANTED:
        return
    schedule = tx.schedules.get(request.schedule_id or "")
    if schedule is not None and schedule.live(now) and schedule.starts_at > now:  # it was put off meanwhile
        tx.requests.save(replace(request, completed_at=schedule.starts_at))
        return
    tx.requests.save(replace(request, status=RequestStatus.PROVISIONED))
    if schedule is not None and schedule.kind is Kind.ASSIGNMENT and schedule.in_force(now):
        tell(tx, deps, callers.system(tx.tenant_id), now, STARTED, request, schedule)
