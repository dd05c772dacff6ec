"""The closed sets: complete, spelt right, and found in any case."""

from __future__ import annotations

import pytest

from openpim.wire import enums
from openpim.wire.enums import Action, EnabledRule, ExpirationType, RequestStatus, lookup


def test_nine_actions() -> None:
    assert len(Action) == 9
    assert {*enums.SELF_ACTIONS, *enums.ADMIN_ACTIONS} == set(Action)
    assert all(action.startswith("admin") for action in enums.ADMIN_ACTIONS)
    assert all(action.startswith("self") for action in enums.SELF_ACTIONS)


def test_the_documented_statuses_and_two_more() -> None:
    assert len(RequestStatus) == 13
    assert set(enums.CANCELLABLE_STATUSES) == {
        "Granted", "PendingApproval", "PendingApprovalProvisioning", "PendingAdminDecision",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (Action, "AdminAssign", Action.ADMIN_ASSIGN),
        (Action, "selfactivate", Action.SELF_ACTIVATE),
        (Action, "ADMINREMOVE", Action.ADMIN_REMOVE),
        (Action, "", None),
        (Action, "adminAssign ", None),
        (ExpirationType, "AfterDuration", ExpirationType.AFTER_DURATION),
        (ExpirationType, "NoExpiration", ExpirationType.NO_EXPIRATION),
        (RequestStatus, "pendingapproval", RequestStatus.PENDING_APPROVAL),
        (EnabledRule, "multifactorauthentication", EnabledRule.MULTI_FACTOR_AUTHENTICATION),
        (EnabledRule, "Expiration", None),
    ],
)
def test_looks_up_in_any_case(words: type[enums.StrEnum], text: str, found: object) -> None:
    assert lookup(words, text) is found


def test_seventeen_rules() -> None:
    assert len(enums.RULES) == len(enums.RULES_BY_ID) == 17
    assert [rule.id for rule in enums.RULES][:3] == [
        "Expiration_Admin_Eligibility",
        "Enablement_Admin_Eligibility",
        "Notification_Admin_Admin_Eligibility",
    ]
    for rule in enums.RULES:
        assert rule.id.endswith(f"_{rule.caller}_{rule.level}")
        assert rule.odata_type == f"#microsoft.graph.unifiedRoleManagementPolicy{rule.id.split('_')[0]}Rule"
        assert (rule.recipient is not None) == rule.id.startswith("Notification_")
        assert enums.rule(rule.id.upper()) is rule
    assert enums.rule("Expiration_EndUser_Eligibility") is None


def test_recognises_the_type_of_a_rule() -> None:
    rule = enums.RULES_BY_ID["Approval_EndUser_Assignment"]
    assert enums.is_rule_type(rule, "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule")
    assert enums.is_rule_type(rule, "microsoft.graph.UnifiedRoleManagementPolicyApprovalRule")
    assert not enums.is_rule_type(rule, "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule")
