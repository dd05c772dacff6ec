"""`az rest` on every path that PIM has in the resource manager, in every form in which a scope is written."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.conformance.azure_cli.pim import (
    APPROVALS,
    CONTRIBUTOR,
    OWNER,
    VERSIONS,
    Pim,
    approval_rule,
    every_endpoint,
    lasting,
    role,
)

NETWORK = "4d97b98b-1d4f-4787-a291-c67834d212e7"  # Network Contributor


def names(listed):
    return {one["name"] for one in listed["value"]}


def test_every_path(server, desk, admin, tree):
    called: set[str] = set()
    matteo, anton = server.people["matteo"].id, server.people["anton"].id
    boss, me, approver = Pim(admin, called), Pim(desk("matteo"), called), Pim(desk("anton"), called)
    at, group = tree.subscription, tree.group

    # Policies: by role, by name, changed, put, and back to the default.
    asked = f"?$filter=roleDefinitionId eq '{role(at, CONTRIBUTOR)}'"
    (policy,) = boss.get(at, f"roleManagementPolicies{asked}")["value"]
    (held,) = boss.get(at, f"roleManagementPolicyAssignments{asked}")["value"]
    assert held["properties"]["policyId"].endswith(policy["name"])
    assert boss.get(at, f"roleManagementPolicyAssignments/{held['name']}")["id"] == held["id"]
    assert boss.get(at, "roleManagementPolicies")["value"]
    assert boss.get(at, "roleManagementPolicyAssignments")["value"]
    body = {name: held["properties"][name] for name in ("policyId", "roleDefinitionId", "scope")}
    again = boss("put", at, f"roleManagementPolicyAssignments/{held['name']}", {"properties": body})
    assert again["id"] == held["id"]
    one = f"roleManagementPolicies/{policy['name']}"
    changed = boss("patch", at, one, {"properties": {"rules": [approval_rule(("User", anton))]}})
    (rule,) = [one for one in changed["properties"]["rules"] if one["id"] == "Approval_EndUser_Assignment"]
    assert rule["setting"]["isApprovalRequired"] is True
    assert boss.get(at, one)["properties"]["rules"] == changed["properties"]["rules"]
    assert boss.policy(at, CONTRIBUTOR)["name"] == policy["name"]

    # An eligibility: tried, asked for, seen.
    wish = {"scheduleInfo": lasting("P60D")}
    name = str(uuid.uuid4())
    boss.ask("Eligibility", "AdminAssign", at, CONTRIBUTOR, matteo, validate=True, **wish)
    made = boss.ask("Eligibility", "AdminAssign", at, CONTRIBUTOR, matteo, name=name, **wish)
    assert (made["name"], made["properties"]["status"]) == (name, "Provisioned")
    assert boss.get(at, f"roleEligibilityScheduleRequests/{name}")["id"] == made["id"]
    schedule = made["properties"]["targetRoleEligibilityScheduleId"].rpartition("/")[2]
    assert schedule == name
    for noun in ("roleEligibilitySchedules", "roleEligibilityScheduleInstances"):
        listed = boss.get(at, f"{noun}?$filter=principalId eq '{matteo}'")
        (found,) = [one for one in listed["value"] if one["properties"]["scope"] == at]
        assert boss.get(at, f"{noun}/{found['name']}")["id"] == found["id"]
    for text in ("atScope()", f"assignedTo('{matteo}')", f"atScope() and assignedTo('{matteo}')"):
        listed = boss.get(group, f"roleEligibilitySchedules?$filter={text}")
        assert schedule in names(listed), text
    assert name in names(boss.get(at, f"roleEligibilityScheduleRequests?$filter=principalId eq {matteo}"))
    assert name in names(boss.get(at, "roleEligibilityScheduleRequests?$filter=asRequestor()"))
    me.az("account", "list", "--refresh")  # az sends nothing about a subscription that it does not know
    assert name in names(me.get(at, "roleEligibilityScheduleRequests?$filter=asTarget()"))

    # One that begins later is called off before it does.
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    soon = boss.ask("Eligibility", "AdminAssign", at, OWNER, matteo, scheduleInfo=lasting("P5D", later))
    assert soon["properties"]["status"] in {"Granted", "Provisioned"}
    boss("post", at, f"roleEligibilityScheduleRequests/{soon['name']}/cancel")
    seen = boss.get(at, f"roleEligibilityScheduleRequests/{soon['name']}")
    assert seen["properties"]["status"] == "Canceled"

    # An activation, lower in the tree: tried, asked for, called off, asked for again, decided both ways.
    assert group in {one["id"] for one in me.get(at, "eligibleChildResources")["value"]}
    only = me.get(at, "eligibleChildResources?$filter=resourceType eq 'resourcegroup'")["value"]
    assert {one["type"] for one in only} == {"resourcegroup"}
    wish = {"scheduleInfo": lasting("PT1H"), "linkedRoleEligibilityScheduleId": schedule}
    me.ask(
        "Assignment", "SelfActivate", group, CONTRIBUTOR, matteo, validate=True, isValidationOnly=True, **wish
    )
    asked_for = me.ask("Assignment", "SelfActivate", group, CONTRIBUTOR, matteo, **wish)
    assert asked_for["properties"]["status"] == "PendingApproval"
    me("post", group, f"roleAssignmentScheduleRequests/{asked_for['name']}/cancel")
    for verb, verdict, status in (("put", "Deny", "AdminDenied"), ("patch", "Approve", "Provisioned")):
        asked_for = me.ask("Assignment", "SelfActivate", group, CONTRIBUTOR, matteo, **wish)
        approval = asked_for["properties"]["approvalId"].rpartition("/")[2]
        more = {"version": APPROVALS}
        waiting = approver.get("", "roleAssignmentApprovals?$filter=asApprover()", **more)
        assert approval in names(waiting)
        assert approver.get("", f"roleAssignmentApprovals/{approval}", **more)["name"] == approval
        (stage,) = approver.get("", f"roleAssignmentApprovals/{approval}/stages", **more)["value"]
        path = f"roleAssignmentApprovals/{approval}/stages/{stage['name']}"
        assert approver.get("", path, **more)["name"] == stage["name"]
        flat = {"reviewResult": verdict, "justification": "Looked at"}
        approver(verb, "", path, flat if verdict == "Deny" else {"properties": flat}, **more)
        seen = me.get(group, f"roleAssignmentScheduleRequests/{asked_for['name']}")
        assert seen["properties"]["status"] in {status, "Denied" if verdict == "Deny" else status}
    for noun in ("roleAssignmentSchedules", "roleAssignmentScheduleInstances"):
        listed = me.get(group, f"{noun}?$filter=asTarget()")
        (found,) = [one for one in listed["value"] if one["properties"]["assignmentType"] == "Activated"]
        assert me.get(group, f"{noun}/{found['name']}")["id"] == found["id"]
    assert asked_for["name"] in names(me.get("", "roleAssignmentScheduleRequests?$filter=asTarget()"))
    me.ask("Assignment", "SelfDeactivate", group, CONTRIBUTOR, matteo)
    boss.ask("Eligibility", "AdminRemove", at, CONTRIBUTOR, matteo)

    # Back to the default.
    boss("delete", at, f"roleManagementPolicyAssignments/{held['name']}")
    boss("delete", at, one)
    (rule,) = [
        one
        for one in boss.policy(at, CONTRIBUTOR)["properties"]["rules"]
        if one["id"] == "Approval_EndUser_Assignment"
    ]
    assert rule["setting"]["isApprovalRequired"] is False

    assert every_endpoint() - called == set()


def test_every_kind_of_change(server, admin, tree):
    """An administrator's requests, one after the other, about an assignment that is active from the start."""
    boss, greta = Pim(admin), server.people["greta"].id
    words = (tree.group, NETWORK, greta)
    made = boss.ask("Assignment", "AdminAssign", *words, scheduleInfo=lasting("P1D"))
    schedule = made["properties"]["targetRoleAssignmentScheduleId"].rpartition("/")[2]

    def end():
        return boss.get(tree.group, f"roleAssignmentSchedules/{schedule}")["properties"]["endDateTime"]

    first = end()
    boss.ask("Assignment", "AdminUpdate", *words, scheduleInfo=lasting("P3D"),
             targetRoleAssignmentScheduleId=schedule)  # fmt: skip
    second = end()
    assert second > first
    boss.ask("Assignment", "AdminExtend", *words, scheduleInfo=lasting("P9D"),
             targetRoleAssignmentScheduleId=schedule)  # fmt: skip
    assert end() > second
    gone = boss.ask("Assignment", "AdminRemove", *words)
    assert gone["properties"]["status"] == "Revoked"
    assert "RoleAssignmentDoesNotExist" in boss.ask("Assignment", "AdminRemove", *words, refused=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version(admin, tree, version):
    """One contract, whichever is asked for; the oldest spells ids its own way, and every way is taken back."""
    boss = Pim(admin, version=version)
    for noun in (
        "roleEligibilitySchedules",
        "roleEligibilityScheduleInstances",
        "roleEligibilityScheduleRequests",
        "roleAssignmentSchedules",
        "roleAssignmentScheduleInstances",
        "roleAssignmentScheduleRequests",
        "roleManagementPolicies",
        "roleManagementPolicyAssignments",
    ):
        assert isinstance(boss.get(tree.subscription, noun)["value"], list), noun


def test_every_form_of_a_scope(admin, tree):
    boss = Pim(admin)
    long = f"/providers/Microsoft.Subscription{tree.subscription}"
    forms = ("", tree.above, tree.subscription, long, tree.group, tree.group.lower(), tree.machine)
    for scope in forms:
        for noun in (
            "roleAssignmentSchedules",
            "roleEligibilitySchedules",
            "roleManagementPolicyAssignments",
        ):
            assert isinstance(boss.get(scope, f"{noun}?$filter=atScope()")["value"], list), (scope, noun)


def test_who_may_not_look_is_told_how(desk, tree):
    said = Pim(desk("liam")).get(tree.above, "roleEligibilitySchedules", refused=True)
    assert "InsufficientPermissions" in said
    assert "asTarget()" in said
