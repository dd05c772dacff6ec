"""Two people at the same moment, with real threads on both databases: one outcome, and both are told the truth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from openpim.core.grants import Action
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.services import due, review, submit, timeouts
from openpim.services.directory.delete_group import delete_group
from openpim.services.directory.group_members import remove_member
from tests.world import APPROVE, ASSIGNMENT, DENY, MICROSECOND, World, ok

ROUNDS = range(6)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts in threads of their own, started at the same moment; an exception in one fails the test."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def codes(outcomes: list[Any]) -> list[Code]:
    return sorted(outcome.code for outcome in outcomes if isinstance(outcome, Refusal))


def test_activate_twice(world: World) -> None:
    for _ in ROUNDS:
        person = world.user("Eve")
        world.eligible(person)
        outcomes = together(*[lambda person=person: world.activate(person, hours=1)] * 4)
        assert codes(outcomes) == [Code.ASSIGNMENT_EXISTS] * 3
        mine = [one for one in world.schedules(ASSIGNMENT) if one.principal_id == person]
        assert [one.status for one in mine] == [ScheduleStatus.PROVISIONED]


def test_ask_twice_for_an_approval(world: World) -> None:
    world.approval(world.bob)
    for _ in ROUNDS:
        person = world.user("Eve")
        world.eligible(person)
        outcomes = together(*[lambda person=person: world.activate(person, hours=1)] * 3)
        assert codes(outcomes) == [Code.REQUEST_PENDING] * 2


def test_assign_twice(world: World) -> None:
    for _ in ROUNDS:
        person = world.user("Eve")
        outcomes = together(
            lambda person=person: world.give(person, permanent=True),
            lambda person=person: world.give(person, permanent=True, by=world.ga),
        )
        assert codes(outcomes) == [Code.ASSIGNMENT_EXISTS]


def asked(world: World, **more: Any):
    world.approval(world.bob, world.cyd, **more)
    person = world.user("Eve")
    world.eligible(person)
    return person, ok(world.activate(person, hours=1))


def test_approve_twice(world: World) -> None:
    for _ in ROUNDS:
        person, request = asked(world)
        outcomes = together(
            lambda request=request: world.review(request, world.bob),
            lambda request=request: world.review(request, world.cyd),
        )
        assert codes(outcomes) == [Code.ALREADY_DECIDED]
        assert world.holds(person)
        assert len(world.approval_of(request).decisions) == 1
        mine = [one for one in world.schedules(ASSIGNMENT) if one.principal_id == person]
        assert len(mine) == 1


def test_the_same_person_approves_twice_where_two_are_needed(world: World) -> None:
    for _ in ROUNDS:
        person, request = asked(world, quorum=2)
        outcomes = together(*[lambda request=request: world.review(request, world.bob)] * 2)
        assert codes(outcomes) == [Code.ALREADY_DECIDED]
        assert not world.holds(person)


def test_two_of_two(world: World) -> None:
    for _ in ROUNDS:
        person, request = asked(world, quorum=2)
        outcomes = together(
            lambda request=request: world.review(request, world.bob),
            lambda request=request: world.review(request, world.cyd),
        )
        assert codes(outcomes) == []
        assert world.holds(person)
        assert len(world.approval_of(request).decisions) == 2


def test_approve_and_deny(world: World) -> None:
    for _ in ROUNDS:
        person, request = asked(world)
        outcomes = together(
            lambda request=request: world.review(request, world.bob),
            lambda request=request: world.review(request, world.cyd, DENY),
        )
        assert codes(outcomes) == [Code.ALREADY_DECIDED]
        approved = isinstance(outcomes[1], Refusal)
        assert world.holds(person) is approved
        wanted = RequestStatus.PROVISIONED if approved else RequestStatus.DENIED
        assert world.request(request.id).status is wanted


def test_approve_and_cancel(world: World) -> None:
    for _ in ROUNDS:
        person, request = asked(world)
        outcomes = together(
            lambda request=request: world.review(request, world.bob),
            lambda request=request, person=person: world.cancel(request, person),
        )
        assert codes(outcomes) in ([Code.ALREADY_DECIDED], [Code.NOT_CANCELLABLE])
        assert world.holds(person) is isinstance(outcomes[1], Refusal)


def test_approve_while_the_time_runs_out(world: World) -> None:
    """The worker's clock and the approver's are the same here; the approver is just too late."""
    for _ in ROUNDS:
        person, request = asked(world, timeout_minutes=60)
        world.forward(minutes=60)
        together(
            lambda request=request: world.review(request, world.bob),
            lambda: timeouts.settle_approvals(world.deps, world.tenant_id),
            lambda: timeouts.settle_approvals(world.deps, world.tenant_id),
        )
        assert world.request(request.id).status is RequestStatus.TIMED_OUT
        assert not world.holds(person)
        events = [event for event in world.events(timeouts.EXPIRED) if event.correlation_id == request.id]
        assert len(events) == 1


def test_approve_and_remove_the_eligibility(world: World) -> None:
    for _ in ROUNDS:
        person, request = asked(world)
        together(
            lambda request=request: world.review(request, world.bob),
            lambda person=person: world.take(person),
        )
        assert not world.holds(person)


@pytest.mark.parametrize("road", ["eligibility", "membership", "group in group"])
def test_activate_while_the_group_loses_it(world: World, road: str) -> None:
    """The one who takes it away holds the group, the one who activates holds himself: the activation once outlived
    what it rested on."""
    for _ in ROUNDS:
        person = world.user("Eve")
        inner = world.group("inner", [person])
        outer = world.group("outer", [inner])
        world.eligible(outer)

        def lose(outer=outer, inner=inner, person=person):
            if road == "eligibility":
                return world.take(outer)
            if road == "membership":
                return remove_member(world.deps, world.system, inner, person)
            return remove_member(world.deps, world.system, outer, inner)

        together(lambda person=person: world.activate(person, hours=1), lose)
        assert not world.holds(person), road
        refusal = world.activate(person, hours=1)
        assert refusal.code is Code.ASSIGNMENT_MISSING


def test_extend_while_it_expires(world: World) -> None:
    """Several workers record the end while the holder asks for more: he is told that he is too late."""
    for _ in ROUNDS:
        person = world.user("Eve")
        world.eligible(person)
        request = ok(world.activate(person, hours=1))
        world.forward(hours=1)
        outcomes = together(
            lambda: due.expire(world.deps, world.tenant_id),
            lambda: due.expire(world.deps, world.tenant_id),
            lambda person=person: world.extend(person, hours=2),
            lambda person=person: world.take(person),
        )
        assert outcomes[2].code is Code.ASSIGNMENT_MISSING
        assert world.schedule(request).status is ScheduleStatus.EXPIRED
        assert not world.holds(person)


def test_remove_twice_and_update(world: World) -> None:
    for _ in ROUNDS:
        person = world.user("Eve")
        world.assigned(person)
        world.forward(minutes=6)
        outcomes = together(
            lambda person=person: world.take(person, kind=ASSIGNMENT),
            lambda person=person: world.take(person, kind=ASSIGNMENT, by=world.ga),
            lambda person=person: world.give(person, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, days=1),
        )
        assert codes(outcomes).count(Code.ASSIGNMENT_MISSING) in {1, 2}
        assert not world.holds(person)


def test_many_activate_through_one_group(world: World) -> None:
    people = [world.user(f"P{number}") for number in range(8)]
    world.eligible(world.group("team", people))
    outcomes = together(*[lambda person=person: world.activate(person, hours=1) for person in people])
    assert codes(outcomes) == []
    assert all(world.holds(person) for person in people)


def test_start_by_several_workers(world: World) -> None:
    for number in range(5):
        person = world.user(f"Q{number}")
        world.eligible(person)
        ok(world.activate(person, start=world.now + timedelta(hours=1), hours=1))
    world.forward(hours=1)
    together(*[lambda: due.start(world.deps, world.tenant_id)] * 3)
    assert len(world.events("Add member to role completed (PIM activation)")) == 5


# ---------------------------------------------------------------- in the worst order


class Gate:
    """Holds an act inside its unit of work, after it has read the facts and before it writes, until the other act is
    done, or for as long as the other one evidently waits for a lock of the first."""

    def __init__(self, world: World) -> None:
        self.inside, self.other_done = Event(), Event()
        self.new_id = world.new_id
        self.deps = replace(world.deps, new_id=self.wait)

    def wait(self) -> str:
        if not self.inside.is_set():
            self.inside.set()
            self.other_done.wait(0.3)
        return self.new_id()

    def race(self, held: Callable[[], Any], other: Callable[[], Any]) -> list[Any]:
        def second() -> Any:
            assert self.inside.wait(5)
            try:
                return other()
            finally:
                self.other_done.set()

        with ThreadPoolExecutor(2) as pool:
            return [future.result() for future in (pool.submit(held), pool.submit(second))]


POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


def activation(world: World, person: str, action: Action = Action.SELF_ACTIVATE, hours: float = 1):
    return world.ask(action, person, hours=hours)


@POSTGRESQL
@pytest.mark.parametrize("road", ["eligibility", "membership", "group in group", "group"])
def test_the_group_loses_it_between_reading_and_writing(world: World, road: str) -> None:
    inner = world.group("inner", [world.ann])
    outer = world.group("outer", [inner])
    world.eligible(outer)
    gate = Gate(world)
    lose = {
        "eligibility": lambda: world.take(outer),
        "membership": lambda: remove_member(world.deps, world.system, inner, world.ann),
        "group in group": lambda: remove_member(world.deps, world.system, outer, inner),
        "group": lambda: delete_group(world.deps, world.system, inner),
    }[road]
    first, second = gate.race(
        lambda: submit.submit(gate.deps, world.caller(world.ann), activation(world, world.ann)), lose
    )
    ok(second)
    ok(first)
    assert not world.holds(world.ann)


@POSTGRESQL
def test_a_worker_finds_it_expired_between_reading_and_writing(world: World) -> None:
    """The holder asked at the last moment; the worker's clock is a moment ahead."""
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    end = world.schedule(request).ends_at
    gate = Gate(world)
    gate.deps = replace(gate.deps, clock=lambda: end - MICROSECOND)
    world.at(end)
    first, _ = gate.race(
        lambda: submit.submit(
            gate.deps, world.caller(world.ann), activation(world, world.ann, Action.SELF_EXTEND, 2)
        ),
        lambda: due.expire(world.deps, world.tenant_id),
    )
    ok(first)
    assert world.schedule(request).status is ScheduleStatus.PROVISIONED
    assert world.holds(world.ann)


@POSTGRESQL
def test_the_eligibility_goes_while_the_activation_is_extended(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(team)
    ok(world.activate(world.ann, hours=1))
    gate = Gate(world)
    first, second = gate.race(
        lambda: submit.submit(
            gate.deps, world.caller(world.ann), activation(world, world.ann, Action.SELF_EXTEND, 2)
        ),
        lambda: world.take(team),
    )
    ok(first)
    ok(second)
    assert not world.holds(world.ann)


@POSTGRESQL
def test_an_approval_is_cancelled_between_reading_and_writing(world: World) -> None:
    person, request = asked(world)
    gate = Gate(world)
    first, second = gate.race(
        lambda: review.review(gate.deps, world.caller(world.bob), request.id, None, APPROVE, "fine"),
        lambda: world.cancel(request, person),
    )
    ok(first)
    assert second.code is Code.NOT_CANCELLABLE
    assert world.holds(person)
