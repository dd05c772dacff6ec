"""Asks the systems that are to decide an approval, and does what they answer.

Takes no input: it looks for approvals whose current stage waits for another system, so that one that was away catches up
by running once. The question is noted, then asked outside any unit of work, then the answer is written, if the stage
still waits for it: a call that ends late finds that it does not. The id of a question is the same at every try.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from openpim.core import caller as callers
from openpim.core import callouts
from openpim.core.approval import Approval, ApprovalStage
from openpim.core.ask import ask_of
from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.callouts import Callout, CalloutStatus, Evaluation, Outcome
from openpim.core.channels import Channel, ChannelKind
from openpim.core.grants import Request
from openpim.core.lifecycle import ApprovalStatus, RequestStatus
from openpim.core.policy import WhenDown
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.outbound import OutboundError
from openpim.ports.store import Transaction
from openpim.services.actions.common import tell
from openpim.services.channels import tickets
from openpim.services.channels.calls import json_of, post
from openpim.services.channels.questions import about_request
from openpim.services.ending import close_request
from openpim.services.opening import ensure_decidable
from openpim.services.passing_on import pass_on
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_targets, record
from openpim.services.review import APPROVED, DENIED, FAILED, carry_out
from openpim.services.timeouts import brought_up_to_date

ASKED = "Approval asked of another system"
UNANSWERED = "Approval not answered by another system"
AT_ONCE = 8  # of one organisation, so that those of others wait for one round of slow answers and no more
_MOST = 500
_LEASE = timedelta(seconds=30)  # beyond the time-out of the call


@dataclass(frozen=True, slots=True)
class _Question:
    channel: Channel
    callout: Callout
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Heard:
    """evaluation: the answer. later: it will call back. fault: why there is neither."""

    evaluation: Evaluation | None = None
    later: bool = False
    fault: str = ""


def ask_due(deps: Deps, tenant_id: str, *, resting: bool = True) -> int:
    """One look at one tenant. Returns how many questions were asked: AT_ONCE, and there may be more. resting: look also
    at those whose question need not be asked now, because settings may have changed; that costs a unit of work each."""
    now = deps.clock()

    def find(tx: Transaction) -> list[str]:
        waiting = tx.approvals.waiting_for([callouts.WAITING_KEY], _MOST)
        left_out = tx.channels.resting(waiting, now) if waiting and not resting else frozenset[str]()
        return [one for one in waiting if one not in left_out]

    questions: list[_Question] = []
    for approval_id in deps.store.read(tenant_id, find):
        question = deps.store.write(
            tenant_id, partial(_question, deps=deps, approval_id=approval_id, now=now)
        )
        if question is not None:
            questions.append(question)
        if len(questions) == AT_ONCE:
            break
    if not questions:
        return 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="openpim-ask") as pool:
        for question, heard in zip(questions, pool.map(partial(_ask, deps), questions), strict=True):
            _settle(deps, tenant_id, question, heard)
    return len(questions)


def _question(tx: Transaction, deps: Deps, approval_id: str, now: datetime) -> _Question | None:
    """What is to be asked now about this approval, noted as being asked."""
    held = open_callout(tx, deps, approval_id, now)
    if held is None:
        return None
    request, approval, stage, callout = held
    if callout.status is not CalloutStatus.DUE or callout.next_at > now:
        return None
    channel = tx.channels.get(callout.channel_id)
    if channel is None or channel.kind is not ChannelKind.EXTENSION or not channel.enabled:
        _unanswered(tx, deps, request, approval, callout, "It was removed or switched off.", now, final=True)
        return None
    seconds = timedelta(milliseconds=channel.timeout_ms)
    asked = replace(callout, attempt=callout.attempt + 1, next_at=now + seconds + _LEASE)
    tx.channels.save_callout(asked)
    if asked.attempt == 1:
        _note(tx, deps, callers.system(tx.tenant_id), request, now, ASKED, channel, callout)
    return _Question(channel, asked, about_request(tx, deps, request, asked, stage.deadline))


def open_callout(
    tx: Transaction, deps: Deps, approval_id: str, now: datetime
) -> tuple[Request, Approval, ApprovalStage, Callout] | None:
    """The question that an approval waits for now, made if there is none yet; everything locked and up to date."""
    first = tx.requests.get(approval_id)
    if first is None:
        return None
    PROVIDERS[first.provider].hold(tx, first.scope)
    tx.lock_principal(first.principal_id)
    request = tx.requests.get(approval_id, lock=True)
    approval = tx.approvals.get(approval_id, lock=True)
    if request is None or approval is None or approval.status is not ApprovalStatus.IN_PROGRESS:
        return None
    approval = brought_up_to_date(tx, deps, request, approval, now)
    stage = approval.current
    if stage is None or stage.settings.callout is None or not stage.open_at(now):
        return None
    channel_id = stage.settings.callout.channel_id
    callout = tx.channels.callout_of(approval.id, stage.id, channel_id)
    if callout is None:
        callout = Callout(deps.new_id(), approval.id, stage.id, channel_id, CalloutStatus.DUE, now, now)
        tx.channels.add_callout(callout)
    return request, approval, stage, callout


def _ask(deps: Deps, question: _Question) -> _Heard:
    channel = question.channel
    try:
        answer = post(
            deps, channel, question.callout.id, question.payload, deps.clock(), channel.timeout_ms / 1000
        )
    except OutboundError as error:
        return _Heard(fault=error.message)
    if answer.status == 202:
        return _Heard(later=True)
    if not answer.ok:
        return _Heard(fault=f"It answered with {answer.status}.")
    read = callouts.read_evaluation(json_of(answer))
    return _Heard(fault=f"Its answer cannot be used: {read}.") if isinstance(read, str) else _Heard(read)


def _settle(deps: Deps, tenant_id: str, question: _Question, heard: _Heard) -> None:
    asked = question.callout
    checked: tickets.Checked | None = None
    if heard.evaluation is not None and heard.evaluation.outcome is not Outcome.DENIED:
        again = tickets.check_again(deps, tenant_id, asked.approval_id)
        if isinstance(again, Refusal):
            return  # it is asked again, under the same id
        checked = again
    now = deps.clock()

    def work(tx: Transaction) -> None:
        held = open_callout(tx, deps, asked.approval_id, now)
        if held is None:
            return
        request, approval, _, callout = held
        if (
            callout.id != asked.id
            or callout.attempt != asked.attempt
            or callout.status is not CalloutStatus.DUE
        ):
            return
        if heard.evaluation is not None:
            answer(tx, deps, question.channel, request, approval, callout, heard.evaluation, now, checked)
        elif heard.later:
            tx.channels.save_callout(replace(callout, status=CalloutStatus.WAITING))
        else:
            final = callout.attempt > question.channel.retries
            _unanswered(tx, deps, request, approval, callout, heard.fault, now, final=final)

    deps.store.write(tenant_id, work)


def answer(
    tx: Transaction,
    deps: Deps,
    channel: Channel,
    request: Request,
    approval: Approval,
    callout: Callout,
    evaluation: Evaluation,
    now: datetime,
    checked: tickets.Checked | None,
    ip: str | None = None,
) -> Approval:
    """Do what the system said. It is on record as the one who decided; the facts are read again before a grant."""
    caller = callers.extension(tx.tenant_id, channel.id, channel.name, ip)
    after = callouts.answered(approval, evaluation, now)
    if after.status is ApprovalStatus.IN_PROGRESS:
        after = ensure_decidable(tx, deps, request, after, now)
    tx.approvals.save(after, approval)
    tx.channels.save_callout(
        replace(callout, status=CalloutStatus.ANSWERED, evaluation=evaluation, answered_at=now)
    )
    denied = evaluation.outcome is Outcome.DENIED
    _note(tx, deps, caller, request, now, DENIED if denied else APPROVED, channel, callout, evaluation)
    if after.status is ApprovalStatus.DENIED:
        words = evaluation.words or "The system that decides it said no."
        tx.requests.save(replace(request, status=RequestStatus.DENIED, completed_at=now, failure=words))
    elif after.status is ApprovalStatus.APPROVED:
        carry_out(tx, deps, caller, request, now, checked)
    return after


def _unanswered(
    tx: Transaction,
    deps: Deps,
    request: Request,
    approval: Approval,
    callout: Callout,
    fault: str,
    now: datetime,
    *,
    final: bool,
) -> None:
    """Ask again later; or, when it was tried often enough, what the settings say."""
    stage = approval.current
    settings = stage.settings.callout if stage is not None else None
    if settings is None or not final or settings.when_down is WhenDown.WAIT:
        again = replace(
            callout, next_at=now + callouts.pause(callout.attempt), attempt=max(1, callout.attempt)
        )
        tx.channels.save_callout(again)
        return
    tx.channels.save_callout(replace(callout, status=CalloutStatus.FAILED))
    channel = tx.channels.get(callout.channel_id)
    system = callers.system(tx.tenant_id)
    _note(tx, deps, system, request, now, UNANSWERED, channel, callout, reason=fault)
    if settings.when_down is WhenDown.PEOPLE:
        pass_on(tx, deps, request, approval, now)
        return
    words = "The system that decides about this role did not answer. Ask again later."
    close_request(tx, request.id, RequestStatus.FAILED, now, words)
    tell(tx, deps, system, now, FAILED, replace(request, status=RequestStatus.FAILED), None, reason=words)


def _note(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    now: datetime,
    activity: str,
    channel: Channel | None,
    callout: Callout,
    evaluation: Evaluation | None = None,
    reason: str = "",
) -> None:
    said = evaluation
    details = [("CalloutId", callout.id), ("Channel", channel.name if channel is not None else "")]
    if said is not None:
        details += [("EvaluationOutcome", said.outcome.value), ("EvaluationId", said.id)]
    ask = ask_of(request)
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category=category_of(request.provider),
        targets=(
            *grant_targets(
                tx,
                role_id=ask.role_id,
                role_name=PROVIDERS[ask.provider].role_name(tx, ask.role_id, ask.scope),
                principal_id=ask.principal_id,
                scope=ask.scope,
                request_id=request.id,
            ),
            Target("Channel", callout.channel_id, channel.name if channel is not None else ""),
        ),
        result="failure" if activity == UNANSWERED else "success",
        reason=reason or (said.words if said is not None else ""),
        details=tuple(details),
        correlation_id=request.id,
    )
