"""Cancels a request that is still open: by the one who asked for himself, or an administrator."""

from __future__ import annotations

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.grants import Action, Kind, Provider, Request
from openpim.core.lifecycle import CANCELLABLE, RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import tell
from openpim.services.ending import close_request, end
from openpim.services.providers import PROVIDERS
from openpim.services.recording import record_refusal


def cancel(deps: Deps, caller: Caller, provider: Provider, kind: Kind, request_id: str) -> Request | Refusal:
    """Returns the cancelled request; REQUEST_MISSING, FORBIDDEN or NOT_CANCELLABLE otherwise."""
    now = deps.clock()

    def work(tx: Transaction) -> Request | Refusal:
        found = tx.requests.get(request_id)
        if found is None or found.provider is not provider or found.kind is not kind:
            return Refusal(Code.REQUEST_MISSING, f"There is no request {request_id}.", member="id")
        tx.lock_principal(found.principal_id)
        request = tx.requests.get(request_id, lock=True) or found
        own = request.action.by_self and caller.principal_id == request.principal_id
        if not own and not PROVIDERS[provider].may_manage(tx, caller, request.role_id, request.scope, now):
            refusal = Refusal(Code.FORBIDDEN, "Only the requestor or an administrator can cancel a request.")
            targets = (Target("Request", request.id), Target("Role", request.role_id))
            record_refusal(
                tx, deps, caller, now, refusal, activity="Cancel request", provider=provider, targets=targets
            )
            return refusal
        schedule = tx.schedules.get(request.schedule_id) if request.schedule_id else None
        started = (
            schedule is not None
            and schedule.request_id == request.id
            and schedule.status is not ScheduleStatus.GRANTED
            and schedule.starts_at <= now
        )
        if request.status not in CANCELLABLE or (request.status is RequestStatus.GRANTED and started):
            return Refusal(
                Code.NOT_CANCELLABLE,
                "Only a request with the status Granted, PendingApproval, PendingApprovalProvisioning or "
                f"PendingAdminDecision can be cancelled; this one is {request.status}.",
            )
        if request.status is RequestStatus.GRANTED and schedule is not None and schedule.starts_at > now:
            _call_off(tx, deps, caller, request)
        else:
            close_request(tx, request.id, RequestStatus.CANCELED, now, "Cancelled.")
        cancelled = tx.requests.get(request.id) or request
        activity = activity_of(request.action, kind)
        tell(tx, deps, caller, now, activity, cancelled, schedule)
        return cancelled

    def _call_off(tx: Transaction, deps: Deps, caller: Caller, request: Request) -> None:
        close_request(tx, request.id, RequestStatus.CANCELED, now, "Cancelled.")
        schedule = tx.schedules.get(request.schedule_id or "")
        if schedule is not None and schedule.live(now) and schedule.request_id == request.id:
            end(
                tx,
                deps,
                caller,
                schedule,
                now,
                activity="Remove request",
                reason="Cancelled before its start.",
            )

    return deps.store.write(caller.tenant_id, work)


def activity_of(action: Action, kind: Kind) -> str:
    """What the history calls it when such a request is taken back, or made moot."""
    eligible = kind is Kind.ELIGIBILITY
    if action is Action.SELF_ACTIVATE:
        return "Add member to role canceled (PIM activation)"
    if action is Action.SELF_EXTEND:
        return (
            "Update eligible member in PIM canceled (extend)"
            if eligible
            else "Update member in PIM canceled (extend)"
        )
    if action is Action.SELF_RENEW:
        return (
            "Add eligible member to role in PIM canceled (renew)"
            if eligible
            else "Add member to role in PIM canceled (renew)"
        )
    return (
        "Add eligible member to role in PIM canceled (timebound)"
        if eligible
        else "Add member to role in PIM canceled (timebound)"
    )
