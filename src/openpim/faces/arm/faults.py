"""What goes wrong, as this face says it: one exception that carries a whole error, and the words of each refusal.

The acts return refusals from a closed list; here each one gets its code, once. Which code depends on the endpoint's
*style*: PIM's own codes on schedule requests, RBAC's on role assignments, the resource manager's on the tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ResourceKind, read_path
from openpim.wire import claims
from openpim.wire.arm_errors import ERRORS

T = TypeVar("T")


class Style(Enum):
    """How an endpoint words its errors. LIST: a list that has an own part for everybody."""

    TREE = "tree"
    RBAC = "rbac"
    PIM = "pim"
    LIST = "list"
    POLICY = "policy"


class Fault(Exception):  # noqa: N818 - an error on its way out
    """An answer that is an error. members: (path of a member, what is wrong with it)."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int = 0,
        members: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        known = ERRORS[code]
        self.code = code
        self.message = message or known.message
        self.status = status or known.status
        self.members = tuple(members)
        self.headers = dict(headers or {})
        super().__init__(self.message)


class RefusedError(Exception):
    """Carries a refusal out of a handler, to be worded by the dispatcher, which knows the style."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.message)


def settled(outcome: T | Refusal) -> T:
    """The value of an act, or its refusal raised."""
    if isinstance(outcome, Refusal):
        raise RefusedError(outcome)
    return outcome


_TREE = {
    Code.INVALID: "InvalidRequestContent",
    Code.NOT_FOUND: "ResourceNotFound",
    Code.CONFLICT: "Conflict",
    Code.ASSIGNMENT_EXISTS: "RoleAssignmentExists",
    Code.ASSIGNMENT_MISSING: "RoleAssignmentDoesNotExist",
    Code.REQUEST_PENDING: "RoleAssignmentRequestExists",
    Code.REQUEST_MISSING: "RoleAssignmentRequestNotFound",
    Code.NOT_CANCELLABLE: "RoleAssignmentRequestCannotBeCancelled",
    Code.TOO_SHORT: "ActiveDurationTooShort",
    Code.ROLE_MISSING: "RoleDefinitionDoesNotExist",
    Code.SUBJECT_MISSING: "PrincipalNotFound",
    Code.SUBJECT_NOT_ALLOWED: "InvalidRequestContent",
    Code.LAST_ADMINISTRATOR: "Conflict",
    Code.ALREADY_DECIDED: "RoleAssignmentRequestAlreadyDecided",
}
_PIM = {
    **_TREE,
    Code.INVALID: "InvalidRoleAssignmentRequest",
    Code.ROLE_MISSING: "InvalidRoleDefinitionId",
    Code.SUBJECT_MISSING: "SubjectNotFound",
    Code.SUBJECT_NOT_ALLOWED: "InvalidRoleAssignmentRequest",
    Code.CONFLICT: "RoleAssignmentRequestExists",
}
_POLICY = {**_PIM, Code.INVALID: "InvalidPolicy", Code.NOT_FOUND: "InputPolicyNotFound"}
_CODES = {Style.TREE: _TREE, Style.RBAC: _TREE, Style.PIM: _PIM, Style.LIST: _PIM, Style.POLICY: _POLICY}


def worded(refusal: Refusal, style: Style, caller: Caller | None, action: str, scope: str) -> Fault:
    """The refusal as this kind of endpoint says it."""
    member = refusal.member or ""
    match refusal.code:
        case Code.POLICY:
            rules = ",".join(f'"{rule}"' for rule in refusal.rules)
            message = f"The following policy rules failed: [{rules}]"
            return Fault(
                "RoleAssignmentRequestPolicyValidationFailed", message, members=(("", refusal.message),)
            )
        case Code.STEP_UP:
            message = claims.acrs_message(refusal.detail or "c1")
            return Fault("RoleAssignmentRequestAcrsValidationFailed", message)
        case Code.THROTTLED:
            return Fault("TooManyRequests", headers={"Retry-After": str(refusal.retry_after or 1)})
        case Code.SIGN_IN:
            return Fault("InvalidAuthenticationToken", refusal.message)
        case Code.FORBIDDEN | Code.NOT_APPROVER:
            return _forbidden(refusal, style, caller, action, scope)
        case Code.SCOPE_MISSING:
            return no_place(member if member.startswith("/") else scope)
        case Code.SUBJECT_MISSING if style is Style.RBAC:
            tenant = caller.tenant_id if caller else ""
            return Fault("PrincipalNotFound", f"{refusal.message} Look for it in the directory {tenant}.")
        case _:
            pass
    code = _CODES[style].get(refusal.code, "BadRequest")
    known = ERRORS[code]
    status = 409 if code == "RoleAssignmentExists" and style is Style.RBAC else known.status
    message = known.message if known.exact else refusal.message
    members = ((member, refusal.message),) if member or known.exact else ()
    return Fault(code, message, status=status, members=members)


def _forbidden(refusal: Refusal, style: Style, caller: Caller | None, action: str, scope: str) -> Fault:
    who = caller.principal_id if caller is not None else ""
    if style is Style.LIST:
        return Fault(
            "InsufficientPermissions",
            f"The requestor {who} does not have permissions for this request. "
            "Please use $filter=asTarget() to filter on the requestor's assignments.",
        )
    name = caller.user_principal_name or caller.display_name if caller is not None else ""
    place = refusal.member if refusal.member and refusal.member.startswith("/") else scope
    wanted = refusal.detail or action
    if not wanted:
        return Fault("AuthorizationFailed", refusal.message)
    return Fault(
        "AuthorizationFailed",
        f"The client '{name}' with object id '{who}' does not have authorization to perform action '{wanted}' "
        f"over scope '{place}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
        members=(("", refusal.message),),
    )


def no_place(scope: str) -> Fault:
    """There is no such place in the tree."""
    place = read_path(scope)
    name = scope.rsplit("/", 1)[-1][:200]
    if place is not None and place.kind is ResourceKind.SUBSCRIPTION:
        return Fault("SubscriptionNotFound", f"The subscription '{name}' could not be found.")
    if place is not None and place.kind is ResourceKind.RESOURCE_GROUP:
        return Fault("ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
    return Fault("ResourceNotFound", f"The Resource '{scope[:300]}' was not found.")


def details(fault: Fault) -> list[dict[str, Any]]:
    return [
        {"code": "InvalidMember" if member else "Reason", "target": member, "message": message}
        if member
        else {"code": "Reason", "message": message}
        for member, message in fault.members
    ]
