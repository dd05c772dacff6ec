"""What goes wrong, as this face says it: one exception that carries a whole Graph error, and the words of each refusal.

The acts return refusals from a closed list; here each one gets its Graph code, once. Which code depends on the
endpoint's *style*: PIM's own codes on roleManagement, `UnknownError` around the real code on policies, an empty code
on approvals, the directory's codes elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from openpim.core.refusals import Code, Refusal
from openpim.wire import claims
from openpim.wire.graph_errors import ERRORS, not_found_message, policy_rules_message

T = TypeVar("T")


class Style(Enum):
    """How an endpoint words its errors."""

    DIRECTORY = "directory"
    PIM = "pim"
    POLICY = "policy"
    APPROVAL = "approval"


class Fault(Exception):  # noqa: N818 - a Graph error on its way out
    """An answer that is an error. members: (path of a member, what is wrong with it). inner: added to innerError."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int = 0,
        members: Sequence[tuple[str, str]] = (),
        inner: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        known = ERRORS.get(code)
        self.code = code
        self.message = message or (known.message if known is not None else "")
        self.status = status or (known.status if known is not None else 400)
        self.members = tuple(members)
        self.inner = dict(inner or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)


class RefusedError(Exception):
    """Carries a refusal out of a handler, to be worded by the dispatcher, which knows the style."""

    def __init__(self, refusal: Refusal, subject: str = "") -> None:
        self.refusal = refusal
        self.subject = subject
        super().__init__(refusal.message)


def settled(outcome: T | Refusal, subject: str = "") -> T:
    """The value of an act, or its refusal raised. subject: the id the request was about, for "does not exist"."""
    if isinstance(outcome, Refusal):
        raise RefusedError(outcome, subject)
    return outcome


def bad(message: str, member: str = "") -> Fault:
    """The request itself is at fault."""
    return Fault("BadRequest", message, members=((member, message),) if member else ())


def missing(object_id: str) -> Fault:
    """A directory object that is not there."""
    return Fault("Request_ResourceNotFound", not_found_message(object_id[:200]))


def unsupported(message: str) -> Fault:
    return Fault("Request_UnsupportedQuery", message)


# Members of the model, in the words of the wire. What is not here has the same name in camelCase.
_MEMBERS = {
    "role_id": "roleDefinitionId",
    "scope": "directoryScopeId",
    "duration": "scheduleInfo.expiration.duration",
    "end": "scheduleInfo.expiration.endDateTime",
    "expiration": "scheduleInfo.expiration",
    "start": "scheduleInfo.startDateTime",
    "ticket": "ticketInfo",
    "type": "scheduleInfo.expiration.type",
    "window": "scheduleInfo",
    "names": "scope",
    "schedule_id": "targetScheduleId",
    "validation_only": "isValidationOnly",
    "enabled": "accountEnabled",
    "role_assignable": "isAssignableToRole",
    "membership_rule": "membershipRule",
    "actions": "rolePermissions",
    "verdict": "reviewResult",
}

