"""Documented and recorded exchanges, made anew: the same request gets an answer of the same shape.

The shapes are written down here (names of members, fixed words); ids and people are this world's.
"""

from __future__ import annotations

from datetime import timedelta

from tests.faces.arm.client import AUTH, READER, Arm

SPEC = "/providers/Microsoft.Subscription"
EXPANDED = {"principal", "roleDefinition", "scope"}


def test_admin_assign_as_recorded(arm):
    """Doubled slashes, a role without its leading slash, a start with an offset in the past."""
    name, bob = arm.world.new_id(), arm.world.bob
    body = {
        "properties": {
            "scheduleInfo": {
                "expiration": {"type": "AfterDuration", "duration": "PT30M"},
                "startDateTime": "2022-02-10T16:20:33.9232179-08:00",
            },
            "roleDefinitionId": f"{arm.prod[1:]}/{AUTH}/roleDefinitions/{READER}",
            "principalId": bob,
            "requestType": "AdminAssign",
            "justification": "Test",
        }
    }
    answer = arm.put(
        f"/{arm.prod}//{AUTH}/roleAssignmentScheduleRequests/{name}?api-version=2020-10-01-preview",
        arm.owner,
        body,
    )
    assert answer.status_code == 201, answer.text
    for header in (
        "Cache-Control", "x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id", "mspimslice",
        "x-ms-ratelimit-remaining-subscription-writes", "X-Content-Type-Options",
    ):  # fmt: skip
        assert header in answer.headers
    found = answer.json()
    assert set(found) == {"properties", "name", "id", "type"}
    assert found["type"] == "Microsoft.Authorization/roleAssignmentScheduleRequests"
    properties = found["properties"]
    assert set(properties) == {
        "targetRoleAssignmentScheduleId", "scope", "roleDefinitionId", "principalId", "principalType", "requestType",
        "status", "scheduleInfo", "ticketInfo", "justification", "requestorId", "createdOn", "expandedProperties",
    }  # fmt: skip
    assert properties["targetRoleAssignmentScheduleId"].endswith(f"/roleAssignmentSchedules/{name}")
    assert properties["roleDefinitionId"] == f"{arm.prod}/{AUTH}/roleDefinitions/{READER}"
    assert properties["scheduleInfo"]["expiration"] == {"type": "AfterDuration", "duration": "PT30M"}
    assert properties["scheduleInfo"]["startDateTime"].endswith("+00:00")
    assert (properties["status"], properties["ticketInfo"]) == ("Provisioned", {})
    assert set(properties["expandedProperties"]) == EXPANDED


def test_a_future_start_then_cancel_as_recorded(arm):
    start = (arm.world.now + timedelta(days=27)).astimezone().strftime("%Y-%m-%dT%H:%M:%S.7711006")
    info = {"startDateTime": start + "+00:00", "expiration": {"type": "AfterDuration", "duration": "PT30M"}}
    made = arm.request("Assignment", arm.world.bob, arm.prod, arm.owner, scheduleInfo=info)
    assert (made.status_code, made.json()["properties"]["status"]) == (201, "Granted")
    cancelled = arm.post(f"{made.json()['id']}/cancel?api-version=2020-10-01-preview", arm.owner)
    assert (cancelled.status_code, cancelled.content, cancelled.headers["Content-Length"]) == (200, b"", "0")


