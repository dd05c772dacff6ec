"""Plain role assignments, made and removed outside PIM: permanent, at once, without the role's policy.

They are schedules like all others (without a request), so nothing has to know a second kind of grant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from openpim.core.ask import Ask
from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.grants import Action, AssignmentType, Kind, Provider, Schedule, Window
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import held_exactly
from openpim.services.ending import end, end_guarded
from openpim.services.providers import PROVIDERS
from openpim.services.recording import (
    category_of,
    grant_details,
    grant_targets,
    record,
    record_refusal,
    storable,
)

OUTSIDE = "Add member to role outside of PIM (permanent)"
REMOVED = "Remove permanent direct role assignment"
_RECORDED = frozenset({Code.FORBIDDEN, Code.LAST_ADMINISTRATOR, Code.SUBJECT_NOT_ALLOWED})
_FORBIDDEN = Refusal(
    Code.FORBIDDEN,
    "Changing assignments needs the role Privileged Role Administrator or Global Administrator.",
)


def create(
    deps: Deps,
    caller: Caller,
    role_id: str,
    principal_id: str,
    scope: str,
    provider: Provider = Provider.DIRECTORY,
    schedule_id: str | None = None,
) -> Schedule | Refusal:
    """A permanent active assignment. schedule_id: the id it is to have."""
    now = deps.clock()

    def work(tx: Transaction) -> Schedule | Refusal:
        rules = PROVIDERS[provider]
        rules.hold(tx, scope)
        tx.lock_principal(principal_id)
        refusal = _fault(tx, caller, role_id, principal_id, scope, provider, schedule_id, now)
        if refusal is not None:
            return refusal
        schedule = Schedule(
            id=schedule_id or deps.new_id(),
            kind=Kind.ASSIGNMENT,
            provider=provider,
            principal_id=principal_id,
            role_id=role_id,
            scope=scope,
            starts_at=now,
            ends_at=None,
            status=ScheduleStatus.PROVISIONED,
            assignment_type=AssignmentType.ASSIGNED,
            created_at=now,
            window=Window(),
        )
        tx.schedules.add(schedule)
        record(
            tx,
            deps,
            caller,
            now,
            activity=OUTSIDE,
            category=category_of(provider),
            targets=grant_targets(
                tx,
                role_id=role_id,
                role_name=rules.role_name(tx, role_id, scope),
                principal_id=principal_id,
                scope=scope,
                request_id=None,
            ),
            details=grant_details(schedule=schedule, role_id=role_id),
        )
        return schedule

    return _on_record(deps, caller, OUTSIDE, provider, (role_id, principal_id, scope), work)


def check(
    deps: Deps,
    caller: Caller,
    role_id: str,
    principal_id: str,
    scope: str,
    provider: Provider = Provider.DIRECTORY,
    schedule_id: str | None = None,
) -> Refusal | None:
    """What `create` would say; nothing is made."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        return _fault(tx, caller, role_id, principal_id, scope, provider, schedule_id, now)

    if not all(storable(text) for text in (role_id, principal_id, scope)):
        return Refusal(Code.INVALID, "An id has a character that cannot be stored.")
    return deps.store.read(caller.tenant_id, work)


def _fault(
    tx: Transaction,
    caller: Caller,
    role_id: str,
    principal_id: str,
    scope: str,
    provider: Provider,
    schedule_id: str | None,
    now: datetime,
) -> Refusal | None:
    """Why there cannot be such an assignment."""
    rules = PROVIDERS[provider]
    fault = rules.fault(tx, role_id, scope)
    if fault is not None:
        return fault
    principal = tx.principals.get(principal_id)
    if principal is None:
        return Refusal(Code.SUBJECT_MISSING, f"There is no principal {principal_id}.", member="principalId")
    fault = rules.subject_fault(tx, principal, Kind.ASSIGNMENT, role_id, scope)
    if fault is not None:
        return fault
    if not rules.may_manage(tx, caller, role_id, scope, now):
        return _FORBIDDEN
    ask = Ask(Kind.ASSIGNMENT, provider, Action.ADMIN_ASSIGN, principal_id, role_id, scope)
    if any(held.assignment_type is AssignmentType.ASSIGNED for held in held_exactly(tx, ask, now)):
        return Refusal(Code.ASSIGNMENT_EXISTS, "This assignment exists already.")
    if schedule_id is not None and (tx.schedules.get(schedule_id) or tx.requests.get(schedule_id)):
        return Refusal(Code.CONFLICT, f"The id {schedule_id} is taken. Choose a new one.", member="id")
    return None


def delete(
    deps: Deps,
    caller: Caller,
    role_id: str,
    principal_id: str,
    scope: str,
    provider: Provider = Provider.DIRECTORY,
    schedule_id: str | None = None,
) -> Schedule | Refusal:
    """End every active assignment of this principal, role and scope; or only the one with this id."""
    now = deps.clock()

    def work(tx: Transaction) -> Schedule | Refusal:
        rules = PROVIDERS[provider]
        if not rules.may_manage(tx, caller, role_id, scope, now):
            return _FORBIDDEN
        tx.lock_principal(principal_id)
        ask = Ask(Kind.ASSIGNMENT, provider, Action.ADMIN_REMOVE, principal_id, role_id, scope)
        held = [
            one for one in held_exactly(tx, ask, now) if one.in_force(now) and schedule_id in {None, one.id}
        ]
        if not held:
            return Refusal(Code.NOT_FOUND, "There is no such assignment.")

        def change() -> Refusal | None:
            for schedule in held:
                end(tx, deps, caller, schedule, now, activity=REMOVED)
            return None

        refusal = end_guarded(tx, now, held, change)
        if refusal is not None:
            return refusal
        return replace(held[0], ends_at=now)

    return _on_record(deps, caller, REMOVED, provider, (role_id, principal_id, scope), work)


def _on_record(
    deps: Deps,
    caller: Caller,
    activity: str,
    provider: Provider,
    named: tuple[str, str, str],
    work: Callable[[Transaction], Schedule | Refusal],
) -> Schedule | Refusal:
    """Run the work; a refusal that says something about the one who asked goes into the history."""
    now = deps.clock()
    if not all(storable(text) for text in named):
        return Refusal(Code.INVALID, "An id has a character that cannot be stored.")

    def unit(tx: Transaction) -> Schedule | Refusal:
        outcome = work(tx)
        if isinstance(outcome, Refusal) and outcome.code in _RECORDED:
            role_id, principal_id, scope = named
            targets = (Target("Role", role_id), Target("User", principal_id), Target("Directory", scope))
            record_refusal(
                tx, deps, caller, now, outcome, activity=activity, provider=provider, targets=targets
            )
        return outcome

    return deps.store.write(caller.tenant_id, unit)
