"""One person decides one stage of an approval. The facts are read again, and the clock of an activation starts now.

Two people at once: the request's row is locked, the first decision counts, the second is told so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.approval import Approval, ApprovalStage, Decision, Verdict, decided
from openpim.core.ask import ask_of
from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.deciding import Grant, Proof
from openpim.core.grants import Action, AssignmentType, ExpirationType, Kind, Provider, Request, Window
from openpim.core.lifecycle import ApprovalStatus, RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import authority
from openpim.services.actions import activate, administer
from openpim.services.actions.common import held_exactly, tell
from openpim.services.basis import Basis
from openpim.services.channels import tickets
from openpim.services.channels.tickets import Checked
from openpim.services.opening import ensure_decidable
from openpim.services.providers import PROVIDERS
from openpim.services.recording import record_refusal, storable
from openpim.services.timeouts import brought_up_to_date, time_out

APPROVED = "Add member to role request approved (PIM activation)"
DENIED = "Add member to role request denied (PIM activation)"
FAILED = "Process request"
REFUSED = "Decide approval"
_TAKEN_AWAY = Refusal(Code.ASSIGNMENT_MISSING, "It has been taken away meanwhile. Ask for it anew.")


def review(
    deps: Deps,
    caller: Caller,
    approval_id: str,
    stage_id: str | None,
    verdict: Verdict,
    justification: str,
    provider: Provider | None = None,
) -> Approval | Refusal:
    """Approve or deny the current stage (stage_id None: whichever it is). provider: the only one it may be about.

    Returns the approval as it now stands. Refusals: REQUEST_MISSING, NOT_APPROVER, ALREADY_DECIDED, POLICY
    (a justification is missing), INVALID, THROTTLED (the ticket system is asked about too much at the moment).
    """
    if verdict not in {Verdict.APPROVE, Verdict.DENY}:
        return Refusal(Code.INVALID, "Say Approve or Deny.", member="reviewResult")
    if len(justification) > 10_000 or not storable(justification):
        return Refusal(
            Code.INVALID,
            "The justification is too long, or has a character that cannot be stored.",
            member="justification",
        )

    decision = (approval_id, stage_id, verdict, justification)
    try:
        return _decide(deps, caller, decision, provider, tickets.UNTIL_NEEDED)
    except tickets.NotAskedYet:
        said = tickets.check_again(deps, caller.tenant_id, approval_id, caller.principal_id)
        return said if isinstance(said, Refusal) else _decide(deps, caller, decision, provider, said)


def _decide(
    deps: Deps,
    caller: Caller,
    decision: tuple[str, str | None, Verdict, str],
    provider: Provider | None,
    checked: Checked,
) -> Approval | Refusal:
    """Once, with what ticket systems have said."""
    approval_id, stage_id, verdict, justification = decision
    now = deps.clock()

    def work(tx: Transaction) -> Approval | Refusal:
        first = tx.requests.get(approval_id)
        if first is None or first.approval_id is None or provider not in {None, first.provider}:
            return Refusal(Code.REQUEST_MISSING, f"There is no approval {approval_id}.", member="id")
        PROVIDERS[first.provider].hold(tx, first.scope)
        tx.lock_principal(first.principal_id)
        request = tx.requests.get(approval_id, lock=True)
        approval = tx.approvals.get(approval_id, lock=True)
        if request is None or approval is None:
            return Refusal(Code.REQUEST_MISSING, f"There is no approval {approval_id}.", member="id")
        outcome = _review(tx, deps, caller, request, approval, stage_id, verdict, justification, now, checked)
        if isinstance(outcome, Refusal):
            _record_refusal(tx, deps, caller, request, outcome, now)
        return outcome

    return deps.store.write(caller.tenant_id, work)


def _review(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    approval: Approval,
    stage_id: str | None,
    verdict: Verdict,
    justification: str,
    now: datetime,
    checked: Checked,
) -> Approval | Refusal:
    if stage_id is not None and all(stage.id != stage_id for stage in approval.stages):
        return Refusal(Code.REQUEST_MISSING, f"The approval has no stage {stage_id}.", member="id")
    basis = Basis(tx, deps, ask_of(request), now)
    right = _right_of(tx, deps, caller, request, approval, now, basis)
    if isinstance(right, Refusal):
        return right
    approval, stage, rights = right
    if not stage.open_at(now):
        time_out(tx, deps, request, approval, now)
        return Refusal(Code.ALREADY_DECIDED, "The time for a decision has passed: the request has timed out.")
    if stage_id is not None and stage.id != stage_id:
        return Refusal(Code.ALREADY_DECIDED, "That stage is not waiting for a decision now.")
    before = approval.of_stage(stage.id)
    used = {decision.used for decision in before}
    right_of = next((one for one in rights if one not in used or verdict is Verdict.DENY), None)
    if right_of is None or any(decision.reviewer_id == caller.principal_id for decision in before):
        return Refusal(
            Code.ALREADY_DECIDED, "You have decided this stage already; others have still to decide."
        )
    if stage.settings.justification_required and not justification.strip():
        return Refusal(
            Code.POLICY,
            "The policy asks approvers for a justification. Say why.",
            member="justification",
            rules=("JustificationRule",),
        )
    decision = Decision(stage.id, caller.principal_id, verdict, justification, now, right_of)
    after = decided(approval, decision, now)
    if after.status is ApprovalStatus.IN_PROGRESS:
        after = ensure_decidable(tx, deps, request, after, now)
    tx.approvals.save(after, approval)
    said = replace(request, justification=justification)
    other = tx.principals.get(right_of) if right_of != caller.principal_id else None
    tell(
        tx, deps, caller, now, APPROVED if verdict is Verdict.APPROVE else DENIED, said, None,
        on_behalf_of=(right_of, other.display_name) if other is not None else ("", ""),
    )  # fmt: skip
    if after.status is ApprovalStatus.DENIED:
        tx.requests.save(replace(request, status=RequestStatus.DENIED, completed_at=now))
    elif after.status is ApprovalStatus.APPROVED:
        carry_out(tx, deps, caller, request, now, checked, basis)
    return after


def _right_of(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    approval: Approval,
    now: datetime,
    basis: Basis,
) -> tuple[Approval, ApprovalStage, list[str]] | Refusal:
    """The approval as it stands now, its current stage, and whose right the caller has, if he has any."""
    if caller.kind is not CallerKind.USER:
        return Refusal(Code.NOT_APPROVER, "Only a person can decide a request.")
    if caller.principal_id in {approval.requestor_id, request.created_by}:
        return Refusal(Code.NOT_APPROVER, "Nobody decides his own request. Another approver must.")
    live = brought_up_to_date(tx, deps, request, approval, now, basis)
    stage = live.current
    keys = stage.keys if stage is not None else frozenset().union(*(one.keys for one in live.stages))
    keys = authority.keys_of(tx, request, keys)
    rights = authority.decider(tx, caller.principal_id, now).rights(live.requestor_id, keys)
    if not rights:
        return Refusal(Code.NOT_APPROVER, "You are not an approver of this request.")
    if stage is None or live.status is not ApprovalStatus.IN_PROGRESS:
        return Refusal(
            Code.ALREADY_DECIDED, f"This request has been decided already: it is {request.status}."
        )
    return live, stage, rights


def _record_refusal(
    tx: Transaction, deps: Deps, caller: Caller, request: Request, refusal: Refusal, now: datetime
) -> None:
    rules = PROVIDERS[request.provider]
    record_refusal(
        tx,
        deps,
        caller,
        now,
        refusal,
        activity=REFUSED,
        provider=request.provider,
        targets=(
            Target("Request", request.id),
            Target("Role", request.role_id, rules.role_name(tx, request.role_id, request.scope)),
            Target("User", request.principal_id),
        ),
        correlation_id=request.id,
    )


def carry_out(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    now: datetime,
    checked: Checked | None,
    basis: Basis | None = None,
) -> None:
    """All stages approved: read the facts again, then grant; what no longer holds makes the request fail. checked: what
    the ticket system said meanwhile. basis: where this unit of work has read it already."""
    outcome = (
        _extend_or_renew(tx, deps, caller, request, now)
        if request.status is RequestStatus.PENDING_ADMIN_DECISION
        else _activate(tx, deps, caller, request, now, checked, basis)
    )
    if isinstance(outcome, Refusal):
        failed = replace(request, status=RequestStatus.FAILED, completed_at=now, failure=outcome.message)
        tx.requests.save(failed)
        tell(tx, deps, caller, now, FAILED, replace(failed, justification=outcome.message), None)


def standing(tx: Transaction, request: Request) -> Refusal | None:
    """The subject must still exist and be enabled, and the role and scope must still be there."""
    principal = tx.principals.get(request.principal_id)
    if principal is None or not principal.able:
        return Refusal(Code.SUBJECT_MISSING, "The person was deleted or disabled meanwhile.")
    rules = PROVIDERS[request.provider]
    return rules.fault(tx, request.role_id, request.scope) or rules.subject_fault(
        tx, principal, request.kind, request.role_id, request.scope
    )


def _taken_away(tx: Transaction, request: Request) -> bool:
    """Whether what was to be extended (or, since it was asked for, what was to be renewed) has been ended by somebody, and
    not by its time alone: whoever approves the longer time does not give it back."""
    by_time = {ScheduleStatus.PROVISIONED, ScheduleStatus.EXPIRED}
    if request.action is Action.SELF_EXTEND:
        meant = tx.schedules.get(request.schedule_id or "")
        return meant is None or meant.status not in by_time
    alike = tx.schedules.of(
        [request.principal_id],
        provider=request.provider,
        kind=request.kind,
        role_id=request.role_id,
        scopes=[request.scope],
    )
    return any(
        one.status not in by_time
        and one.assignment_type is not AssignmentType.ACTIVATED
        and (one.modified_at or one.created_at) >= request.created_at
        for one in alike
    )


def _activate(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    now: datetime,
    checked: Checked | None,
    basis: Basis | None,
) -> Request | Refusal:
    refusal = standing(tx, request)
    if refusal is not None:
        return refusal
    ask = ask_of(request)
    extending = activate.running_activation(tx, ask, now) if request.action is Action.SELF_EXTEND else None
    if request.action is Action.SELF_EXTEND and extending is None and _taken_away(tx, request):
        return _TAKEN_AWAY
    proof = Proof(frozenset(request.amr), frozenset(request.acrs))
    tickets.note(tx, deps, request, checked, now)
    grant = activate.decide(tx, deps, ask, proof, now, extending, checked=checked, basis=basis)
    if isinstance(grant, Refusal):
        return grant
    return activate.apply(tx, deps, caller, request, grant, now, extending, fresh=False)


def _extend_or_renew(
    tx: Transaction, deps: Deps, caller: Caller, request: Request, now: datetime
) -> Request | Refusal:
    refusal = standing(tx, request)
    if refusal is not None:
        return refusal
    ask = ask_of(request)
    if _taken_away(tx, request):
        return _TAKEN_AWAY
    held = [one for one in held_exactly(tx, ask, now) if one.assignment_type is not AssignmentType.ACTIVATED]
    replacing = next((one for one in held if one.id == request.schedule_id), None)
    if held and replacing is None:
        return Refusal(Code.ASSIGNMENT_EXISTS, "It has been assigned anew meanwhile.")
    start = replacing.starts_at if replacing is not None else max(now, request.window.start or now)
    ends_at = _wanted_end(tx, deps, request, max(start, now))
    if (
        replacing is not None
        and replacing.ends_at is not None
        and ends_at is not None
        and ends_at <= replacing.ends_at
    ):
        return Refusal(Code.INVALID, "It lasts longer already than was asked for.")
    approved = replace(request, status=RequestStatus.PROVISIONED, completed_at=now)
    return administer.write(tx, deps, caller, approved, Grant(start, ends_at), replacing, now, fresh=False)


def _wanted_end(tx: Transaction, deps: Deps, request: Request, start: datetime) -> datetime | None:
    """The asked end within the policy of today; without one, the longest the policy allows."""
    policy = PROVIDERS[request.provider].policy(tx, deps, request.role_id, request.scope)
    expiry = policy.expiry_of(Kind(request.kind))
    longest = expiry.maximum.after(start) if expiry.maximum is not None else None
    window: Window = request.window
    if window.type in {ExpirationType.NOT_SPECIFIED, ExpirationType.NO_EXPIRATION}:
        return longest if expiry.required or window.type is ExpirationType.NOT_SPECIFIED else None
    end = window.ends(start)
    if end is None or (expiry.required and longest is not None and end > longest):
        return longest
    return end