def test_the_documented_activation(arm):
    """The long form of the scope, a linked eligibility as a bare guid, an end that is null."""
    link = arm.eligible(arm.world.bob, READER, arm.prod).id
    name = arm.world.new_id()
    body = {
        "properties": {
            "principalId": arm.world.bob,
            "roleDefinitionId": f"{arm.prod}/{AUTH}/roleDefinitions/{READER}",
            "requestType": "SelfActivate",
            "linkedRoleEligibilityScheduleId": link,
            "justification": "because",
            "scheduleInfo": {
                "startDateTime": "2020-09-09T21:35:27.91Z",
                "expiration": {"type": "AfterDuration", "endDateTime": None, "duration": "PT8H"},
            },
        }
    }
    path = f"{SPEC}{arm.prod}/{AUTH}/roleAssignmentScheduleRequests/{name}"
    valid = arm.post(f"{path}/validate?api-version=2022-04-01-preview", arm.world.bob, body)
    assert (valid.status_code, valid.json()["name"]) == (200, name)
    made = arm.put(path, arm.world.bob, body)
    assert made.status_code == 201, made.text
    assert made.json()["properties"]["linkedRoleEligibilityScheduleId"].endswith(
        f"/roleEligibilitySchedules/{link}"
    )
    assert made.json()["id"].startswith("/subscriptions/")
    rows = arm.rows(
        f"{SPEC}{arm.prod}/{AUTH}/roleAssignmentScheduleInstances?$filter=assignedTo('{arm.world.bob}')",
        arm.world.bob,
    )
    assert set(rows[0]["properties"]) == {
        "originRoleAssignmentId", "linkedRoleEligibilityScheduleId", "linkedRoleEligibilityScheduleInstanceId",
        "assignmentType", "scope", "roleDefinitionId", "principalId", "principalType", "status",
        "roleAssignmentScheduleId", "startDateTime", "endDateTime", "memberType", "createdOn", "expandedProperties",
    }  # fmt: skip
    (schedule,) = arm.rows(f"{arm.prod}/{AUTH}/roleAssignmentSchedules?$filter=asTarget()", arm.world.bob)
    assert set(schedule["properties"]) == {
        "linkedRoleEligibilityScheduleId", "assignmentType", "scope", "roleDefinitionId", "principalId", "principalType",
        "status", "roleAssignmentScheduleRequestId", "startDateTime", "endDateTime", "memberType", "createdOn",
        "updatedOn", "expandedProperties",
    }  # fmt: skip


def test_eligibilities_as_documented(arm):
    arm.eligible(arm.world.bob, READER, arm.prod, days=30)
    for word, more in (
        ("Schedules", {"roleEligibilityScheduleRequestId", "updatedOn"}),
        ("ScheduleInstances", {"roleEligibilityScheduleId"}),
    ):
        (row,) = arm.rows(f"/{AUTH}/roleEligibility{word}?$filter=asTarget()", arm.world.bob)
        assert set(row["properties"]) == more | {
            "scope", "roleDefinitionId", "principalId", "principalType", "status", "startDateTime", "endDateTime",
            "memberType", "createdOn", "expandedProperties",
        }  # fmt: skip
        assert row["type"] == f"Microsoft.Authorization/roleEligibility{word}"


def test_approval_as_documented(arm):
    approver = arm.world.cyd
    arm.eligible(arm.world.bob, READER, arm.prod)
    arm.approval(READER, arm.prod, approver)
    approval = arm.activate(arm.world.bob, arm.prod).json()["properties"]["approvalId"]
    found = arm.ok(f"{approval}?api-version=2021-01-01-preview", approver)
    assert set(found) == {"id", "type", "name", "properties"}
    (stage,) = found["properties"]["stages"]
    assert set(stage["properties"]) == {
        "displayName",
        "assignedToMe",
        "status",
        "reviewResult",
        "justification",
    }
    body = {"properties": {"reviewResult": "Approve", "justification": "I trust this person."}}
    answer = arm.patch(f"{stage['id']}?api-version=2021-01-01-preview", approver, body).json()
    assert set(answer["properties"]) == {
        "displayName", "status", "assignedToMe", "reviewedBy", "reviewedDateTime", "reviewResult", "justification",
    }  # fmt: skip
    assert answer["properties"]["reviewedBy"]["principalType"] == "user"


