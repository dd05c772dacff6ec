"""Reads approvals: one, or those that wait for the caller."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from openpim.core.approval import Approval, Waiting
from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Provider, Request
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import is_role_key, read_role_key
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import Decider, decider, keys_within
from openpim.services.providers import PROVIDERS

MOST = 500  # that wait for one person


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
        view = next(iter(views(tx, decider(tx, caller.principal_id, now), [approval_id])), None)
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
        found = views(tx, me, waiting_for(tx, me, now))
        return tuple(view for view in found if provider in {None, view.request.provider})

    return deps.store.read(caller.tenant_id, work)


def waiting_for(tx: Transaction, me: Decider, now: datetime) -> list[str]:
    """Ids of all that `mine` gives, in its order, in one question."""
    found = [
        one
        for one in tx.approvals.open_for(me.keys, now, MOST)
        if me.rights(one.requestor_id, frozenset((one.key,)))
    ]
    moved = _moved_away(tx, found)
    asked = {(one.asked_at, one.approval_id) for one in found if one not in moved}
    return [one for _, one in sorted(asked)]


def _moved_away(tx: Transaction, found: Collection[Waiting]) -> frozenset[Waiting]:
    """Those whose key is a role at a place that does not contain the one they are about any more."""
    scoped = [(one, read_role_key(one.key)[1]) for one in found if is_role_key(one.key)]
    scoped = [(one, place) for one, place in scoped if place is not None]
    if not scoped:
        return frozenset()
    chains = tx.resources.chains({one.scope for one, _ in scoped})
    return frozenset(one for one, place in scoped if place not in chains[one.scope])


def views(tx: Transaction, me: Decider, ids: Sequence[str]) -> list[ApprovalView]:
    """Of these approvals, in this order; in a fixed number of questions, however many."""
    approvals, requests = tx.approvals.many(ids), tx.requests.many(ids)
    places = {one.scope for one in requests.values() if one.provider is Provider.RESOURCE}
    chains = tx.resources.chains(places) if places else {}
    deciders = {one.reviewer_id for approval in approvals.values() for one in approval.decisions}
    people = tx.principals.many(deciders, deleted=True) if deciders else {}
    found = []
    for one in ids:
        approval, request = approvals.get(one), requests.get(one)
        if approval is None or request is None:
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
