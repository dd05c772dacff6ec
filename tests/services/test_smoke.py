"""The whole life of one grant, as a first person lives it."""

from __future__ import annotations

from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from tests.world import ELIGIBILITY, World, ok


def test_from_eligible_to_expired(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ann = world.name_in_target(world.ann)
    eligibility = world.eligible(world.ann)
    assert eligibility.status is RequestStatus.PROVISIONED
    assert not world.holds(world.ann)

    request = ok(world.activate(world.ann, hours=1))
    assert request.status is RequestStatus.PROVISIONED
    assert world.holds(world.ann)
    schedule = world.schedule(request)
    assert schedule.linked_id == eligibility.schedule_id
    world.work()
    assert server.may(ann, "payroll_admin")

    world.forward(minutes=60)
    assert not world.holds(world.ann)
    world.work()
    assert not server.may(ann, "payroll_admin")
    assert world.schedule(request).status is ScheduleStatus.EXPIRED
    assert len(world.events("Remove member from role (PIM activation expired)")) == 1


def test_with_approval(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=2))
    assert request.status is RequestStatus.PENDING_APPROVAL
    assert not world.holds(world.ann)
    world.forward(minutes=30)
    ok(world.review(request, world.bob))
    assert world.request(request.id).status is RequestStatus.PROVISIONED
    assert world.holds(world.ann)
    schedule = world.schedule(request)
    assert (schedule.ends_at - schedule.starts_at).total_seconds() == 7200
    assert schedule.starts_at == world.now
    ok(world.take(world.ann, kind=ELIGIBILITY))
    assert not world.holds(world.ann)
