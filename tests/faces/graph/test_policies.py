"""Role settings through the face: the seventeen rules in both directions, and what must be refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openpim.core.grants import Duration
from openpim.core.policy import (
    ApprovalSettings,
    Expiry,
    Level,
    Notification,
    Requirement,
    Reviewers,
    Stage,
    default_directory_policy,
)
from openpim.faces.shared import policy_changes, policy_rules
from openpim.wire.jsonbody import BodyError, read_object
from tests.faces.graph.client import ORIGIN, Graph, wrapped
from tests.world import GA, TEAMS

POLICIES = "/policies/roleManagementPolicies"
ASSIGNMENTS = "/policies/roleManagementPolicyAssignments"
SCOPE = "scopeId eq '/' and scopeType eq '{}'"
DEFAULTS = json.loads(Path(__file__).with_name("default_rules.json").read_text())


def policy_of(graph: Graph, role: str = TEAMS, kind: str = "DirectoryRole") -> str:
    where = f"{SCOPE.format(kind)} and roleDefinitionId eq '{role}'"
    rows = graph.rows(f"{ASSIGNMENTS}?$filter={where}&$select=policyId", graph.world.pra)
    assert list(rows[0]) == ["policyId"]
    return str(rows[0]["policyId"])


def body(**members: Any) -> Any:
    return read_object(json.dumps(members).encode())


# ---------------------------------------------------------------- the translation alone


def test_an_untouched_policy_is_the_documented_one() -> None:
    policy = default_directory_policy("00000000-0000-4000-8000-000000000001", TEAMS)
    found = policy_rules.rules(policy, {})
    assert found == DEFAULTS
    assert [list(rule) for rule in found] == [list(rule) for rule in DEFAULTS]


def test_what_goes_out_comes_back_the_same() -> None:
    policy = default_directory_policy("00000000-0000-4000-8000-000000000001", TEAMS)
    user, group = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
    rich = replace(
        policy,
        activation=Expiry(required=True, maximum=Duration("PT1H45M", 0, 6300)),
        eligibility=Expiry(required=True, maximum=Duration("P6M", 6, 0)),
        activation_requires=frozenset(Requirement),
        context="c7",
        approval=ApprovalSettings(
            required=True,
            required_for_extension=True,
            requestor_justification_required=False,
            stages=(
                Stage(90, False, Reviewers((user,), (group,)), Reviewers((), (group,)), 30, 2),
                Stage(2880, True, Reviewers((user,)), Reviewers(), 0, 1),
            ),
        ),
        notifications={
            **policy.notifications,
            "Admin_EndUser_Assignment": Notification(Level.CRITICAL, False, ("a@b.c",)),
        },
    )
    sent = read_object(json.dumps({"rules": policy_rules.rules(rich, {})}).encode())
    assert policy_changes.read_policy(sent)(policy) == rich


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        ("id", {"id": "Expiration_Nobody"}),
        ("id", {"isExpirationRequired": True}),
        ("@odata.type", {"id": "Expiration_Admin_Eligibility", "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule"}),
        ("maximumDuration", {"id": "Expiration_Admin_Eligibility", "maximumDuration": "soon"}),
        ("maximumDuration", {"id": "Expiration_Admin_Eligibility", "maximumDuration": "P999999999Y"}),
        ("maximumDuration", {"id": "Expiration_Admin_Eligibility", "maximumDuration": 8}),
        ("isExpirationRequired", {"id": "Expiration_Admin_Eligibility", "isExpirationRequired": "maybe"}),
        ("enabledRules[0]", {"id": "Enablement_EndUser_Assignment", "enabledRules": ["Dance"]}),
        ("enabledRules", {"id": "Enablement_EndUser_Assignment", "enabledRules": None}),
        ("claimValue", {"id": "AuthenticationContext_EndUser_Assignment", "claimValue": "c100"}),
        ("notificationLevel", {"id": "Notification_Admin_EndUser_Assignment", "notificationLevel": "Some"}),
        ("notificationRecipients[0]", {"id": "Notification_Admin_EndUser_Assignment", "notificationRecipients": ["nobody"]}),
        ("target.caller", {"id": "Expiration_Admin_Eligibility", "target": {"caller": "EndUser"}}),
        ("setting.approvalStages[0].primaryApprovers[0].userId", {"id": "Approval_EndUser_Assignment", "setting": {"approvalStages": [{"primaryApprovers": [{"@odata.type": "#microsoft.graph.singleUser"}]}]}}),
        ("setting.approvalStages[0].approvalStageTimeOutInDays", {"id": "Approval_EndUser_Assignment", "setting": {"approvalStages": [{"approvalStageTimeOutInDays": 0}]}}),
        ("setting.approvalStages[0].openPim.quorum", {"id": "Approval_EndUser_Assignment", "setting": {"approvalStages": [{"openPim": {"quorum": 99}}]}}),
    ],
)  # fmt: skip
def test_the_member_at_fault_is_named(member: str, rule: dict[str, Any]) -> None:
    with pytest.raises(BodyError) as caught:
        policy_changes.read_rule(body(**rule))
    assert caught.value.member == member


# ---------------------------------------------------------------- through the face


def test_lists_need_a_provider(graph: Graph) -> None:
    for path in (
        POLICIES,
        ASSIGNMENTS,
        f"{POLICIES}?$filter=scopeId eq '/'",
        f"{POLICIES}?$filter=scopeType eq 'X' and scopeId eq '/'",
    ):
        wrapped(graph.get(path, graph.world.ann), 400, "MissingProvider")


@pytest.mark.parametrize("kind", ["DirectoryRole", "Directory"])
def test_both_names_of_the_scope_type(graph: Graph, kind: str) -> None:
    found = policy_of(graph, kind=kind)
    assert found.startswith(f"{kind}_{graph.world.tenant_id}_")
    one = graph.ok(f"{POLICIES}/{found}?$expand=effectiveRules,rules", graph.world.ann)
    assert one["@odata.context"].endswith(
        "#policies/roleManagementPolicies(effectiveRules(),rules())/$entity"
    )
    assert one["rules"] == one["effectiveRules"] == DEFAULTS
    assert one["scopeType"] == one["displayName"] == kind
    assignment = graph.ok(f"{ASSIGNMENTS}/{found}_{TEAMS}?$expand=policy($expand=rules)", graph.world.ann)
    assert assignment["policy"]["rules"] == DEFAULTS
    wrapped(graph.get(f"{ASSIGNMENTS}/{found}_{GA}", graph.world.ann), 404, "ResourceNotFound")


def test_lists_by_role_and_policy(graph: Graph) -> None:
    world = graph.world
    scope = SCOPE.format("DirectoryRole")
    both = graph.rows(
        f"{ASSIGNMENTS}?$filter={scope} and (roleDefinitionId eq '{TEAMS}' or roleDefinitionId eq '{GA}')&$expand=*",
        world.ann,
    )
    assert {row["roleDefinitionId"] for row in both} == {TEAMS, GA}
    assert all(row["policy"]["id"] == row["policyId"] for row in both)
    policy = policy_of(graph)
    one = graph.rows(f"{ASSIGNMENTS}?$filter={scope} and policyId eq '{policy}'", world.ann)
    assert [row["roleDefinitionId"] for row in one] == [TEAMS]
    everything = graph.ok(f"{POLICIES}?$filter={scope}&$expand=rules($select=id)&$count=true", world.ann)
    assert everything["@odata.count"] == len(everything["value"]) > 100


def test_rules_one_by_one(graph: Graph) -> None:
    world = graph.world
    address = f"{POLICIES}/{policy_of(graph)}"
    listed = graph.ok(f"{address}/rules", world.ann)
    assert listed["value"] == DEFAULTS
    assert (
        listed["@odata.context"]
        == f"{ORIGIN}/v1.0/$metadata#policies/roleManagementPolicies('{policy_of(graph)}')/rules"
    )
    rule = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule",
        "id": "Expiration_EndUser_Assignment",
        "isExpirationRequired": True,
        "maximumDuration": "PT1H45M",
        "target": {
            "@odata.type": "microsoft.graph.unifiedRoleManagementPolicyRuleTarget",
            "caller": "EndUser",
            "operations": ["All"],
            "level": "Assignment",
            "inheritableSettings": [],
            "enforcedSettings": [],
        },
    }
    one = f"{address}/rules/Expiration_EndUser_Assignment"
    wrapped(graph.patch(one, world.ann, rule), 403, "Authorization_RequestDenied")
    assert graph.patch(one, world.pra, rule).status_code == 204
    read = graph.ok(one, world.ann)
    assert read["maximumDuration"] == "PT1H45M"
    assert read["target"]["operations"] == ["all"]
    after = graph.ok(address, world.ann)
    assert after["lastModifiedBy"] == {"displayName": "Petra", "id": world.pra}
    assert after["lastModifiedDateTime"] is not None
    assert graph.patch(one, world.pra, {"maximumDuration": "2:30:00"}).status_code == 204
    assert graph.ok(one, world.ann)["maximumDuration"] == "PT2H30M"


def test_a_whole_policy_at_once(graph: Graph) -> None:
    world = graph.world
    address = f"{POLICIES}/{policy_of(graph)}"
    rules = [
        {"id": "Enablement_EndUser_Assignment", "enabledRules": ["justification", "TICKETING"]},
        {"id": "AuthenticationContext_EndUser_Assignment", "isEnabled": True, "claimValue": "c1"},
    ]
    answer = graph.patch(f"{address}?$expand=rules", world.pra, {"rules": rules})
    assert answer.status_code == 200, answer.text
    found = {rule["id"]: rule for rule in answer.json()["rules"]}
    assert found["Enablement_EndUser_Assignment"]["enabledRules"] == ["Justification", "Ticketing"]
    assert found["AuthenticationContext_EndUser_Assignment"]["claimValue"] == "c1"


def test_what_cannot_be_stored_is_refused_and_changes_nothing(graph: Graph) -> None:
    world = graph.world
    address = f"{POLICIES}/{policy_of(graph)}"
    mfa_and_context = {
        "rules": [{"id": "AuthenticationContext_EndUser_Assignment", "isEnabled": True, "claimValue": "c1"}]
    }
    wrapped(graph.patch(address, world.pra, mfa_and_context), 400, "MfaAndAcrsConflict")
    too_long = {"maximumDuration": "PT25H"}
    wrapped(
        graph.patch(f"{address}/rules/Expiration_EndUser_Assignment", world.pra, too_long),
        400,
        "InvalidPolicy",
    )
    stranger = {
        "setting": {
            "approvalStages": [{"primaryApprovers": [{"userId": "00000000-0000-4000-8000-0000000000ff"}]}]
        }
    }
    wrapped(
        graph.patch(f"{address}/rules/Approval_EndUser_Assignment", world.pra, stranger), 400, "InvalidPolicy"
    )
    half = {"rules": [{"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT1H"}, {"id": "Nope"}]}
    found = graph.patch(address, world.pra, half)
    wrapped(found, 400, "InvalidPolicyRule")
    assert found.json()["error"]["innerError"]["members"][0]["target"] == "rules[1].id"
    twice = {"rules": [{"id": "Expiration_EndUser_Assignment"}, {"id": "expiration_enduser_assignment"}]}
    wrapped(graph.patch(address, world.pra, twice), 400, "InvalidPolicyRule")
    wrapped(graph.patch(f"{address}/rules/Nope", world.pra, {}), 404, "InvalidPolicyRule")
    wrong_type = {"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule"}
    wrapped(
        graph.patch(f"{address}/rules/Expiration_EndUser_Assignment", world.pra, wrong_type),
        400,
        "InvalidPolicyRule",
    )
    assert graph.rows(f"{address}/rules", world.ann) == DEFAULTS


def test_unknown_policies(graph: Graph) -> None:
    world = graph.world
    tenant, other = world.tenant_id, "00000000-0000-4000-8000-0000000000ff"
    for key in (
        "x",
        f"DirectoryRole_{tenant}_{other}",
        f"DirectoryRole_{other}_{other}",
        f"Group_{tenant}_{other}",
    ):
        wrapped(graph.get(f"{POLICIES}/{key}", world.pra), 404, "ResourceNotFound")
