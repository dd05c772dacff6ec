"""The management API's errors on the wire: the closed list of codes, with status and usual message.

`exact`: clients match the very words (the misspelling in `ActiveDurationTooShort` is part of them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["ERRORS", "ArmError", "error_body"]


class ArmError(NamedTuple):
    code: str
    status: int
    message: str
    exact: bool = False


_ROWS = (
    ArmError("RoleAssignmentExists", 400, "The Role assignment already exists.", exact=True),
    ArmError("RoleAssignmentDoesNotExist", 400, "The Role assignment does not exist.", exact=True),
    ArmError(
        "ActiveDurationTooShort",
        400,
        "The Active duration is too short. Miniumum Required is 5 minutes.",
        exact=True,
    ),
    ArmError("RoleAssignmentRequestPolicyValidationFailed", 400, "The following policy rules failed: []"),
    ArmError("RoleAssignmentRequestAcrsValidationFailed", 400, "&claims="),
    ArmError("RoleAssignmentRequestExists", 400, "A request for the same assignment is still open."),
    ArmError("RoleAssignmentRequestNotFound", 404, "There is no such request."),
    ArmError("RoleAssignmentRequestCannotBeCancelled", 400, "The request is decided already."),
    ArmError("RoleAssignmentRequestAlreadyDecided", 400, "The request is decided already."),
    ArmError("InvalidRoleAssignmentRequest", 400, "The role assignment request is invalid."),
    ArmError("InvalidRoleDefinitionId", 400, "There is no such role definition."),
    ArmError("RoleDefinitionDoesNotExist", 404, "There is no such role definition."),
    ArmError("RoleDefinitionWithSameNameExists", 409, "There is a role definition of this name already."),
    ArmError("RoleDefinitionHasAssignments", 400, "The role definition is in use."),
    ArmError("RoleAssignmentNotFound", 404, "There is no such role assignment."),
    ArmError("DenyAssignmentNotFound", 404, "There is no such deny assignment."),
    ArmError("InvalidPolicy", 400, "The policy is invalid."),
    ArmError("InputPolicyNotFound", 404, "There is no such policy."),
    ArmError("SubjectNotFound", 400, "There is no such principal."),
    ArmError("PrincipalNotFound", 400, "The principal does not exist in the directory."),
    ArmError("InsufficientPermissions", 400, "The requestor does not have permissions for this request."),
    ArmError("AuthorizationFailed", 403, "The client does not have authorization to perform this action."),
    ArmError("AuthenticationFailed", 401, "Authentication failed. The Authorization header is missing."),
    ArmError("InvalidAuthenticationToken", 401, "The access token is invalid."),
    ArmError("MissingApiVersionParameter", 400, "The api-version query parameter (?api-version=) is required for all requests."),
    ArmError("InvalidApiVersionParameter", 400, "The api-version is invalid."),
    ArmError("InvalidResourceType", 404, "The resource type could not be found in the namespace."),
    ArmError("InvalidRequestContent", 400, "The request content was invalid."),
    ArmError("InvalidFilter", 400, "The filter cannot be understood."),
    ArmError("BadRequest", 400, "The request is invalid."),
    ArmError("SubscriptionNotFound", 404, "The subscription could not be found."),
    ArmError("ResourceGroupNotFound", 404, "The resource group could not be found."),
    ArmError("ParentResourceNotFound", 404, "The parent resource could not be found."),
    ArmError("ResourceNotFound", 404, "The resource could not be found."),
    ArmError("NotFound", 404, "There is nothing at this address."),
    ArmError("Conflict", 409, "It conflicts with what is there."),
    ArmError("MethodNotAllowed", 405, "This method is not allowed here."),
    ArmError("RequestEntityTooLarge", 413, "The body is too large."),
    ArmError("UnsupportedMediaType", 415, "The body must be application/json."),
    ArmError("TooManyRequests", 429, "Too many requests. Wait and try again."),
    ArmError("InternalServerError", 500, "Something went wrong here. Try again; tell the operators the request id."),
    ArmError("ServiceUnavailable", 503, "The service is unavailable for a moment. Try again."),
)  # fmt: skip

ERRORS: Mapping[str, ArmError] = {row.code: row for row in _ROWS}


def error_body(code: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """`{"error": {"code", "message", "details"?}}`"""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = [dict(one) for one in details]
    return {"error": error}
