"""One look at one target: given, proved, taken away, proved again, whatever fails in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.connecting import Edge, EffectState, Foreign, OpKind
from openpim.core.grants import AssignmentType, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.services.connecting import telling
from openpim.services.connecting.reconcile import LEASE, Held, look
from tests.world import ASSIGNMENT, TEAMS, World, ok

ADMIN = "payroll_admin"


def effect(world: World, target: str, person: str) -> Any:
    found = world.read(lambda tx: tx.effects.of_target(target, over=True))
    return next((one for one in found if one.principal_id == person), None)


def state(world: World, target: str, person: str) -> EffectState | None:
    found = effect(world, target, person)
    return found.state if found is not None else None


def test_an_activation_takes_effect_and_ends(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ann = world.name_in_target(world.ann)
    world.eligible(world.ann)
    world.look(target)
    assert not server.may(ann, ADMIN)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    assert server.may(ann, ADMIN)
    assert state(world, target, world.ann) is EffectState.EFFECTIVE
    server.sessions.add((ann, ADMIN))
    world.forward(hours=1)  # no worker has recorded the end
    world.look(target)
    assert not server.may(ann, ADMIN)
    assert state(world, target, world.ann) is EffectState.ENDED
    told = [event.activity for event in world.events() if "target" in event.activity.lower()]
    assert told == ["Add target", "Add target mapping", telling.EFFECTIVE, telling.ENDED]


def test_a_look_without_news_asks_the_target_nothing(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, permanent=True))
    world.look(target)
    reads = server.reads
    world.look(target, now_in_full=False)
    assert server.reads == reads
    world.forward(seconds=30)
    world.look(target, now_in_full=False)
    assert server.reads == reads + 1, "what others do is looked for after a while"


def test_the_next_look_is_at_the_next_end(world: World) -> None:
    target, _ = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, minutes=10))
    world.forward(minutes=9, seconds=55)
    looked = world.look(target)
    assert looked is not None
    assert looked.next_at - world.now == timedelta(seconds=5)


@pytest.mark.parametrize("failure", ["before", "after", "refuse"])
@pytest.mark.parametrize("at", range(3))
def test_whatever_fails_the_next_look_closes_the_difference(world: World, failure: str, at: int) -> None:
    target, server = world.target()
    world.rule(target)
    ann = world.name_in_target(world.ann)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    server.failures = ["", failure][-1:] if at == 0 else []
    world.look(target)
    world.forward(seconds=40)
    world.look(target)
    assert server.may(ann, ADMIN)
    assert state(world, target, world.ann) is EffectState.EFFECTIVE
    server.sessions.add((ann, ADMIN))
    server.failures = {0: [], 1: [failure], 2: ["", failure]}[at]
    world.forward(hours=1)
    world.look(target)
    if at:
        assert state(world, target, world.ann) is EffectState.ENDING
        assert effect(world, target, world.ann).failing
    world.forward(seconds=1)
    world.look(target, now_in_full=False)
    assert not server.may(ann, ADMIN)
    assert state(world, target, world.ann) is EffectState.ENDED


def test_a_removal_that_fails_is_told_once_and_tried_for_ever(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    server.down = True
    world.forward(hours=1)
    for _ in range(50):
        looked = world.look(target, now_in_full=False)
        assert looked is not None
        world.at(max(looked.next_at, world.now))
    assert world.now < effect(world, target, world.ann).since + timedelta(seconds=60), "tried often"
    told = [event for event in world.events() if event.activity == telling.FAILED]
    assert len(told) == 1
    assert told[0].result == "failure"
    server.down = False
    world.look(target, now_in_full=False)
    assert state(world, target, world.ann) is EffectState.ENDED
    assert not server.edges


def test_overlapping_grants_are_one_edge_that_ends_with_the_last(world: World) -> None:
    target, server = world.target(end="full")
    world.rule(target)
    group = world.group("Payroll", [world.ann])
    ok(world.give(group, TEAMS, ASSIGNMENT, hours=2))
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    (edge,) = server.edges.values()
    assert edge.until == world.now + timedelta(hours=2)
    server.writes.clear()
    world.forward(hours=1)
    world.look(target)
    assert not server.writes, "nothing has changed in the target"
    world.forward(hours=1)
    world.look(target)
    assert not server.edges
    assert state(world, target, world.ann) is EffectState.ENDED


def test_one_edge_for_each_activation_where_the_target_keeps_them_so(world: World) -> None:
    target, server = world.target(each="yes")
    world.rule(target)
    group = world.group("Payroll", [world.ann])
    ok(world.give(group, TEAMS, ASSIGNMENT, hours=2))
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    assert len(server.edges) == 2
    world.forward(hours=1)
    world.look(target)
    assert len(server.edges) == 1
    assert server.may(world.name_in_target(world.ann), ADMIN)


def test_nested_groups_and_the_end_of_a_membership(world: World) -> None:
    target, server = world.target(end="full")
    inner = world.group("Inner", role_assignable=True)
    outer = world.group("Outer", [inner])
    world.rule(target, "member", outer, provider=Provider.GROUP)
    end = world.now + timedelta(hours=1)
    membership = Schedule(
        id=world.new_id(),
        kind=ASSIGNMENT,
        provider=Provider.GROUP,
        principal_id=world.ann,
        role_id="member",
        scope=inner,
        starts_at=world.now,
        ends_at=end,
        status=ScheduleStatus.PROVISIONED,
        assignment_type=AssignmentType.ACTIVATED,
        created_at=world.now,
    )
    world.write(lambda tx: tx.schedules.add(membership))
    world.look(target)
    (edge,) = server.edges.values()
    assert edge.subject == world.name_in_target(world.ann)
    assert edge.until == end
    world.forward(hours=1)
    world.look(target)
    assert not server.edges


def test_who_is_disabled_loses_it_at_once(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, permanent=True))
    world.look(target)
    assert server.edges
    world.disable(world.ann)
    world.look(target, now_in_full=False)
    assert not server.edges


def test_two_people_of_one_name_get_nothing(world: World) -> None:
    target, server = world.target(subject="{employeeId}")
    world.rule(target)
    for person in (world.ann, world.bob):
        world.change_user(person, employee_id="E-1")
        ok(world.give(person, TEAMS, ASSIGNMENT, permanent=True))
    world.look(target)
    assert not server.edges
    world.change_user(world.bob, employee_id="E-2")
    world.look(target, now_in_full=False)
    assert {edge.subject for edge in server.edges.values()} == {"e-1", "e-2"}


def test_edges_of_others_are_told_once_and_stay(world: World) -> None:
    target, server = world.target()
    server.give("stranger", ADMIN)
    server.give("stranger", "not_managed")
    for _ in range(3):
        world.look(target)
        world.forward(minutes=1)
    told = [event for event in world.events() if event.activity == telling.FOREIGN]
    assert len(told) == 1
    assert server.may("stranger", ADMIN)


def test_edges_of_others_are_removed_where_the_rule_says_so_and_no_more(world: World) -> None:
    target, server = world.target(foreign=Foreign.REMOVE)
    server.give("stranger", ADMIN)
    server.give("stranger", "not_managed")
    server.sessions.add(("stranger", ADMIN))
    world.look(target)
    assert not server.may("stranger", ADMIN)
    assert server.may("stranger", "not_managed")


def test_what_others_take_away_or_give_again_is_put_right_and_told(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ann = world.name_in_target(world.ann)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    server.edges.clear()
    world.look(target)
    assert server.may(ann, ADMIN)
    world.forward(hours=1)
    world.look(target)
    server.give(ann, ADMIN)
    server.sessions.add((ann, ADMIN))
    world.look(target)
    assert not server.may(ann, ADMIN), "what has ended here ends there too, whoever gave it again"
    told = {event.activity for event in world.events()}
    assert {telling.LOST, telling.BACK} <= told


def test_what_lives_on_is_shown_with_its_end(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    world.forward(hours=1)
    server.stuck[world.name_in_target(world.ann)] = world.now + timedelta(hours=10)
    world.look(target)
    found = effect(world, target, world.ann)
    assert found.state is EffectState.RESIDUE
    assert found.residue_until == world.now + timedelta(hours=10)


def test_one_worker_at_a_time_and_a_late_one_writes_nothing(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    others: list[object] = []

    def somebody_else() -> None:
        others.append(world.look(target))
        world.forward(seconds=LEASE.total_seconds() + 1)
        world._held.pop(target)
        ok(world.deactivate(world.ann))
        world.look(target)

    world.forward(minutes=6)
    server.during = somebody_else
    world.look(target)  # it slept longer than its lease, and wakes with an old plan
    assert others == [None], "the lease kept a second one away"
    assert not server.edges
    assert all(op.kind is not OpKind.GRANT for op in server.writes)


def test_who_slept_before_he_took_the_lease_reads_again(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)

    class Sleeping:
        """Between reading what is wanted and taking the lease the access ends, and another server looks."""

        read = world.database.read
        awake = False

        def write(self, tenant_id: str, work: Any) -> Any:
            if not self.awake:
                self.awake = True
                ok(world.deactivate(world.ann))
                world.look(target)
            return world.database.write(tenant_id, work)

    look(replace(world.deps, store=Sleeping()), Held(), world.tenant_id, target, now_in_full=True)
    assert not server.edges
    assert all(op.kind is not OpKind.GRANT for op in server.writes)


def test_a_clock_that_was_put_back_keeps_nobody_from_looking(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.look(target)
    world.forward(hours=-2)
    reads = server.reads
    world.look(target, now_in_full=False)
    assert server.reads == reads + 1


def test_an_end_between_plan_and_write_is_not_given(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, minutes=10))
    world.forward(minutes=9, seconds=59)
    world.look(target)
    assert Edge(world.name_in_target(world.ann), ADMIN).name in server.edges
    world.forward(seconds=1)
    world.look(target, now_in_full=False)
    assert not server.edges


def test_an_extension_leaves_no_gap(world: World) -> None:
    target, server = world.target(end="full")
    world.rule(target)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, hours=1))
    world.look(target)
    server.writes.clear()
    schedule = world.read(lambda tx: tx.schedules.of({world.ann}, kind=ASSIGNMENT, live_at=world.now))[0]
    later = replace(schedule, ends_at=world.now + timedelta(hours=5))
    world.write(lambda tx: tx.schedules.save(later))
    world.look(target)
    assert [op.kind for op in server.writes] == [OpKind.BOUND]
    (edge,) = server.edges.values()
    assert edge.until == world.now + timedelta(hours=5)


def test_what_was_tried_in_vain_waits_and_what_is_new_does_not(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    world.forward(minutes=10)
    ok(world.give(world.bob, TEAMS, ASSIGNMENT, hours=8))
    server.failures = ["refuse"]
    world.look(target, now_in_full=False)
    assert effect(world, target, world.bob).failing
    reads = server.reads
    world.look(target, now_in_full=False)
    assert server.reads == reads, "nothing is new"
    ok(world.deactivate(world.ann))
    world.look(target, now_in_full=False)
    assert not server.may(world.name_in_target(world.ann), ADMIN), "an end waits for no pause"
    server.down = True
    world.disable(world.bob)
    looked = world.look(target, now_in_full=False)
    assert looked is not None
    assert looked.next_at - world.now <= timedelta(seconds=0.5)
