"""One request: a line from the asking to the effect and its end, with the seconds between; and its cancellation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.approval import Verdict
from openpim.core.connecting import OVER, EffectState
from openpim.core.grants import Action
from openpim.core.lifecycle import CANCELLABLE, RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import request_story
from openpim.services.cancel import cancel
from openpim.services.request_story import Story

_BAD = {RequestStatus.DENIED, RequestStatus.FAILED, RequestStatus.TIMED_OUT, RequestStatus.CANCELED}


@dataclass(frozen=True, slots=True)
class Step:
    """state: done, now (waited for), ahead, or bad. after: since the asking."""

    label: str
    state: str
    at: datetime | None = None
    who: str = ""
    note: str = ""
    after: timedelta | None = None


def show(call: Call) -> Answer:
    story = request_story.get(call.deps, call.caller, call.params["id"].lower())
    if isinstance(story, Refusal):
        raise RefusedError(story)
    request = story.request
    mine = call.caller.principal_id == request.principal_id
    values = {
        "story": story,
        "request": request,
        "steps": steps(story, call.now),
        "mine": mine,
        "cancellable": mine and request.action.by_self and request.status in CANCELLABLE,
        "live": request.status in CANCELLABLE or request.status is RequestStatus.PROVISIONED,
    }
    return Show("request.html", values, nav="roles" if mine else "approvals")


def cancelled(call: Call) -> Answer:
    story = request_story.get(call.deps, call.caller, call.params["id"].lower())
    if isinstance(story, Refusal):
        raise RefusedError(story)
    request = story.request
    done = cancel(call.deps, call.caller, request.provider, request.kind, request.id)
    back = f"/portal/requests/{request.id}"
    if isinstance(done, Refusal) and done.code is Code.FORBIDDEN:
        raise RefusedError(done)
    return (
        Go(back, done.message, "bad") if isinstance(done, Refusal) else Go(back, "The request is canceled.")
    )


def steps(story: Story, now: datetime) -> tuple[Step, ...]:
    """The line: asked, decided stage by stage, in force, over."""
    request = story.request
    found = [
        Step(
            t("Requested"),
            "done",
            request.created_at,
            story.name_of(request.created_by),
            request.justification or "",
        )
    ]
    found += _stages(story, now)
    found += _effect(story, now)
    found += _in_targets(story)
    begun = request.created_at
    return tuple(
        Step(
            one.label,
            one.state,
            one.at,
            one.who,
            one.note,
            one.at - begun if one.at and one.state != "ahead" else None,
        )
        for one in found
    )


def _stages(story: Story, now: datetime) -> list[Step]:
    approval = story.approval
    if approval is None:
        return []
    found = []
    several = len(approval.stages) > 1
    for stage in approval.stages:
        label = t("Approval, stage {number}", number=stage.number) if several else t("Approval")
        for decision in approval.of_stage(stage.id):
            yes = decision.verdict is Verdict.APPROVE
            word = t("Approved") if yes else t("Denied")
            found.append(
                Step(
                    word,
                    "done" if yes else "bad",
                    decision.at,
                    story.name_of(decision.reviewer_id),
                    decision.justification,
                )
            )
        if stage is approval.current and story.request.status in CANCELLABLE:
            who = ", ".join(story.reviewers) + (
                t(" and {count} more", count=story.more) if story.more else ""
            )
            state = "now" if stage.open_at(now) else "bad"
            found.append(Step(label, state, None, who, ""))
        elif stage.status.value == "NotStarted" and story.request.status in CANCELLABLE:
            found.append(Step(label, "ahead"))
    return found


def _effect(story: Story, now: datetime) -> list[Step]:
    request, schedule = story.request, story.schedule
    if request.status in _BAD:
        words = {
            RequestStatus.DENIED: t("Denied"),
            RequestStatus.FAILED: t("Failed"),
            RequestStatus.TIMED_OUT: t("Timed out"),
            RequestStatus.CANCELED: t("Canceled"),
        }
        if request.status is RequestStatus.DENIED:
            return []
        return [Step(words[request.status], "bad", request.completed_at, "", request.failure or "")]
    ending = request.action in {Action.SELF_DEACTIVATE, Action.ADMIN_REMOVE}
    if ending:
        return [Step(t("Ended"), "done", request.completed_at)]
    if schedule is None or request.status in CANCELLABLE - {RequestStatus.GRANTED}:
        start = request.window.start
        return [Step(t("Active"), "ahead", start if start and start > now else None)]
    found = []
    begins = max(schedule.starts_at, request.completed_at or schedule.starts_at)
    started = schedule.starts_at <= now and schedule.status is not ScheduleStatus.GRANTED
    found.append(Step(t("Active"), "done" if started else "now", begins))
    ended = not schedule.live(now)
    word = {ScheduleStatus.REVOKED: t("Deactivated"), ScheduleStatus.CANCELED: t("Canceled")}.get(
        schedule.status, t("Expired") if ended else t("Expires")
    )
    if schedule.ends_at is not None or ended:
        found.append(Step(word, "done" if ended else "ahead", schedule.ends_at))
    return found


def _in_targets(story: Story) -> list[Step]:
    """What has come of it in real systems: proved, or waited for."""
    found = []
    for one in story.effects:
        effect, name = one.effect, one.target.name
        note = effect.error if effect.failing else ""
        if effect.state is EffectState.PENDING:
            found.append(Step(t("On its way to {target}", target=name), "bad" if note else "now", note=note))
            continue
        if effect.effective_at is not None:
            found.append(Step(t("In effect in {target}", target=name), "done", effect.effective_at))
        if effect.state is EffectState.ENDING:
            found.append(
                Step(t("Being taken away in {target}", target=name), "bad" if note else "now", note=note)
            )
        elif effect.state in OVER:
            found.append(
                Step(t("Taken away in {target}, and seen to be", target=name), "done", effect.ended_at)
            )
    return found


PAGES = (
    Page("GET", "/portal/requests/{id}", show),
    Page("POST", "/portal/requests/{id}/cancel", cancelled),
)
