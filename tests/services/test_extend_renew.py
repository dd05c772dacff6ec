"""Extension and renewal asked for by the holder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.core.grants import Action
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.policy import ApprovalSettings, Expiry, Reviewers, Stage
from openpim.core.refusals import Code
from tests.world import ASSIGNMENT, DENY, ELIGIBILITY, MICROSECOND, World, lasting, ok, refused

KINDS = pytest.mark.parametrize("kind", [ELIGIBILITY, ASSIGNMENT])


# ---------------------------------------------------------------- of an activation


def test_an_activation_without_a_gap(world: World) -> None:
    world.eligible(world.ann)
    first = ok(world.activate(world.ann, hours=1))
    began = world.now
    world.forward(minutes=50)
    second = ok(world.extend(world.ann, hours=2))
    assert second.schedule_id == first.schedule_id
    schedule = world.schedule(first)
    assert (schedule.starts_at, schedule.ends_at) == (began, world.now + timedelta(hours=2))
    for minutes in range(0, 170, 5):
        assert world.holds(world.ann, at=began + timedelta(minutes=minutes))
    assert not world.holds(world.ann, at=schedule.ends_at)
    assert len(world.schedules(ASSIGNMENT)) == 4  # three administrators and this one


def test_an_activation_keeps_to_the_policy(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=8))
    world.forward(hours=7)
    assert refused(world.extend(world.ann, hours=9), Code.POLICY).rules == ("ExpirationRule",)
    refused(world.extend(world.ann, minutes=30), Code.INVALID)  # earlier than the present end
    refused(world.extend(world.ann, hours=1), Code.INVALID)  # the same
    refused(world.extend(world.ann, minutes=3), Code.TOO_SHORT)
    ok(world.extend(world.ann, hours=8))


def test_an_activation_keeps_to_the_eligibility(world: World) -> None:
    world.eligible(world.ann, hours=10)
    request = ok(world.activate(world.ann, hours=8))
    world.forward(hours=7)
    ok(world.extend(world.ann, hours=8))
    end = world.schedule(request).ends_at
    assert end == world.now + timedelta(hours=3)
    refused(world.extend(world.ann, hours=8), Code.INVALID)  # nothing can be won
    assert world.schedule(request).ends_at == end


def test_an_activation_whose_eligibility_is_gone(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(team)
    ok(world.activate(world.ann, hours=1))
    world.leave(team, world.ann)
    refused(world.extend(world.ann, hours=2), Code.ASSIGNMENT_MISSING)


def test_an_activation_that_needs_approval(world: World) -> None:
    world.eligible(world.ann)
    first = ok(world.activate(world.ann, hours=1))
    end = world.schedule(first).ends_at
    world.approval(world.bob)
    request = ok(world.extend(world.ann, hours=3))
    assert request.status is RequestStatus.PENDING_APPROVAL
    assert world.schedule(first).ends_at == end
    world.forward(minutes=30)
    ok(world.review(request, world.bob))
    assert world.schedule(first).ends_at == world.now + timedelta(hours=3)
    world.forward(minutes=6)
    second = ok(world.extend(world.ann, hours=4))
    ok(world.review(second, world.bob, DENY))
    assert world.schedule(first).ends_at == world.now + timedelta(hours=3, minutes=-6)
    assert world.holds(world.ann)
    third = ok(world.extend(world.ann, hours=4))
    ok(world.cancel(third, world.ann))
    assert world.schedule(first).status is ScheduleStatus.PROVISIONED, "only the request is called off"


def test_approval_for_extensions_only(world: World) -> None:
    world.policy(
        approval=ApprovalSettings(
            required=False, required_for_extension=True, stages=(Stage(primary=Reviewers((world.bob,))),)
        )
    )
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert ok(world.extend(world.ann, hours=2)).status is RequestStatus.PENDING_APPROVAL


def test_an_extension_that_is_approved_too_late(world: World) -> None:
    """The activation has ended: what was approved is a new one, under the rules of now."""
    world.eligible(world.ann)
    first = ok(world.activate(world.ann, hours=1))
    world.approval(world.bob)
    request = ok(world.extend(world.ann, hours=3))
    world.forward(hours=1)
    assert not world.holds(world.ann)
    ok(world.review(request, world.bob))
    assert world.schedule(request).id != first.schedule_id
    assert world.schedule(request).starts_at == world.now
    assert world.holds(world.ann)


@pytest.mark.parametrize("how", ["administrator", "himself", "not eligible any more"])
def test_an_activation_that_was_ended_is_not_given_back_by_its_extension(world: World, how: str) -> None:
    """Somebody took it away: who approves the longer time of it does not know, and did not mean that."""
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.approval(world.bob)
    request = ok(world.extend(world.ann, hours=3))
    world.forward(minutes=10)
    if how == "administrator":
        ok(world.take(world.ann, kind=ASSIGNMENT))
    elif how == "himself":
        ok(world.deactivate(world.ann))
    else:
        ok(world.take(world.ann))
        world.eligible(world.ann)
    ok(world.review(request, world.bob))
    assert world.request(request.id).status is RequestStatus.FAILED
    assert not world.holds(world.ann)


# ---------------------------------------------------------------- of what was assigned


@KINDS
def test_an_administrator_decides(world: World, kind) -> None:
    given = ok(world.give(world.ann, kind=kind, days=5))
    request = ok(world.extend(world.ann, kind=kind, days=30))
    assert request.status is RequestStatus.PENDING_ADMIN_DECISION
    assert request.schedule_id == given.schedule_id
    refused(world.extend(world.ann, kind=kind, days=30), Code.REQUEST_PENDING)
    refused(world.review(request, world.ann), Code.NOT_APPROVER)
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    world.forward(days=1)
    ok(world.review(request, world.ga))
    assert world.request(request.id).status is RequestStatus.PROVISIONED
    schedule = world.schedule(given)
    assert schedule.ends_at == world.now + timedelta(days=30)
    assert schedule.starts_at == world.now - timedelta(days=1), "no gap"


@KINDS
def test_an_administrator_denies(world: World, kind) -> None:
    given = ok(world.give(world.ann, kind=kind, days=5))
    end = world.schedule(given).ends_at
    request = ok(world.extend(world.ann, kind=kind, days=30))
    ok(world.review(request, world.pra, DENY))
    assert world.request(request.id).status is RequestStatus.DENIED
    assert world.schedule(given).ends_at == end


def test_only_near_the_end(world: World) -> None:
    world.eligible(world.ann, days=20)
    refused(world.extend(world.ann, kind=ELIGIBILITY, days=30), Code.INVALID)
    world.forward(days=6)
    ok(world.extend(world.ann, kind=ELIGIBILITY, days=30))


def test_only_to_a_later_end(world: World) -> None:
    world.eligible(world.ann, days=5)
    refused(world.extend(world.ann, kind=ELIGIBILITY, days=5), Code.INVALID)
    refused(world.extend(world.ann, kind=ELIGIBILITY, until=world.now), Code.INVALID)
    world.eligible(world.bob)
    refused(world.extend(world.bob, kind=ELIGIBILITY, days=5), Code.INVALID)  # permanent
    refused(world.extend(world.cyd, kind=ELIGIBILITY, days=5), Code.ASSIGNMENT_MISSING)
    world.eligible(world.group("team", [world.dan]), days=5)
    refused(world.extend(world.dan, kind=ELIGIBILITY, days=9), Code.ASSIGNMENT_MISSING)  # not his own


def test_extended_meanwhile_by_somebody_else(world: World) -> None:
    world.eligible(world.ann, days=5)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=10))
    ok(world.give(world.ann, action=Action.ADMIN_EXTEND, days=100))
    ok(world.review(request, world.ga))
    assert world.request(request.id).status is RequestStatus.FAILED
    assert world.schedule(request).ends_at == world.now + timedelta(days=100)


def test_within_the_policy_of_today(world: World) -> None:
    world.eligible(world.ann, days=5)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=300))
    world.policy(eligibility=Expiry(required=True, maximum=lasting(30 * 86400)))
    ok(world.review(request, world.ga))
    assert world.schedule(request).ends_at == world.now + timedelta(days=30)


@pytest.mark.parametrize(
    ("required", "when", "days"),
    [(True, {}, 365), (False, {}, 365), (True, {"permanent": True}, 365), (False, {"permanent": True}, None)],
)
def test_the_end_that_is_meant(world: World, required: bool, when, days) -> None:
    world.policy(eligibility=Expiry(required=required, maximum=lasting(365 * 86400)))
    world.eligible(world.ann, days=5)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, **when))
    ok(world.review(request, world.ga))
    wanted = None if days is None else world.now + timedelta(days=days)
    assert world.schedule(request).ends_at == wanted


@KINDS
@pytest.mark.parametrize("worker", [True, False])
def test_renew(world: World, kind, worker: bool) -> None:
    given = ok(world.give(world.ann, kind=kind, hours=1))
    refused(world.renew(world.ann, kind=kind, days=5), Code.ASSIGNMENT_EXISTS)
    world.forward(hours=1)
    if worker:
        world.work()
    request = ok(world.renew(world.ann, kind=kind, days=5))
    assert request.status is RequestStatus.PENDING_ADMIN_DECISION
    refused(world.renew(world.ann, kind=kind, days=5), Code.REQUEST_PENDING)
    world.forward(hours=1)
    ok(world.review(request, world.ga))
    schedule = world.schedule(request)
    assert schedule.id != given.schedule_id
    assert (schedule.starts_at, schedule.ends_at) == (world.now, world.now + timedelta(days=5))
    assert schedule.in_force(world.now)


def test_renew_too_late_or_nothing(world: World) -> None:
    refused(world.renew(world.ann, days=5), Code.ASSIGNMENT_MISSING)
    world.eligible(world.ann, hours=1)
    world.forward(hours=1, days=30)
    outcome = world.renew(world.ann, days=5, validation_only=True)
    assert ok(outcome).status is RequestStatus.PENDING_ADMIN_DECISION
    world.now += MICROSECOND
    refused(world.renew(world.ann, days=5), Code.INVALID)


def test_renewed_meanwhile_by_an_administrator(world: World) -> None:
    world.eligible(world.ann, hours=1)
    world.forward(hours=1)
    request = ok(world.renew(world.ann, days=5))
    ok(world.give(world.ann, action=Action.ADMIN_RENEW, days=100))
    ok(world.review(request, world.ga))
    assert world.request(request.id).status is RequestStatus.FAILED


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_the_person_is_gone_meanwhile(world: World, how: str) -> None:
    world.eligible(world.ann, days=5)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=30))
    (world.disable if how == "disabled" else world.delete)(world.ann)
    ok(world.review(request, world.ga))
    assert world.request(request.id).status is RequestStatus.FAILED


def test_extension_of_an_eligibility_with_a_time_out(world: World) -> None:
    world.eligible(world.ann, days=14)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=30))
    world.forward(days=30)
    world.work()
    assert world.request(request.id).status is RequestStatus.TIMED_OUT


@KINDS
@pytest.mark.parametrize("anew", [False, True])
def test_what_was_taken_away_is_not_given_back_by_its_extension(world: World, kind, anew: bool) -> None:
    """One administrator takes it away, another one approves what was asked before."""
    ok(world.give(world.ann, kind=kind, days=5))
    world.forward(minutes=10)
    request = ok(world.extend(world.ann, kind=kind, days=100))
    ok(world.take(world.ann, kind=kind))
    if anew:
        ok(world.give(world.ann, kind=kind, days=2))
    ok(world.review(request, world.ga))
    assert world.request(request.id).status is RequestStatus.FAILED
    mine = [one for one in world.schedules(kind) if one.principal_id == world.ann]
    held = [one.ends_at for one in mine if one.live(world.now)]
    assert held == ([world.now + timedelta(days=2)] if anew else [])


@KINDS
def test_what_was_given_anew_and_taken_away_is_not_given_back_by_a_renewal(world: World, kind) -> None:
    ok(world.give(world.ann, kind=kind, days=5))
    world.forward(days=6)
    request = ok(world.renew(world.ann, kind=kind, days=30))
    ok(world.give(world.ann, kind=kind, days=9))
    world.forward(minutes=10)
    ok(world.take(world.ann, kind=kind))
    ok(world.review(request, world.ga))
    assert world.request(request.id).status is RequestStatus.FAILED
    assert not world.holds(world.ann)
