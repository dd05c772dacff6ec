"""Directory roles, groups and roles on resources as one account sees them: what it may activate, what is active, what is
asked for.

The rows of Graph (and of the resource manager, see `resources.flat`) become `Holding` and `Asked`: names beside ids,
times as seconds since 1970.
"""

from __future__ import annotations

from openpim.client.graph import literal, query
from openpim.client.instants import instant, iso, plain_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.client.errors import GraphError
    from openpim.client.graph import Graph

    Row = dict[str, Any]

__all__ = [
    "ASSIGNMENT_REQUESTS", "AWAITING", "BASE", "CANCELLABLE", "ELIGIBILITY_REQUESTS", "FAILED", "GROUPS", "PENDING", "Asked",
    "Holding", "active_path", "active_paths", "both", "eligible_path", "eligible_paths", "instant", "iso",
    "pending_path", "pending_paths", "requests_base", "requests_path", "requests_paths", "subject",
]  # fmt: skip

BASE = "/roleManagement/directory"
ASSIGNMENT_REQUESTS = BASE + "/roleAssignmentScheduleRequests"
ELIGIBILITY_REQUESTS = BASE + "/roleEligibilityScheduleRequests"
EXPAND = "roleDefinition($select=id,displayName),principal,directoryScope"
EVERYTHING = "/openPim/eligibilities"  # OpenPIM's own: what each demands, and roles on resources too
GROUPS = "/identityGovernance/privilegedAccess/group"
EXPAND_GROUP = "group($select=id,displayName),principal"

APPROVAL = ("PendingApproval", "PendingApprovalProvisioning")
AWAITING = (*APPROVAL, "PendingAdminDecision")  # somebody has to decide
CANCELLABLE = (*AWAITING, "Granted")
PENDING = (
    *CANCELLABLE,
    "PendingProvisioning",
    "PendingScheduleCreation",
    "PendingEvaluation",
    "ProvisioningStarted",
    "Accepted",
)
FAILED = ("Denied", "AdminDenied", "Canceled", "Failed", "FailedAsResourceIsLocked", "TimedOut", "Revoked")


def text(value: Any) -> str:
    """The value if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def named(row: Row, member: str) -> Row:
    """An expanded member, {} if it is not there."""
    value = row.get(member)
    return value if isinstance(value, dict) else {}


def scope_of(row: Row) -> tuple[str, str]:
    """`(scope, its name)`: ("/", "the organization"), ("/administrativeUnits/…", "Berlin")."""
    scope = text(row.get("directoryScopeId")) or text(row.get("appScopeId")) or "/"
    if scope == "/":
        return scope, "/"
    expanded = named(row, "directoryScope") or named(row, "appScope")
    return scope, text(expanded.get("displayName")) or scope


def _what(row: Row) -> tuple[str, str, str, str, str]:
    """`(provider, role id, role name, scope, scope name)`; a group's are member or owner, at the group."""
    group = text(row.get("groupId"))
    if group:
        access = text(row.get("accessId")).lower() or "member"
        name = text(named(row, "group").get("displayName")) or group
        return "group", access, name if access == "member" else f"{name}:{access}", group, "group"
    role_id = text(row.get("roleDefinitionId"))
    role = text(named(row, "roleDefinition").get("displayName")) or role_id
    place = text(row.get("resourceScopeId"))
    if place:
        called = text(named(row, "resourceScope").get("displayName")) or place.rstrip("/").rpartition("/")[2]
        return "resource", role_id, role, place, called or "/"
    return ("directory", role_id, role, *scope_of(row))


def subject(provider: str, role_id: str, scope: str) -> Row:
    """The members of a body that say which role where."""
    if provider == "group":
        return {"accessId": role_id, "groupId": scope}
    if provider == "resource":
        return {"roleDefinitionId": role_id, "resourceScopeId": scope}
    return {"roleDefinitionId": role_id, "directoryScopeId": scope}


