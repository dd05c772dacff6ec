"""Graph's errors on the wire: the closed list of codes, and the bodies they come in.

Clients match on the code, and for some on the very words of the message: those rows are `exact`, and
their message goes out unchanged (the misspelling in `ActiveDurationTooShort` is part of it).  The
messages of the other rows are ours to word.

The policy endpoints, and the group endpoints often, wrap: the code is `UnknownError` and the message
is JSON that holds the real code.  `read_error` undoes that for a client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

__all__ = [
    "ERRORS",
    "POLICY_RULE_NAMES",
    "GraphError",
    "error_body",
    "failed_rules",
    "missing_permission_message",
    "missing_scope_message",
    "no_segment_message",
    "not_found_message",
    "policy_rules_message",
    "read_error",
    "wrapped_error_body",
]

UNKNOWN = "UnknownError"
POLICY_RULE_NAMES = ("EligibilityRule", "ExpirationRule", "JustificationRule", "TicketingRule", "MfaRule")


class GraphError(NamedTuple):
    """A code, its HTTP status and its usual message; `exact`: clients depend on these words."""

    code: str
    status: int
    message: str
    exact: bool = False


_ROWS = (
    GraphError("RoleAssignmentExists", 400, "The Role assignment already exists.", exact=True),
    GraphError("RoleAssignmentDoesNotExist", 400, "The Role assignment does not exist.", exact=True),
    GraphError(
        "RoleAssignmentRequestPolicyValidationFailed",
        400,
        "The following policy rules failed: []",
        exact=True,
    ),
    GraphError("RoleAssignmentRequestAcrsValidationFailed", 400, "&claims=", exact=True),
    GraphError(
        "ActiveDurationTooShort",
        400,
        "The Active duration is too short. Miniumum Required is 5 minutes.",
        exact=True,
    ),
    GraphError("PendingRoleAssignmentRequest", 400, "A request for the same assignment is still pending."),
    GraphError("RoleNotFound", 404, "No role definition has this id."),
    GraphError("SubjectNotFound", 404, "No principal has this id."),
    GraphError("ResourceIsLocked", 400, "The scope is locked; nothing about it can be changed now."),
    GraphError("RoleAssignmentRequestNotFound", 400, "No request has this id."),
    GraphError(
        "RequestCannotBeCancelled",
        400,
        "A request can be cancelled only while it is Granted, PendingApproval, "
        "PendingApprovalProvisioning or PendingAdminDecision.",
    ),
    GraphError("InvalidRoleAssignmentRequest", 400, "The role assignment request is invalid.", exact=True),
    GraphError("InvalidRoleAssignmentRequestSchedule", 400, "The schedule of the request is not valid."),
    GraphError("RoleAssignmentScheduleExists", 400, "There is already a schedule for this assignment."),
    GraphError("RoleAssignmentRequestExists", 400, "There is already a request with this id."),
    GraphError("RoleAssignmentRequestAlreadyApproved", 400, "This request has already been decided."),
    GraphError(
        "PermissionScopeNotGranted",
        403,
        "Authorization failed due to missing permission scope .",
        exact=True,
    ),
    GraphError("MissingProvider", 400, "The provider is missing.", exact=True),
    GraphError("InvalidPolicy", 400, "The policy is invalid.", exact=True),
    GraphError("InvalidPolicyRule", 400, "The policy rule is invalid.", exact=True),
    GraphError(
        "MfaAndAcrsConflict",
        400,
        "A policy demands either multifactor authentication or an authentication context, not both.",
    ),
    GraphError("BadRequest", 400, "The request cannot be read."),
    GraphError("TenantEnabledInAadRoleMigration", 403, "This API is gone; use roleManagement/directory."),
    GraphError("UnauthorizedAccessException", 401, "The tenant has not onboarded to PIM.", exact=True),
    GraphError(
        "Request_ResourceNotFound",
        404,
        "Resource '' does not exist or one of its queried reference-property objects are not present.",
        exact=True,
    ),
    GraphError("Request_BadRequest", 400, "The request cannot be carried out."),
    GraphError("Request_UnsupportedQuery", 400, "This query is not supported here."),
    GraphError("Request_MultipleObjectsWithSameKeyValue", 400, "Another object already has this value."),
    GraphError("InvalidAuthenticationToken", 401, "Access token is empty.", exact=True),
    GraphError(
        "Authorization_RequestDenied", 403, "Insufficient privileges to complete the operation.", exact=True
    ),
    GraphError("ResourceNotFound", 404, "There is nothing at this address."),
    GraphError("MethodNotAllowed", 405, "This method cannot be used here."),
    GraphError("UnsupportedMediaType", 415, "The body must be JSON."),
    GraphError("RequestEntityTooLarge", 413, "The body is too large."),
    GraphError("TooManyRequests", 429, "Too many requests", exact=True),
    GraphError(UNKNOWN, 500, "Something went wrong here; the request can be tried again."),
    GraphError("ServiceUnavailable", 503, "The service cannot answer now; try again later."),
    GraphError("", 500, "An error has occurred.", exact=True),  # PATCH of a rule with a wrong @odata.type
)

ERRORS: Mapping[str, GraphError] = {row.code: row for row in _ROWS}
"""Every code that goes out, by code."""


def policy_rules_message(rules: Iterable[str]) -> str:
    """`The following policy rules failed: ["ExpirationRule","MfaRule"]`."""
    return f"The following policy rules failed: {json.dumps(list(rules), separators=(',', ':'))}"


def failed_rules(message: str) -> tuple[str, ...]:
    """For a client: the rules that such a message names, in either of its two forms."""
    _, found, rest = message.partition("policy rules failed:")
    return tuple(dict.fromkeys(re.findall(r"\b[A-Za-z]+Rule\b", rest))) if found else ()


def missing_scope_message(scopes: Iterable[str]) -> str:
    """For `PermissionScopeNotGranted`: the permissions of which one is needed."""
    return f"Authorization failed due to missing permission scope {','.join(scopes)}."


def missing_permission_message(scopes: Iterable[str]) -> str:
    """For the 403 without a code that the approval endpoints give."""
    return (
        "Valid permissions not present. User needs one of the following permissions for this action : "
        + ",".join(scopes)
    )


def no_segment_message(segment: str) -> str:
    """For `BadRequest`: an address whose last part is unknown."""
    return f"Resource not found for the segment '{segment}'."


def not_found_message(object_id: str) -> str:
    """For `Request_ResourceNotFound`."""
    return f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."


def error_body(
    code: str,
    message: str,
    request_id: str,
    client_request_id: str,
    date: datetime,
    *,
    details: Sequence[Mapping[str, object]] | None = None,
    inner: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The envelope of every Graph error; `inner` is added to `innerError`, `date` must be aware."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = [dict(detail) for detail in details]
    error["innerError"] = {
        **(inner or {}),
        "date": date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    return {"error": error}


def wrapped_error_body(
    code: str,
    message: str,
    request_id: str,
    client_request_id: str,
    date: datetime,
    *,
    inner: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The envelope of the endpoints that hide the real code in the message."""
    wrapped = {"errorCode": code, "message": message, "instanceAnnotations": []}
    text = json.dumps(wrapped, separators=(",", ":"), ensure_ascii=False)
    return error_body(UNKNOWN, text, request_id, client_request_id, date, inner=inner)


def read_error(body: object) -> tuple[str, str]:
    """For a client: the real code and message of an error body, unwrapped; empty texts if it has none."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    code, message = _text(error.get("code")), _text(error.get("message"))
    if code == UNKNOWN and message.startswith("{"):
        try:
            wrapped = json.loads(message)
        except (ValueError, RecursionError):
            return code, message
        if isinstance(wrapped, dict) and wrapped.get("errorCode"):
            return _text(wrapped["errorCode"]), _text(wrapped.get("message"))
    return code, message


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
