"""Power that somebody does not have yet, and could have: by a group he could get into, by approving who gets in there, by a
role on resources that gives roles. Whoever manages people and groups must not come by it through him."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core import roles as r
from openpim.core.grants import Action, Kind, Provider
from openpim.core.permissions import CONTRIBUTOR, OWNER, Permission, ResourceRole
from openpim.core.policy import ApprovalSettings, Reviewers, Stage
from openpim.core.resources import ROOT
from openpim.services import delegation
from openpim.services.power import is_privileged
from tests.faces.graph.client import Graph, error
from tests.plans import noted
from tests.services.groups import GroupWorld
from tests.world import ASSIGNMENT, ELIGIBILITY, World, ok

MEMBERS = "members/$ref"


@pytest.fixture
def graph(world: World) -> Graph:
    """Dan manages people, cyd manages groups."""
    world.assigned(world.dan, r.USER_ADMINISTRATOR)
    world.assigned(world.cyd, r.GROUPS_ADMINISTRATOR)
    world.forward(minutes=6)
    return Graph(world)


def ordinary(world: World, name: str, *members: str) -> str:
    return world.group(name, members, role_assignable=False)


def may_become(world: World, who: str, group: str, kind: Kind = ELIGIBILITY, role: str = "member") -> None:
    ask = world.ask(Action.ADMIN_ASSIGN, who, role, group, kind=kind, days=30)
    ok(world.submit(replace(ask, provider=Provider.GROUP), world.system))


def on_resources(world: World, who: str, role: str, kind: Kind, **when: Any) -> None:
    ask = world.ask(Action.ADMIN_ASSIGN, who, role, ROOT, kind=kind, **(when or {"permanent": True}))
    ok(world.submit(replace(ask, provider=Provider.RESOURCE), world.system))


def out_of_reach(graph: Graph, person: str) -> None:
    """Neither his address nor his account is for a User Administrator, nor is a link to a new password."""
    world = graph.world
    for change in ({"mail": "thief@world.test"}, {"accountEnabled": False}):
        answer = graph.patch(f"/users/{person}", world.dan, change)
        error(answer, 403, "Authorization_RequestDenied")
    error(graph.delete(f"/users/{person}", world.dan), 403, "Authorization_RequestDenied")
    assert graph.patch(f"/users/{person}", world.ga, {"mail": "new@world.test"}).status_code == 204


def closed(graph: Graph, group: str) -> None:
    """Nobody puts himself into it because he manages groups, or owns it from then on; nor by way of PIM for Groups."""
    world = graph.world
    for who in (world.dan, world.cyd):
        me = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{who}"}
        for list_ in (MEMBERS, "owners/$ref"):
            error(graph.post(f"/groups/{group}/{list_}", who, me), 403, "Authorization_RequestDenied")
        ask = world.ask(Action.ADMIN_ASSIGN, who, "member", group, kind=ASSIGNMENT, hours=1)
        answer = world.submit(replace(ask, provider=Provider.GROUP), who)
        assert answer.code.name == "FORBIDDEN"
    pra = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{world.bob}"}
    assert graph.post(f"/groups/{group}/{MEMBERS}", world.pra, pra).status_code == 204


def approves(world: World, group: str) -> None:
    world.approval(groups=[group])


def is_owner_of_everything(world: World, group: str) -> None:
    on_resources(world, group, OWNER, ASSIGNMENT)


POWER = pytest.mark.parametrize("power", [approves, is_owner_of_everything])


@POWER
def test_a_group_that_could_get_into_one_that_gives_power(graph: Graph, power: Callable[..., None]) -> None:
    """Ann is in a group that may become member of one that may become member of the one with power."""
    world = graph.world
    first, second, last = (
        ordinary(world, "First", world.ann),
        ordinary(world, "Second"),
        ordinary(world, "Last"),
    )
    may_become(world, first, second)
    may_become(world, second, last)
    assert graph.patch(f"/users/{world.ann}", world.dan, {"mail": "a@world.test"}).status_code == 204
    power(world, last)
    out_of_reach(graph, world.ann)
    for group in (first, second, last):
        closed(graph, group)


@POWER
def test_who_owns_such_a_group(graph: Graph, power: Callable[..., None]) -> None:
    world = graph.world
    first, last = ordinary(world, "First"), ordinary(world, "Last")
    may_become(world, first, last)
    world.write(lambda tx: tx.groups.add_owner(first, world.ann))
    power(world, last)
    out_of_reach(graph, world.ann)


def test_who_lets_people_into_a_group_that_approves(graph: Graph) -> None:
    """His yes makes approvers."""
    world = graph.world
    approvers = ordinary(world, "Approvers")
    stage = Stage(primary=Reviewers((world.ann,)))
    GroupWorld(world).policy(approvers, approval=ApprovalSettings(required=True, stages=(stage,)))
    assert graph.patch(f"/users/{world.ann}", world.dan, {"mail": "a@world.test"}).status_code == 204
    approves(world, approvers)
    out_of_reach(graph, world.ann)


def test_groups_that_approve_for_each_other(graph: Graph) -> None:
    """A circle ends, and gives nothing."""
    world = graph.world
    one, other = ordinary(world, "One", world.ann), ordinary(world, "Other")
    for group, approver in ((one, other), (other, one)):
        stage = Stage(primary=Reviewers((), (approver,)))
        GroupWorld(world).policy(group, approval=ApprovalSettings(required=True, stages=(stage,)))
        may_become(world, approver, group)
    assert graph.patch(f"/users/{world.ann}", world.dan, {"mail": "a@world.test"}).status_code == 204


def test_who_will_stand_in_for_an_approver(graph: Graph) -> None:
    """From tomorrow on: who has his account today has it tomorrow."""
    world = graph.world
    world.approval(world.bob)
    start, end = world.now + timedelta(days=1), world.now + timedelta(days=3)
    ok(delegation.delegate(world.deps, world.caller(world.bob), world.ann, start, end))
    out_of_reach(graph, world.ann)


@pytest.mark.parametrize("kind", [ASSIGNMENT, ELIGIBILITY])
@pytest.mark.parametrize("how", ["himself", "group", "to come", "custom role"])
def test_who_may_give_roles_on_resources(graph: Graph, kind: Kind, how: str) -> None:
    world = graph.world
    group = ordinary(world, "Owners", world.ann)
    role = OWNER
    if how == "custom role":
        role = world.new_id()
        given = Permission(("Microsoft.Authorization/*",), ("Microsoft.Authorization/*/delete",))
        made = ResourceRole(role, "Access clerk", (given,), built_in=False, created_at=world.now)
        world.write(lambda tx: tx.resource_roles.put(made))
    when: dict[str, Any] = {}
    if how == "to come":
        when = {"start": world.now + timedelta(days=2), "days": 30}
    on_resources(world, group if how == "group" else world.ann, role, kind, **when)
    out_of_reach(graph, world.ann)
    if how == "group":
        closed(graph, group)


def test_who_only_uses_resources_is_ordinary(graph: Graph) -> None:
    world = graph.world
    on_resources(world, world.ann, CONTRIBUTOR, ASSIGNMENT)
    assert graph.patch(f"/users/{world.ann}", world.dan, {"mail": "a@world.test"}).status_code == 204


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_looking_costs_no_more_where_somebody_is_in_many_groups(world: World) -> None:
    """A provisioner that writes thousands of people asks it of each."""

    def cost() -> int:
        with noted(world.database) as found:
            assert not world.read(lambda tx: is_privileged(tx, world.ann, world.now))
        return len(found)

    inner = ordinary(world, "Inner", world.ann)
    few = cost()
    for number in range(30):
        inner = ordinary(world, f"Outer {number}", inner, world.ann)
    assert cost() == few
