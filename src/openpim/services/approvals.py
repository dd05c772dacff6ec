"""Reads approvals: one, or those that wait for the caller."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from openpim.core.approval import Approval
from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Provider, Request
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import Decider, decider, keys_within
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
        view = next(iter(_views(tx, decider(tx, caller.principal_id, now), [approval_id])), None)
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
        me = decider(tx, caller.principal_id, now)
        views = _views(tx, me, tx.approvals.waiting_for(me.keys))
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


def _views(tx: Transaction, me: Decider, ids: Collection[str]) -> list[ApprovalView]:
    """In a fixed number of questions, however many."""
    approvals, requests = tx.approvals.many(ids), tx.requests.many(ids)
    places = {one.scope for one in requests.values() if one.provider is Provider.RESOURCE}
    chains = tx.resources.chains(places) if places else {}
    deciders = {one.reviewer_id for approval in approvals.values() for one in approval.decisions}
    people = tx.principals.many(deciders, deleted=True) if deciders else {}
    found = []
    for one, approval in approvals.items():
        request = requests.get(one)
        if request is None:
            continue
        chain = chains.get(request.scope)
        assigned = frozenset(
            stage.id
            for stage in approval.stages
            if me.rights(
                approval.requestor_id, stage.keys if chain is None else keys_within(chain, stage.keys)
            )
        )
        decided = {decision.reviewer_id for decision in approval.decisions}
        theirs = {who: people[who] for who in decided if who in people}
        found.append(ApprovalView(approval, request, assigned, theirs))
    return found
