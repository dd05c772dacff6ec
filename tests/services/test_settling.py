"""After the commit: effects are brought about at least once, and a target that fails is tried for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.core.grants import Action
from openpim.services import settling
from tests.world import ASSIGNMENT, TargetSystem, World, ok


@pytest.fixture
def world(own_world: World) -> World:
    own_world.work()  # what the world itself left
    return own_world


def undone(world: World) -> int:
    return sum(not done for _, _, done in world.outbox())


def test_an_entry_for_every_grant_and_end(world: World) -> None:
    def entries() -> int:
        return len(world.outbox())

    before = entries()
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert entries() == before + 2
    ok(world.extend(world.ann, hours=2))
    ok(world.take(world.ann))
    assert entries() == before + 5  # the longer end, the end of the one, the end of the other
    ok(world.give(world.bob, kind=ASSIGNMENT, start=world.now + timedelta(hours=1), hours=1))
    assert entries() == before + 7  # now, and when it begins


def test_failing_before_and_after(world: World) -> None:
    target = TargetSystem(["before", "after"])
    request = world.assigned(world.ann)
    world.work(target)
    assert (target.calls, target.state, undone(world)) == (1, {}, 1)
    world.work(target)
    assert target.calls == 1, "not before the pause is over"
    world.forward(seconds=2)
    world.work(target)
    assert target.state == {request.schedule_id: True}
    assert undone(world) == 1, "nobody knows that it was done"
    world.forward(seconds=4)
    world.work(target)
    assert (target.calls, undone(world)) == (3, 0)


def test_a_revocation_is_tried_for_ever(world: World) -> None:
    request = world.assigned(world.ann)
    target = TargetSystem()
    world.work(target)
    world.forward(minutes=6)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    target.failures = ["before"] * 40
    for _ in range(40):
        world.forward(minutes=5)
        world.work(target)
    assert (undone(world), target.state[request.schedule_id]) == (1, True)
    world.forward(minutes=5)
    world.work(target)
    assert (undone(world), target.state[request.schedule_id]) == (0, False)


def test_the_wish_of_now_counts(world: World) -> None:
    """Activated and ended before a worker came: the target never hears of access that is over."""
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)
    ok(world.deactivate(world.ann))
    target = TargetSystem()
    world.work(target)
    assert target.state[request.schedule_id] is False


def test_a_start_by_time_alone_is_brought_about(world: World) -> None:
    request = ok(world.give(world.ann, kind=ASSIGNMENT, start=world.now + timedelta(hours=1), hours=2))
    target = TargetSystem()
    world.work(target)
    assert target.state[request.schedule_id] is False
    world.forward(hours=1)
    settling.settle_due(world.deps, [target])
    assert target.state[request.schedule_id] is True
    ok(
        world.give(
            world.ann,
            kind=ASSIGNMENT,
            action=Action.ADMIN_UPDATE,
            start=world.now + timedelta(hours=1),
            hours=2,
        )
    )
    settling.settle_due(world.deps, [target])
    assert target.state[request.schedule_id] is False
    world.forward(hours=1)
    settling.settle_due(world.deps, [target])
    assert target.state[request.schedule_id] is True


def test_several_effects(world: World) -> None:
    """One that fails does not keep the others from being told."""
    first, second = TargetSystem(["before"]), TargetSystem()
    request = world.assigned(world.ann)
    world.work(first, second)
    assert (first.state, second.state) == ({}, {request.schedule_id: True})
    world.forward(seconds=2)
    world.work(first, second)
    assert first.state == {request.schedule_id: True}
    assert undone(world) == 0


def test_a_lost_lease(world: World) -> None:
    """The worker died with the entry in hand: another one takes it when the lease is over."""
    world.assigned(world.ann)

    class DeadError(BaseException):
        pass

    class Dying(TargetSystem):
        def settle(self, *_, **__):
            raise DeadError

    with pytest.raises(DeadError):
        world.work(Dying())
    target = TargetSystem()
    world.forward(seconds=59)
    world.work(target)
    assert target.calls == 0
    world.forward(seconds=1)
    world.work(target)
    assert (target.calls, undone(world)) == (1, 0)


def test_a_schedule_that_is_gone(world: World) -> None:
    world.write(lambda tx: tx.outbox.put(world.new_id(), settling.TOPIC, world.new_id(), "{}", world.now))
    target = TargetSystem()
    world.work(target)
    assert (target.calls, undone(world)) == (0, 0)