def requests_base(provider: str, kind: str = "assignment") -> str:
    """Where requests for assignments, or for eligibilities, are made."""
    if provider == "group":
        return f"{GROUPS}/{kind}ScheduleRequests"
    return ASSIGNMENT_REQUESTS if kind == "assignment" else ELIGIBILITY_REQUESTS


class Holding:
    """A role somebody is eligible for, or holds now.  `via` names the group it comes through.

    demands: what its policy demands, where the server says that beside it (OpenPIM); None where one has to look.
    """

    __slots__ = (
        "activated", "demands", "eligible", "ends", "id", "member_type", "principal", "principal_id", "provider",
        "role", "role_id", "schedule_id", "scope", "scope_name", "starts", "via",
    )  # fmt: skip

    def __init__(self, row: Row, *, eligible: bool, me: str = "") -> None:
        principal = named(row, "principal")
        self.id = text(row.get("id"))
        self.eligible = eligible
        self.provider, self.role_id, self.role, self.scope, self.scope_name = _what(row)
        self.starts = instant(row.get("startDateTime"))
        self.ends = instant(row.get("endDateTime"))
        self.activated = row.get("assignmentType") == "Activated"
        self.member_type = text(row.get("memberType")) or "Direct"
        self.principal_id = text(row.get("principalId"))
        self.principal = text(principal.get("displayName"))
        ids = (
            "roleEligibilityScheduleId",
            "roleAssignmentScheduleId",
            "eligibilityScheduleId",
            "assignmentScheduleId",
        )
        self.demands: Row | None = named(row, "policy") or None
        self.schedule_id = next((text(row[name]) for name in ids if text(row.get(name))), "")
        through = self.member_type != "Direct" or bool(me and self.principal_id and self.principal_id != me)
        is_group = self.principal_id != me and bool(self.principal)
        self.via = (self.principal if is_group else "a group") if through else ""

    @property
    def key(self) -> tuple[str, str]:
        """Role and scope: what is activated."""
        return self.role_id, self.scope.lower()

    @property
    def needs(self) -> str:
        """What an activation must bring, in words; "" where that is nothing, or not known."""
        return needs(self.demands) if self.eligible and self.demands else ""


class Asked:
    """A request: who asked for what, and what became of it."""

    __slots__ = (
        "action", "approval_id", "created", "created_by", "duration", "eligibility", "ends", "failure", "id", "justification", "principal",
        "principal_id", "provider", "role", "role_id", "scope", "scope_name", "starts", "status", "target", "ticket", "upn",
    )  # fmt: skip

    def __init__(self, row: Row, *, eligibility: bool = False) -> None:
        principal = named(row, "principal")
        schedule = named(row, "scheduleInfo")
        expiration = named(schedule, "expiration")
        ticket = named(row, "ticketInfo")
        self.eligibility = eligibility
        self.failure = text(row.get("@openpim.failure"))  # Graph does not say why
        self.id = text(row.get("id"))
        self.status = text(row.get("status"))
        self.action = text(row.get("action"))
        self.approval_id = text(row.get("approvalId"))
        self.created = instant(row.get("createdDateTime"))
        self.created_by = text(named(named(row, "createdBy"), "user").get("id"))
        self.provider, self.role_id, self.role, self.scope, self.scope_name = _what(row)
        self.principal_id = text(row.get("principalId"))
        self.principal = text(principal.get("displayName")) or self.principal_id
        self.upn = text(principal.get("userPrincipalName"))
        self.justification = text(row.get("justification"))
        self.target = text(row.get("targetScheduleId"))
        self.starts = instant(schedule.get("startDateTime"))
        self.duration = text(expiration.get("duration"))
        self.ends = instant(expiration.get("endDateTime"))
        if self.ends is None and self.duration and self.starts is not None:
            seconds = length(self.duration)
            self.ends = self.starts + seconds if seconds else None
        parts = [text(ticket.get("ticketSystem")), text(ticket.get("ticketNumber"))]
        self.ticket = ":".join(parts) if any(parts) else ""

    @property
    def key(self) -> tuple[str, str]:
        """Role and scope: what was asked for."""
        return self.role_id, self.scope.lower()


