"""A client that heard no answer asks again under the same id: nothing is done twice, and nobody else's id is taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from openpim.core.lifecycle import RequestStatus
from openpim.core.refusals import Code
from tests.world import ASSIGNMENT, World, ok, refused


def test_the_same_answer_again(world: World) -> None:
    world.eligible(world.ann)
    id = world.new_id()
    first = ok(world.activate(world.ann, hours=1, request_id=id))
    assert (first.id, first.schedule_id) == (id, id)
    before = world.snapshot()
    assert ok(world.activate(world.ann, hours=1, request_id=id)) == first
    assert world.snapshot() == before
    world.forward(minutes=6)
    ok(world.deactivate(world.ann))
    assert ok(world.activate(world.ann, hours=1, request_id=id)).status is RequestStatus.PROVISIONED
    assert not world.holds(world.ann), "what was asked once is not given twice"


def test_an_id_that_is_taken(world: World) -> None:
    world.eligible(world.ann)
    world.eligible(world.bob)
    id = ok(world.activate(world.ann, hours=1)).id
    for outcome in (
        world.activate(world.bob, hours=1, request_id=id),
        world.deactivate(world.ann, request_id=id),
        world.give(world.cyd, permanent=True, request_id=id),
        world.activate(world.ann, scope=world.unit("north"), hours=1, request_id=id),
    ):
        assert refused(outcome, Code.CONFLICT).member == "id"
    assert not world.holds(world.bob)


def test_an_id_of_another_tenant_is_free(world: World) -> None:
    there = World(world.database)
    there.eligible(there.ann)
    id = ok(there.activate(there.ann, hours=1)).id
    world.eligible(world.ann)
    assert ok(world.activate(world.ann, hours=1, request_id=id)).id == id
    assert there.holds(there.ann)


def test_at_the_same_moment(world: World) -> None:
    for people in ((world.ann, world.ann), (world.bob, world.cyd)):
        for person in set(people):
            world.eligible(person)
        id, barrier = world.new_id(), Barrier(2)

        def run(person: str, id: str = id, barrier: Barrier = barrier):
            barrier.wait()
            return world.activate(person, hours=1, request_id=id)

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(run, people))
        made = [one for one in world.schedules(ASSIGNMENT) if one.id == id]
        assert len(made) == 1
        codes = [getattr(outcome, "code", None) for outcome in outcomes]
        assert sorted(codes, key=str) == ([None, None] if len(set(people)) == 1 else [None, Code.CONFLICT])
