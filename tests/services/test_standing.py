"""What the menu goes by: as many requests wait as the list shows, and who looks after something is told so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.grants import Action, Provider
from openpim.core.permissions import CONTRIBUTOR, OWNER, READER, USER_ACCESS_ADMINISTRATOR
from openpim.core.roles import USER_ADMINISTRATOR
from openpim.services import approvals, news
from openpim.services.resources.shaping import Wanted, put
from openpim.services.standing import Right, Standing, standing
from tests.faces.arm.client import Arm
from tests.plans import look, noted
from tests.services.groups import GroupWorld
from tests.world import ASSIGNMENT, GA, HELPDESK, PRA, TEAMS, World, ok
from tests.world import READER as GLOBAL_READER

BIG = ("approval_reviewers", "approval_stages", "approvals", "requests", "schedules", "approval_delegations", "group_owners")  # fmt: skip


@pytest.fixture
def arm(world: World) -> Iterator[Arm]:
    made = Arm(world)
    made.plant()
    yield made
    made.client.close()


def of(world: World, who: str) -> Standing:
    return standing(world.deps, world.caller(who))


def count(world: World, who: str) -> int:
    """What the menu says; which is what the list shows."""
    said = of(world, who).waiting
    assert said == len(approvals.mine(world.deps, world.caller(who)))
    return said


def counts(world: World, *people: str) -> list[int]:
    return [count(world, who) for who in people]


# ---------------------------------------------------------------- how many requests wait


def test_as_many_wait_as_the_list_shows(world: World) -> None:
    group = world.group("Deciders", [world.cyd], role_assignable=False)
    world.approval(world.bob, groups=[group])
    for who in (world.ann, world.bob, world.cyd):
        world.eligible(who)
    first = ok(world.activate(world.ann))
    assert counts(world, world.ann, world.bob, world.cyd, world.dan, world.ga) == [0, 1, 1, 0, 0]
    second = ok(world.activate(world.bob))
    assert counts(world, world.bob, world.cyd) == [1, 2], "never one's own"
    ok(world.review(first, world.cyd))
    assert counts(world, world.bob, world.cyd) == [0, 1]
    ok(world.cancel(second, world.bob))
    assert counts(world, world.bob, world.cyd) == [0, 0]


def test_one_request_counts_once_and_not_after_its_time(world: World) -> None:
    """Whoever holds two of the roles that are asked decides it once; nobody has to record that it is too late."""
    world.approval()
    ok(world.give(world.ga, PRA, ASSIGNMENT, permanent=True))
    world.eligible(world.ann)
    ok(world.activate(world.ann))
    assert count(world, world.ga) == 1
    world.forward(hours=25)
    assert count(world, world.ga) == 0


def test_a_delegate_counts_what_names_the_approver_himself(world: World) -> None:
    world.approval(world.bob)
    world.approval(role=HELPDESK)  # the default approvers: what a role gives is not handed over
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    world.eligible(world.bob)
    ok(world.activate(world.ann))
    ok(world.activate(world.ann, HELPDESK))
    hour = (world.now, world.now + timedelta(hours=1))
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.dan, *hour))
    world.write(lambda tx: tx.approvals.delegate(world.ga, world.dan, *hour))
    assert counts(world, world.dan, world.bob, world.ga) == [1, 1, 1]
    ok(world.activate(world.bob))
    assert count(world, world.dan) == 1, "not the requests of the one he stands in for"
    world.forward(hours=1)
    assert count(world, world.dan) == 0


def test_who_holds_a_role_above_a_place_counts_it_until_the_place_moves(arm: Arm) -> None:
    world = arm.world
    arm.approval(CONTRIBUTOR, arm.prod)
    arm.assigned(world.dan, USER_ACCESS_ADMINISTRATOR, arm.it)
    arm.eligible(world.ann, CONTRIBUTOR, arm.prod)
    ask = replace(
        world.ask(Action.SELF_ACTIVATE, world.ann, CONTRIBUTOR, arm.prod, hours=2), provider=Provider.RESOURCE
    )
    ok(world.submit(ask, world.ann))
    assert counts(world, world.dan, arm.owner, world.bob) == [1, 1, 0]
    ok(put(world.deps, world.system, arm.prod, Wanted(display_name="Production", parent_id=arm.hr)))
    assert counts(world, world.dan, arm.owner) == [0, 1]


def test_other_tenants_count_apart(world: World) -> None:
    other = World(world.database)
    other.now = world.now
    world.approval(world.bob)
    world.eligible(world.ann)
    ok(world.activate(world.ann))
    assert standing(other.deps, other.caller(world.bob)).waiting == 0


def test_it_asks_little_whatever_there_is(world: World) -> None:
    """A fixed number of questions, each answered by an index."""

    def asked() -> list:
        with noted(world.database) as found:
            of(world, world.bob)
        return found

    world.approval(world.bob)
    few = len(asked())
    for number in range(30):
        who = world.user(f"Eve {number}")
        world.eligible(who)
        ok(world.activate(who))
    found = asked()
    assert len(found) == few <= 6
    for statement, parameters in found:
        seen = look(world.database, statement, parameters, BIG)
        assert seen.scan is None, seen.plan
    assert count(world, world.bob) == 30


# ---------------------------------------------------------------- what he looks after


def test_roles_give_rights(world: World) -> None:
    reader, writer = world.user("Rhea"), world.user("Uma")
    ok(world.give(reader, GLOBAL_READER, ASSIGNMENT, permanent=True))
    ok(world.give(writer, USER_ADMINISTRATOR, ASSIGNMENT, permanent=True))
    world.eligible(world.ann, GA)
    for who in (reader, writer, world.ga):
        assert Right.EVERYTHING in of(world, who).rights
    assert of(world, world.ann).rights == frozenset(), "what one may become, one is not yet"
    assert of(world, world.ga).roles == {GA}
    assert TEAMS not in of(world, world.ga).roles


def test_owners_of_groups(world: World) -> None:
    group = world.group("Crew", role_assignable=False)
    assert of(world, world.bob).rights == frozenset()
    world.write(lambda tx: tx.groups.add_owner(group, world.bob))
    assert of(world, world.bob).rights == {Right.OWN}
    groups = GroupWorld(world)
    ok(groups.give(group, world.cyd, "owner", days=30))
    assert of(world, world.cyd).rights == frozenset(), "eligible only"
    world.forward(minutes=1)
    ok(groups.activate(group, world.cyd, "owner", hours=1))
    assert of(world, world.cyd).rights == {Right.OWN}
    world.forward(hours=1)
    assert of(world, world.cyd).rights == frozenset()


def test_who_holds_a_role_at_a_place(arm: Arm) -> None:
    world = arm.world
    for who, role in ((world.bob, USER_ACCESS_ADMINISTRATOR), (world.cyd, OWNER), (world.dan, READER)):
        arm.assigned(who, role, arm.prod)
        assert of(world, who).rights == {Right.OWN}
    group = world.group("Crew", [world.ann])
    assert of(world, world.ann).rights == frozenset()
    arm.assigned(group, OWNER, arm.web)
    assert of(world, world.ann).rights == {Right.OWN}, "through a group"
    assert of(world, arm.owner).rights == {Right.OWN}
    arm.assigned(world.ann, READER, "/")
    assert Right.EVERYTHING in of(world, world.ann).rights
    eve = world.user("Eve")
    arm.eligible(eve, OWNER, arm.prod)
    assert of(world, eve).rights == frozenset()


# ---------------------------------------------------------------- who is told at once


def test_delegates_hear_of_requests(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    world.forward(minutes=1)
    hour = (world.now, world.now + timedelta(hours=1))
    world.write(lambda tx: tx.approvals.delegate(world.bob, world.dan, *hour))
    world.write(lambda tx: tx.approvals.delegate(world.ga, world.cyd, *hour))
    everybody = (world.bob, world.cyd, world.dan)
    at = news.first_look(world.deps)
    ok(world.activate(world.ann))
    assert news.concerned(world.deps, world.tenant_id, at, everybody)[1] == {world.bob, world.dan}


def test_nobody_hears_for_who_cannot_decide(world: World) -> None:
    world.approval(world.bob, world.ann)
    world.eligible(world.ann)
    world.forward(minutes=1)
    hour = (world.now, world.now + timedelta(hours=1))
    world.write(lambda tx: tx.approvals.delegate(world.ann, world.dan, *hour))  # it is her own request
    at = news.first_look(world.deps)
    ok(world.activate(world.ann))
    assert news.concerned(world.deps, world.tenant_id, at, [world.dan, world.bob])[1] == {world.bob}
