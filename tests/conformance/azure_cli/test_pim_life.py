"""A grant from its first day to its last with nothing but az: an administrator makes somebody eligible, who activates
at a narrower place, an approver agrees, the role works and is seen, and is given back.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from urllib.parse import unquote

from tests.conformance.azure_cli.pim import APPROVALS, Pim, approval_rule, enablement_rule, lasting, role

MACHINES = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"  # Virtual Machine Contributor


def test_the_life_of_a_grant(server, desk, admin, tree):
    zanele, anton = server.people["zanele"], server.people["anton"]
    boss, me, approver = Pim(admin), Pim(desk("zanele")), Pim(desk("anton"))
    tag = ("resource", "update", "--ids", tree.machine, "--api-version", "2024-07-01", "--set")

    # The administrator decides what it takes, and who may.
    policy = boss.policy(tree.subscription, MACHINES)
    rules = [approval_rule(("User", anton.id)), enablement_rule("Justification", "Ticketing")]
    changed = boss("patch", tree.subscription, f"roleManagementPolicies/{policy['name']}",
                   {"properties": {"rules": rules}})  # fmt: skip
    assert len(changed["properties"]["rules"]) == len(policy["properties"]["rules"]) == 17
    made = boss.ask("Eligibility", "AdminAssign", tree.subscription, MACHINES, zanele.id,
                    scheduleInfo=lasting("P30D"))  # fmt: skip
    assert made["properties"]["status"] == "Provisioned"

    # He has nothing yet but the right to ask. All that he may activate, in one question:
    mine = me.get("", "roleEligibilityScheduleInstances?$filter=asTarget()")["value"]
    (eligibility,) = [one for one in mine if one["properties"]["scope"] == tree.subscription]
    assert eligibility["properties"]["roleDefinitionId"] == role(tree.subscription, MACHINES)
    assert eligibility["properties"]["expandedProperties"]["scope"]["displayName"] == "Welding"
    # az sends nothing about a subscription that it does not know: who may activate in one sees that it is there.
    assert "not found" in me.get(tree.subscription, "eligibleChildResources", refused=True)
    known = [one["name"] for one in desk("zanele")("account", "list", "--refresh")]
    # Tests before this one on the same server gave him places of their own.
    assert [name for name in known if not name.startswith("Conformance ")] == ["Welding"]
    desk("zanele")("account", "set", "--subscription", "Welding")
    assert desk("zanele")("group", "list") == []
    assert "AuthorizationFailed" in desk("zanele").refused(*tag, "tags.welder=zanele")
    places = me.get(tree.subscription, "eligibleChildResources")["value"]
    assert tree.group in {one["id"] for one in places}

    # What is missing is named; then he asks for one resource group only, and waits.
    link = eligibility["properties"]["roleEligibilityScheduleId"]
    wish = {"scheduleInfo": lasting("PT2H"), "linkedRoleEligibilityScheduleId": link}
    said = me.ask("Assignment", "SelfActivate", tree.group, MACHINES, zanele.id, **wish, refused=True)
    assert "RoleAssignmentRequestPolicyValidationFailed" in said
    assert "TicketingRule" in said
    wish["ticketInfo"] = {"ticketNumber": "CHG-7", "ticketSystem": "Change calendar"}
    tried = me.ask("Assignment", "SelfActivate", tree.group, MACHINES, zanele.id, **wish, validate=True)
    assert tried["properties"]["status"] in {"Granted", "PendingApproval", "PendingEvaluation"}
    asked = me.ask("Assignment", "SelfActivate", tree.group, MACHINES, zanele.id, **wish)
    assert asked["properties"]["status"] == "PendingApproval"
    assert asked["properties"]["scope"] == tree.group
    words = ("role", "assignment", "list", "--assignee", zanele.username, "--scope", tree.group)
    assert admin(*words) == []

    # The approver needs no role: he sees who waits for him, and why.
    waiting = approver.get("", "roleAssignmentScheduleRequests?$filter=asApprover()")["value"]
    (found,) = [one for one in waiting if one["name"] == asked["name"]]
    assert found["properties"]["justification"] == "Weld 7 is down"
    approval = found["properties"]["approvalId"].rpartition("/")[2]
    (stage,) = approver.get("", f"roleAssignmentApprovals/{approval}/stages", version=APPROVALS)["value"]
    decision = {"properties": {"reviewResult": "Approve", "justification": "Go"}}
    own = f"roleAssignmentApprovals/{approval}/stages/{stage['name']}"
    assert "ERROR" in me("patch", "", own, decision, version=APPROVALS, refused=True)
    approver("patch", "", own, decision, version=APPROVALS)

    # It works, there and nowhere else, and every list shows it.
    assert desk("zanele")(*tag, "tags.welder=zanele")["tags"]["welder"] == "zanele"
    assert [one["name"] for one in desk("zanele")("group", "list")] == ["rg-robots"]
    (held,) = admin(*words)
    assert held["roleDefinitionName"] == "Virtual Machine Contributor"
    assert held["scope"] == tree.group
    (instance,) = [
        one
        for one in me.get("", "roleAssignmentScheduleInstances?$filter=asTarget()")["value"]
        if one["properties"]["scope"] == tree.group
    ]
    assert instance["properties"]["assignmentType"] == "Activated"
    assert instance["properties"]["linkedRoleEligibilityScheduleId"] == link
    assert instance["properties"]["originRoleAssignmentId"].lower() == held["id"].lower()
    said = me.ask("Assignment", "SelfActivate", tree.group, MACHINES, zanele.id, **wish, refused=True)
    assert "RoleAssignmentExists" in said

    # Given back.
    ended = me.ask("Assignment", "SelfDeactivate", tree.group, MACHINES, zanele.id)
    assert ended["properties"]["status"] == "Revoked"
    assert admin(*words) == []
    assert "AuthorizationFailed" in desk("zanele").refused(*tag, "tags.welder=again")
    gone = boss.ask("Eligibility", "AdminRemove", tree.subscription, MACHINES, zanele.id)
    assert gone["properties"]["status"] == "Revoked"
    left = me.get("", "roleEligibilityScheduleInstances?$filter=asTarget()")["value"]
    assert [one for one in left if one["properties"]["scope"].startswith(tree.subscription)] == []


def test_a_role_is_taken_away_where_it_was_assigned(server, desk, admin, tree):
    """What az role deletes and what PIM removes are the same thing."""
    rui = server.people["rui"]
    boss = Pim(admin)
    made = boss.ask("Assignment", "AdminAssign", tree.group, MACHINES, rui.id, scheduleInfo=lasting("P1D"))
    assert made["properties"]["status"] == "Provisioned"
    words = ("role", "assignment", "list", "--assignee", rui.id, "--scope", tree.group)
    (held,) = admin(*words)
    assert held["name"] == made["properties"]["targetRoleAssignmentScheduleId"].rpartition("/")[2]
    admin("role", "assignment", "delete", "--ids", held["id"])
    listed = boss.get(tree.group, f"roleAssignmentScheduleInstances?$filter=principalId eq '{rui.id}'")
    assert listed["value"] == []

    admin(
        "role", "assignment", "create", "--assignee", rui.username, "--role", MACHINES, "--scope", tree.group
    )
    listed = boss.get(tree.group, f"roleAssignmentScheduleInstances?$filter=principalId eq '{rui.id}'")
    assert [one["properties"]["assignmentType"] for one in listed["value"]] == ["Assigned"]
    boss.ask("Assignment", "AdminRemove", tree.group, MACHINES, rui.id)
    assert admin(*words) == []


def test_a_stronger_sign_in_is_asked_for(server, desk, regulars, admin, tree):
    """The policy wants an authentication context. az rest cannot ask for it by itself: it shows what az login needs."""
    viktor = server.people["viktor"]
    boss, me = Pim(admin), Pim(desk("viktor"))
    place = f"{tree.subscription}/resourceGroups/rg-paint"
    policy = boss.policy(place, MACHINES)
    rule = {
        "id": "AuthenticationContext_EndUser_Assignment",
        "ruleType": "RoleManagementPolicyAuthenticationContextRule",
        "isEnabled": True,
        "claimValue": "c1",
        "target": {"caller": "EndUser", "operations": ["All"], "level": "Assignment"},
    }
    rules = [rule, enablement_rule("Justification")]
    boss("patch", place, f"roleManagementPolicies/{policy['name']}", {"properties": {"rules": rules}})
    boss.ask("Eligibility", "AdminAssign", place, MACHINES, viktor.id, scheduleInfo=lasting("P3D"))
    me.az("account", "list", "--refresh")
    wish = (place, MACHINES, viktor.id)
    said = me.ask("Assignment", "SelfActivate", *wish, scheduleInfo=lasting("PT1H"), refused=True)
    assert "RoleAssignmentRequestAcrsValidationFailed" in said
    wanted = unquote(re.search(r"&claims=([^\"&]+)", said)[1])
    assert json.loads(wanted)["access_token"]["acrs"]["value"] == "c1"
    me.az("login", "--claims-challenge", b64encode(wanted.encode()).decode(), "--use-device-code", "--tenant",
          server.tenant_id, "--scope", f"{server.arm_origin}/.default", robot=regulars("viktor"))  # fmt: skip
    made = me.ask("Assignment", "SelfActivate", *wish, scheduleInfo=lasting("PT1H"))
    assert made["properties"]["status"] == "Provisioned"
    me.ask("Assignment", "SelfDeactivate", *wish)