def needs(policy: Row) -> str:
    """What an activation must bring, in words: `approval, MFA, ticket`."""
    words = {
        "isApprovalRequired": "approval",
        "isMultiFactorAuthenticationRequired": "MFA",
        "isJustificationRequired": "justification",
        "isTicketRequired": "ticket",
    }
    found = [word for member, word in words.items() if policy.get(member) is True]
    context = text(policy.get("authenticationContext"))
    return ", ".join([*found, context] if context else found)


def length(duration: str) -> int:
    """Seconds of an ISO 8601 duration, a month counted as 30 days; 0 if it is none."""
    seconds = plain_seconds(duration)
    if seconds or not duration:
        return seconds
    from openpim.wire.durations import DurationError, parse

    try:
        parsed = parse(duration)
    except DurationError:
        return 0
    return parsed.seconds + parsed.months * 2_592_000


def eligible_path() -> str:
    """My eligibilities that are in force."""
    return query(
        f"{BASE}/roleEligibilityScheduleInstances/filterByCurrentUser(on='principal')", expand=EXPAND
    )


def active_path() -> str:
    """My assignments that are in force."""
    return query(f"{BASE}/roleAssignmentScheduleInstances/filterByCurrentUser(on='principal')", expand=EXPAND)


def requests_path(filter: str = "", *, on: str = "principal", base: str = ASSIGNMENT_REQUESTS) -> str:
    """Requests for me (`principal`), by me (`createdBy`) or for me to decide (`approver`)."""
    path = f"{base}/filterByCurrentUser(on={literal(on)})"
    return query(path, filter=filter, expand=EXPAND_GROUP if base.startswith(GROUPS) else EXPAND)


# Each of these is a pair: for directory roles, and for groups.


def requests_paths(filter: str = "", *, on: str = "principal", kind: str = "assignment") -> tuple[str, str]:
    """As `requests_path`."""
    roles, groups = (
        requests_path(filter, on=on, base=requests_base(one, kind)) for one in ("directory", "group")
    )
    return roles, groups


def eligible_paths() -> tuple[str, str]:
    """My eligibilities that are in force."""
    path = f"{GROUPS}/eligibilityScheduleInstances/filterByCurrentUser(on='principal')"
    return eligible_path(), query(path, expand=EXPAND_GROUP)


def active_paths() -> tuple[str, str]:
    """My assignments that are in force."""
    path = f"{GROUPS}/assignmentScheduleInstances/filterByCurrentUser(on='principal')"
    return active_path(), query(path, expand=EXPAND_GROUP)


def pending_paths() -> tuple[str, str]:
    """My requests that are not decided or not in force yet."""
    return requests_paths(status_filter((*CANCELLABLE, "PendingProvisioning")))


def both(graph: Graph, *pairs: tuple[str, str]) -> list[list[Row]]:
    """For each pair one list, of roles and of groups, all in one round trip.

    Groups are left out where the server does not have them, or the sign-in may not see them.
    """
    return merged(graph.lists(*(path for pair in pairs for path in pair)))


def merged(answers: list[list[Row] | GraphError]) -> list[list[Row]]:
    """The answers to pairs of lists, as `both` gives them."""
    found: list[list[Row]] = []
    for roles, groups in zip(answers[::2], answers[1::2], strict=True):
        if not isinstance(roles, list):
            raise roles
        found.append([*roles, *(groups if isinstance(groups, list) else [])])
    return found


def status_filter(statuses: tuple[str, ...]) -> str:
    """`status eq 'A' or status eq 'B'`."""
    return " or ".join(f"status eq {literal(status)}" for status in statuses)


def pending_path() -> str:
    """My requests that are not decided or not in force yet."""
    return requests_path(status_filter((*CANCELLABLE, "PendingProvisioning")))
