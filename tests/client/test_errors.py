"""Answers of the server become errors a person can act on."""

from __future__ import annotations

import base64
import json

import pytest

from openpim.client import claims
from openpim.client.errors import KINDS, graph_error


def body(code: str, message: str = "") -> dict:
    return {"error": {"code": code, "message": message, "innerError": {}}}


@pytest.mark.parametrize(
    ("status", "given", "kind"),
    [
        (400, body("RoleAssignmentDoesNotExist", "The Role assignment does not exist."), "missing"),
        (404, body("Request_ResourceNotFound"), "missing"),
        (404, None, "missing"),
        (
            400,
            body(
                "RoleAssignmentRequestPolicyValidationFailed",
                'The following policy rules failed: ["EligibilityRule"]',
            ),
            "missing",
        ),
        (
            400,
            body(
                "RoleAssignmentRequestPolicyValidationFailed",
                'The following policy rules failed: ["ExpirationRule"]',
            ),
            "policy",
        ),
        (400, body("ActiveDurationTooShort"), "policy"),
        (401, body("InvalidAuthenticationToken"), "signin"),
        (
            403,
            body(
                "UnknownError",
                '{"errorCode":"PermissionScopeNotGranted","message":"missing","instanceAnnotations":[]}',
            ),
            "denied",
        ),
        (403, body("", "Valid permissions not present."), "denied"),
        (409, body("Conflict"), "denied"),
        (429, body("TooManyRequests"), "server"),
        (500, body("", "An error has occurred."), "server"),
        (400, body("BadRequest", "no"), "usage"),
        (400, "text", "unexpected"),
        (400, {"error": []}, "unexpected"),
        (400, {"error": "invalid_request", "error_description": "no"}, "usage"),
    ],
)
def test_kinds(status, given, kind):
    error = graph_error(status, given)
    assert error.kind == kind
    assert error.kind in KINDS
    assert error.message


def test_wrapped_errors_are_unwrapped():
    inner = json.dumps(
        {"errorCode": "PermissionScopeNotGranted", "message": "missing scope X", "instanceAnnotations": []}
    )
    error = graph_error(403, body("UnknownError", inner))
    assert (error.code, error.message) == ("PermissionScopeNotGranted", "missing scope X")
    assert graph_error(400, body("UnknownError", "{broken")).code == "UnknownError"
    assert graph_error(400, body("UnknownError", "{" + '"a":{' * 100_000)).code == "UnknownError"


def test_every_failed_rule_is_named():
    error = graph_error(
        400,
        body(
            "RoleAssignmentRequestPolicyValidationFailed",
            'The following policy rules failed: ["JustificationRule","TicketingRule","NewRule"]',
        ),
    )
    assert error.rules == ["JustificationRule", "TicketingRule", "NewRule"]
    assert "-j TEXT" in error.message
    assert "-t SYSTEM:NUMBER" in error.message
    assert "NewRule" in error.message
    dashed = (
        "The following policy rules failed: ExpirationRule - The policy does not allow permanent assignment"
    )
    assert graph_error(400, body("RoleAssignmentRequestPolicyValidationFailed", dashed)).rules == [
        "ExpirationRule"
    ]


def test_reasons_of_openpim_are_shown():
    given = body(
        "RoleAssignmentRequestPolicyValidationFailed", 'The following policy rules failed: ["ExpirationRule"]'
    )
    given["error"]["innerError"] = {"code": "policy", "reason": "Ask for at most 8 hours."}
    assert "Ask for at most 8 hours." in graph_error(400, given).message
    given = body("Request_BadRequest", "This would take away the last Global Administrator.")
    given["error"]["innerError"] = {"code": "last_administrator"}
    assert (graph_error(400, given).kind, graph_error(400, given).hint) == ("denied", "")
    given["error"]["innerError"]["detail"] = "62e90394-69f5-4237-9190-012177145e10"
    assert "pim assign ROLE PERSON --active --permanent" in graph_error(400, given).hint


def test_claims_of_both_challenges():
    wanted = {"access_token": {"acrs": {"essential": True, "value": "c1"}}}
    encoded = base64.b64encode(json.dumps(wanted).encode()).decode().rstrip("=")
    header = f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'
    assert json.loads(claims.challenge(header)) == wanted
    assert claims.challenge('Bearer error="invalid_token"') == ""
    assert claims.challenge('Bearer error="insufficient_claims", claims="!!"') == ""
    message = "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"
    assert json.loads(claims.from_message(message)) == wanted
    assert claims.from_message("&claims=%7B") == ""
    assert claims.wanted(json.dumps(wanted)) == {"acrs": ["c1"]}
    assert claims.satisfied(claims.MFA, {"amr": ["pwd", "mfa"]})
    assert not claims.satisfied(claims.MFA, {"amr": ["pwd"]})
    assert json.loads(claims.merged(claims.acrs("c2")))["access_token"] == {
        "acrs": {"essential": True, "value": "c2"}, "xms_cc": {"values": ["CP1"]},
    }  # fmt: skip
    assert "xms_cc" in claims.merged("not json")
