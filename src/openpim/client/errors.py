"""The closed list of what can go wrong for a user of the client, each with what to do next.

`kind` is one of `KINDS`; the `pim` command turns it into its exit code and nothing else.  `message`
says what happened, `hint` what to type next.  Text that came from a server is kept as it was: whoever
prints it neutralises it (`openpim.cli.output.clean`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["KINDS", "GraphError", "PimError", "StepUpError", "graph_error"]

KINDS = (
    "unexpected", "usage", "waiting", "denied", "signin", "missing",
    "ambiguous", "policy", "timeout", "partial", "server", "tampered", "interrupted",
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

    def __init__(
        self, kind: str, message: str, hint: str, status: int, code: str, rules: list[str], refusal: str = ""
    ) -> None:
        super().__init__(kind, message, hint)
        self.status = status
        self.code = code
        self.rules = rules
        self.refusal = refusal  # OpenPIM's own name of it


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


_INNER = {  # OpenPIM says in innerError which refusal it was
    "last_administrator": "denied",
    "subject_not_allowed": "denied",
    "scope_missing": "missing",
    "request_missing": "missing",
    "throttled": "server",
}
_LAST_ADMINISTRATOR = "first give it to another person: pim assign ROLE PERSON --active --permanent"
_REFUSED = {
    "RequestCannotBeCancelled",
    "RoleAssignmentRequestAlreadyApproved",
    "RoleAssignmentExists",
    "RoleAssignmentScheduleExists",
}


def _inner(body: Any) -> dict[str, Any]:
    """`innerError`, {} if there is none."""
    error = body.get("error") if isinstance(body, dict) else None
    inner = error.get("innerError") if isinstance(error, dict) else None
    return inner if isinstance(inner, dict) else {}


def _kind(status: int, code: str, inner: str) -> str:
    """Which kind an answer is that has no rule of its own."""
    if inner in _INNER:
        return _INNER[inner]
    if code in _MISSING or status == 404:
        return "missing"
    if status == 401:
        return "signin"
    if status in {403, 409} or code in _REFUSED:
        return "denied"
    if status == 429 or status >= 500:
        return "server"
    if code in {"PendingRoleAssignmentRequest", "RoleAssignmentRequestExists", "ResourceIsLocked"}:
        return "policy"
    return "usage" if status == 400 and code else "unexpected"


_KIND_HINTS = {
    "signin": "sign in: pim login",
    "denied": "see who you are: pim whoami",
    "server": "try again in a moment; if it stays: pim doctor",
}


def graph_error(status: int, body: Any) -> GraphError:
    """The error that an answer with `status` and the decoded `body` means."""
    from openpim.wire.graph_errors import failed_rules, read_error

    code, message = read_error(body)
    if not code and isinstance(body, dict):  # the forms of OAuth, and of Shared Signals
        for error, description in (("error", "error_description"), ("err", "description")):
            if isinstance(body.get(error), str):
                code, message = body[error], str(body.get(description) or "")
    inner = _inner(body)
    reason = str(inner.get("reason") or "")
    rules = list(failed_rules(message))
    if rules:
        needs = "; ".join(RULE_NEEDS.get(rule, rule) for rule in rules)
        kind = "missing" if rules == ["EligibilityRule"] else "policy"
        text = f"the role's policy is not met; missing: {needs}" + (f" ({reason})" if reason else "")
        return GraphError(kind, text, "see what the role demands: pim policy show ROLE", status, code, rules)
    if code == "ActiveDurationTooShort":
        text = "an activation must last at least five minutes before it can be ended"
        return GraphError("policy", text, "try again in some minutes", status, code, ["MinimumDuration"])
    if code == "RoleAssignmentRequestAcrsValidationFailed":
        return GraphError(
            "policy", message, "sign in more strongly: pim login --acr CONTEXT", status, code, []
        )
    refusal = str(inner.get("code") or "")
    kind = _kind(status, code, refusal)
    text = message or reason or f"the server answered {status} without saying why"
    group, _, name = str(inner.get("member") or "").partition(".")
    if group in {"settings", "secrets"}:  # of many that look alike
        text = f"{name}: {text}"
    if kind in {"unexpected", "server"}:
        text = f"{text} ({code or status})"
    hint = _HINTS.get(code) or _KIND_HINTS.get(kind, "")
    if refusal == "last_administrator":  # the detail names the roles; of a group's last owner there is none
        hint = _LAST_ADMINISTRATOR if inner.get("detail") else ""
    return GraphError(kind, text, hint, status, code, [], refusal)