def poll(arm: Arm, who: str, scope: str) -> list[dict]:
    return arm.rows(
        f"{scope}/{AUTH}/roleEligibilitySchedules?%24filter=%28principalId+eq+%27{who}%27%29+and+atScope%28%29",
        arm.owner,
    )


def test_as_terraform_goes(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.it)
    made = arm.request("Eligibility", bob, arm.prod, arm.owner, Scope=arm.prod)
    assert made.status_code == 201
    (direct,) = [row for row in poll(arm, bob, arm.prod) if row["properties"]["memberType"] == "Direct"]
    assert direct["properties"]["scope"] == arm.prod
    request = arm.ok(direct["properties"]["roleEligibilityScheduleRequestId"], arm.owner)
    assert request["properties"]["status"] == "Provisioned"
    gone = arm.request("Eligibility", bob, arm.prod, arm.owner, requestType="AdminRemove", scheduleInfo=None)
    assert gone.status_code == 201
    assert [row["properties"]["memberType"] for row in poll(arm, bob, arm.prod)] == ["Inherited"]


def test_as_easypim_goes(arm):
    (role,) = arm.rows(
        f"/{arm.prod}//{AUTH}/roleDefinitions?api-version=2022-04-01&$filter=roleName eq 'Reader'", arm.owner
    )
    (found,) = arm.rows(
        f"{arm.prod}/{AUTH}/roleManagementPolicyAssignments?$filter=roleDefinitionId eq '{role['id']}'",
        arm.owner,
    )
    policy = f"{found['properties']['policyId']}/?api-version=2020-10-01"
    rule = next(
        one
        for one in arm.ok(policy, arm.owner)["properties"]["rules"]
        if one["id"] == "Expiration_EndUser_Assignment"
    )
    body = {
        "properties": {
            "scope": arm.prod,
            "rules": [{**rule, "isExpirationRequired": "true", "maximumDuration": "PT2H"}],
        }
    }
    assert arm.patch(policy, arm.owner, body).status_code == 200


REQUEST = {
    "scope", "roleDefinitionId", "principalId", "principalType", "requestType", "status", "ticketInfo", "justification",
    "requestorId", "createdOn", "expandedProperties",
}  # fmt: skip


def test_requests_of_every_sort_as_recorded(arm):
    """What ends something has neither a target nor a schedule; what was asked for without a reason has none."""
    bob = arm.world.bob
    made = arm.request("Eligibility", bob, arm.prod, arm.owner, justification=None).json()
    assert set(made["properties"]) == (REQUEST - {"justification"}) | {
        "targetRoleEligibilityScheduleId",
        "scheduleInfo",
    }
    active = arm.activate(bob, arm.prod).json()["properties"]
    assert set(active) == REQUEST | {
        "linkedRoleEligibilityScheduleId", "targetRoleAssignmentScheduleId", "scheduleInfo",
    }  # fmt: skip
    arm.world.forward(minutes=6)
    ended = arm.request(
        "Assignment", bob, arm.prod, bob, requestType="SelfDeactivate", scheduleInfo=None
    ).json()
    assert set(ended["properties"]) == REQUEST
    assert ended["properties"]["status"] == "Revoked"
    info = {"expiration": {"type": "AfterDuration", "duration": "PT400H"}}
    asked = arm.request("Eligibility", bob, arm.prod, bob, requestType="SelfExtend", scheduleInfo=info).json()
    assert asked["properties"]["status"] == "PendingAdminDecision"
    assert arm.post(f"{asked['id']}/cancel", bob).status_code == 200
    assert arm.ok(asked["id"], bob)["properties"]["status"] == "Canceled"


