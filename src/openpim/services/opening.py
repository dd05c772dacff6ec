"""Opens an approval, and sees to it that somebody can decide: when nobody able is left, the default approvers of
the provider are asked too, and the audit says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from openpim.core import caller as callers
from openpim.core.approval import Approval, ApprovalStage, StageStatus, begin_stage, with_stage
from openpim.core.audit import Target
from openpim.core.callouts import keys_for
from openpim.core.grants import Request
from openpim.core.lifecycle import ApprovalStatus
from openpim.core.policy import Stage
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import able_reviewers, keys_of
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, record

FELL_BACK = "Approval fell back to default approvers"


def open_approval(
    tx: Transaction,
    deps: Deps,
    request: Request,
    stages: Sequence[Stage],
    now: datetime,
    *,
    limit: datetime | None,
) -> Approval:
    """Store the approval of a request (same id), its first stage begun. limit: when a decision comes too late."""
    defaults = PROVIDERS[request.provider].default_reviewers(tx, request.role_id, request.scope, now)
    made = tuple(
        ApprovalStage(
            id=request.id if number == 1 else deps.new_id(),
            number=number,
            status=StageStatus.NOT_STARTED,
            settings=settings,
            keys=keys_of_stage(settings, defaults),
        )
        for number, settings in enumerate(stages, start=1)
    )
    approval = Approval(
        id=request.id,
        requestor_id=request.principal_id,
        status=ApprovalStatus.IN_PROGRESS,
        stages=(begin_stage(made[0], now, limit), *made[1:]),
        deadline=limit,
    )
    approval = ensure_decidable(tx, deps, request, approval, now)
    tx.approvals.add(approval)
    return approval


def keys_of_stage(settings: Stage, defaults: frozenset[str]) -> frozenset[str]:
    """Who decides a stage: another system alone, the people it names, or the default approvers."""
    if settings.callout is not None:
        return keys_for(settings.callout.channel_id)
    return settings.primary.keys() or defaults


def ensure_decidable(
    tx: Transaction, deps: Deps, request: Request, approval: Approval, now: datetime
) -> Approval:
    """Add the default approvers to a stage that too few able people are left to decide."""
    stage = approval.current
    if stage is None or stage.settings.callout is not None:
        return approval
    done = {decision.reviewer_id for decision in approval.of_stage(stage.id)}
    able = able_reviewers(tx, keys_of(tx, request, stage.keys), approval.requestor_id, now) - done
    if len(able) >= stage.settings.quorum - len(done):
        return approval
    defaults = PROVIDERS[request.provider].default_reviewers(tx, request.role_id, request.scope, now)
    if defaults <= stage.keys:
        return approval
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=FELL_BACK,
        category=category_of(request.provider),
        targets=(Target("Request", request.id), Target("Role", request.role_id)),
        reason="Too few of the approvers named in the policy can still decide.",
        correlation_id=request.id,
    )
    return with_stage(approval, replace(stage, keys=stage.keys | defaults, fell_back=True))
