"""The closed list of what can go wrong for a user of the client, each with what to do next.

`kind` is one of `KINDS`; the `pim` command turns it into its exit code and nothing else.  `message`
says what happened, `hint` what to type next.  Text that came from a server is kept as it was: whoever
prints it neutralises it (`openpim.cli.output.clean`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["KINDS", "GraphError", "PimError", "StepUpError", "failed_rules", "graph_error"]

KINDS = (
    "unexpected", "usage", "waiting", "denied", "signin", "missing",
    "ambiguous", "policy", "timeout", "partial", "server", "interrupted",
)  # fmt: skip

RULE_NEEDS = {
    "JustificationRule": "a justification (-j TEXT)",
    "TicketingRule": "a ticket (-t SYSTEM:NUMBER)",
    "MfaRule": "sign-in with multi-factor authentication (pim login --mfa)",
    "ExpirationRule": "a duration the role's policy allows (-d DURATION)",
    "EligibilityRule": "an eligibility for the role",
    "ApprovalRule": "an approval",
    "AuthenticationContextRule": "a sign-in that meets the role's authentication context",
    "AcrsRule": "a sign-in that meets the role's authentication context",
}


class PimError(Exception):
    """Something a person can act on."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


class StepUpError(PimError):
    """The server wants a stronger sign-in first; `claims` is the claims request to sign in with."""

    def __init__(self, claims: str, message: str, hint: str = "") -> None:
        super().__init__("signin", message, hint)
        self.claims = claims


class GraphError(PimError):
    """An answer of the server that is an error."""

    def __init__(self, kind: str, message: str, hint: str, status: int, code: str, rules: list[str]) -> None:
        super().__init__(kind, message, hint)
        self.status = status
        self.code = code
        self.rules = rules


def _unwrapped(code: str, message: str) -> tuple[str, str]:
    """Policies and group endpoints wrap the real error as JSON in the message of `UnknownError`."""
    if code == "UnknownError" and message[:1] == "{":
        import json

        try:
            inner = json.loads(message)
        except (ValueError, RecursionError):
            return code, message
        if isinstance(inner, dict) and inner.get("errorCode"):
            return str(inner["errorCode"]), str(inner.get("message") or "")
    return code, message


def failed_rules(message: str) -> list[str]:
    """The rule names in `The following policy rules failed: ["MfaRule","ExpirationRule"]` (or `A - why`)."""
    _, found, tail = message.partition("rules failed:")
    if not found:
        return []
    names = []
    for part in tail.replace("[", " ").replace("]", " ").split(","):
        word = part.strip().strip("\"'").split(" ")[0].strip("\"'.;")
        if word and word not in names:
            names.append(word)
    return names


_MISSING = {
    "RoleAssignmentDoesNotExist",
    "RoleNotFound",
    "SubjectNotFound",
    "RoleAssignmentRequestNotFound",
    "Request_ResourceNotFound",
    "ResourceNotFound",
}
_HINTS = {
    "RoleAssignmentDoesNotExist": "see what you may activate: pim list eligible",
    "RequestCannotBeCancelled": "see the state of your requests: pim requests",
    "PendingRoleAssignmentRequest": "see the request that is waiting: pim requests",
    "MissingProvider": "this looks like a fault of the client; please report it",
}


def _details(error: dict[str, Any]) -> list[str]:
    """The further messages a server may add in `details`, one per failed rule."""
    found = []
    for holder in (error, error.get("innerError"), error.get("innererror")):
        details = holder.get("details") if isinstance(holder, dict) else None
        for item in details if isinstance(details, list) else ():
            text = item.get("message") if isinstance(item, dict) else None
            if isinstance(text, str) and text and text not in found:
                found.append(text)
    return found


def graph_error(status: int, body: Any) -> GraphError:
    """The error that an answer with `status` and the decoded `body` means."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):  # the OAuth form: {"error", "error_description"}
        error = {"code": error, "message": str(body.get("error_description") or error)}
    if not isinstance(error, dict):
        error = {}
    code, message = _unwrapped(str(error.get("code") or ""), str(error.get("message") or ""))
    rules = failed_rules(message)
    details = _details(error)
    if rules:
        needs = [RULE_NEEDS.get(rule, rule) for rule in rules]
        kind = "missing" if rules == ["EligibilityRule"] else "policy"
        text = "the role's policy is not met; missing: " + "; ".join(needs)
        if details:
            text += " (" + "; ".join(details) + ")"
        return GraphError(kind, text, "see what the role demands: pim policy show ROLE", status, code, rules)
    if code == "RoleAssignmentRequestAcrsValidationFailed":
        return GraphError(
            "policy", message, "sign in more strongly: pim login --acr CONTEXT", status, code, rules
        )
    message = message or f"the server answered {status} without saying why"
    if code == "ActiveDurationTooShort":
        text = "an activation must last at least five minutes before it can be ended"
        return GraphError("policy", text, "try again in some minutes", status, code, ["MinimumDuration"])
    if code in _MISSING or status == 404:
        return GraphError("missing", message, _HINTS.get(code, ""), status, code, rules)
    if status == 401:
        return GraphError("signin", message, "sign in: pim login", status, code, rules)
    if status == 403:
        hint = "this account has no right to do that; see who you are: pim whoami"
        return GraphError("denied", message, hint, status, code, rules)
    if code in {"RequestCannotBeCancelled", "RoleAssignmentRequestAlreadyApproved"} or status == 409:
        return GraphError("denied", message, _HINTS.get(code, ""), status, code, rules)
    if status == 429 or status >= 500:
        hint = "try again in a moment; if it stays: pim doctor"
        return GraphError("server", f"{message} ({status})", hint, status, code, rules)
    text = f"{message} ({code})" if code else message
    kind = "policy" if code in {"PendingRoleAssignmentRequest", "ResourceIsLocked"} else "unexpected"
    return GraphError(kind, text, _HINTS.get(code, ""), status, code, rules)
