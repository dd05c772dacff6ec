"""An open approval follows the role settings of today: who was taken out of them decides no more, who was named in them
since does, and what was made stricter holds. The time each stage has stays as it was when it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.approval import Approval, ApprovalStage, StageStatus
from openpim.core.ask import Ask
from openpim.core.grants import Request
from openpim.core.lifecycle import ApprovalStatus, RequestStatus
from openpim.core.policy import Stage
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.basis import Basis
from openpim.services.opening import keys_of_stage
from openpim.services.providers import PROVIDERS


def with_stages_of_today(
    tx: Transaction,
    deps: Deps,
    request: Request,
    ask: Ask,
    approval: Approval,
    now: datetime,
    basis: Basis,
) -> Approval:
    """The approval of an activation as today's settings have it; an extension's or renewal's has no settings."""
    if (
        approval.status is not ApprovalStatus.IN_PROGRESS
        or request.status is RequestStatus.PENDING_ADMIN_DECISION
    ):
        return approval
    policy = basis.policy(max(now, ask.window.start or now))
    wanted = policy.approval.stages
    defaults = PROVIDERS[request.provider].default_reviewers(tx, request.role_id, request.scope, now)
    stages = [
        _as_today(stage, wanted[at] if at < len(wanted) else None, defaults)
        for at, stage in enumerate(approval.stages)
    ]
    if policy.approval.required:
        stages += [
            ApprovalStage(
                id=deps.new_id(),
                number=number,
                status=StageStatus.NOT_STARTED,
                settings=settings,
                keys=keys_of_stage(settings, defaults),
            )
            for number, settings in enumerate(wanted[len(stages) :], start=len(stages) + 1)
        ]
    return replace(approval, stages=tuple(stages))


def _as_today(stage: ApprovalStage, wanted: Stage | None, defaults: frozenset[str]) -> ApprovalStage:
    """The stage with today's settings; None: they have no such stage any more, so they name nobody for it."""
    if stage.status not in {StageStatus.IN_PROGRESS, StageStatus.NOT_STARTED}:
        return stage
    if wanted is None:
        return replace(stage, keys=defaults, settings=replace(stage.settings, callout=None))
    if stage.fell_back and stage.settings.callout is None and wanted.callout is not None:
        return replace(stage, keys=defaults)  # it was passed on to people, and stays with them
    settings = replace(
        stage.settings,
        primary=wanted.primary,
        escalation=wanted.escalation,
        quorum=wanted.quorum,
        justification_required=wanted.justification_required,
        callout=wanted.callout,
    )
    keys = keys_of_stage(wanted, defaults)
    if wanted.callout is not None:
        return replace(stage, settings=settings, keys=keys, fell_back=False)
    if stage.escalated:
        keys |= wanted.escalation.keys()
    if stage.fell_back:
        keys |= defaults
    return replace(stage, settings=settings, keys=keys)
