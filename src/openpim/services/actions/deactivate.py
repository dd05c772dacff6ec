"""Deactivation: a person gives up his own activation before its end. Only the activation ends; what an
administrator assigned stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core import deciding
from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.grants import AssignmentType, Kind, Request
from openpim.core.lifecycle import RequestStatus
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import held_exactly, minimum, new_request, tell
from openpim.services.ending import end

REQUESTED = "Remove member from role requested (PIM deactivate)"
COMPLETED = "Remove member from role completed (PIM deactivate)"


def deactivate(tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime) -> Request | Refusal:
    """SelfDeactivate."""
    active = [
        held
        for held in held_exactly(tx, ask, now, Kind.ASSIGNMENT)
        if held.assignment_type is AssignmentType.ACTIVATED
        and held.in_force(now)
        and (ask.schedule_id is None or held.id == ask.schedule_id)
    ]
    if ask.kind is not Kind.ASSIGNMENT or not active:
        return Refusal(Code.ASSIGNMENT_MISSING, "You have no activation of this role here to end.")
    early = deciding.removable(active, minimum=minimum(deps), now=now)
    if early is not None:
        return early
    request = new_request(deps, caller, ask, RequestStatus.REVOKED, now, completed_at=now)
    request = replace(request, schedule_id=active[0].id)
    tx.requests.add(request)
    tell(tx, deps, caller, now, REQUESTED, request, active[0])
    for schedule in active:
        end(tx, deps, caller, schedule, now, activity=COMPLETED, reason=ask.justification or "")
    return request
