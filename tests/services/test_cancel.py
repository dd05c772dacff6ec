"""Calling off a request that is still open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.approval import StageStatus
from openpim.core.grants import Kind
from openpim.core.lifecycle import ApprovalStatus, RequestStatus, ScheduleStatus
from openpim.core.refusals import Code
from openpim.services import cancel
from tests.world import ASSIGNMENT, DIRECTORY, ELIGIBILITY, World, ok, refused


@pytest.fixture
def pending(world: World):
    world.approval(world.bob)
    world.eligible(world.ann)
    return ok(world.activate(world.ann, hours=1))


@pytest.mark.parametrize("who", ["ann", "pra", "ga"])
def test_one_that_waits(world: World, pending, who: str) -> None:
    cancelled = ok(world.cancel(pending, getattr(world, who)))
    assert (cancelled.status, cancelled.completed_at) == (RequestStatus.CANCELED, world.now)
    approval = world.approval_of(pending)
    assert approval.status is ApprovalStatus.CANCELED
    assert approval.stages[0].status is StageStatus.COMPLETED
    refused(world.review(pending, world.bob), Code.ALREADY_DECIDED)
    refused(world.cancel(pending, world.ann), Code.NOT_CANCELLABLE)
    assert not world.holds(world.ann)


def test_not_by_others(world: World, pending) -> None:
    for who in (world.bob, world.dan):
        refused(world.cancel(pending, who), Code.FORBIDDEN)
    assert world.request(pending.id).status is RequestStatus.PENDING_APPROVAL
    assert world.events("Cancel request")[-1].result == "failure"


def test_what_is_not_there(world: World, pending) -> None:
    refused(world.cancel(replace(pending, id=world.new_id()), world.ann), Code.REQUEST_MISSING)
    wrong = cancel.cancel(world.deps, world.caller(world.ann), DIRECTORY, Kind.ELIGIBILITY, pending.id)
    refused(wrong, Code.REQUEST_MISSING)


def test_an_activation_that_has_not_begun(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=1))
    ok(world.cancel(request, world.ann))
    assert world.schedule(request).status is ScheduleStatus.CANCELED
    world.forward(hours=1)
    world.work()
    assert not world.holds(world.ann)
    assert world.request(request.id).status is RequestStatus.CANCELED


def test_an_activation_that_is_due_but_not_begun(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=1))
    world.forward(hours=1)
    ok(world.cancel(request, world.ann))
    world.work()
    assert not world.holds(world.ann)


@pytest.mark.parametrize("kind", [ELIGIBILITY, ASSIGNMENT])
def test_what_an_administrator_gave_for_later(world: World, kind) -> None:
    request = ok(world.give(world.ann, kind=kind, start=world.now + timedelta(hours=1), hours=1))
    refused(world.cancel(request, world.ann), Code.FORBIDDEN)
    ok(world.cancel(request, world.pra))
    assert world.schedule(request).status is ScheduleStatus.CANCELED
    world.forward(hours=1)
    world.work()
    assert not world.holds(world.ann)


@pytest.mark.parametrize("hours", [1, 5])
def test_not_what_has_begun_or_is_over(world: World, hours: int) -> None:
    """Whether or not a worker has noticed."""
    request = ok(world.give(world.ann, kind=ASSIGNMENT, start=world.now + timedelta(hours=1), hours=2))
    world.forward(hours=hours)
    refused(world.cancel(request, world.pra), Code.NOT_CANCELLABLE)
    assert world.schedule(request).status is ScheduleStatus.PROVISIONED
    world.work()
    assert world.request(request.id).status is RequestStatus.PROVISIONED


def test_not_what_is_done(world: World) -> None:
    given = world.eligible(world.ann)
    active = ok(world.activate(world.ann, hours=1))
    for request in (given, active):
        refused(world.cancel(request, world.ga), Code.NOT_CANCELLABLE)
    assert world.holds(world.ann)


def test_a_wish_for_an_extension(world: World) -> None:
    given = world.eligible(world.ann, days=3)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=9))
    ok(world.cancel(request, world.ann))
    assert world.schedule(given).status is ScheduleStatus.PROVISIONED
    refused(world.review(request, world.ga), Code.ALREADY_DECIDED)
