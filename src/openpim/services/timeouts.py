"""Approvals that nobody decided: they escalate, fall back, and at last time out. Takes no input: it looks at what is
due, so a worker that was away catches up by running once."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from openpim.core import caller as callers
from openpim.core.approval import Approval, escalated, with_stage
from openpim.core.ask import Ask, ask_of
from openpim.core.audit import Target
from openpim.core.grants import Kind, Provider, Request
from openpim.core.lifecycle import AWAITING_DECISION, ApprovalStatus, RequestStatus
from openpim.core.policy import Policy
from openpim.core.query import All, AnyOf, Compare, Query
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import tell
from openpim.services.basis import Basis
from openpim.services.ending import close_request
from openpim.services.opening import ensure_decidable
from openpim.services.passing_on import pass_on, passes_on
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, record
from openpim.services.stages_today import with_stages_of_today

EXPIRED = "PIM activation request expired"
ESCALATED = "Approval escalated"


def settle_approvals(deps: Deps, tenant_id: str, *, limit: int = 100) -> int:
    """Escalate and time out what is due in one tenant. Returns how many approvals were looked at."""
    now = deps.clock()
    due = deps.store.read(tenant_id, lambda tx: tx.approvals.due(now, limit))
    for approval_id in due:
        deps.store.write(tenant_id, partial(_settle, deps=deps, approval_id=approval_id, now=now))
    return len(due)


def check_reviewers(deps: Deps, tenant_id: str, *, batch: int = 200) -> None:
    """See to it that every open approval can still be decided by somebody (deleted, disabled, emptied groups)."""
    now = deps.clock()
    after = ""
    while True:
        ids = deps.store.read(tenant_id, partial(_open_ids, after=after, limit=batch))
        for approval_id in ids:
            deps.store.write(tenant_id, partial(_settle, deps=deps, approval_id=approval_id, now=now))
        if len(ids) < batch:
            return
        after = ids[-1]


def _open_ids(tx: Transaction, after: str, limit: int) -> list[str]:
    return tx.approvals.open_ids(after, limit)


def _settle(tx: Transaction, deps: Deps, approval_id: str, now: datetime) -> None:
    request = tx.requests.get(approval_id, lock=True)
    approval = tx.approvals.get(approval_id, lock=True)
    if request is None or approval is None or approval.status is not ApprovalStatus.IN_PROGRESS:
        return
    stage = approval.current
    if stage is not None and not stage.open_at(now):
        if passes_on(approval):
            pass_on(tx, deps, request, approval, now)
        else:
            time_out(tx, deps, request, approval, now)
        return
    brought_up_to_date(tx, deps, request, approval, now)


def waiting(tx: Transaction, deps: Deps, ask: Ask, now: datetime) -> bool:
    """Whether a request for the same waits for a decision. One whose time is over waits no longer, whether or not a
    worker has noticed."""
    found = False
    for request in tx.requests.open_of(
        ask.principal_id, kind=ask.kind, provider=ask.provider, role_id=ask.role_id, scope=ask.scope
    ):
        if request.status not in AWAITING_DECISION:
            continue
        approval = tx.approvals.get(request.id, lock=True)
        stage = approval.current if approval is not None else None
        if approval is not None and stage is not None and not stage.open_at(now) and not passes_on(approval):
            time_out(tx, deps, request, approval, now)
        else:
            found = True
    return found


def brought_up_to_date(
    tx: Transaction,
    deps: Deps,
    request: Request,
    approval: Approval,
    now: datetime,
    basis: Basis | None = None,
) -> Approval:
    """The approval as time has made it, stored and on record, whether or not a worker has run: escalated, and with
    somebody who can decide. basis: what the request rests on, where that is of use afterwards."""
    stage = approval.current
    if approval.status is not ApprovalStatus.IN_PROGRESS or stage is None or not stage.open_at(now):
        return approval
    ask = ask_of(request)
    basis = basis or Basis(tx, deps, ask, now)
    changed = with_stages_of_today(tx, deps, request, ask, approval, now, basis)
    stage = changed.current or stage
    if stage.escalates_at is not None and stage.escalates_at <= now:
        changed = with_stage(changed, escalated(stage))
        record(
            tx,
            deps,
            callers.system(tx.tenant_id),
            now,
            activity=ESCALATED,
            category=category_of(request.provider),
            targets=(Target("Request", request.id), Target("Role", request.role_id)),
            correlation_id=request.id,
        )
    changed = ensure_decidable(tx, deps, request, changed, now)
    if changed != approval:
        tx.approvals.save(changed, approval)
    return changed


def follow_policy(tx: Transaction, deps: Deps, provider: Provider, policy: Policy, now: datetime) -> None:
    """The settings of a role have changed: what waits for a decision about it waits for those of today."""
    chains = PROVIDERS[provider].chain
    after: str | None = None
    while True:
        where = All(
            (
                Compare("role_id", "eq", policy.role_id),
                AnyOf("status", tuple(status.value for status in AWAITING_DECISION)),
            )
        )
        page = tx.requests.page(provider, Kind.ASSIGNMENT, Query(where, limit=200, after=after))
        for found in page.items:
            if policy.scope not in chains(tx, found.scope):
                continue
            request = tx.requests.get(found.id, lock=True)
            approval = tx.approvals.get(found.id, lock=True)
            if request is not None and approval is not None:
                brought_up_to_date(tx, deps, request, approval, now)
        after = page.next
        if after is None:
            return


def time_out(tx: Transaction, deps: Deps, request: Request, approval: Approval, now: datetime) -> None:
    """The deadline passed without a decision."""
    close_request(
        tx,
        approval.id,
        RequestStatus.TIMED_OUT,
        now,
        "Nobody decided in time.",
    )
    tell(tx, deps, callers.system(tx.tenant_id), now, EXPIRED, request, None)
