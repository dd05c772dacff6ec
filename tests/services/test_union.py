"""Grants are a union: ending one never takes what another still gives, and no activation outlives what carries it."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.grants import Action
from openpim.core.lifecycle import ScheduleStatus
from openpim.services import role_assignments
from openpim.services.directory.delete_group import delete_group
from openpim.services.directory.group_members import remove_member
from openpim.services.ending import SHORTENED
from tests.world import ASSIGNMENT, TEAMS, World, ok


def test_assigned_through_a_group_and_directly(world: World) -> None:
    team = world.group("team", [world.ann])
    world.assigned(team)
    world.assigned(world.ann)
    world.forward(minutes=6)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    assert world.holds(world.ann)
    ok(world.take(team, kind=ASSIGNMENT))
    assert not world.holds(world.ann)


def test_the_unit_and_the_whole(world: World) -> None:
    north = world.unit("north")
    world.assigned(world.ann, scope=north)
    world.assigned(world.ann, hours=1)
    world.forward(hours=1)
    assert world.holds(world.ann, scope=north)
    assert not world.holds(world.ann)


def test_deactivation_leaves_what_was_assigned(world: World) -> None:
    world.eligible(world.ann)
    world.assigned(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)
    ok(world.deactivate(world.ann))
    assert world.holds(world.ann)


# ---------------------------------------------------------------- the end of an eligibility


def test_ends_what_rests_on_it(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    ok(world.take(world.ann))
    assert not world.holds(world.ann)
    assert world.schedule(request).status is ScheduleStatus.REVOKED
    assert world.schedule(request).ends_at == world.now


def test_unless_another_one_carries_it(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(world.ann)
    other = world.eligible(team, hours=10)
    request = ok(world.activate(world.ann, hours=1))
    end = world.schedule(request).ends_at
    ok(world.take(world.ann))
    assert world.holds(world.ann)
    schedule = world.schedule(request)
    assert (schedule.linked_id, schedule.ends_at) == (other.schedule_id, end)
    ok(world.take(team))
    assert not world.holds(world.ann)


def test_the_other_one_may_be_shorter(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(world.ann)
    world.eligible(team, hours=2)
    request = ok(world.activate(world.ann, hours=8))
    ok(world.take(world.ann))
    assert world.schedule(request).ends_at == world.now + timedelta(hours=2)
    assert len(world.events(SHORTENED)) == 1
    world.forward(hours=2)
    assert not world.holds(world.ann)


def test_one_over_the_whole_carries_one_in_a_part(world: World) -> None:
    north = world.unit("north")
    world.eligible(world.ann, scope=north)
    world.eligible(world.ann, hours=5)
    request = ok(world.activate(world.ann, scope=north, hours=1))
    ok(world.take(world.ann, scope=north))
    assert world.holds(world.ann, scope=north)
    ok(world.take(world.ann))
    assert not world.holds(world.ann, scope=north)
    assert world.schedule(request).status is ScheduleStatus.REVOKED


def test_one_in_a_part_does_not_carry_the_whole(world: World) -> None:
    world.eligible(world.ann, scope=world.unit("north"))
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    ok(world.take(world.ann))
    assert not world.holds(world.ann)


def test_shortened_by_an_update(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=8))
    ok(world.give(world.ann, action=Action.ADMIN_UPDATE, hours=2))
    assert world.schedule(request).ends_at == world.now + timedelta(hours=2)
    world.forward(hours=2)
    assert not world.holds(world.ann)


def test_shortened_while_another_one_reaches_further(world: World) -> None:
    """It once shrank with the one it rested on, though another one carried it to its end."""
    team = world.group("team", [world.ann])
    world.eligible(world.ann)
    other = world.eligible(team, hours=20)
    request = ok(world.activate(world.ann, hours=8))
    end = world.schedule(request).ends_at
    ok(world.give(world.ann, action=Action.ADMIN_UPDATE, hours=2))
    assert world.schedule(request).ends_at == end
    assert world.schedule(request).linked_id == other.schedule_id
    world.forward(hours=7)
    assert world.holds(world.ann)


def test_moved_into_the_future_by_an_update(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=8))
    ok(
        world.give(
            world.ann, action=Action.ADMIN_UPDATE, start=world.now + timedelta(hours=1), permanent=True
        )
    )
    assert not world.holds(world.ann)


def test_made_longer_by_an_update(world: World) -> None:
    world.eligible(world.ann, hours=2)
    request = ok(world.activate(world.ann, hours=8))
    end = world.schedule(request).ends_at
    ok(world.give(world.ann, action=Action.ADMIN_UPDATE, permanent=True))
    assert world.schedule(request).ends_at == end
    ok(world.extend(world.ann, hours=8))
    assert world.schedule(request).ends_at == world.now + timedelta(hours=8)


def test_two_activations_of_a_group_end_with_its_eligibility(world: World) -> None:
    team = world.group("team", [world.ann, world.bob])
    world.eligible(team)
    world.eligible(world.bob)
    ok(world.activate(world.ann, hours=1))
    ok(world.activate(world.bob, hours=1))
    ok(world.take(team))
    assert not world.holds(world.ann)
    assert world.holds(world.bob)


# ---------------------------------------------------------------- leaving a group


def test_who_leaves_the_group_loses_the_activation(world: World) -> None:
    team = world.group("team", [world.ann, world.bob])
    world.eligible(team)
    ok(world.activate(world.ann, hours=1))
    ok(world.activate(world.bob, hours=1))
    ok(remove_member(world.deps, world.caller(world.ga), team, world.ann))
    assert not world.holds(world.ann)
    assert world.holds(world.bob)


def test_unless_he_is_eligible_otherwise(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(team)
    request = ok(world.activate(world.ann, hours=4))
    own = world.eligible(world.ann, hours=2)
    ok(remove_member(world.deps, world.caller(world.ga), team, world.ann))
    assert world.holds(world.ann)
    assert world.schedule(request).linked_id == own.schedule_id
    assert world.schedule(request).ends_at == world.now + timedelta(hours=2)


def test_the_group_leaves_the_group(world: World) -> None:
    inner = world.group("inner", [world.ann])
    outer = world.group("outer", [inner])
    world.eligible(outer)
    active = ok(world.activate(world.ann, hours=1))
    later = ok(world.activate(world.ann, start=world.now + timedelta(hours=2), hours=1))
    ok(remove_member(world.deps, world.caller(world.ga), outer, inner))
    assert not world.holds(world.ann)
    assert world.schedule(active).status is ScheduleStatus.REVOKED
    assert world.schedule(later).status is ScheduleStatus.FAILED


def test_the_group_is_deleted(world: World) -> None:
    inner = world.group("inner", [world.ann])
    outer = world.group("outer", [inner])
    world.eligible(outer)
    ok(world.activate(world.ann, hours=1))
    ok(delete_group(world.deps, world.caller(world.ga), inner))
    assert not world.holds(world.ann)


def test_the_eligible_group_is_deleted(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(team)
    ok(world.activate(world.ann, hours=1))
    ok(delete_group(world.deps, world.caller(world.ga), team))
    assert not world.holds(world.ann)


def test_a_role_assignment_that_is_deleted_takes_nothing_else(world: World) -> None:
    team = world.group("team", [world.ann])
    world.assigned(team)
    world.assigned(world.ann)
    ok(role_assignments.delete(world.deps, world.caller(world.ga), TEAMS, world.ann, "/"))
    assert world.holds(world.ann)
