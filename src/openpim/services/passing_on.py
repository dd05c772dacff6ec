"""A stage that another system was to decide goes to people instead: where the settings say so and the system does not
answer. Nothing is granted by that: the next stage decides; without one, the role's default approvers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from openpim.core import caller as callers
from openpim.core.approval import Approval, StageStatus, begin_stage, with_stage
from openpim.core.audit import Target
from openpim.core.grants import Request
from openpim.core.policy import WhenDown
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.opening import ensure_decidable
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, record

PASSED_ON = "Approval passed on to people"
_FOR_PEOPLE = int(timedelta(days=1).total_seconds() // 60)


def passes_on(approval: Approval) -> bool:
    """Whether people decide when the system that the current stage waits for does not."""
    callout = approval.current.settings.callout if approval.current is not None else None
    return callout is not None and callout.when_down is WhenDown.PEOPLE


def pass_on(tx: Transaction, deps: Deps, request: Request, approval: Approval, now: datetime) -> Approval:
    stage = approval.current
    assert stage is not None  # noqa: S101 - see passes_on
    following = next((one for one in approval.stages if one.status is StageStatus.NOT_STARTED), None)
    if following is not None:
        after = with_stage(approval, replace(stage, status=StageStatus.COMPLETED))
        after = with_stage(after, begin_stage(following, now, approval.deadline))
    else:
        minutes = max(stage.settings.timeout_minutes, _FOR_PEOPLE)
        people = replace(
            stage,
            settings=replace(stage.settings, callout=None, timeout_minutes=minutes),
            keys=PROVIDERS[request.provider].default_reviewers(tx, request.role_id, request.scope, now),
            fell_back=True,
        )
        after = with_stage(approval, begin_stage(people, now, approval.deadline))
    after = ensure_decidable(tx, deps, request, after, now)
    tx.approvals.save(after, approval)
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=PASSED_ON,
        category=category_of(request.provider),
        targets=(Target("Request", request.id), Target("Role", request.role_id)),
        reason="The system that was to decide did not answer.",
        correlation_id=request.id,
    )
    return after