def test_assignments_definitions_and_children_as_recorded(arm):
    arm.assigned(arm.world.bob, READER, arm.web)
    (row,) = arm.rows(f"{arm.web}/{AUTH}/roleAssignments?$filter=principalId eq '{arm.world.bob}'", arm.owner)
    assert set(row) == {"id", "name", "type", "properties"}
    assert set(row["properties"]) == {
        "condition", "conditionVersion", "createdBy", "createdOn", "delegatedManagedIdentityResourceId", "description",
        "principalId", "principalType", "roleDefinitionId", "scope", "updatedBy", "updatedOn",
    }  # fmt: skip
    assert (row["properties"]["createdBy"], row["properties"]["condition"]) == ("", None)
    (role,) = arm.rows(f"{arm.prod}/{AUTH}/roleDefinitions?$filter=roleName eq 'Reader'", arm.owner)
    assert set(role["properties"]) == {
        "assignableScopes", "createdBy", "createdOn", "description", "permissions", "roleName", "type", "updatedBy",
        "updatedOn",
    }  # fmt: skip
    assert set(role["properties"]["permissions"][0]) == {
        "actions",
        "dataActions",
        "notActions",
        "notDataActions",
    }
    arm.eligible(arm.world.cyd, READER, arm.prod)
    children = arm.rows(f"{arm.prod}/{AUTH}/eligibleChildResources", arm.world.cyd)
    assert [set(one) for one in children] == [{"id", "name", "type"}] * 2
    assert {one["type"] for one in children} == {"resourcegroup"}


# Of each type of rule what the live service shows beside id, ruleType and target.
RULES = {
    "Approval": {"setting"},
    "AuthenticationContext": {"isEnabled"},
    "Enablement": {"enabledRules"},
    "Expiration": {"isExpirationRequired", "maximumDuration"},
    "Notification": {"notificationType", "recipientType", "isDefaultRecipientsEnabled", "notificationLevel"},
}


def test_policies_as_recorded(arm):
    (held,) = arm.rows(
        f"{arm.prod}/{AUTH}/roleManagementPolicyAssignments?$filter=roleDefinitionId eq '{READER}'", arm.owner
    )
    assert set(held["properties"]) == {
        "scope", "roleDefinitionId", "policyId", "effectiveRules", "policyAssignmentProperties",
    }  # fmt: skip
    shown = held["properties"]["policyAssignmentProperties"]
    assert set(shown) == {"scope", "roleDefinition", "policy"}
    assert set(shown["scope"]) == set(shown["roleDefinition"]) == {"id", "displayName", "type"}
    policy = held["properties"]["policyId"]
    rules = arm.ok(policy, arm.owner)["properties"]["rules"]
    assert len(rules) == 17
    for rule in rules:
        kind = rule["ruleType"].removeprefix("RoleManagementPolicy").removesuffix("Rule")
        assert set(rule) == RULES[kind] | {"id", "ruleType", "target"}, rule
        assert set(rule["target"]) == {"caller", "operations", "level"}
    target = {"caller": "Admin", "operations": ["All"], "level": "Eligibility"}
    given = [
        {"target": target, "id": "Expiration_Admin_Eligibility", "ruleType": "RoleManagementPolicyExpirationRule",
         "isExpirationRequired": False, "maximumDuration": "P180D"},
        {"target": target, "id": "Notification_Approver_Admin_Eligibility",
         "ruleType": "RoleManagementPolicyNotificationRule", "notificationType": "Email",
         "notificationLevel": "Critical", "recipientType": "Approver", "isDefaultRecipientsEnabled": False},
    ]  # fmt: skip
    changed = arm.patch(
        f"{policy}?api-version=2020-10-01-preview", arm.owner, {"properties": {"rules": given}}
    )
    assert changed.status_code == 200, changed.text
    properties = changed.json()["properties"]
    assert set(properties) == {
        "scope", "isOrganizationDefault", "lastModifiedDateTime", "lastModifiedBy", "rules", "effectiveRules",
        "policyProperties",
    }  # fmt: skip
    assert [one for one in properties["rules"] if one["id"] in {each["id"] for each in given}] == [
        {name: each[name] for name in one}
        for one in properties["rules"]
        for each in given
        if each["id"] == one["id"]
    ]
