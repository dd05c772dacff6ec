"""Role management policies and policy assignments by azure-mgmt-authorization: one for each role and place, changed rule
by rule, in force at the next request."""

from __future__ import annotations

from tests.conformance.arm_client import (
    CONTRIBUTOR,
    MAJOR,
    OWNER,
    READER,
    model,
    refused,
    role_id,
)

RULES = {
    "Enablement_Admin_Eligibility", "Expiration_Admin_Eligibility", "Enablement_Admin_Assignment",
    "Expiration_Admin_Assignment", "Approval_EndUser_Assignment", "AuthenticationContext_EndUser_Assignment",
    "Enablement_EndUser_Assignment", "Expiration_EndUser_Assignment",
    *(f"Notification_{who}_{level}" for who in ("Admin", "Requestor", "Approver")
      for level in ("Admin_Eligibility", "Admin_Assignment", "EndUser_Assignment")),
}  # fmt: skip


def rule(policy, name):
    (found,) = [each for each in policy.rules if each.id == name]
    return found


def test_the_policy_of_a_role(field):
    policy = field.policy(field.subscription, OWNER)
    assert (policy.scope, policy.policy_properties.scope.type) == (field.subscription, "subscription")
    assert {each.id for each in policy.rules} == {each.id for each in policy.effective_rules} == RULES
    by_type = {type(each).__name__ for each in policy.rules}
    assert by_type == {
        f"RoleManagementPolicy{each}Rule"
        for each in ("Approval", "AuthenticationContext", "Enablement", "Expiration", "Notification")
    }
    activation = rule(policy, "Expiration_EndUser_Assignment")
    assert (activation.maximum_duration, activation.is_expiration_required) == ("PT8H", True)
    assert (activation.target.caller, activation.target.level, activation.target.operations) == (
        "EndUser",
        "Assignment",
        ["All"],
    )
    assert rule(policy, "Enablement_EndUser_Assignment").enabled_rules == ["Justification"]
    assert rule(policy, "Approval_EndUser_Assignment").setting.is_approval_required is False
    assert rule(policy, "Notification_Admin_Admin_Eligibility").notification_level == "All"
    # Another place, another policy, and the same one each time it is asked for.
    assert field.policy(field.rg_a, OWNER).name != policy.name
    assert field.policy(field.subscription, OWNER).name == policy.name


def test_all_of_a_place_page_after_page(field):
    client = field.boss.client
    seen = []

    def look(response):
        seen.append(response.http_response.request.url)

    found = list(client.role_management_policies.list_for_scope(field.subscription, raw_response_hook=look))
    assert len(found) > 900
    assert len({each.name for each in found}) == len(found)
    assert len(seen) > 1
    assert all(url.startswith(field.server.arm_origin) for url in seen)
    assignments = list(client.role_management_policy_assignments.list_for_scope(field.subscription))
    assert {each.policy_id for each in assignments} == {each.id for each in found}


def test_a_policy_assignment(field):
    client = field.boss.client.role_management_policy_assignments
    wanted = role_id(field.subscription, CONTRIBUTOR)
    (found,) = client.list_for_scope(
        field.subscription, params={"$filter": f"roleDefinitionId eq '{wanted}'"}
    )
    assert found.role_definition_id == wanted
    assert found.name == f"{found.policy_id.rsplit('/', 1)[-1]}_{CONTRIBUTOR}"
    assert {each.id for each in found.effective_rules} == RULES
    shown = found.policy_assignment_properties
    assert (shown.role_definition.display_name, shown.scope.type) == ("Contributor", "subscription")
    assert client.get(field.subscription, found.name).id == found.id
    body = model(
        "RoleManagementPolicyAssignment",
        scope=field.subscription,
        role_definition_id=wanted,
        policy_id=found.policy_id,
    )
    assert client.create(field.subscription, found.name, body).id == found.id
    with refused("InputPolicyNotFound", 404):
        client.get(field.subscription, f"{found.policy_id.rsplit('/', 1)[-1]}_{OWNER}")


