"""Graph's errors: the words clients match on, and the two envelopes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from openpim.wire import graph_errors
from openpim.wire.graph_errors import ERRORS, error_body, read_error, wrapped_error_body

DATE = datetime(2024, 5, 3, 9, 12, 44, 999, UTC)


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("RoleAssignmentExists", 400, "The Role assignment already exists."),
        ("RoleAssignmentDoesNotExist", 400, "The Role assignment does not exist."),
        (
            "ActiveDurationTooShort",
            400,
            "The Active duration is too short. Miniumum Required is 5 minutes.",
        ),
        ("InvalidRoleAssignmentRequest", 400, "The role assignment request is invalid."),
        ("MissingProvider", 400, "The provider is missing."),
        ("InvalidPolicy", 400, "The policy is invalid."),
        ("InvalidPolicyRule", 400, "The policy rule is invalid."),
        ("InvalidAuthenticationToken", 401, "Access token is empty."),
        ("Authorization_RequestDenied", 403, "Insufficient privileges to complete the operation."),
        ("", 500, "An error has occurred."),
    ],
)
def test_the_words_that_clients_match(code: str, status: int, message: str) -> None:
    assert ERRORS[code] == (code, status, message, True)


def test_the_table_is_whole() -> None:
    assert all(row.message and 400 <= row.status <= 599 for row in ERRORS.values())
    assert len(ERRORS) == len(graph_errors._ROWS)


def test_messages_that_carry_something() -> None:
    assert graph_errors.policy_rules_message(["MfaRule"]) == 'The following policy rules failed: ["MfaRule"]'
    assert (
        graph_errors.policy_rules_message(["ExpirationRule", "MfaRule"])
        == 'The following policy rules failed: ["ExpirationRule","MfaRule"]'
    )
    assert (
        graph_errors.missing_scope_message(["A.Read.Directory", "B.Read.Directory"])
        == "Authorization failed due to missing permission scope A.Read.Directory,B.Read.Directory."
    )
    assert graph_errors.no_segment_message("x") == "Resource not found for the segment 'x'."
    assert graph_errors.not_found_message("1").startswith("Resource '1' does not exist or one of")
    assert graph_errors.missing_permission_message(["A", "B"]).endswith("for this action : A,B")


@pytest.mark.parametrize(
    ("message", "rules"),
    [
        ('The following policy rules failed: ["MfaRule"]', ("MfaRule",)),
        ('The following policy rules failed: ["ExpirationRule", "MfaRule"]', ("ExpirationRule", "MfaRule")),
        (
            "The following policy rules failed: ExpirationRule - The policy does not allow permanent assignment",
            ("ExpirationRule",),
        ),
        ("The policy rule is invalid.", ()),
        ("", ()),
    ],
)
def test_a_client_reads_the_failed_rules(message: str, rules: tuple[str, ...]) -> None:
    assert graph_errors.failed_rules(message) == rules


def test_the_envelope() -> None:
    body = error_body("RoleAssignmentExists", "m", "r", "c", DATE)
    assert json.dumps(body) == json.dumps(
        {
            "error": {
                "code": "RoleAssignmentExists",
                "message": "m",
                "innerError": {"date": "2024-05-03T09:12:44", "request-id": "r", "client-request-id": "c"},
            }
        }
    )


def test_the_envelope_may_say_more() -> None:
    body = error_body(
        "X",
        "m",
        "r",
        "c",
        DATE,
        details=[{"code": "MfaRule"}],
        inner={"failedRules": ["MfaRule"], "date": "no"},
    )
    assert list(body["error"]) == ["code", "message", "details", "innerError"]
    assert body["error"]["innerError"]["failedRules"] == ["MfaRule"]
    assert body["error"]["innerError"]["date"] == "2024-05-03T09:12:44"


def test_the_wrapped_envelope_is_the_captured_one() -> None:
    body = wrapped_error_body(
        "PermissionScopeNotGranted", "Authorization failed …", "r", "c", DATE, inner={"a": 1}
    )
    assert body["error"]["code"] == "UnknownError"
    assert body["error"]["message"] == (
        '{"errorCode":"PermissionScopeNotGranted","message":"Authorization failed …","instanceAnnotations":[]}'
    )
    assert body["error"]["innerError"]["a"] == 1


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (error_body("A", "m", "r", "c", DATE), ("A", "m")),
        (wrapped_error_body("A", 'quoted "m"', "r", "c", DATE), ("A", 'quoted "m"')),
        ({"error": {"code": "UnknownError", "message": "{not json"}}, ("UnknownError", "{not json")),
        ({"error": {"code": "UnknownError", "message": "{}"}}, ("UnknownError", "{}")),
        ({"error": {"code": "UnknownError", "message": '{"errorCode":5}'}}, ("", "")),
        ({"error": {"code": None}}, ("", "")),
        ({"error": "x"}, ("", "")),
        ({}, ("", "")),
        (None, ("", "")),
    ],
)
def test_a_client_reads_both(body: object, found: tuple[str, str]) -> None:
    assert read_error(body) == found
