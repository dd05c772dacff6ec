"""Everything somebody is in, as ids; roles over one unit; and both kinds of schedules in one list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faces.graph.client import Graph
from tests.world import ASSIGNMENT, ELIGIBILITY, GA, HELPDESK, READER, TEAMS, ok

NOBODY = "00000000-0000-4000-8000-00000000ffff"


def values(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])


def test_groups_and_objects_of_a_person(graph: Graph) -> None:
    world = graph.world
    inner = world.group("Inner", [world.ann], role_assignable=False)
    outer = world.group("Outer", [inner], role_assignable=False, security_enabled=False)
    unit = world.unit("North").rsplit("/", 1)[1]
    world.write(lambda tx: tx.administrative_units.add_member(unit, world.ann))
    world.assigned(world.ann, READER)
    upn = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    for path in (f"/users/{world.ann}", f"/users/{upn}", f"/directoryObjects/{world.ann}"):
        assert values(graph.post(f"{path}/getMemberGroups", world.ga, {})) == sorted([inner, outer])
        only = {"securityEnabledOnly": True}
        assert values(graph.post(f"{path}/getMemberGroups", world.ga, only)) == [inner]
        everything = sorted([inner, outer, unit, READER])
        assert values(graph.post(f"{path}/getMemberObjects", world.ga, {})) == everything
        asked = {"groupIds": [NOBODY, outer.upper(), inner, READER, outer]}
        assert values(graph.post(f"{path}/checkMemberGroups", world.ga, asked)) == [outer, inner]
        assert values(graph.post(f"{path}/checkMemberObjects", world.ga, {"ids": [READER, NOBODY]})) == [
            READER
        ]
    assert values(graph.post("/me/getMemberObjects", world.ann)) == everything
    # A colleague is not told which roles somebody holds.
    assert READER not in values(graph.post(f"/users/{world.ann}/getMemberObjects", world.bob))
    assert values(graph.post(f"/groups/{inner}/getMemberGroups", world.bob)) == [outer]
    # Nor an application that may read groups, and no more.
    robot = world.app("Robot")
    few, more = graph.app(robot, "GroupMember.Read.All"), graph.app(robot, "Directory.Read.All")
    assert READER not in values(graph.post(f"/users/{world.ann}/getMemberObjects", few))
    assert READER in values(graph.post(f"/users/{world.ann}/getMemberObjects", more))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/users/{NOBODY}/getMemberGroups", {}, 404),
        (f"/groups/{NOBODY}/getMemberGroups", {}, 404),
        ("/directoryObjects/x/getMemberObjects", {}, 404),
        ("/me/getMemberGroups", {"securityEnabledOnly": "perhaps"}, 400),
        ("/me/checkMemberGroups", {}, 400),
        ("/me/checkMemberGroups", {"groupIds": [NOBODY] * 21}, 400),
        ("/me/checkMemberGroups", {"groupIds": "x"}, 400),
        ("/me/checkMemberObjects", {"ids": [5]}, 400),
        ("/me/checkMemberObjects", {"ids": ["\x00"]}, 400),
    ],
)
def test_what_makes_no_sense(graph: Graph, path: str, body: dict[str, Any], status: int) -> None:
    assert graph.post(path, graph.world.ga, body).status_code == status


def test_a_guest_sees_his_own(graph: Graph) -> None:
    world = graph.world
    guest = world.guest("Gwen")
    group = world.group("Some", [guest], role_assignable=False)
    assert values(graph.post("/me/getMemberGroups", guest)) == [group]
    assert graph.post(f"/users/{world.ann}/getMemberGroups", guest).status_code == 403
    assert graph.post(f"/directoryObjects/{world.ann}/getMemberObjects", guest).status_code == 403


# ---------------------------------------------------------------- roles over one unit


@pytest.mark.parametrize("root", ["directory/administrativeUnits", "administrativeUnits"])
def test_scoped_role_members(graph: Graph, root: str) -> None:
    world = graph.world
    scope = world.unit("North")
    path = f"/{root}/{scope.rsplit('/', 1)[1]}/scopedRoleMembers"
    body = {"roleId": HELPDESK, "roleMemberInfo": {"id": world.ann}}
    assert graph.post(path, world.bob, body).status_code == 403
    made = graph.post(path, world.pra, body)
    assert made.status_code == 201, made.text
    row = made.json()
    assert (row["roleId"], row["roleMemberInfo"]["id"]) == (HELPDESK, world.ann)
    assert row["administrativeUnitId"] == scope.rsplit("/", 1)[1]
    assert world.holds(world.ann, HELPDESK, scope)
    assert not world.holds(world.ann, HELPDESK)
    world.assigned(world.bob, HELPDESK)  # over the whole tenant: not of this unit
    assert [one["id"] for one in graph.rows(path, world.pra)] == [row["id"]]
    assert graph.ok(f"{path}/{row['id']}", world.pra)["roleMemberInfo"]["displayName"] == "ann"
    elsewhere = f"/{root}/{world.unit('South').rsplit('/', 1)[1]}/scopedRoleMembers/{row['id']}"
    assert graph.get(elsewhere, world.pra).status_code == 404
    assert graph.delete(elsewhere, world.pra).status_code == 404
    assert graph.get(path, world.bob).status_code == 403
    world.forward(minutes=10)
    assert graph.delete(f"{path}/{row['id']}", world.pra).status_code == 204
    assert not world.holds(world.ann, HELPDESK, scope)


@pytest.mark.parametrize(
    "body", [{}, {"roleId": HELPDESK}, {"roleId": HELPDESK, "roleMemberInfo": {}}, {"roleId": "x"}]
)
def test_scoped_role_members_that_make_no_sense(graph: Graph, body: dict[str, Any]) -> None:
    world = graph.world
    unit = world.unit("North").rsplit("/", 1)[1]
    assert graph.post(f"/administrativeUnits/{unit}/scopedRoleMembers", world.pra, body).status_code == 400
    assert graph.get(f"/administrativeUnits/{NOBODY}/scopedRoleMembers", world.pra).status_code == 404
    assert graph.get(f"/administrativeUnits/{unit}/scopedRoleMembers/x", world.pra).status_code == 404


# ---------------------------------------------------------------- both kinds in one list


def test_role_schedules_of_both_kinds(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann, TEAMS)
    world.assigned(world.ann, HELPDESK)
    world.assigned(world.bob, HELPDESK)
    for name, kinds in (("roleSchedules", "Schedule"), ("roleScheduleInstances", "ScheduleInstance")):
        args = f"directoryScopeId='/',appScopeId=null,principalId='{world.ann}',roleDefinitionId=null"
        found = _all(graph, f"/roleManagement/directory/{name}({args})?$top=1")
        assert [(one["@odata.type"], one["roleDefinitionId"]) for one in found] == [
            (f"#microsoft.graph.unifiedRoleAssignment{kinds}", HELPDESK),
            (f"#microsoft.graph.unifiedRoleEligibility{kinds}", TEAMS),
        ]
        assert (
            _all(graph, f"/roleManagement/directory/{name}(principalId='{world.ann}',appScopeId='x')") == []
        )
        held = {
            one["principalId"]
            for one in _all(graph, f"/roleManagement/directory/{name}(roleDefinitionId='{HELPDESK}')")
        }
        assert held == {world.ann, world.bob}
        refused = graph.get(f"/roleManagement/directory/{name}(principalId='{world.ann}')", world.bob)
        assert refused.status_code == 403
        assert graph.get(f"/roleManagement/directory/{name}(nothing='x')", world.pra).status_code == 400
        own = graph.rows(f"/roleManagement/directory/{name}(principalId='{world.bob}')", world.bob)
        assert [one["roleDefinitionId"] for one in own] == [HELPDESK]


def _all(graph: Graph, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(50):
        page = graph.ok(path, graph.world.pra)
        found += page["value"]
        if "@odata.nextLink" not in page:
            return found
        path = page["@odata.nextLink"].split("/v1.0", 1)[1]
    raise AssertionError("it does not end")


def test_what_a_built_in_role_builds_on(graph: Graph) -> None:
    world = graph.world
    path = f"/roleManagement/directory/roleDefinitions/{HELPDESK}"
    readers = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
    assert graph.ok(path, world.bob)["inheritsPermissionsFrom"] == [{"id": readers}]
    for found in (
        graph.ok(f"{path}?$expand=inheritsPermissionsFrom", world.bob)["inheritsPermissionsFrom"],
        graph.rows(f"{path}/inheritsPermissionsFrom", world.bob),
    ):
        assert [(one["id"], one["displayName"]) for one in found] == [(readers, "Directory Readers")]
    own = world.custom_role("Own")
    assert (
        graph.rows(f"/roleManagement/directory/roleDefinitions/{own}/inheritsPermissionsFrom", world.bob)
        == []
    )


def test_beta_says_more_about_who_did_it(graph: Graph) -> None:
    world = graph.world
    ok(world.give(world.ann, GA, ELIGIBILITY, permanent=True))
    ok(world.give(world.ann, HELPDESK, ASSIGNMENT, permanent=True))
    for version, more in (("v1.0", False), ("beta", True)):
        answer = graph.send("GET", f"/{version}/auditLogs/directoryAudits", world.pra)
        users = [one["initiatedBy"]["user"] for one in answer.json()["value"] if one["initiatedBy"]["user"]]
        assert users
        assert all(("userType" in user) is more for user in users)
