"""The last Global Administrator and the last Privileged Role Administrator cannot be lost, by any road.

Each story begins with one lasting holder of the role (`only`), and tries to lose him. Who acts is somebody else, or the
system, so that only the protection stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from openpim.core.grants import Action
from openpim.core.refusals import Code
from openpim.services import role_assignments
from openpim.services.directory.delete_group import delete_group
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.group_members import remove_member
from openpim.services.directory.update_user import set_enabled
from openpim.services.last_administrator import lasting_holders
from tests.world import ASSIGNMENT, GA, PRA, World, ok

PROTECTED = pytest.mark.parametrize("role", [GA, PRA], ids=["GA", "PRA"])


def holders(world: World, role: str) -> frozenset[str]:
    return world.read(lambda tx: lasting_holders(tx, role, world.now))


def alone(world: World, role: str, who: str | None = None) -> str:
    """Leave one lasting holder of the role: `who`, or the one there is."""
    if who is not None:
        ok(world.give(who, role, ASSIGNMENT, permanent=True, by=world.system))
    keep = who or (world.ga if role == GA else world.pra)
    world.forward(minutes=10)
    for other in holders(world, role) - {keep}:
        ok(world.take(other, role, ASSIGNMENT, by=world.system))
    return keep


def by_removal(world: World, role: str, who: str):
    return world.take(who, role, ASSIGNMENT, by=world.system)


def by_update_to_an_end(world: World, role: str, who: str):
    return world.give(who, role, ASSIGNMENT, action=Action.ADMIN_UPDATE, hours=9, by=world.system)


def by_update_to_a_later_start(world: World, role: str, who: str):
    start = world.now + timedelta(days=1)
    return world.give(
        who, role, ASSIGNMENT, action=Action.ADMIN_UPDATE, start=start, permanent=True, by=world.system
    )


def by_disabling(world: World, role: str, who: str):
    return set_enabled(world.deps, world.system, who, enabled=False)


def by_deleting(world: World, role: str, who: str):
    return delete_user(world.deps, world.system, who)


def by_role_assignment(world: World, role: str, who: str):
    return role_assignments.delete(world.deps, world.system, role, who, "/")


def by_himself(world: World, role: str, who: str):
    return world.take(who, role, ASSIGNMENT, by=who)


ROADS: list[Callable] = [
    by_removal,
    by_update_to_an_end,
    by_update_to_a_later_start,
    by_disabling,
    by_deleting,
    by_role_assignment,
    by_himself,
]


@PROTECTED
@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
def test_every_road_is_closed(world: World, role: str, road: Callable) -> None:
    only = alone(world, role)
    before = (world.schedules(ASSIGNMENT), world.requests())
    outcome = road(world, role, only)
    assert outcome.code is Code.LAST_ADMINISTRATOR
    assert role in outcome.detail
    assert holders(world, role) == {only}
    assert world.holds(only, role)
    assert (world.schedules(ASSIGNMENT), world.requests()) == before
    assert world.events()[-1].result == "failure"


@PROTECTED
@pytest.mark.parametrize("road", ROADS[:-1], ids=lambda road: road.__name__)
def test_every_road_is_open_while_another_one_stays(world: World, role: str, road: Callable) -> None:
    only = alone(world, role)
    ok(world.give(world.ann, role, ASSIGNMENT, permanent=True, by=world.system))
    ok(road(world, role, only))
    assert holders(world, role) == {world.ann}


@PROTECTED
@pytest.mark.parametrize("other", ["disabled", "for a time", "later", "in a unit", "application", "eligible"])
def test_who_does_not_count_as_another_one(world: World, role: str, other: str) -> None:
    only = alone(world, role)
    system = {"by": world.system, "permanent": True}
    if other == "disabled":
        ok(world.give(world.ann, role, ASSIGNMENT, **system))
        world.disable(world.ann)
    elif other == "for a time":
        ok(world.give(world.ann, role, ASSIGNMENT, by=world.system, days=300))
    elif other == "later":
        ok(world.give(world.ann, role, ASSIGNMENT, start=world.now + timedelta(days=1), **system))
    elif other == "in a unit":
        ok(world.give(world.ann, role, ASSIGNMENT, world.unit("north"), **system))
    elif other == "application":
        ok(world.give(world.app("robot"), role, ASSIGNMENT, **system))
    else:
        ok(world.give(world.ann, role, **system))
        world.policy(role, activation_requires=frozenset())
        ok(world.activate(world.ann, role, hours=8))
    assert by_removal(world, role, only).code is Code.LAST_ADMINISTRATOR


# ---------------------------------------------------------------- through groups


@pytest.fixture(params=[1, 2], ids=["direct", "nested"])
def through_group(world: World, request: pytest.FixtureRequest):
    """Dan is the last one, through a group, or through a group in a group."""
    inner = world.group("administrators", [world.dan])
    outer = world.group("outer", [inner]) if request.param == 2 else inner
    ok(world.give(outer, GA, ASSIGNMENT, permanent=True, by=world.system))
    world.forward(minutes=10)
    for other in (world.ga, world.ga2):
        ok(world.take(other, GA, ASSIGNMENT, by=world.system))
    assert holders(world, GA) == {world.dan}
    return inner, outer


def test_a_membership_is_a_road(world: World, through_group) -> None:
    inner, outer = through_group
    pra = world.caller(world.pra)
    roads = [
        lambda: remove_member(world.deps, world.system, inner, world.dan),
        lambda: remove_member(world.deps, pra, inner, world.dan),
        lambda: delete_group(world.deps, world.system, inner),
        lambda: delete_group(world.deps, world.system, outer),
        lambda: delete_user(world.deps, world.system, world.dan),
        lambda: set_enabled(world.deps, world.system, world.dan, enabled=False),
        lambda: world.take(outer, GA, ASSIGNMENT, by=world.system),
        lambda: world.give(outer, GA, ASSIGNMENT, action=Action.ADMIN_UPDATE, days=1, by=world.system),
        lambda: role_assignments.delete(world.deps, world.system, GA, outer, "/"),
    ]
    if inner != outer:
        roads.append(lambda: remove_member(world.deps, world.system, outer, inner))
    for road in roads:
        assert road().code is Code.LAST_ADMINISTRATOR
        assert holders(world, GA) == {world.dan}
        assert world.holds(world.dan, GA)


def test_a_second_member_is_enough(world: World, through_group) -> None:
    inner, _ = through_group
    world.write(lambda tx: tx.groups.add_member(inner, tx.principals.get(world.ann)))
    ok(remove_member(world.deps, world.system, inner, world.dan))
    assert holders(world, GA) == {world.ann}


def test_a_membership_for_a_time_does_not_count(world: World) -> None:
    """A group schedule that has an end makes nobody a lasting administrator."""
    from dataclasses import replace

    from openpim.core.grants import Provider

    team = world.group("administrators")
    ok(world.give(team, GA, ASSIGNMENT, permanent=True, by=world.system))
    like = world.schedules(ASSIGNMENT)[0]
    membership = replace(
        like,
        id=world.new_id(),
        provider=Provider.GROUP,
        principal_id=world.dan,
        role_id="member",
        scope=team,
        starts_at=world.now,
        ends_at=world.now + timedelta(hours=9),
    )
    world.write(lambda tx: tx.schedules.add(membership))
    assert world.holds(world.dan, GA)
    assert holders(world, GA) == {world.ga, world.ga2}


# ---------------------------------------------------------------- time, and two at once


def test_expiry_cannot_lose_the_last_one(world: World) -> None:
    for person in (world.ann, world.bob):
        ok(world.give(person, GA, ASSIGNMENT, hours=1, by=world.system))
    only = alone(world, GA)
    world.forward(days=400)
    world.work()
    assert holders(world, GA) == {only}
    assert world.holds(only, GA)


@pytest.mark.parametrize(
    "roads", [(by_removal, by_removal), (by_removal, by_disabling), (by_deleting, by_role_assignment)]
)
def test_two_at_once(world: World, roads) -> None:
    """Two are left; each of two people takes one of them away. One of the two must fail."""
    world.forward(minutes=10)
    barrier = Barrier(2)

    def run(road: Callable, who: str):
        barrier.wait()
        return road(world, GA, who)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, roads, (world.ga, world.ga2)))
    refusals = [outcome for outcome in outcomes if getattr(outcome, "code", None) is not None]
    assert [refusal.code for refusal in refusals] == [Code.LAST_ADMINISTRATOR]
    assert len(holders(world, GA)) == 1


def test_a_first_administrator_may_come_late(world: World) -> None:
    """Where there never was a lasting one, nothing is protected (a tenant that is being set up)."""
    fresh = World(world.database)
    for other in (fresh.ga, fresh.ga2):
        fresh.disable(other)
    assert holders(fresh, GA) == frozenset()
    ok(fresh.take(fresh.ga, GA, ASSIGNMENT, by=fresh.system))
