"""Role settings through msgraph-sdk: listing with expand, PATCH of every type of rule, PATCH of a whole policy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.approval_settings import ApprovalSettings
from msgraph.generated.models.group_members import GroupMembers
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.single_user import SingleUser
from msgraph.generated.models.unified_approval_stage import UnifiedApprovalStage
from msgraph.generated.models.unified_role_management_policy import UnifiedRoleManagementPolicy
from msgraph.generated.models.unified_role_management_policy_approval_rule import (
    UnifiedRoleManagementPolicyApprovalRule,
)
from msgraph.generated.models.unified_role_management_policy_authentication_context_rule import (
    UnifiedRoleManagementPolicyAuthenticationContextRule,
)
from msgraph.generated.models.unified_role_management_policy_enablement_rule import (
    UnifiedRoleManagementPolicyEnablementRule,
)
from msgraph.generated.models.unified_role_management_policy_expiration_rule import (
    UnifiedRoleManagementPolicyExpirationRule,
)
from msgraph.generated.models.unified_role_management_policy_notification_rule import (
    UnifiedRoleManagementPolicyNotificationRule,
)
from msgraph.generated.models.unified_role_management_policy_rule_target import (
    UnifiedRoleManagementPolicyRuleTarget,
)
from msgraph.generated.policies.role_management_policies.item.unified_role_management_policy_item_request_builder import (
    UnifiedRoleManagementPolicyItemRequestBuilder as OnePolicy,
)
from msgraph.generated.policies.role_management_policies.role_management_policies_request_builder import (
    RoleManagementPoliciesRequestBuilder as Policies,
)
from msgraph.generated.policies.role_management_policy_assignments.role_management_policy_assignments_request_builder import (
    RoleManagementPolicyAssignmentsRequestBuilder as Assignments,
)

from tests.conformance.graph_client import Seat

REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"


def target(caller, level):
    return UnifiedRoleManagementPolicyRuleTarget(caller=caller, operations=["All"], level=level)


@pytest.fixture
def seat(server, browsers, regulars):
    return Seat(server, browsers, regulars("emergency1"))


async def policy_of(graph, role_id, scope_type="DirectoryRole"):
    asked = Assignments.RoleManagementPolicyAssignmentsRequestBuilderGetQueryParameters(
        filter=f"scopeId eq '/' and scopeType eq '{scope_type}' and roleDefinitionId eq '{role_id}'",
        expand=["policy($expand=rules)"],
    )
    found = await graph.policies.role_management_policy_assignments.get(
        RequestConfiguration(query_parameters=asked)
    )
    (one,) = found.value
    return one


@pytest.mark.parametrize("scope_type", ["DirectoryRole", "Directory"])
def test_policies_and_assignments_are_listed_with_their_rules(seat, scope_type):
    async def story(graph):
        asked = Policies.RoleManagementPoliciesRequestBuilderGetQueryParameters(
            filter=f"scopeId eq '/' and scopeType eq '{scope_type}'"
        )
        found = await graph.policies.role_management_policies.get(
            RequestConfiguration(query_parameters=asked)
        )
        assert len(found.value) >= 145
        assert {each.scope_type for each in found.value} == {scope_type}
        one = await policy_of(graph, REPORTS_READER, scope_type)
        assert one.id == f"{one.policy_id}_{REPORTS_READER}"
        assert len({type(rule) for rule in one.policy.rules}) == 5
        by_id = graph.policies.role_management_policies.by_unified_role_management_policy_id(one.policy_id)
        expand = OnePolicy.UnifiedRoleManagementPolicyItemRequestBuilderGetQueryParameters(
            expand=["rules", "effectiveRules"]
        )
        whole = await by_id.get(RequestConfiguration(query_parameters=expand))
        assert len(whole.rules) == len(whole.effective_rules) == 17
        rules = await by_id.rules.get()
        assert {each.id for each in rules.value} == {each.id for each in whole.rules}
        assignment = await graph.policies.role_management_policy_assignments.by_unified_role_management_policy_assignment_id(
            one.id
        ).get()
        assert assignment.role_definition_id == REPORTS_READER

    seat.do(story)


def test_every_type_of_rule_is_patched(seat, server):
    end_user, admin = ("EndUser", "Assignment"), ("Admin", "Eligibility")
    approver, group_id = server.people["ravi"], None
    context = ApprovalSettings(
        is_approval_required=True,
        is_approval_required_for_extension=False,
        is_requestor_justification_required=True,
        approval_mode="SingleStage",
        approval_stages=[
            UnifiedApprovalStage(
                approval_stage_time_out_in_days=1,
                is_approver_justification_required=True,
                escalation_time_in_minutes=0,
                is_escalation_enabled=False,
                primary_approvers=[SingleUser(user_id=approver.id, odata_type="#microsoft.graph.singleUser")],
                escalation_approvers=[],
            )
        ],
    )

    async def story(graph):
        groups = await graph.groups.get()
        group_id = next(each.id for each in groups.value if each.display_name == "Identity Team")
        context.approval_stages[0].primary_approvers.append(
            GroupMembers(group_id=group_id, odata_type="#microsoft.graph.groupMembers")
        )
        changes = [
            UnifiedRoleManagementPolicyExpirationRule(
                id="Expiration_EndUser_Assignment",
                is_expiration_required=True,
                maximum_duration=timedelta(hours=5, minutes=30),
                target=target(*end_user),
            ),
            UnifiedRoleManagementPolicyExpirationRule(
                id="Expiration_Admin_Eligibility",
                is_expiration_required=True,
                maximum_duration=timedelta(days=90),
                target=target(*admin),
            ),
            UnifiedRoleManagementPolicyEnablementRule(
                id="Enablement_EndUser_Assignment",
                enabled_rules=["Justification", "MultiFactorAuthentication", "Ticketing"],
                target=target(*end_user),
            ),
            UnifiedRoleManagementPolicyApprovalRule(
                id="Approval_EndUser_Assignment", setting=context, target=target(*end_user)
            ),
            UnifiedRoleManagementPolicyNotificationRule(
                id="Notification_Admin_Admin_Eligibility",
                notification_type="Email",
                recipient_type="Admin",
                notification_level="Critical",
                is_default_recipients_enabled=False,
                notification_recipients=["audit@tidewater.example"],
                target=target(*admin),
            ),
        ]
        for change in changes:
            one = await policy_of(graph, REPORTS_READER)  # its id may change with each modification
            rules = graph.policies.role_management_policies.by_unified_role_management_policy_id(
                one.policy_id
            ).rules
            await rules.by_unified_role_management_policy_rule_id(change.id).patch(change)
        now = {rule.id: rule for rule in (await policy_of(graph, REPORTS_READER)).policy.rules}
        assert now["Expiration_EndUser_Assignment"].maximum_duration == timedelta(hours=5, minutes=30)
        assert now["Expiration_Admin_Eligibility"].maximum_duration == timedelta(days=90)
        assert now["Expiration_Admin_Eligibility"].is_expiration_required
        assert set(now["Enablement_EndUser_Assignment"].enabled_rules) == {
            "Justification",
            "MultiFactorAuthentication",
            "Ticketing",
        }
        setting = now["Approval_EndUser_Assignment"].setting
        assert setting.is_approval_required
        approvers = setting.approval_stages[0].primary_approvers
        assert {type(each) for each in approvers} == {SingleUser, GroupMembers}
        assert {each.user_id for each in approvers if isinstance(each, SingleUser)} == {approver.id}
        mail = now["Notification_Admin_Admin_Eligibility"]
        assert mail.notification_recipients == ["audit@tidewater.example"]
        assert mail.notification_level == "Critical"

    seat.do(story)
    assert group_id is None


def test_the_authentication_context_excludes_mfa(seat):
    async def story(graph):
        one = await policy_of(graph, "0964bb5e-9bdb-4d7b-ac29-58e794862a40")  # Search Administrator
        rules = graph.policies.role_management_policies.by_unified_role_management_policy_id(
            one.policy_id
        ).rules
        plain = UnifiedRoleManagementPolicyEnablementRule(
            id="Enablement_EndUser_Assignment",
            enabled_rules=["Justification"],
            target=target("EndUser", "Assignment"),
        )
        await rules.by_unified_role_management_policy_rule_id(plain.id).patch(plain)
        context = UnifiedRoleManagementPolicyAuthenticationContextRule(
            id="AuthenticationContext_EndUser_Assignment",
            is_enabled=True,
            claim_value="c1",
            target=target("EndUser", "Assignment"),
        )
        one = await policy_of(graph, one.role_definition_id)
        rules = graph.policies.role_management_policies.by_unified_role_management_policy_id(
            one.policy_id
        ).rules
        await rules.by_unified_role_management_policy_rule_id(context.id).patch(context)
        now = {rule.id: rule for rule in (await policy_of(graph, one.role_definition_id)).policy.rules}
        assert now[context.id].is_enabled
        assert now[context.id].claim_value == "c1"

    seat.do(story)


def test_a_whole_policy_is_patched(seat):
    """As infrastructure-as-code tools do: read all rules, change some, send all."""

    async def story(graph):
        one = await policy_of(graph, "ac16e43d-7b2d-40e0-ac05-243ff356ab5b")  # Message Center Privacy Reader
        rules = one.policy.rules
        for rule in rules:
            if rule.id == "Expiration_EndUser_Assignment":
                rule.maximum_duration = timedelta(hours=3)
        by_id = graph.policies.role_management_policies.by_unified_role_management_policy_id(one.policy_id)
        await by_id.patch(UnifiedRoleManagementPolicy(rules=rules))
        again = await policy_of(graph, one.role_definition_id)
        now = {rule.id: rule for rule in again.policy.rules}
        assert len(now) == 17
        assert now["Expiration_EndUser_Assignment"].maximum_duration == timedelta(hours=3)

    seat.do(story)


def test_who_may_not_is_told(server, browsers, regulars):
    async def story(graph):
        one = await policy_of(graph, REPORTS_READER)
        rules = graph.policies.role_management_policies.by_unified_role_management_policy_id(
            one.policy_id
        ).rules
        change = UnifiedRoleManagementPolicyEnablementRule(
            id="Enablement_EndUser_Assignment", enabled_rules=[], target=target("EndUser", "Assignment")
        )
        with pytest.raises(ODataError) as refused:
            await rules.by_unified_role_management_policy_rule_id(change.id).patch(change)
        assert refused.value.response_status_code == 403
        with pytest.raises(ODataError) as unknown:
            await rules.by_unified_role_management_policy_rule_id("Expiration_Nobody_Ever").get()
        assert unknown.value.response_status_code in {400, 404}

    Seat(server, browsers, regulars("samir")).do(story)
