"""PIM for Groups as clients of Graph see it: the life of a membership, Terraform's flow, approvals, what lists need."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.signin.scopes import GRAPH_DELEGATED
from tests.faces.graph.client import Graph, error, person, wrapped
from tests.world import HELPDESK

BASE = "/identityGovernance/privilegedAccess/group"
ELIGIBLE = f"{BASE}/eligibilityScheduleRequests"
REQUESTS = f"{BASE}/assignmentScheduleRequests"
STATUSES = {
    "Canceled", "Denied", "Failed", "Granted", "PendingAdminDecision", "PendingApproval", "PendingProvisioning",
    "PendingScheduleCreation", "Provisioned", "Revoked", "ScheduleCreated",
}  # fmt: skip


def asked(action: str, group: str, who: str, access: str = "member", **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "accessId": access,
        "groupId": group,
        "principalId": who,
        "justification": "because",
        "scheduleInfo": {"startDateTime": None, "expiration": {"type": "AfterDuration", "duration": "PT2H"}},
        **more,
    }


def eligible(graph: Graph, group: str, who: str, access: str = "member") -> dict[str, Any]:
    body = asked("AdminAssign", group, who, access)
    body["scheduleInfo"] = {"expiration": {"type": "afterDuration", "duration": "P30D"}}
    answer = graph.post(ELIGIBLE, graph.world.pra, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("version", ["/v1.0", "/beta"])
def test_assign_activate_and_expire(graph: Graph, version: str) -> None:
    world = graph.world
    group = world.group("Admins", role_assignable=False)
    made = eligible(graph, group, world.ann)
    assert made["status"] == "Provisioned"
    assert made["targetScheduleId"] == f"{group}_member_{made['id']}"
    assert "roleDefinitionId" not in made
    mine = graph.rows(
        f"{version}{BASE}/eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=group,principal",
        world.ann,
    )
    assert [(row["groupId"], row["accessId"], row["memberType"]) for row in mine] == [
        (group, "member", "Direct")
    ]
    assert mine[0]["group"]["displayName"] == "Admins"
    assert mine[0]["eligibilityScheduleId"] == made["targetScheduleId"]

    answer = graph.post(f"{version}{REQUESTS}", world.ann, asked("selfActivate", group, world.ann))
    assert answer.status_code == 201, answer.text
    active = answer.json()
    assert active["status"] == "Provisioned"
    rows = graph.rows(
        f"{version}{BASE}/assignmentScheduleInstances?$filter=groupId eq '{group}'&$expand=activatedUsing",
        world.pra,
    )
    assert [row["assignmentType"] for row in rows] == ["Activated"]
    assert rows[0]["activatedUsing"]["id"] == made["targetScheduleId"]
    assert rows[0]["id"] == rows[0]["assignmentScheduleId"] == active["targetScheduleId"]
    one = graph.ok(f"{version}{BASE}/assignmentScheduleInstances/{rows[0]['id']}", world.ann)
    assert one["principalId"] == world.ann
    assert [row["id"] for row in graph.rows(f"/groups/{group}/members", world.pra)] == [world.ann]
    world.forward(hours=2)
    assert not graph.rows(f"/groups/{group}/members", world.pra)
    error(
        graph.get(f"{version}{BASE}/assignmentScheduleInstances/{rows[0]['id']}", world.ann),
        404,
        "ResourceNotFound",
    )


def test_lists_need_a_group_or_a_principal(graph: Graph) -> None:
    world = graph.world
    group = world.group("Admins", role_assignable=False)
    eligible(graph, group, world.ann)
    for name in (
        "eligibilitySchedules", "eligibilityScheduleInstances", "eligibilityScheduleRequests",
        "assignmentSchedules", "assignmentScheduleInstances", "assignmentScheduleRequests",
    ):  # fmt: skip
        for query in (
            "",
            "?$filter=accessId eq 'member'",
            f"?$filter=groupId eq '{group}' or accessId eq 'member'",
        ):
            error(graph.get(f"{BASE}/{name}{query}", world.pra), 400, "BadRequest")
        for query in (
            f"groupId eq '{group}'",
            f"principalId eq '{world.ann}' and accessId eq 'Member'",
            f"groupId in ('{group}')",
        ):
            rows = graph.rows(f"{BASE}/{name}?$filter={query}", world.pra)
            assert len(rows) == (1 if name.startswith("elig") else 0), (name, query)
        assert graph.ok(f"{BASE}/{name}?$filter=groupId eq '{world.new_id()}'", world.pra)["value"] == []
        error(
            graph.get(f"{BASE}/{name}?$filter=groupId eq '{group}'", world.bob),
            403,
            "Authorization_RequestDenied",
        )
        assert graph.get(f"{BASE}/{name}?$filter=principalId eq '{world.ann}'", world.ann).status_code == 200


def test_what_terraform_does(graph: Graph) -> None:
    """Create, find the newest request of the schedule, wait for the schedule, change it, delete it by status."""
    world = graph.world
    group = world.group("Platform", role_assignable=False)
    missing = f"{group}_member_{world.new_id()}"
    error(graph.get(f"{BASE}/eligibilitySchedules/{missing}", world.pra), 404, "ResourceNotFound")
    made = eligible(graph, group, world.ann)
    target = made["targetScheduleId"]
    listing = (
        f"{ELIGIBLE}?$filter=groupId eq '{group}' and targetScheduleId eq '{target}'"
        "&$orderby=createdDateTime desc"
    )
    assert [row["id"] for row in graph.rows(listing, world.pra)] == [made["id"]]
    schedule = graph.ok(f"{BASE}/eligibilitySchedules/{target}", world.pra)
    assert schedule["scheduleInfo"]["expiration"]["type"] == "afterDateTime"
    world.forward(minutes=10)
    body = asked("adminUpdate", group, world.ann)
    body["scheduleInfo"] = {"expiration": {"type": "afterDuration", "duration": "P60D"}}
    changed = graph.post(ELIGIBLE, world.pra, body)
    assert changed.status_code == 201, changed.text
    assert graph.get(
        f"{BASE}/eligibilitySchedules/{changed.json()['targetScheduleId']}", world.pra
    ).is_success
    newest = graph.rows(listing, world.pra)[0]
    assert (newest["action"], newest["status"]) == ("adminUpdate", "Provisioned")
    world.forward(minutes=1)
    removed = graph.post(
        ELIGIBLE,
        world.pra,
        {"action": "adminRemove", "accessId": "member", "groupId": group, "principalId": world.ann},
    )
    assert removed.json()["status"] == "Revoked"
    assert graph.rows(listing, world.pra)[0]["status"] == "Revoked"
    error(graph.get(f"{BASE}/eligibilitySchedules/{target}", world.pra), 404, "ResourceNotFound")


def test_only_known_statuses_go_out(graph: Graph) -> None:
    world = graph.world
    group = world.group("Platform", role_assignable=False)
    eligible(graph, group, world.ann)
    approvers(graph, group, world.bob)
    later = asked("selfActivate", group, world.ann)
    later["scheduleInfo"]["startDateTime"] = world.now.replace(hour=20).isoformat()
    one = graph.post(REQUESTS, world.ann, later).json()
    assert one["status"] == "PendingApproval"
    assert one["targetScheduleId"] == f"{group}_member_{one['id']}"
    found = graph.rows(f"{REQUESTS}?$filter=groupId eq '{group}' and status eq 'PendingApproval'", world.pra)
    assert [row["id"] for row in found] == [one["id"]]
    world.forward(days=2)
    world.work()
    rows = graph.rows(f"{REQUESTS}?$filter=groupId eq '{group}' and status eq 'failed'", world.pra)
    assert [(row["id"], row["status"]) for row in rows] == [(one["id"], "Failed")]
    assert not graph.rows(f"{REQUESTS}?$filter=groupId eq '{group}' and status ne 'Failed'", world.pra)
    assert not graph.rows(f"{REQUESTS}?$filter=groupId eq '{group}' and status eq 'TimedOut'", world.pra)
    everything = graph.rows(f"{REQUESTS}?$filter=groupId eq '{group}'", world.pra)
    assert {row["status"] for row in everything} <= STATUSES


def approvers(graph: Graph, group: str, who: str, access: str = "member") -> str:
    """Ask for an approval by him; the id of the policy."""
    found = graph.rows(
        f"/policies/roleManagementPolicyAssignments?$filter=scopeId eq '{group}' and scopeType eq 'Group'"
        f" and roleDefinitionId eq '{access}'",
        graph.world.pra,
    )
    key = str(found[0]["policyId"])
    rule = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
        "setting": {
            "isApprovalRequired": True,
            "approvalStages": [
                {"primaryApprovers": [{"@odata.type": "#microsoft.graph.singleUser", "userId": who}]}
            ],
        },
    }
    answer = graph.patch(
        f"/policies/roleManagementPolicies/{key}/rules/Approval_EndUser_Assignment", graph.world.pra, rule
    )
    assert answer.status_code == 204, answer.text
    return key


@pytest.mark.parametrize(
    ("version", "word"),
    [("/v1.0", "stages"), ("/v1.0", "steps"), ("/beta", "steps"), ("/beta", "stages")],
)
def test_approval(graph: Graph, version: str, word: str) -> None:
    world = graph.world
    group = world.group("Platform", role_assignable=False)
    eligible(graph, group, world.ann)
    approvers(graph, group, world.bob)
    request = graph.post(REQUESTS, world.ann, asked("selfActivate", group, world.ann)).json()
    assert request["status"] == "PendingApproval"
    waiting = graph.rows(
        f"{version}{REQUESTS}/filterByCurrentUser(on='approver')?$filter=status eq 'PendingApproval'&$expand=group,principal",
        world.bob,
    )
    assert [row["id"] for row in waiting] == [request["id"]]
    assert waiting[0]["group"]["displayName"] == "Platform"
    created = graph.rows(f"{REQUESTS}/filterByCurrentUser(on='createdBy')", world.ann)
    assert [row["id"] for row in created] == [request["id"]]
    place = f"{version}{BASE}/assignmentApprovals"
    assert [row["id"] for row in graph.rows(f"{place}/filterByCurrentUser(on='approver')", world.bob)] == [
        request["id"]
    ]
    assert graph.rows(f"{place}/{request['id']}/{word}", world.bob)[0]["assignedToMe"] is True
    # It is no approval of a role.
    others = "/beta/roleManagement/directory/roleAssignmentApprovals"
    error(graph.get(f"{others}/{request['id']}", world.bob), 404, "ResourceNotFound")
    assert not graph.rows(f"{others}/filterByCurrentUser(on='approver')", world.bob)
    decision = {"reviewResult": "Approve", "justification": "fine"}
    error(
        graph.patch(f"{others}/{request['id']}/steps/{request['id']}", world.bob, decision),
        404,
        "ResourceNotFound",
    )
    error(
        graph.patch(f"{place}/{request['id']}/{word}/{request['id']}", world.ann, decision),
        403,
        "Authorization_RequestDenied",
    )
    answer = graph.patch(f"{place}/{request['id']}/{word}/{request['id']}", world.bob, decision)
    assert answer.status_code == 204
    assert graph.ok(f"{REQUESTS}/{request['id']}", world.ann)["status"] == "Provisioned"
    assert [row["id"] for row in graph.rows(f"/groups/{group}/members", world.pra)] == [world.ann]


def test_cancel(graph: Graph) -> None:
    world = graph.world
    group = world.group("Platform", role_assignable=False)
    eligible(graph, group, world.ann)
    approvers(graph, group, world.bob)
    request = graph.post(REQUESTS, world.ann, asked("selfActivate", group, world.ann)).json()
    address = f"{REQUESTS}/{request['id']}/cancel"
    error(graph.post(address, world.bob), 403, "Authorization_RequestDenied")
    error(graph.post(f"{ELIGIBLE}/{request['id']}/cancel", world.ann), 404, "ResourceNotFound")
    error(
        graph.post(
            f"/roleManagement/directory/roleAssignmentScheduleRequests/{request['id']}/cancel", world.ann
        ),
        404,
        "ResourceNotFound",
    )
    assert graph.post(address, world.ann).status_code == 204
    error(graph.post(address, world.ann), 400, "RequestCannotBeCancelled")


def test_bad_input(graph: Graph) -> None:
    world = graph.world
    group = world.group("Platform", role_assignable=False)
    dynamic = world.group("Dynamic", role_assignable=False, membership_rule="user.x -eq 1")
    synced = world.group("Synced", role_assignable=False, synced=True)
    for other in (dynamic, synced):
        found = error(
            graph.post(ELIGIBLE, world.pra, asked("adminAssign", other, world.ann)),
            400,
            "InvalidRoleAssignmentRequest",
        )
        assert found["details"][0]["target"] == "groupId"
    error(
        graph.post(ELIGIBLE, world.pra, asked("adminAssign", world.new_id(), world.ann)),
        404,
        "ResourceNotFound",
    )
    for wrong in (
        {"accessId": "guest"}, {"accessId": None}, {"groupId": "x"}, {"principalId": ""}, {"action": "x"},
        {"targetScheduleId": "x"}, {"targetScheduleId": f"{world.new_id()}_member_{world.new_id()}"},
        {"targetScheduleId": f"{group}_owner_{world.new_id()}"}, {"scheduleInfo": []}, {"ticketInfo": "x"},
    ):  # fmt: skip
        answer = graph.post(ELIGIBLE, world.pra, {**asked("adminAssign", group, world.ann), **wrong})
        error(answer, 400, "InvalidRoleAssignmentRequest")
    for key in ("x", "a_b", "a_b_c", f"{group}_member_x", f"{group}_guest_{world.new_id()}", "%20", "_" * 80):
        error(graph.get(f"{BASE}/assignmentSchedules/{key}", world.pra), 404, "ResourceNotFound")
        rows = graph.rows(f"{BASE}/assignmentSchedules?$filter=groupId eq '{group}' and id eq '{key}'", world.pra)  # fmt: skip
        assert rows == []
    made = eligible(graph, group, world.ann)
    error(
        graph.get(f"{BASE}/eligibilitySchedules/{group}_owner_{made['id']}", world.pra),
        404,
        "ResourceNotFound",
    )


def test_permissions_of_roles_do_not_open_groups(graph: Graph) -> None:
    world = graph.world
    group = world.group("Platform", role_assignable=False)
    roles_only = person(
        world.ga,
        scopes=frozenset(x for x in GRAPH_DELEGATED if "AzureADGroup" not in x and "AccessAsUser" not in x),
    )
    groups_only = person(world.ga, scopes=frozenset(x for x in GRAPH_DELEGATED if "AzureADGroup" in x))
    wrapped(graph.post(ELIGIBLE, roles_only, asked("adminAssign", group, world.ann)), 403, "PermissionScopeNotGranted")  # fmt: skip
    listing = "/policies/roleManagementPolicies?$filter=scopeId eq '{}' and scopeType eq '{}'"
    of_group, of_roles = listing.format(group, "Group"), listing.format("/", "DirectoryRole")
    wrapped(graph.get(of_group, roles_only), 403, "PermissionScopeNotGranted")
    wrapped(graph.get(of_roles, groups_only), 403, "PermissionScopeNotGranted")
    policy = graph.rows(of_group, groups_only)[0]["id"]
    role_policy = graph.rows(of_roles, roles_only)[0]["id"]
    change = {"rules": [{"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT4H"}]}
    wrapped(graph.patch(f"/policies/roleManagementPolicies/{policy}", roles_only, change), 403, "PermissionScopeNotGranted")  # fmt: skip
    wrapped(graph.patch(f"/policies/roleManagementPolicies/{role_policy}", groups_only, change), 403, "PermissionScopeNotGranted")  # fmt: skip
    assert graph.patch(f"/policies/roleManagementPolicies/{policy}", groups_only, change).is_success
    remover = person(world.ga, scopes=frozenset({"PrivilegedEligibilitySchedule.Remove.AzureADGroup"}))
    wrapped(graph.post(ELIGIBLE, remover, asked("adminAssign", group, world.ann)), 403, "PermissionScopeNotGranted")  # fmt: skip
    eligible(graph, group, world.ann)
    assert graph.post(ELIGIBLE, remover, asked("adminRemove", group, world.ann)).status_code == 201
    # An application that manages roles does not manage groups, nor the other way round.
    robot = world.app("Robot")
    for_roles = graph.app(robot, "RoleManagement.ReadWrite.Directory", "PrivilegedAccess.Read.AzureADGroup")
    wrapped(graph.post(ELIGIBLE, for_roles, asked("adminAssign", group, world.ann)), 403, "PermissionScopeNotGranted")  # fmt: skip
    for_groups = graph.app(robot, "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup")
    assert graph.post(ELIGIBLE, for_groups, asked("adminAssign", group, world.ann)).status_code == 201


def test_owners_manage_their_group(graph: Graph) -> None:
    world = graph.world
    group, other = world.group("Mine", role_assignable=False), world.group("Other", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(group, world.bob))
    assert graph.post(ELIGIBLE, world.bob, asked("adminAssign", group, world.ann)).status_code == 201
    error(
        graph.post(ELIGIBLE, world.bob, asked("adminAssign", other, world.ann)),
        403,
        "Authorization_RequestDenied",
    )
    rows = graph.rows(
        f"{BASE}/eligibilitySchedules?$filter=groupId eq '{group}'&$expand=principal", world.bob
    )
    assert [row["principal"]["displayName"] for row in rows] == ["ann"]
    approvers(graph, group, world.cyd)
    assert graph.post(REQUESTS, world.ann, asked("selfActivate", group, world.ann)).json()["status"] == "PendingApproval"  # fmt: skip


def test_through_a_group(graph: Graph) -> None:
    """The team may activate membership; what ann activates is hers alone, and she sees through which group."""
    world = graph.world
    team, target = world.group("Team", [world.ann, world.bob], role_assignable=False), world.group("Target", role_assignable=False)  # fmt: skip
    eligible(graph, target, team)
    mine = graph.rows(
        f"{BASE}/eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=principal",
        world.ann,
    )
    assert [(row["principalId"], row["memberType"]) for row in mine] == [(team, "Group")]
    assert mine[0]["principal"]["displayName"] == "Team"
    assert graph.post(REQUESTS, world.ann, asked("selfActivate", target, world.ann)).status_code == 201
    assert [row["id"] for row in graph.rows(f"/groups/{target}/transitiveMembers", world.pra)] == [world.ann]


def test_the_role_that_rests_on_the_group(graph: Graph) -> None:
    world = graph.world
    group = world.group("Helpers")
    world.assigned(group, HELPDESK)
    eligible(graph, group, world.ann)
    assert not world.holds(world.ann, HELPDESK)
    assert graph.post(REQUESTS, world.ann, asked("selfActivate", group, world.ann)).status_code == 201
    rows = graph.rows(
        "/roleManagement/directory/roleAssignmentScheduleInstances/filterByCurrentUser(on='principal')",
        world.ann,
    )
    assert [(row["roleDefinitionId"], row["memberType"]) for row in rows] == [(HELPDESK, "Group")]
    world.forward(hours=2)
    assert not world.holds(world.ann, HELPDESK)
