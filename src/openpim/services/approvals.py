"""Reads approvals: one, or those that wait for the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openpim.core.approval import Approval
from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Provider, Request
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import keys_of, may_decide, reviewer_keys
from openpim.services.providers import PROVIDERS


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """assigned: ids of the stages the caller may decide (now or, if not begun, later). people: who decided."""

    approval: Approval
    request: Request
    assigned: frozenset[str] = frozenset()
    people: dict[str, Principal] = field(default_factory=dict)


def get(
    deps: Deps, caller: Caller, approval_id: str, provider: Provider | None = None
) -> ApprovalView | Refusal:
    """For approvers, the requestor, and readers; REQUEST_MISSING or NOT_APPROVER for others.

    provider: one that is about another provider's request is not found.
    """
    now = deps.clock()

    def work(tx: Transaction) -> ApprovalView | Refusal:
        view = _view(tx, caller, approval_id, now)
        if view is None or provider not in {None, view.request.provider}:
            return Refusal(Code.REQUEST_MISSING, f"There is no approval {approval_id}.")
        allowed = (
            view.assigned
            or caller.principal_id in {view.request.principal_id, view.request.created_by}
            or PROVIDERS[view.request.provider].may_read(tx, caller, view.request.scope, now)
        )
        return view if allowed else Refusal(Code.NOT_APPROVER, "You are not an approver of this request.")

    return deps.store.read(caller.tenant_id, work)


def mine(deps: Deps, caller: Caller, provider: Provider | None = None) -> tuple[ApprovalView, ...]:
    """Everything (or what is about one provider) that waits for the caller's decision, oldest first (at most 500)."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[ApprovalView, ...]:
        ids = tx.approvals.waiting_for(reviewer_keys(tx, caller.principal_id, now))
        views = [view for view in (_view(tx, caller, found, now) for found in ids) if view is not None]
        return tuple(
            sorted(
                (
                    view
                    for view in views
                    if provider in {None, view.request.provider}
                    and view.approval.current is not None
                    and view.approval.current.id in view.assigned
                    and view.approval.current.open_at(now)
                ),
                key=lambda view: (view.request.created_at, view.request.id),
            )
        )

    return deps.store.read(caller.tenant_id, work)


def _view(tx: Transaction, caller: Caller, approval_id: str, now: datetime) -> ApprovalView | None:
    approval = tx.approvals.get(approval_id)
    request = tx.requests.get(approval_id)
    if approval is None or request is None:
        return None
    assigned = frozenset(
        stage.id
        for stage in approval.stages
        if may_decide(tx, approval, keys_of(tx, request, stage.keys), caller.principal_id, now)
    )
    people = tx.principals.many([decision.reviewer_id for decision in approval.decisions], deleted=True)
    return ApprovalView(approval, request, assigned, people)
