"""Settings of groups through Graph: two policies for each group, their rules, changes."""

from __future__ import annotations

from tests.faces.graph.client import Graph, wrapped
from tests.world import TEAMS

POLICIES = "/policies/roleManagementPolicies"
ASSIGNMENTS = "/policies/roleManagementPolicyAssignments"


def test_two_policies_for_each_group(graph: Graph) -> None:
    world = graph.world
    one, two = world.group("One", role_assignable=False), world.group("Two")
    rows = graph.rows(
        f"{ASSIGNMENTS}?$filter=(scopeId eq '{one}' or scopeId eq '{two}') and scopeType eq 'Group'&$expand=policy($expand=rules)",
        world.ann,
    )
    assert sorted((row["scopeId"], row["roleDefinitionId"]) for row in rows) == sorted(
        (group, access) for group in (one, two) for access in ("member", "owner")
    )
    for row in rows:
        prefix, container, guid = row["policyId"].split("_")
        assert (prefix, container) == ("Group", row["scopeId"])
        assert row["id"] == f"Group_{container}_{guid}_{row['roleDefinitionId']}"
        assert row["policy"]["scopeType"] == "Group"
        assert len(row["policy"]["rules"]) == 17
        assert graph.ok(f"{ASSIGNMENTS}/{row['id']}", world.ann)["policyId"] == row["policyId"]
        assert graph.ok(f"{POLICIES}/{row['policyId']}", world.ann)["scopeId"] == row["scopeId"]
    only = graph.rows(
        f"{ASSIGNMENTS}?$filter=scopeId eq '{one}' and scopeType eq 'Group' and roleDefinitionId eq 'owner'&$select=policyId",
        world.ann,
    )
    assert len(only) == 1
    assert len(graph.rows(f"{POLICIES}?$filter=scopeId eq '{one}' and scopeType eq 'Group'", world.ann)) == 2
    rules = graph.rows(f"{POLICIES}/{only[0]['policyId']}/rules", world.ann)
    by_id = {rule["id"]: rule for rule in rules}
    assert by_id["Expiration_Admin_Eligibility"]["isExpirationRequired"] is True


def test_change_and_read_back(graph: Graph) -> None:
    world = graph.world
    group = world.group("One", role_assignable=False)
    member, owner = graph.rows(f"{POLICIES}?$filter=scopeId eq '{group}' and scopeType eq 'Group'", world.pra)
    change = {
        "rules": [
            {
                "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule",
                "id": "Expiration_EndUser_Assignment",
                "isExpirationRequired": True,
                "maximumDuration": "PT3H",
            }
        ]
    }
    answer = graph.patch(f"{POLICIES}/{member['id']}", world.pra, change)
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == member["id"]
    rule = f"{POLICIES}/{{}}/rules/Expiration_EndUser_Assignment"
    assert graph.ok(rule.format(member["id"]), world.ann)["maximumDuration"] == "PT3H"
    assert graph.ok(rule.format(owner["id"]), world.ann)["maximumDuration"] == "PT8H"
    answer = graph.patch(rule.format(owner["id"]), world.pra, {"maximumDuration": "PT2H"})
    assert answer.status_code == 204
    found = graph.rows(f"{POLICIES}?$filter=scopeId eq '{group}' and scopeType eq 'Group'", world.pra)
    assert [one["id"] for one in found] == [member["id"], owner["id"]]
    assert all(one["lastModifiedBy"]["id"] == world.pra for one in found)


def test_refusals_are_wrapped(graph: Graph) -> None:
    world = graph.world
    group, other = world.group("One", role_assignable=False), world.group("Other", role_assignable=False)
    synced = world.group("Synced", role_assignable=False, synced=True)
    member = graph.rows(f"{POLICIES}?$filter=scopeId eq '{group}' and scopeType eq 'Group'", world.pra)[0][
        "id"
    ]
    guid = member.rsplit("_", 1)[1]
    change = {"rules": [{"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT3H"}]}
    wrapped(graph.patch(f"{POLICIES}/{member}", world.ann, change), 403, "Authorization_RequestDenied")
    for key in (
        f"Group_{other}_{guid}",
        f"DirectoryRole_{world.tenant_id}_{guid}",
        f"Group_{group}_{world.new_id()}",
    ):
        wrapped(graph.get(f"{POLICIES}/{key}", world.pra), 404, "ResourceNotFound")
    assert graph.patch(f"{POLICIES}/{member}", world.pra, change).is_success
    for key in (f"Group_{other}_{guid}", f"DirectoryRole_{world.tenant_id}_{guid}"):
        wrapped(graph.get(f"{POLICIES}/{key}", world.pra), 404, "ResourceNotFound")
        wrapped(graph.patch(f"{POLICIES}/{key}", world.pra, change), 404, "ResourceNotFound")
    wrapped(graph.get(f"{ASSIGNMENTS}/{member}_owner", world.pra), 404, "ResourceNotFound")
    wrapped(graph.get(f"{POLICIES}?$filter=scopeType eq 'Group'", world.pra), 400, "MissingProvider")
    # Of those that PIM does not take there are none; neither of groups that are not there.
    for scope in (synced, world.new_id(), "/", "x"):
        assert not graph.rows(f"{POLICIES}?$filter=scopeId eq '{scope}' and scopeType eq 'Group'", world.pra)
    # At least one approver must be named.
    rule = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
        "setting": {"isApprovalRequired": True},
    }
    wrapped(
        graph.patch(f"{POLICIES}/{member}/rules/Approval_EndUser_Assignment", world.pra, rule),
        400,
        "InvalidPolicy",
    )
    assert graph.rows(f"{ASSIGNMENTS}?$filter=scopeId eq '/' and scopeType eq 'Directory' and roleDefinitionId eq '{TEAMS}'", world.pra)  # fmt: skip
