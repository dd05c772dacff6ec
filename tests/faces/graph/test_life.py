"""The whole life of a grant, as a client of Graph sees it."""

from __future__ import annotations

from datetime import timedelta

from tests.faces.graph.client import Graph, error, person
from tests.world import TEAMS

REQUESTS = "/roleManagement/directory/roleAssignmentScheduleRequests"
ELIGIBLE = "/roleManagement/directory/roleEligibilityScheduleRequests"
POLICY = "/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{}'&$expand=policy($expand=rules)"


def activation(who: str, **more: object) -> dict[str, object]:
    return {
        "action": "selfActivate",
        "principalId": who,
        "roleDefinitionId": TEAMS,
        "directoryScopeId": "/",
        "justification": "a meeting room is broken",
        "scheduleInfo": {"startDateTime": None, "expiration": {"type": "AfterDuration", "duration": "PT1H"}},
        **more,
    }


def test_assign_activate_approve_and_expire(graph: Graph) -> None:
    world = graph.world
    ann, bob, pra = world.ann, world.bob, world.pra
    made = graph.post(
        ELIGIBLE,
        pra,
        {
            "action": "AdminAssign",
            "principalId": ann,
            "roleDefinitionId": TEAMS,
            "directoryScopeId": "/",
            "justification": "joins the team",
            "scheduleInfo": {"startDateTime": "2026-01-01T00:00:00Z", "expiration": {"type": "NoExpiration"}},
        },
    )
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "Provisioned"
    eligible = graph.rows(
        "/roleManagement/directory/roleEligibilitySchedules/filterByCurrentUser(on='principal')", ann
    )
    assert [row["roleDefinitionId"] for row in eligible] == [TEAMS]
    assert eligible[0]["memberType"] == "Direct"

    found = graph.rows(POLICY.format(TEAMS), pra)
    policy = found[0]["policy"]
    assert len(policy["rules"]) == 17
    rule = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
        "setting": {
            "isApprovalRequired": True,
            "approvalStages": [
                {"primaryApprovers": [{"@odata.type": "#microsoft.graph.singleUser", "userId": bob}]}
            ],
        },
    }
    address = f"/policies/roleManagementPolicies/{policy['id']}/rules/Approval_EndUser_Assignment"
    assert graph.patch(address, pra, rule).status_code == 204
    read = graph.ok(address, ann)
    approvers = read["setting"]["approvalStages"][0]["primaryApprovers"]
    assert approvers == [
        {"@odata.type": "#microsoft.graph.singleUser", "isBackup": False, "description": "bob", "userId": bob}
    ]

    asked = graph.post(REQUESTS + "/", ann, activation(ann))
    assert asked.status_code == 201, asked.text
    request = asked.json()
    assert request["status"] == "PendingApproval"
    assert request["approvalId"] == request["id"] == request["targetScheduleId"]
    waiting = graph.rows(
        f"{REQUESTS}/filterByCurrentUser(on=%27approver%27)?$filter=status+eq+'PendingApproval'&$expand=principal,roleDefinition($select=displayName)",
        bob,
    )
    assert [row["id"] for row in waiting] == [request["id"]]
    assert waiting[0]["principal"]["displayName"] == "ann"
    assert waiting[0]["roleDefinition"] == {"displayName": "Teams Administrator"}

    approvals = f"/beta/roleManagement/directory/roleAssignmentApprovals/{request['id']}"
    approval = graph.ok(f"{approvals}?$expand=steps", bob)
    step = approval["steps"][0]
    assert step["id"] == request["id"]
    assert step["assignedToMe"] is True
    assert step["status"] == "InProgress"
    error(
        graph.patch(f"{approvals}/steps/{step['id']}", ann, {"reviewResult": "Approve"}),
        403,
        "Authorization_RequestDenied",
    )
    decision = {"reviewResult": "approve", "justification": "go ahead"}
    answer = graph.patch(f"{approvals}/steps/{step['id']}", bob, decision)
    assert answer.status_code == 204
    assert answer.content == b""
    error(
        graph.patch(f"{approvals}/stages/{step['id']}", bob, decision),
        400,
        "RoleAssignmentRequestAlreadyApproved",
    )
    done = graph.ok(f"{approvals}/steps/{step['id']}", bob)
    assert done["reviewResult"] == "Approve"
    assert done["reviewedBy"]["displayName"] == "bob"

    assert graph.ok(f"{REQUESTS}/{request['id']}", ann)["status"] == "Provisioned"
    active = graph.rows(
        "/roleManagement/directory/roleAssignmentScheduleInstances/filterByCurrentUser(on='principal')?$expand=activatedUsing,roleDefinition",
        ann,
    )
    assert active[0]["assignmentType"] == "Activated"
    assert active[0]["activatedUsing"]["id"] == eligible[0]["id"]
    assert active[0]["roleAssignmentScheduleId"] == request["id"]
    assert graph.rows(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{ann}'", ann)
    again = graph.post(REQUESTS, ann, activation(ann))
    error(again, 400, "RoleAssignmentExists")

    world.forward(hours=1)
    assert not graph.rows(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{ann}'", ann)
    history = graph.rows(
        f"/auditLogs/directoryAudits?$filter=targetResources/any(t:t/id eq '{ann}') and loggedByService eq 'PIM'",
        pra,
    )
    assert {"Add member to role request approved (PIM activation)"} <= {
        row["activityDisplayName"] for row in history
    }


def test_all_failed_rules_are_named_at_once(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    asked = activation(
        world.ann,
        justification="",
        scheduleInfo={"expiration": {"type": "afterDuration", "duration": "PT9H"}},
    )
    found = error(
        graph.post(REQUESTS, person(world.ann, amr=frozenset({"pwd"})), asked),
        400,
        "RoleAssignmentRequestPolicyValidationFailed",
    )
    assert found["message"].startswith("The following policy rules failed: [")
    assert set(found["innerError"]["failedRules"]) == {"MfaRule", "JustificationRule", "ExpirationRule"}


def test_step_up_comes_as_message_or_as_challenge(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    world.policy(activation_requires=frozenset(), context_enabled=True, context="c1")
    found = error(
        graph.post(REQUESTS, world.ann, activation(world.ann)),
        400,
        "RoleAssignmentRequestAcrsValidationFailed",
    )
    assert found["message"] == (
        "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"
    )
    able = person(world.ann, capabilities=frozenset({"cp1"}))
    answer = graph.post(REQUESTS, able, activation(world.ann))
    error(answer, 401, "InvalidAuthenticationToken")
    assert 'error="insufficient_claims"' in answer.headers["www-authenticate"]
    stronger = person(world.ann, acrs=frozenset({"c1"}))
    assert graph.post(REQUESTS, stronger, activation(world.ann)).status_code == 201


def test_cancel_and_five_minutes(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    later = (world.now + timedelta(hours=2)).isoformat()
    planned = graph.post(
        REQUESTS,
        world.ann,
        activation(
            world.ann,
            scheduleInfo={
                "startDateTime": later,
                "expiration": {"type": "afterDuration", "duration": "1:00:00"},
            },
        ),
    )
    assert planned.json()["status"] == "Granted", planned.text
    assert planned.json()["scheduleInfo"]["expiration"]["duration"] == "PT1H"
    address = f"{REQUESTS}/{planned.json()['id']}/cancel"
    assert graph.post(address, world.ann).status_code == 204
    error(graph.post(address, world.ann), 400, "RequestCannotBeCancelled")
    assert graph.post(REQUESTS, world.ann, activation(world.ann)).status_code == 201
    ending = {
        "action": "selfDeactivate",
        "principalId": world.ann,
        "roleDefinitionId": TEAMS,
        "directoryScopeId": "/",
    }
    found = error(graph.post(REQUESTS, world.ann, ending), 400, "ActiveDurationTooShort")
    assert found["message"].startswith("The Active duration is too short. Miniumum Required is 5 minutes.")
    world.forward(minutes=6)
    done = graph.post(REQUESTS, world.ann, ending).json()
    assert done["status"] == "Revoked"
    assert done["completedDateTime"] is done["targetScheduleId"] is done["scheduleInfo"] is None


def test_dry_run_changes_nothing(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    answer = graph.post(REQUESTS, world.ann, activation(world.ann, isValidationOnly=True))
    assert answer.status_code == 201
    assert answer.json()["isValidationOnly"] is True
    assert not graph.rows(f"{REQUESTS}/filterByCurrentUser(on='principal')", world.ann)


def test_eligible_through_a_group(graph: Graph) -> None:
    world = graph.world
    team = world.group("Team", [world.ann])
    world.eligible(team)
    rows = graph.rows(
        "/roleManagement/directory/roleEligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=principal",
        world.ann,
    )
    assert [(row["principalId"], row["memberType"]) for row in rows] == [(team, "Group")]
    assert rows[0]["principal"]["@odata.type"] == "#microsoft.graph.group"
    assert graph.post(REQUESTS, world.ann, activation(world.ann)).status_code == 201
