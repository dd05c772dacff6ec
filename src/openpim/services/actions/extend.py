"""Extension and renewal asked for by the holder. What an administrator gave needs an administrator's decision;
a running activation is extended under the rules of an activation, without a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core import deciding
from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.grants import AssignmentType, Kind, Request, Schedule
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import Stage
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions import activate
from openpim.services.actions.administer import last_ended
from openpim.services.actions.common import held_exactly, new_request, tell
from openpim.services.channels.tickets import NOT_ASKED, Checked
from openpim.services.opening import open_approval
from openpim.services.timeouts import waiting


def ask_extension(
    tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime, checked: Checked = NOT_ASKED
) -> Request | Refusal:
    """SelfExtend."""
    if ask.kind is Kind.ASSIGNMENT and activate.running_activation(tx, ask, now) is not None:
        return activate.activate(tx, deps, caller, ask, now, checked)
    held = [one for one in held_exactly(tx, ask, now) if one.assignment_type is not AssignmentType.ACTIVATED]
    if not held:
        return Refusal(
            Code.ASSIGNMENT_MISSING,
            "You have no assignment of your own to extend here (one that comes through a group cannot be extended).",
        )
    refusal = deciding.extension_asked(held[0], ask, window_days=deps.settings.extend_window_days, now=now)
    if refusal is not None:
        return refusal
    return _await_decision(tx, deps, caller, ask, now, held[0])


def ask_renewal(tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime) -> Request | Refusal:
    """SelfRenew."""
    if any(one.assignment_type is not AssignmentType.ACTIVATED for one in held_exactly(tx, ask, now)):
        return Refusal(Code.ASSIGNMENT_EXISTS, "This assignment has not ended. Ask for an extension instead.")
    refusal = deciding.renewal_asked(
        last_ended(tx, ask, now), window_days=deps.settings.renew_window_days, now=now
    )
    if refusal is not None:
        return refusal
    return _await_decision(tx, deps, caller, ask, now, None)


def _await_decision(
    tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime, held: Schedule | None
) -> Request | Refusal:
    if waiting(tx, deps, ask, now):
        return Refusal(Code.REQUEST_PENDING, "A request for this is waiting already. Cancel it to ask again.")
    request = new_request(deps, caller, ask, RequestStatus.PENDING_ADMIN_DECISION, now)
    request = replace(
        request, approval_id=request.id, schedule_id=held.id if held is not None else request.id
    )
    tx.requests.add(request)
    who = "eligible member" if ask.kind is Kind.ELIGIBILITY else "member"
    activity = (
        f"Update {who} in PIM requested (extend)"
        if held is not None
        else f"Add {who} to role in PIM requested (renew)"
    )
    tell(tx, deps, caller, now, activity, request, held)
    stage = Stage(timeout_minutes=deps.settings.admin_decision_days * 24 * 60)
    open_approval(tx, deps, request, (stage,), now, limit=None)
    return request