_PIM = {
    Code.INVALID: "InvalidRoleAssignmentRequest",
    Code.NOT_FOUND: "ResourceNotFound",
    Code.FORBIDDEN: "Authorization_RequestDenied",
    Code.ASSIGNMENT_EXISTS: "RoleAssignmentExists",
    Code.ASSIGNMENT_MISSING: "RoleAssignmentDoesNotExist",
    Code.REQUEST_PENDING: "PendingRoleAssignmentRequest",
    Code.REQUEST_MISSING: "ResourceNotFound",
    Code.NOT_CANCELLABLE: "RequestCannotBeCancelled",
    Code.TOO_SHORT: "ActiveDurationTooShort",
    Code.ROLE_MISSING: "RoleNotFound",
    Code.SUBJECT_MISSING: "SubjectNotFound",
    Code.SCOPE_MISSING: "InvalidRoleAssignmentRequest",
    Code.SUBJECT_NOT_ALLOWED: "InvalidRoleAssignmentRequest",
    Code.LAST_ADMINISTRATOR: "Request_BadRequest",
    Code.ALREADY_DECIDED: "RoleAssignmentRequestAlreadyApproved",
    Code.NOT_APPROVER: "Authorization_RequestDenied",
    Code.CONFLICT: "Request_MultipleObjectsWithSameKeyValue",
}
_DIRECTORY = {
    **_PIM,
    Code.INVALID: "Request_BadRequest",
    Code.NOT_FOUND: "Request_ResourceNotFound",
    Code.ROLE_MISSING: "Request_ResourceNotFound",
    Code.SUBJECT_MISSING: "Request_ResourceNotFound",
    Code.SCOPE_MISSING: "Request_ResourceNotFound",
    Code.SUBJECT_NOT_ALLOWED: "Request_BadRequest",
    Code.ASSIGNMENT_EXISTS: "Request_BadRequest",
    Code.ASSIGNMENT_MISSING: "Request_ResourceNotFound",
}
_POLICY = {**_PIM, Code.INVALID: "InvalidPolicy"}
_CODES = {Style.DIRECTORY: _DIRECTORY, Style.PIM: _PIM, Style.POLICY: _POLICY, Style.APPROVAL: _PIM}


def wire_member(name: str) -> str:
    """A member in the model's words, in the wire's: `role_id` is `roleDefinitionId`, `display_name` `displayName`. What stands
    after a dot is a key of the one who sent it."""
    if name in _MEMBERS:
        return _MEMBERS[name]
    member, dot, key = name.partition(".")
    first, *rest = member.split("_")
    return first + "".join(part.capitalize() for part in rest) + dot + key


def worded(refusal: Refusal, style: Style, subject: str = "") -> Fault:
    """The refusal as this kind of endpoint says it. Step-up and sign-in need more facts: see `dispatch`."""
    if refusal.code is Code.POLICY:
        code, message = "RoleAssignmentRequestPolicyValidationFailed", policy_rules_message(refusal.rules)
        return Fault(code, message, inner=_details(refusal))
    if refusal.code is Code.STEP_UP:
        code, message = (
            "RoleAssignmentRequestAcrsValidationFailed",
            claims.acrs_message(refusal.detail or "c1"),
        )
        return Fault(code, message, inner=_details(refusal))
    if refusal.code is Code.THROTTLED:
        wait = str(refusal.retry_after or 1)
        return Fault("TooManyRequests", inner=_details(refusal), headers={"Retry-After": wait})
    if refusal.code is Code.CONFLICT and refusal.retry_after:  # right soon
        wait = str(refusal.retry_after)
        return Fault(
            "Conflict", refusal.message, status=409, inner=_details(refusal), headers={"Retry-After": wait}
        )
    if refusal.code is Code.SIGN_IN:
        return Fault("InvalidAuthenticationToken", refusal.message, inner=_details(refusal))
    code = _CODES[style].get(refusal.code, "Request_BadRequest")
    if refusal.member == "context" and style is Style.POLICY and "exclude" in refusal.message:
        code = "MfaAndAcrsConflict"
    known = ERRORS[code]
    message = refusal.message
    if code == "Request_ResourceNotFound" and subject:
        message = not_found_message(subject[:200])
    elif known.exact and refusal.message and refusal.message != known.message:
        message = f"{known.message} {refusal.message}"
    member = wire_member(refusal.member) if refusal.member else ""
    members = ((member, refusal.message),) if member else ()
    return Fault(code, message, members=members, inner=_details(refusal))


def _details(refusal: Refusal) -> dict[str, Any]:
    """What a program can read without taking messages apart: an addition of ours to innerError."""
    details: dict[str, Any] = {"code": refusal.code.value, "reason": refusal.message}
    if refusal.rules:
        details["failedRules"] = list(refusal.rules)
    if refusal.member:
        details["member"] = wire_member(refusal.member)
    if refusal.detail:
        details["detail"] = refusal.detail
    return details
