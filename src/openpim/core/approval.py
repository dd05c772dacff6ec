"""Approval: stages, a quorum of different people in each, time-outs, escalation, and never one's own request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from openpim.core.lifecycle import ApprovalStatus
from openpim.core.policy import Stage


class StageStatus(StrEnum):
    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    EXPIRED = "Expired"


class Verdict(StrEnum):
    NOT_REVIEWED = "NotReviewed"
    APPROVE = "Approve"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Decision:
    stage_id: str
    reviewer_id: str
    verdict: Verdict
    justification: str
    at: datetime
    right_of: str = ""  # whose right it was: his own, or that of the person who handed it to him

    @property
    def used(self) -> str:
        return self.right_of or self.reviewer_id


@dataclass(frozen=True, slots=True)
class ApprovalStage:
    """keys: who may decide now: user ids, group ids, "role:<role id>". The first stage's id is the approval's id.

    escalates_at None: it never will (or has). settings: as the policy says (services/stages_today.py),
    but for the time, which stays as it was when the stage was made.
    """

    id: str
    number: int
    status: StageStatus
    settings: Stage
    keys: frozenset[str]
    started_at: datetime | None = None
    deadline: datetime | None = None
    escalates_at: datetime | None = None
    escalated: bool = False
    fell_back: bool = False

    def open_at(self, now: datetime) -> bool:
        """Begun, not finished, and its time is not over (recorded or not)."""
        return self.status is StageStatus.IN_PROGRESS and (self.deadline is None or now < self.deadline)


@dataclass(frozen=True, slots=True)
class Approval:
    """id equals the request's id."""

    id: str
    requestor_id: str
    status: ApprovalStatus
    stages: tuple[ApprovalStage, ...]
    decisions: tuple[Decision, ...] = ()
    deadline: datetime | None = None

    @property
    def current(self) -> ApprovalStage | None:
        return next((stage for stage in self.stages if stage.status is StageStatus.IN_PROGRESS), None)

    def of_stage(self, stage_id: str) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.stage_id == stage_id)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reviewer key by which an approval can be decided now. scope, asked_at: of its request."""

    approval_id: str
    key: str
    requestor_id: str
    scope: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Delegation:
    """An approver lets somebody else decide in his place, for a time."""

    approver_id: str
    delegate_id: str
    starts_at: datetime
    ends_at: datetime


def begin_stage(stage: ApprovalStage, now: datetime, limit: datetime | None) -> ApprovalStage:
    """The stage, started. limit: the latest instant a decision still helps (the asked start), None = none."""
    deadline = now + timedelta(minutes=stage.settings.timeout_minutes)
    if limit is not None:
        deadline = min(deadline, limit)
    minutes = stage.settings.escalate_after_minutes
    escalates_at = now + timedelta(minutes=minutes) if minutes and stage.settings.escalation else None
    return replace(
        stage, status=StageStatus.IN_PROGRESS, started_at=now, deadline=deadline, escalates_at=escalates_at
    )


def decided(approval: Approval, decision: Decision, now: datetime) -> Approval:
    """The approval after one more decision in its current stage (the caller's right was checked before)."""
    stage = approval.current
    assert stage is not None  # noqa: S101 - the act checks this first
    decisions = (*approval.decisions, decision)
    if decision.verdict is Verdict.DENY:
        return replace(
            approval,
            status=ApprovalStatus.DENIED,
            decisions=decisions,
            stages=_with(approval.stages, replace(stage, status=StageStatus.COMPLETED)),
        )
    # Different people, and different rights: one's own approval and one by a delegate are one.
    approving = [d for d in decisions if d.stage_id == stage.id and d.verdict is Verdict.APPROVE]
    approvals = {d.used for d in approving}
    if len(approvals) < stage.settings.quorum:
        return replace(approval, decisions=decisions)
    stages = _with(approval.stages, replace(stage, status=StageStatus.COMPLETED))
    following = next((later for later in stages if later.status is StageStatus.NOT_STARTED), None)
    if following is None:
        return replace(approval, status=ApprovalStatus.APPROVED, decisions=decisions, stages=stages)
    return replace(
        approval, decisions=decisions, stages=_with(stages, begin_stage(following, now, approval.deadline))
    )


def escalated(stage: ApprovalStage) -> ApprovalStage:
    return replace(
        stage, keys=stage.keys | stage.settings.escalation.keys(), escalated=True, escalates_at=None
    )


def with_stage(approval: Approval, changed: ApprovalStage) -> Approval:
    return replace(approval, stages=_with(approval.stages, changed))


def _with(stages: tuple[ApprovalStage, ...], changed: ApprovalStage) -> tuple[ApprovalStage, ...]:
    return tuple(changed if stage.id == changed.id else stage for stage in stages)
