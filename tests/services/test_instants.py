"""Truth is a function of time: answers at the very instants, with every worker dead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.core.lifecycle import ScheduleStatus
from openpim.core.query import Query
from openpim.services import schedules
from openpim.services.reading import Whose
from tests.world import ASSIGNMENT, DIRECTORY, ELIGIBILITY, MICROSECOND, TEAMS, World, ok


def told(world: World, who: str, kind=ASSIGNMENT) -> list[bool]:
    """Every way to ask whether the grant is in force now."""
    caller = world.caller(who)
    own = schedules.instances(world.deps, caller, DIRECTORY, kind, Whose.PRINCIPAL, Query())
    everyone = schedules.instances(
        world.deps, world.caller(world.ga), DIRECTORY, kind, Whose.ANYONE, Query(limit=1000)
    )
    one = schedules.instance(world.deps, caller, DIRECTORY, kind, role_id=TEAMS, principal_id=who, scope="/")
    answers = [
        any(item.role_id == TEAMS for item in ok(own).items),
        any(item.principal_id == who for item in ok(everyone).items),
        not hasattr(one, "code"),
    ]
    if kind is ASSIGNMENT:
        answers.append(world.holds(who))
    return answers


@pytest.mark.parametrize("kind", [ELIGIBILITY, ASSIGNMENT])
@pytest.mark.parametrize("worker", [False, True])
def test_the_boundaries(world: World, kind, worker: bool) -> None:
    start = world.now + timedelta(hours=1)
    end = start + timedelta(hours=2)
    ok(world.give(world.ann, kind=kind, start=start, until=end))
    for moment, truth in (
        (start - MICROSECOND, False),
        (start, True),
        (start + MICROSECOND, True),
        (end - MICROSECOND, True),
        (end, False),
        (end + MICROSECOND, False),
        (end + timedelta(days=400), False),
    ):
        world.at(moment)
        if worker:
            world.work()
        assert set(told(world, world.ann, kind)) == {truth}, moment


@pytest.mark.parametrize("worker", [False, True])
def test_the_boundaries_of_an_activation(world: World, worker: bool) -> None:
    world.eligible(world.ann)
    end = world.schedule(ok(world.activate(world.ann, hours=1))).ends_at
    assert set(told(world, world.ann)) == {True}
    for moment, truth in ((end - MICROSECOND, True), (end, False)):
        world.at(moment)
        if worker:
            world.work()
        assert set(told(world, world.ann)) == {truth}


def test_schedules_are_those_to_come_as_well(world: World) -> None:
    start = world.now + timedelta(hours=1)
    request = ok(world.give(world.ann, start=start, hours=1))
    caller = world.caller(world.ann)

    def listed() -> bool:
        page = ok(schedules.page(world.deps, caller, DIRECTORY, ELIGIBILITY, Whose.PRINCIPAL, Query()))
        found = schedules.get(world.deps, caller, DIRECTORY, ELIGIBILITY, request.schedule_id)
        assert bool(page.items) is not hasattr(found, "code")
        return bool(page.items)

    assert listed()
    world.at(start + timedelta(hours=1) - MICROSECOND)
    assert listed()
    world.forward(microseconds=1)
    assert not listed()


def test_a_worker_records_and_changes_nothing(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    end = world.schedule(request).ends_at
    world.at(end - MICROSECOND)
    world.work()
    assert world.schedule(request).status is ScheduleStatus.PROVISIONED
    world.at(end + timedelta(days=3))
    world.work()
    assert world.schedule(request).status is ScheduleStatus.EXPIRED
    assert world.schedule(request).ends_at == end
    before = world.snapshot()
    world.work()
    assert world.snapshot()[:4] == before[:4]


def test_expired_privilege_gives_no_privilege(world: World) -> None:
    """An administrator for an hour; nobody has recorded his end."""
    from tests.world import GA

    ok(world.give(world.ann, GA, ASSIGNMENT, hours=1))
    world.forward(hours=1)
    caller = world.caller(world.ann)
    outcome = schedules.instances(world.deps, caller, DIRECTORY, ASSIGNMENT, Whose.ANYONE, Query())
    assert outcome.code == "forbidden"
