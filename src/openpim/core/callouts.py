"""Asking another system before an activation: what it may say, and what follows for the approval.

The answers are those of Entra's custom extensions. Approved: this stage is done, the next ones are still to come.
AutoApproved: no person needs to approve any more, where the role's settings let it say so; else it means Approved.
Denied: the request is denied. An answer is one decision of one stage: it never counts for a quorum of people, and the
facts are read again before anything is granted, as after every approval.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from openpim.core.approval import Approval, Decision, StageStatus, Verdict, decided
from openpim.core.lifecycle import ApprovalStatus
from openpim.core.pauses import doubled

LONGEST_ID = 100
MOST_REASONS = 10
LONGEST_REASON = 500
# All that wait for another system, whichever it is: a reviewer key that nobody holds.
WAITING_KEY = "extension"


class Outcome(StrEnum):
    APPROVED = "Approved"
    AUTO_APPROVED = "AutoApproved"
    DENIED = "Denied"


class CalloutStatus(StrEnum):
    DUE = "due"  # to be asked at next_at
    WAITING = "waiting"  # it was asked, and will call back
    ANSWERED = "answered"
    FAILED = "failed"  # it did not answer; what follows is the settings' rule


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An answer. id: the other system's own number for it."""

    outcome: Outcome
    id: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return " ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class Callout:
    """One question about one stage of one approval. id: known to the asked system alone, good for one answer.
    attempt: how often it was asked; fences a call that ends late."""

    id: str
    approval_id: str
    stage_id: str
    channel_id: str
    status: CalloutStatus
    created_at: datetime
    next_at: datetime
    attempt: int = 0
    evaluation: Evaluation | None = None
    answered_at: datetime | None = None


def key_of(channel_id: str) -> str:
    """The reviewer key of a system that is asked: no person's."""
    return f"extension:{channel_id}"


def keys_for(channel_id: str) -> frozenset[str]:
    return frozenset({WAITING_KEY, key_of(channel_id)})


def pause(attempt: int) -> timedelta:
    """Before the next try: 2, 4, 8 … seconds, a minute at most."""
    return doubled(attempt, timedelta(minutes=1), timedelta(seconds=2))


def answered(approval: Approval, evaluation: Evaluation, now: datetime) -> Approval:
    """The approval after the answer about its current stage."""
    stage = approval.current
    assert stage is not None  # noqa: S101 - the act checks these first
    callout = stage.settings.callout
    assert callout is not None  # noqa: S101
    verdict = Verdict.DENY if evaluation.outcome is Outcome.DENIED else Verdict.APPROVE
    decision = Decision(stage.id, callout.channel_id, verdict, evaluation.words, now)
    after = decided(approval, decision, now)
    if evaluation.outcome is not Outcome.AUTO_APPROVED or not callout.may_auto_approve:
        return after
    done = tuple(
        one if one.status is StageStatus.COMPLETED else replace(one, status=StageStatus.COMPLETED)
        for one in after.stages
    )
    return replace(after, status=ApprovalStatus.APPROVED, stages=done)


def read_evaluation(data: object) -> Evaluation | str:
    """What was answered, in Entra's words; a text says what is wrong with it."""
    if not isinstance(data, dict):
        return "it is not a JSON object"
    outcome = data.get("evaluationOutcome")
    if outcome not in [one.value for one in Outcome]:
        return f"evaluationOutcome is none of {', '.join(Outcome)}"
    given = data.get("evaluationId")
    if given is not None and (not isinstance(given, str) or len(given) > LONGEST_ID or "\x00" in given):
        return f"evaluationId is not a text of at most {LONGEST_ID} characters"
    reasons = data.get("reason")
    if isinstance(reasons, str):
        reasons = [reasons]
    if reasons is not None and (
        not isinstance(reasons, list) or not all(isinstance(one, str) for one in reasons)
    ):
        return "reason is not a list of texts"
    kept = tuple(_shown(one) for one in (reasons or [])[:MOST_REASONS])
    return Evaluation(Outcome(str(outcome)), _shown(given or ""), kept)


def _shown(text: str) -> str:
    """What can be stored and shown: printable, and not too long."""
    return "".join(one if one.isprintable() else " " for one in text[:LONGEST_REASON]).strip()