def test_change_and_reset(field):
    client = field.boss.client.role_management_policies
    changed = field.set_rules(
        field.rg_b,
        READER,
        model(
            "RoleManagementPolicyExpirationRule",
            id="Expiration_EndUser_Assignment",
            is_expiration_required=True,
            maximum_duration="PT30M",
            target=model("RoleManagementPolicyRuleTarget", caller="EndUser", operations=["All"], level="Assignment"),
        ),
        model(
            "RoleManagementPolicyEnablementRule",
            id="Enablement_EndUser_Assignment",
            enabled_rules=["Justification", "Ticketing"],
        ),
        model(
            "RoleManagementPolicyNotificationRule",
            id="Notification_Requestor_EndUser_Assignment",
            notification_type="Email",
            notification_level="Critical",
            recipient_type="Requestor",
            notification_recipients=["pim@example.com"],
            is_default_recipients_enabled=False,
        ),
    )  # fmt: skip
    assert {each.id for each in changed.rules} == RULES
    assert rule(changed, "Expiration_EndUser_Assignment").maximum_duration == "PT30M"
    assert set(rule(changed, "Enablement_EndUser_Assignment").enabled_rules) == {"Justification", "Ticketing"}
    mail = rule(changed, "Notification_Requestor_EndUser_Assignment")
    assert (mail.notification_recipients, mail.notification_level) == (["pim@example.com"], "Critical")
    assert changed.last_modified_by.display_name == field.boss.person.name
    again = client.get(field.rg_b, changed.name)
    assert rule(again, "Expiration_EndUser_Assignment").maximum_duration == "PT30M"
    # What was read can be written back as it is.
    assert {each.id for each in client.update(field.rg_b, changed.name, again).rules} == RULES
    me = field.desk("helene")
    field.eligible(me.id, field.rg_b)
    with refused("RoleAssignmentRequestPolicyValidationFailed", message='"ExpirationRule","TicketingRule"'):
        me.activate(field.rg_b)
    with refused("AuthorizationFailed", 403):
        me.client.role_management_policies.update(field.rg_b, changed.name, again)
    ticket = model(
        "RoleAssignmentScheduleRequestPropertiesTicketInfo", ticket_number="CHG-2", ticket_system="Changes"
    )
    assert me.activate(field.rg_b, hours=0.5, ticket_info=ticket).status == "Provisioned"
    me.deactivate(field.rg_b)
    client.delete(field.rg_b, changed.name)
    reset = client.get(field.rg_b, changed.name)
    assert rule(reset, "Expiration_EndUser_Assignment").maximum_duration == "PT8H"


def test_the_stricter_of_two_places_counts(field):
    """Eligible above, activated below: both policies are asked."""
    me = field.desk("helene")
    field.eligible(me.id, field.subscription, CONTRIBUTOR)
    longest = model(
        "RoleManagementPolicyExpirationRule",
        id="Expiration_EndUser_Assignment",
        is_expiration_required=True,
        maximum_duration="PT1H",
    )
    field.set_rules(field.subscription, CONTRIBUTOR, longest)
    with refused("RoleAssignmentRequestPolicyValidationFailed", message="ExpirationRule"):
        me.activate(field.rg_a, CONTRIBUTOR, hours=2)
    assert me.activate(field.rg_a, CONTRIBUTOR, hours=1).status == "Provisioned"
    me.deactivate(field.rg_a, CONTRIBUTOR)


def test_what_is_refused(field):
    policy = field.policy(field.rg_b, OWNER)
    client = field.boss.client.role_management_policies
    nobody = model(
        "RoleManagementPolicyApprovalRule",
        id="Approval_EndUser_Assignment",
        setting=model(
            "ApprovalSettings",
            is_approval_required=True,
            approval_mode="SingleStage",
            approval_stages=[
                model(
                    "ApprovalStage",
                    approval_stage_time_out_in_days=1,
                    primary_approvers=[model("UserSet", user_type="User", id="not-an-id")],
                )
            ],
        ),
    )
    with refused("InvalidPolicy"):
        client.update(field.rg_b, policy.name, model("RoleManagementPolicy", rules=[nobody]))
    with refused("InputPolicyNotFound", 404):
        client.get(field.rg_b, "00000000-0000-0000-0000-000000000001")
    for wrong in ("PT25H", "eight hours"):
        rule_ = model(
            "RoleManagementPolicyExpirationRule",
            id="Expiration_EndUser_Assignment",
            is_expiration_required=True,
            maximum_duration=wrong,
        )
        with refused("InvalidPolicy"):
            client.update(field.rg_b, policy.name, model("RoleManagementPolicy", rules=[rule_]))


def test_the_rule_that_only_the_newer_major_knows(field):
    if MAJOR == 4:
        return  # its policies have no such rule
    policy = field.policy(field.rg_b, OWNER)
    off = model(
        "RoleManagementPolicyPimOnlyModeRule",
        id="PimOnlyMode_Admin_Assignment",
        pim_only_mode_settings=model("PIMOnlyModeSettings", mode="Disabled"),
    )
    body = model("RoleManagementPolicy", rules=[off])
    assert (
        field.boss.client.role_management_policies.update(field.rg_b, policy.name, body).name == policy.name
    )
