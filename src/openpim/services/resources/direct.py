"""Roles that somebody gets by what he did, not by asking for them: audited like every other grant."""

from __future__ import annotations

from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.grants import AssignmentType, Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_details, grant_targets, record


def give(
    tx: Transaction, deps: Deps, caller: Caller, role_id: str, scope: str, activity: str, now: datetime
) -> Schedule:
    """The caller has this role there from now on, for good."""
    schedule = Schedule(
        id=deps.new_id(),
        kind=Kind.ASSIGNMENT,
        provider=Provider.RESOURCE,
        principal_id=caller.principal_id,
        role_id=role_id,
        scope=scope,
        starts_at=now,
        ends_at=None,
        status=ScheduleStatus.PROVISIONED,
        assignment_type=AssignmentType.ASSIGNED,
        created_at=now,
    )
    tx.schedules.add(schedule)
    targets = grant_targets(
        tx,
        role_id=role_id,
        role_name=PROVIDERS[Provider.RESOURCE].role_name(tx, role_id, scope),
        principal_id=caller.principal_id,
        scope=scope,
        request_id=None,
    )
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category=category_of(Provider.RESOURCE),
        targets=targets,
        details=grant_details(schedule=schedule, role_id=role_id),
    )
    return schedule
