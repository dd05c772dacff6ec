"""A guest looks around: at who approves for whom, and whose address is told what. He sees the settings of what he has, or may
activate, and no others."""

from __future__ import annotations

import pytest

from openpim.core.grants import Provider
from openpim.core.refusals import Code
from openpim.services import role_settings
from openpim.services.policies import get
from tests.faces.graph.client import Graph
from tests.services.groups import GroupWorld
from tests.world import GA, READER, TEAMS, World, ok, refused

LIST = "/policies/roleManagementPolicyAssignments?$filter=scopeId eq '{}' and scopeType eq '{}'&$expand=policy($expand=rules)"


@pytest.fixture
def graph(world: World) -> Graph:
    for role in (GA, TEAMS):
        world.approval(world.bob, role=role)
    return Graph(world)


def policy_ids(graph: Graph, who: str) -> dict[str, str]:
    """Of every role the assignment's policy, as a member sees them."""
    rows = graph.rows(LIST.format("/", "DirectoryRole"), who)
    return {one["roleDefinitionId"]: one["policyId"] for one in rows}


def test_roles(graph: Graph) -> None:
    world = graph.world
    guest = world.guest("Gus")
    everything = policy_ids(graph, world.ann)
    assert graph.get(LIST.format("/", "DirectoryRole"), guest).status_code == 403
    world.eligible(guest, TEAMS)
    rows = graph.rows(LIST.format("/", "DirectoryRole"), guest)
    assert [one["roleDefinitionId"] for one in rows] == [TEAMS]
    for below in ("", "/rules", "/effectiveRules", "/rules/Approval_EndUser_Assignment"):
        assert (
            graph.get(f"/policies/roleManagementPolicies/{everything[TEAMS]}{below}", guest).status_code
            == 200
        )
        answer = graph.get(f"/policies/roleManagementPolicies/{everything[GA]}{below}", guest)
        assert answer.status_code == 403
        assert world.bob not in answer.text
    refused(get(world.deps, world.caller(guest), Provider.DIRECTORY, GA), Code.FORBIDDEN)
    # A role that reads lifts it.
    world.assigned(guest, READER)
    assert policy_ids(graph, guest) == everything


def test_groups(graph: Graph) -> None:
    world = graph.world
    guest = world.guest("Gus")
    group = world.group("Approved by bob", role_assignable=False)
    GroupWorld(world).approval(group, world.bob)
    asked = LIST.format(group, "Group")
    answer = graph.get(asked, guest)
    assert answer.status_code == 403
    assert world.bob not in answer.text
    assert len(graph.rows(asked, world.ann)) == 2
    ok(GroupWorld(world).give(group, guest))
    assert len(graph.rows(asked, guest)) == 2


def test_in_the_portal(world: World) -> None:
    """The acts behind its pages."""
    guest = world.caller(world.guest("Gus"))
    refused(role_settings.outlines(world.deps, guest, Provider.DIRECTORY), Code.FORBIDDEN)
    refused(role_settings.get(world.deps, guest, Provider.DIRECTORY, GA), Code.FORBIDDEN)
    world.eligible(guest.principal_id, TEAMS)
    found = ok(role_settings.outlines(world.deps, guest, Provider.DIRECTORY))
    assert [one.role_id for one in found] == [TEAMS]
    refused(role_settings.get(world.deps, guest, Provider.DIRECTORY, GA), Code.FORBIDDEN)
    ok(role_settings.get(world.deps, guest, Provider.DIRECTORY, TEAMS))


def test_who_lives_next_door_is_not_told(graph: Graph) -> None:
    """An inviter of one tenant tries addresses of another: one that is somebody's is answered like one that is nobody's."""
    world = graph.world
    other = World(world.database)
    somebody = other.read(lambda tx: tx.users.get(other.ann)).user_principal_name
    nobody = f"nobody@{somebody.partition('@')[2]}"
    said = []
    for address in (somebody, nobody):
        invited = graph.post(
            "/invitations",
            world.ga,
            {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://x.example"},
        )
        guest = invited.json()["invitedUser"]["id"]
        link = graph.post(f"/users/{guest}/createSetupLink", world.ga, {})
        shown = graph.ok(f"/users/{guest}", world.ga)
        said.append((invited.status_code, invited.json()["status"], link.status_code, sorted(shown)))
    assert said[0] == said[1]


def test_an_account_that_came_after_the_invitation(graph: Graph) -> None:
    world, other = graph.world, World(graph.world.database)
    domain = other.read(lambda tx: tx.users.get(other.ann)).user_principal_name.partition("@")[2]
    invitation = {"invitedUserEmailAddress": f"late@{domain}", "inviteRedirectUrl": "https://x.example"}
    first = graph.post("/invitations", world.ga, invitation).json()["invitedUser"]["id"]
    late = other.user("Late", user_principal_name=f"late@{domain}")
    again = graph.post("/invitations", world.ga, invitation).json()["invitedUser"]["id"]
    assert again == first
    guest = world.read(lambda tx: tx.users.get(first))
    assert (guest.home_tenant_id, guest.home_user_id) == (other.tenant_id, late)
