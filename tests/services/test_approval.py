"""Approval: who may decide, stages, quorum, time, and what becomes of approvers who are gone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.approval import StageStatus, Verdict
from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action
from openpim.core.lifecycle import ApprovalStatus, RequestStatus
from openpim.core.policy import Expiry, Reviewers, Stage
from openpim.core.query import Query
from openpim.core.refusals import Code
from openpim.services import approvals, opening, requests, timeouts
from openpim.services.reading import Whose
from tests.plans import noted
from tests.world import ASSIGNMENT, DENY, DIRECTORY, ELIGIBILITY, GA, MICROSECOND, World, lasting, ok, refused


@pytest.fixture
def asked(world: World):
    """Ann waits for Bob or Cyd."""
    world.approval(world.bob, world.cyd)
    world.eligible(world.ann)
    return ok(world.activate(world.ann, hours=2))


def status(world: World, request) -> RequestStatus:
    return world.request(request.id).status


def waits_for(world: World, who: str) -> list[str]:
    """The same answer from both lists."""
    mine = [view.request.id for view in approvals.mine(world.deps, world.caller(who))]
    page = ok(requests.page(world.deps, world.caller(who), DIRECTORY, ASSIGNMENT, Whose.APPROVER, Query()))
    assert sorted(mine) == sorted(request.id for request in page.items)
    return mine


# ---------------------------------------------------------------- one stage


def test_approved(world: World, asked) -> None:
    assert waits_for(world, world.bob) == [asked.id]
    assert waits_for(world, world.dan) == []
    world.forward(hours=3)
    approval = ok(world.review(asked, world.bob))
    assert approval.status is ApprovalStatus.APPROVED
    assert status(world, asked) is RequestStatus.PROVISIONED
    schedule = world.schedule(asked)
    assert (schedule.starts_at, schedule.ends_at) == (world.now, world.now + timedelta(hours=2))
    assert waits_for(world, world.bob) == waits_for(world, world.cyd) == []


def test_denied(world: World, asked) -> None:
    approval = ok(world.review(asked, world.cyd, DENY))
    assert approval.status is ApprovalStatus.DENIED
    assert status(world, asked) is RequestStatus.DENIED
    assert not world.holds(world.ann)
    refused(world.review(asked, world.bob), Code.ALREADY_DECIDED)
    assert status(world, asked) is RequestStatus.DENIED


def test_decided_is_decided(world: World, asked) -> None:
    ok(world.review(asked, world.bob))
    for who in (world.bob, world.cyd):
        for verdict in (Verdict.APPROVE, DENY):
            refused(world.review(asked, who, verdict), Code.ALREADY_DECIDED)
    refused(world.review(asked, world.dan), Code.NOT_APPROVER)
    refused(world.review(asked, world.ann), Code.NOT_APPROVER)
    assert world.holds(world.ann)


def test_who_is_no_approver(world: World, asked) -> None:
    refused(world.review(asked, world.dan), Code.NOT_APPROVER)
    refused(world.review(asked, world.ga), Code.NOT_APPROVER)
    app = Caller(world.tenant_id, world.bob, CallerKind.SERVICE_PRINCIPAL)
    refused(world.review(asked, app), Code.NOT_APPROVER)
    refused(world.review(asked, world.system), Code.NOT_APPROVER)
    assert status(world, asked) is RequestStatus.PENDING_APPROVAL


def test_nonsense(world: World, asked) -> None:
    refused(world.review(asked, world.bob, Verdict.NOT_REVIEWED), Code.INVALID)
    refused(world.review(asked, world.bob, justification="x" * 10_001), Code.INVALID)
    refused(world.review(asked, world.bob, justification="\x00"), Code.INVALID)
    refused(world.review(asked, world.bob, justification="\ud800"), Code.INVALID)
    refused(world.review(asked, world.bob, stage=world.new_id()), Code.REQUEST_MISSING)
    refused(world.review(replace(asked, id=world.new_id()), world.bob), Code.REQUEST_MISSING)
    given = world.eligible(world.dan)
    refused(world.review(given, world.bob), Code.REQUEST_MISSING)  # it needs no approval
    ok(world.review(asked, world.bob, stage=asked.id))  # the first stage's id is the approval's


def test_a_justification_is_asked_of_approvers(world: World, asked) -> None:
    refusal = refused(world.review(asked, world.bob, justification="  "), Code.POLICY)
    assert refusal.rules == ("JustificationRule",)
    world.approval(world.bob, justification_required=False)
    world.eligible(world.dan)
    ok(world.review(ok(world.activate(world.dan, hours=1)), world.bob, justification=""))


def test_the_facts_are_read_again(world: World, asked) -> None:
    ok(world.take(world.ann))
    ok(world.review(asked, world.bob))
    assert status(world, asked) is RequestStatus.FAILED
    assert "not eligible" in world.request(asked.id).failure
    assert not world.holds(world.ann)


@pytest.mark.parametrize("how", ["disabled", "deleted", "policy", "held", "unit"])
def test_other_facts_that_changed(world: World, how: str) -> None:
    scope = world.unit("north")
    world.approval(world.bob)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, scope=scope, hours=2))
    if how == "disabled":
        world.disable(world.ann)
    elif how == "deleted":
        world.delete(world.ann)
    elif how == "policy":
        world.policy(activation=Expiry(required=True, maximum=lasting(3600)))
    elif how == "unit":
        world.write(lambda tx: tx.administrative_units.remove(scope.split("/")[-1], world.now))
    else:
        later = world.write(lambda tx: tx.schedules.page(DIRECTORY, ELIGIBILITY, Query())).items[0]
        from openpim.core.grants import AssignmentType

        held = replace(
            later,
            id=world.new_id(),
            kind=ASSIGNMENT,
            scope=scope,
            assignment_type=AssignmentType.ACTIVATED,
            ends_at=world.now + timedelta(hours=9),
        )
        world.write(lambda tx: tx.schedules.add(held))
    world.forward(minutes=5)
    ok(world.review(request, world.bob))
    assert status(world, request) is RequestStatus.FAILED
    assert len(world.events("Process request")) == 1


def test_a_changed_policy_changes_who_is_asked(world: World, asked) -> None:
    world.approval(world.dan)
    refused(world.review(asked, world.bob), Code.NOT_APPROVER)
    ok(world.review(asked, world.dan))


# ---------------------------------------------------------------- never one's own


def test_not_ones_own_request(world: World) -> None:
    world.approval(world.ann, world.bob)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    refused(world.review(request, world.ann), Code.NOT_APPROVER)
    refused(world.review(request, world.ann, DENY), Code.NOT_APPROVER)
    assert waits_for(world, world.ann) == []
    ok(world.review(request, world.bob))


def test_not_through_a_group(world: World) -> None:
    team = world.group("approvers", [world.ann, world.bob])
    world.approval(groups=[team])
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    refused(world.review(request, world.ann), Code.NOT_APPROVER)
    assert waits_for(world, world.ann) == []
    ok(world.review(request, world.bob))


def test_not_by_delegation(world: World) -> None:
    """Neither the requestor for somebody, nor somebody for the requestor."""
    world.approval(world.ann, world.bob)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    hour = (world.now, world.now + timedelta(hours=1))
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.ann, *hour))
    world.write(lambda tx: tx.approvals.delegate(world.ann, world.dan, *hour))
    for who in (world.ann, world.dan):
        refused(world.review(request, who), Code.NOT_APPROVER)
        assert waits_for(world, who) == []


def test_not_as_a_global_administrator(world: World) -> None:
    """The default approvers are asked, and he is one of them."""
    world.approval()
    world.eligible(world.ga)
    request = ok(world.activate(world.ga, hours=1))
    refused(world.review(request, world.ga), Code.NOT_APPROVER)
    ok(world.review(request, world.ga2))


# ---------------------------------------------------------------- groups and delegates


def test_a_group_of_approvers(world: World) -> None:
    inner = world.group("inner", [world.cyd], role_assignable=False)
    outer = world.group("outer", [world.bob, inner], role_assignable=False)
    world.approval(groups=[outer])
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    assert waits_for(world, world.bob) == waits_for(world, world.cyd) == [request.id]
    world.leave(inner, world.cyd)
    refused(world.review(request, world.cyd), Code.NOT_APPROVER)
    ok(world.review(request, world.bob))


def test_a_delegate_for_a_time(world: World, asked) -> None:
    start, end = world.now + timedelta(hours=1), world.now + timedelta(hours=2)
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.dan, start, end))
    for moment, may in ((start - MICROSECOND, False), (start, True), (end - MICROSECOND, True), (end, False)):
        world.at(moment)
        assert waits_for(world, world.dan) == ([asked.id] if may else [])
    refused(world.review(asked, world.dan), Code.NOT_APPROVER)
    world.at(start)
    world.write(lambda tx: tx.approvals.undelegate(world.bob, world.dan))
    refused(world.review(asked, world.dan), Code.NOT_APPROVER)
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.dan, start, end))
    approval = ok(world.review(asked, world.dan))
    assert (approval.decisions[0].reviewer_id, approval.decisions[0].right_of) == (world.dan, world.bob)
    assert world.holds(world.ann)


def test_who_is_disabled_hands_nothing_on(world: World, asked) -> None:
    world.write(
        lambda tx: tx.approvals.delegate(world.bob, world.dan, world.now, world.now + timedelta(hours=9))
    )
    world.disable(world.bob)
    refused(world.review(asked, world.dan), Code.NOT_APPROVER)


def test_a_role_is_not_handed_on(world: World) -> None:
    """What a Global Administrator may by his role, his delegate may not."""
    world.approval()
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.write(
        lambda tx: tx.approvals.delegate(world.ga, world.dan, world.now, world.now + timedelta(hours=9))
    )
    refused(world.review(request, world.dan), Code.NOT_APPROVER)
    ok(world.review(request, world.pra))


# ---------------------------------------------------------------- quorum and stages


def test_two_of_three(world: World) -> None:
    world.approval(world.bob, world.cyd, world.dan, quorum=2)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    assert ok(world.review(request, world.bob)).status is ApprovalStatus.IN_PROGRESS
    assert not world.holds(world.ann)
    refused(world.review(request, world.bob), Code.ALREADY_DECIDED)
    assert not world.holds(world.ann)
    assert ok(world.review(request, world.dan)).status is ApprovalStatus.APPROVED
    assert world.holds(world.ann)


def test_one_no_beats_every_yes(world: World) -> None:
    world.approval(world.bob, world.cyd, world.dan, quorum=3)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    ok(world.review(request, world.bob))
    ok(world.review(request, world.cyd))
    ok(world.review(request, world.dan, DENY))
    assert status(world, request) is RequestStatus.DENIED
    assert not world.holds(world.ann)


def test_a_right_counts_once(world: World) -> None:
    """Bob and his delegate are not two people of a quorum, in whichever order they come."""
    world.approval(world.bob, world.cyd, quorum=2)
    world.eligible(world.ann)
    hour = (world.now, world.now + timedelta(hours=1))
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.dan, *hour))
    for first, second in ((world.bob, world.dan), (world.dan, world.bob)):
        request = ok(world.activate(world.ann, hours=1))
        ok(world.review(request, first))
        refused(world.review(request, second), Code.ALREADY_DECIDED)
        assert status(world, request) is RequestStatus.PENDING_APPROVAL
        ok(world.review(request, second, DENY))  # to say no is never too much
        assert status(world, request) is RequestStatus.DENIED


def test_a_delegate_with_a_right_of_his_own_and_another(world: World) -> None:
    world.approval(world.bob, world.cyd, world.dan, quorum=2)
    world.eligible(world.ann)
    hour = (world.now, world.now + timedelta(hours=1))
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.dan, *hour))
    request = ok(world.activate(world.ann, hours=1))
    approval = ok(world.review(request, world.dan))
    assert approval.decisions[0].right_of == world.dan, "his own first"
    refused(world.review(request, world.dan), Code.ALREADY_DECIDED)  # one person is one person
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)


def stages(*names: str, **more) -> tuple[Stage, ...]:
    return tuple(Stage(primary=Reviewers((name,)), **more) for name in names)


def test_several_stages(world: World) -> None:
    world.approval(stages=stages(world.bob, world.cyd, world.dan))
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    ids = [stage.id for stage in world.approval_of(request).stages]
    assert waits_for(world, world.bob) == [request.id]
    assert waits_for(world, world.cyd) == []
    refused(world.review(request, world.cyd), Code.NOT_APPROVER)
    refused(world.review(request, world.bob, stage=ids[1]), Code.ALREADY_DECIDED)
    ok(world.review(request, world.bob, stage=ids[0]))
    assert waits_for(world, world.bob) == []
    assert waits_for(world, world.cyd) == [request.id]
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    ok(world.review(request, world.cyd))
    assert not world.holds(world.ann)
    approval = ok(world.review(request, world.dan, stage=ids[2]))
    assert [stage.status for stage in approval.stages] == [StageStatus.COMPLETED] * 3
    assert world.holds(world.ann)
    assert world.approval_of(request) == approval


def test_a_no_in_the_second_stage(world: World) -> None:
    world.approval(stages=stages(world.bob, world.cyd))
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    ok(world.review(request, world.bob))
    ok(world.review(request, world.cyd, DENY))
    assert status(world, request) is RequestStatus.DENIED


def test_the_same_person_in_two_stages(world: World) -> None:
    world.approval(stages=stages(world.bob, world.bob))
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    ok(world.review(request, world.bob))
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)


def test_each_stage_has_its_time(world: World) -> None:
    world.approval(stages=stages(world.bob, world.cyd, timeout_minutes=60))
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=59)
    ok(world.review(request, world.bob))
    world.forward(minutes=59)
    ok(world.review(request, world.cyd))
    assert world.holds(world.ann)


# ---------------------------------------------------------------- time


@pytest.mark.parametrize("worker", [True, False])
def test_the_time_is_over(world: World, worker: bool) -> None:
    world.approval(world.bob, timeout_minutes=60)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=60, microseconds=-1)
    assert waits_for(world, world.bob) == [request.id]
    world.forward(microseconds=1)
    assert waits_for(world, world.bob) == []
    if worker:
        world.work()
    refused(world.review(request, world.bob), Code.ALREADY_DECIDED)
    assert status(world, request) is RequestStatus.TIMED_OUT
    assert world.approval_of(request).status is ApprovalStatus.TIMED_OUT
    assert world.approval_of(request).stages[0].status is StageStatus.EXPIRED
    assert not world.holds(world.ann)
    assert len(world.events(timeouts.EXPIRED)) == 1
    ok(world.activate(world.ann, hours=1))


def test_at_the_last_moment(world: World) -> None:
    world.approval(world.bob, timeout_minutes=60)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=60, microseconds=-1)
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)


def test_closed_approvals_are_not_due_for_ever(world: World) -> None:
    """Cancelled ones once filled the page of what is due, so that open ones behind them never timed out."""
    world.approval(world.bob, timeout_minutes=60)
    world.eligible(world.ann)
    for _ in range(3):
        ok(world.cancel(ok(world.activate(world.ann, hours=1)), world.ann))
    ok(world.review(ok(world.activate(world.ann, hours=1)), world.bob, DENY))
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=60)
    assert timeouts.settle_approvals(world.deps, world.tenant_id, limit=1) == 1
    assert status(world, request) is RequestStatus.TIMED_OUT
    assert timeouts.settle_approvals(world.deps, world.tenant_id, limit=100) == 0


def test_a_decision_that_comes_after_the_wanted_start_is_too_late(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    start = world.now + timedelta(hours=3)
    request = ok(world.activate(world.ann, start=start, hours=2))
    assert request.status is RequestStatus.PENDING_APPROVAL_PROVISIONING
    assert world.approval_of(request).current.deadline == start
    world.at(start)
    refused(world.review(request, world.bob), Code.ALREADY_DECIDED)
    assert status(world, request) is RequestStatus.TIMED_OUT


def test_approved_before_the_wanted_start(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    start = world.now + timedelta(hours=3)
    request = ok(world.activate(world.ann, start=start, hours=2))
    ok(world.review(request, world.bob))
    assert status(world, request) is RequestStatus.GRANTED
    assert not world.holds(world.ann)
    world.at(start)
    world.work()
    assert world.holds(world.ann)
    assert world.schedule(request).ends_at == start + timedelta(hours=2)


# ---------------------------------------------------------------- escalation


ESCALATE = {"escalate_after_minutes": 30, "timeout_minutes": 120}


@pytest.mark.parametrize("worker", [True, False])
def test_escalation(world: World, worker: bool) -> None:
    world.approval(world.bob, escalation=Reviewers((world.cyd,)), **ESCALATE)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=30, microseconds=-1)
    refused(world.review(request, world.cyd), Code.NOT_APPROVER)
    world.forward(microseconds=1)
    if worker:
        world.work()
        world.work()
        assert waits_for(world, world.cyd) == [request.id]
    ok(world.review(request, world.cyd))
    assert world.holds(world.ann)
    assert len(world.events(timeouts.ESCALATED)) == 1


def test_the_first_approvers_may_still_decide(world: World) -> None:
    world.approval(world.bob, escalation=Reviewers((world.cyd,)), **ESCALATE)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=31)
    world.work()
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)


def test_a_refused_reviewer_does_not_undo_an_escalation(world: World) -> None:
    world.approval(world.bob, escalation=Reviewers((world.cyd,)), **ESCALATE)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=31)
    for _ in range(3):
        refused(world.review(request, world.dan), Code.NOT_APPROVER)
    assert len(world.events(timeouts.ESCALATED)) == 1
    assert waits_for(world, world.cyd) == [request.id]


# ---------------------------------------------------------------- nobody left


@pytest.mark.parametrize("worker", [True, False])
@pytest.mark.parametrize("how", ["deleted", "disabled", "emptied", "group deleted", "only himself"])
def test_never_wedged(world: World, how: str, worker: bool) -> None:
    team = world.group("approvers", [world.bob], role_assignable=False)
    by_group = how in {"emptied", "group deleted"}
    world.approval(*([] if by_group else [world.bob]), groups=[team] if by_group else [])
    if how == "only himself":
        world.approval(world.ann)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    if how == "only himself":
        assert world.approval_of(request).current.fell_back
    else:
        refused(world.review(request, world.ga), Code.NOT_APPROVER)
    if how == "deleted":
        world.delete(world.bob)
    elif how == "disabled":
        world.disable(world.bob)
    elif how == "emptied":
        world.leave(team, world.bob)
    elif how == "group deleted":
        world.write(lambda tx: tx.groups.remove(team, world.now))
    if worker:
        world.work()
        world.work()
        assert waits_for(world, world.ga) == [request.id]
    if how == "disabled":
        refused(world.review(request, world.bob), Code.NOT_APPROVER)
    ok(world.review(request, world.ga))
    assert world.holds(world.ann)
    fell_back = world.events(opening.FELL_BACK)
    assert len(fell_back) == 1
    assert fell_back[0].correlation_id == request.id


def test_too_few_are_left_for_the_quorum(world: World) -> None:
    world.approval(world.bob, world.cyd, quorum=2)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    ok(world.review(request, world.bob))
    assert world.events(opening.FELL_BACK) == []
    world.disable(world.cyd)
    world.work()
    assert waits_for(world, world.pra) == [request.id]
    ok(world.review(request, world.pra))
    assert world.holds(world.ann)


def test_the_next_stage_falls_back_when_it_begins(world: World) -> None:
    world.approval(stages=stages(world.bob, world.cyd))
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.delete(world.cyd)
    ok(world.review(request, world.bob))
    assert waits_for(world, world.ga) == [request.id]
    ok(world.review(request, world.ga))
    assert world.holds(world.ann)


def test_who_lost_the_role_is_no_default_approver(world: World) -> None:
    world.approval()
    world.eligible(world.ann)
    ok(world.give(world.dan, GA, ASSIGNMENT, hours=1))
    request = ok(world.activate(world.ann, hours=1))
    assert waits_for(world, world.dan) == [request.id]
    world.forward(hours=1)
    assert waits_for(world, world.dan) == []
    refused(world.review(request, world.dan), Code.NOT_APPROVER)


def test_many_are_checked(world: World) -> None:
    world.approval(world.bob)
    for person in (world.ann, world.cyd, world.dan):
        world.eligible(person)
        ok(world.activate(person, hours=1))
    world.disable(world.bob)
    timeouts.check_reviewers(world.deps, world.tenant_id, batch=2)
    assert len(waits_for(world, world.ga)) == 3
    timeouts.check_reviewers(world.deps, world.tenant_id, batch=2)
    assert len(world.events(opening.FELL_BACK)) == 3


# ---------------------------------------------------------------- reading


def test_who_sees_an_approval(world: World, asked) -> None:
    def get(who: str):
        return approvals.get(world.deps, world.caller(who), asked.id)

    assert ok(get(world.bob)).assigned == {asked.id}
    assert ok(get(world.ann)).assigned == frozenset()
    assert ok(get(world.ga)).assigned == frozenset()
    refused(get(world.dan), Code.NOT_APPROVER)
    refused(approvals.get(world.deps, world.caller(world.bob), world.new_id()), Code.REQUEST_MISSING)
    ok(world.review(asked, world.bob))
    view = ok(get(world.cyd))
    assert view.people[world.bob].display_name == "bob"
    assert view.approval.decisions[0].verdict is Verdict.APPROVE


def test_requests_of_approvers_can_be_read(world: World, asked) -> None:
    def get(who: str):
        return requests.get(world.deps, world.caller(who), DIRECTORY, ASSIGNMENT, asked.id)

    for who in (world.ann, world.bob, world.cyd, world.ga):
        assert ok(get(who)).id == asked.id
    refused(get(world.dan), Code.FORBIDDEN)
    refused(
        requests.get(world.deps, world.caller(world.ann), DIRECTORY, ELIGIBILITY, asked.id),
        Code.REQUEST_MISSING,
    )


def test_an_update_by_an_administrator_needs_no_approval(world: World, asked) -> None:
    ok(world.give(world.ann, kind=ASSIGNMENT, hours=1))
    ok(world.give(world.ann, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, hours=2))
    assert status(world, asked) is RequestStatus.PENDING_APPROVAL


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_it_goes_by_is_read_once(world: World) -> None:
    """The eligibility and the settings count twice in one commit, for who may decide and for what is granted; the
    request alone is read again, once it is known whom to hold."""
    world.approval(world.dan)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann))
    with noted(world.database) as statements:
        ok(world.review(request, world.dan))
    asked = Counter((text, str(given)) for text, given in statements)
    again = [text for (text, _), times in asked.items() if times > 1]
    assert [text for text in again if "FROM requests" not in text] == []
    assert status(world, request) is RequestStatus.PROVISIONED
