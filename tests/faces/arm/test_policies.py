"""Role settings through the resource manager's face: seventeen rules, in and out, for each role at each place."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.faces.arm.client import AUTH, CONTRIBUTOR, READER, UAA, error

# As recorded from an untouched role (there, permanent eligibility was allowed and half a year the longest).
RULES = [
    "Enablement_Admin_Eligibility", "Expiration_Admin_Eligibility", "Notification_Admin_Admin_Eligibility",
    "Notification_Requestor_Admin_Eligibility", "Notification_Approver_Admin_Eligibility",
    "Enablement_Admin_Assignment", "Expiration_Admin_Assignment", "Notification_Admin_Admin_Assignment",
    "Notification_Requestor_Admin_Assignment", "Notification_Approver_Admin_Assignment",
    "Approval_EndUser_Assignment", "AuthenticationContext_EndUser_Assignment", "Enablement_EndUser_Assignment",
    "Expiration_EndUser_Assignment", "Notification_Admin_EndUser_Assignment",
    "Notification_Requestor_EndUser_Assignment", "Notification_Approver_EndUser_Assignment",
]  # fmt: skip


def one(arm, scope, role=READER, who=None):
    path = f"{scope}/{AUTH}/roleManagementPolicies?$filter=roleDefinitionId eq '{scope}/{AUTH}/roleDefinitions/{role}'"
    (found,) = arm.rows(path, who or arm.owner)
    return found


def rule(policy, name):
    return next(each for each in policy["properties"]["rules"] if each["id"] == name)


def test_the_default_rules(arm):
    arm.eligible(arm.world.bob, READER, arm.web)
    policy = one(arm, arm.prod, who=arm.world.bob)
    found = policy["properties"]
    assert {each["id"] for each in found["rules"]} == set(RULES)
    assert found["effectiveRules"] == found["rules"]
    assert found["scope"] == arm.prod
    assert found["policyProperties"]["scope"] == {
        "id": arm.prod,
        "displayName": "Production",
        "type": "subscription",
    }
    assert policy["id"] == f"{arm.prod}/{AUTH}/roleManagementPolicies/{policy['name']}"
    assert rule(policy, "Expiration_EndUser_Assignment") == {
        "isExpirationRequired": True,
        "maximumDuration": "PT8H",
        "id": "Expiration_EndUser_Assignment",
        "ruleType": "RoleManagementPolicyExpirationRule",
        "target": {"caller": "EndUser", "operations": ["All"], "level": "Assignment"},
    }
    assert rule(policy, "Approval_EndUser_Assignment") == {
        "setting": {
            "isApprovalRequired": False,
            "isApprovalRequiredForExtension": False,
            "isRequestorJustificationRequired": True,
            "approvalMode": "SingleStage",
            "approvalStages": [
                {
                    "approvalStageTimeOutInDays": 1,
                    "isApproverJustificationRequired": True,
                    "escalationTimeInMinutes": 0,
                    "isEscalationEnabled": False,
                }
            ],
        },
        "id": "Approval_EndUser_Assignment",
        "ruleType": "RoleManagementPolicyApprovalRule",
        "target": {"caller": "EndUser", "operations": ["All"], "level": "Assignment"},
    }
    assert rule(policy, "AuthenticationContext_EndUser_Assignment") == {
        "isEnabled": False,
        "id": "AuthenticationContext_EndUser_Assignment",
        "ruleType": "RoleManagementPolicyAuthenticationContextRule",
        "target": {"caller": "EndUser", "operations": ["All"], "level": "Assignment"},
    }
    assert rule(policy, "Notification_Admin_Admin_Eligibility") == {
        "notificationType": "Email",
        "recipientType": "Admin",
        "isDefaultRecipientsEnabled": True,
        "notificationLevel": "All",
        "id": "Notification_Admin_Admin_Eligibility",
        "ruleType": "RoleManagementPolicyNotificationRule",
        "target": {"caller": "Admin", "operations": ["All"], "level": "Eligibility"},
    }
    assert rule(policy, "Enablement_EndUser_Assignment")["enabledRules"] == ["Justification"]


def test_the_assignment_leads_to_the_policy(arm):
    path = f"{arm.prod}/{AUTH}/roleManagementPolicyAssignments?$filter=roleDefinitionId eq '{READER}'"
    arm.eligible(arm.world.bob, READER, arm.prod)
    (found,) = arm.rows(path, arm.world.bob)
    policy = one(arm, arm.prod)
    assert found["properties"]["policyId"] == policy["id"]
    assert found["name"] == f"{policy['name']}_{READER}"
    assert found["properties"]["policyAssignmentProperties"]["roleDefinition"]["displayName"] == "Reader"
    assert len(found["properties"]["effectiveRules"]) == 17
    assert arm.ok(found["id"], arm.world.bob) == found
    assert arm.ok(f"{policy['id']}/?api-version=2020-10-01", arm.world.bob) == policy


def test_every_role_at_every_place_has_its_own(arm):
    assert one(arm, arm.prod)["name"] != one(arm, arm.web)["name"]
    assert one(arm, arm.prod)["name"] != one(arm, arm.prod, CONTRIBUTOR)["name"]
    assert one(arm, "")["properties"]["scope"] == "/"
    first = arm.ok(f"{arm.prod}/{AUTH}/roleManagementPolicyAssignments", arm.owner)
    assert len(first["value"]) == 100
    assert first["nextLink"]
    error(
        arm.get(f"/subscriptions/{arm.world.new_id()}/{AUTH}/roleManagementPolicies", arm.owner),
        404,
        "SubscriptionNotFound",
    )


def test_a_patch_merges_by_id(arm):
    before = one(arm, arm.prod)
    body = {
        "properties": {
            "rules": [
                {
                    "id": "Expiration_Admin_Eligibility",
                    "ruleType": "RoleManagementPolicyExpirationRule",
                    "isExpirationRequired": "false",
                    "maximumDuration": "P180D",
                    "target": {"caller": "Admin", "operations": ["All"], "level": "Eligibility"},
                },
                {
                    "id": "Notification_Approver_Admin_Eligibility",
                    "ruleType": "RoleManagementPolicyNotificationRule",
                    "notificationType": "Email",
                    "notificationLevel": "Critical",
                    "recipientType": "Approver",
                    "isDefaultRecipientsEnabled": False,
                },
                {
                    "id": "Approval_EndUser_Assignment",
                    "ruleType": "RoleManagementPolicyApprovalRule",
                    "setting": {
                        "isApprovalRequired": True,
                        "approvalStages": [{"primaryApprovers": [{"id": arm.owner, "userType": "User", "isBackup": False}]}],
                    },
                },
            ]
        }
    }  # fmt: skip
    error(arm.patch(before["id"], arm.world.bob, body), 403, "AuthorizationFailed")
    answer = arm.patch(before["id"], arm.owner, body)
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after == one(arm, arm.prod)
    assert not rule(after, "Expiration_Admin_Eligibility")["isExpirationRequired"]
    assert rule(after, "Notification_Approver_Admin_Eligibility")["notificationLevel"] == "Critical"
    (stage,) = rule(after, "Approval_EndUser_Assignment")["setting"]["approvalStages"]
    assert stage["primaryApprovers"] == [
        {"id": arm.owner, "description": "Olga", "isBackup": False, "userType": "User"}
    ]
    changed = {
        "Expiration_Admin_Eligibility",
        "Notification_Approver_Admin_Eligibility",
        "Approval_EndUser_Assignment",
    }
    for name in set(RULES) - changed:
        assert rule(after, name) == rule(before, name)
    assert after["properties"]["lastModifiedBy"]["displayName"] == "Olga"
    # What was read can be sent back.
    assert (
        arm.patch(before["id"], arm.owner, {"properties": {"rules": after["properties"]["rules"]}}).json()[
            "properties"
        ]["rules"]
        == after["properties"]["rules"]
    )
    # And reset.
    assert arm.delete(before["id"], arm.world.bob).status_code == 403
    assert arm.delete(before["id"], arm.owner).status_code == 200
    assert one(arm, arm.prod)["properties"]["rules"] == before["properties"]["rules"]


def test_the_assignment_is_confirmed_not_exchanged(arm):
    policy = one(arm, arm.prod)
    path = f"{arm.prod}/{AUTH}/roleManagementPolicyAssignments/{policy['name']}_{READER}"
    body = {
        "properties": {
            "policyId": policy["id"],
            "roleDefinitionId": f"{AUTH}/roleDefinitions/{READER}",
            "scope": arm.prod,
        }
    }
    error(arm.put(path, arm.world.bob, body), 403, "AuthorizationFailed")
    assert arm.put(path, arm.owner, body).status_code == 201
    other = {"properties": {**body["properties"], "policyId": one(arm, arm.web)["id"]}}
    error(arm.put(path, arm.owner, other), 400, "InvalidPolicy")
    assert arm.delete(path, arm.owner).status_code == 200


def test_an_administrator_of_one_place_changes_no_other(arm):
    bob = arm.world.bob
    arm.assigned(bob, UAA, arm.web)
    body = {"properties": {"rules": [{"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT1H"}]}}
    assert arm.patch(one(arm, arm.web)["id"], bob, body).status_code == 200
    name = one(arm, arm.prod)["name"]
    error(
        arm.patch(f"{arm.prod}/{AUTH}/roleManagementPolicies/{name}", bob, body), 403, "AuthorizationFailed"
    )
    # Nor under a path where he may.
    error(arm.patch(f"{arm.web}/{AUTH}/roleManagementPolicies/{name}", bob, body), 404, "InputPolicyNotFound")
    arm.policy(READER, arm.prod, eligibility_requires=frozenset())
    error(arm.patch(f"{arm.web}/{AUTH}/roleManagementPolicies/{name}", bob, body), 404, "InputPolicyNotFound")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "Nonsense"},
        {"id": "Expiration_EndUser_Assignment", "maximumDuration": "forever"},
        {"id": "Expiration_EndUser_Assignment", "maximumDuration": "P2D"},
        {"id": "Enablement_EndUser_Assignment", "enabledRules": ["Magic"]},
        {"id": "Enablement_EndUser_Assignment", "ruleType": "RoleManagementPolicyExpirationRule"},
        {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": True, "approvalStages": [{"primaryApprovers": [{"id": "x", "userType": "User"}]}]}},
        {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": True, "approvalStages": [{"primaryApprovers": [{"id": "x", "userType": "Martian"}]}]}},
        {"id": "RoleManagementPolicy_PimOnlyMode", "ruleType": "RoleManagementPolicyPimOnlyModeRule", "pimOnlyModeSettings": {"mode": "Enabled"}},
    ],
)  # fmt: skip
def test_what_a_rule_cannot_be(arm, change):
    policy = one(arm, arm.prod)
    error(
        arm.patch(policy["id"], arm.owner, {"properties": {"rules": [deepcopy(change)]}}),
        400,
        "InvalidPolicy",
    )
    assert one(arm, arm.prod) == policy
