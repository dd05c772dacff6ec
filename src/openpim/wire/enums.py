"""The closed sets of words of Graph's PIM, in the spelling that goes out.

Words come in in any case (`lookup`) and go out in these spellings: actions and expiration types in
camelCase, statuses, assignment types and member types capitalised.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeVar

__all__ = [
    "ADMIN_ACTIONS",
    "CANCELLABLE_STATUSES",
    "RULES",
    "RULES_BY_ID",
    "RULE_TYPE_PREFIX",
    "SELF_ACTIONS",
    "AccessId",
    "Action",
    "AssignmentType",
    "CurrentUserRole",
    "EnabledRule",
    "ExpirationType",
    "MemberType",
    "NotificationLevel",
    "PolicyScopeType",
    "RequestStatus",
    "ReviewResult",
    "Rule",
    "StageStatus",
    "is_rule_type",
    "lookup",
    "rule",
]


class Action(StrEnum):
    """What a schedule request asks for."""

    ADMIN_ASSIGN = "adminAssign"
    ADMIN_UPDATE = "adminUpdate"
    ADMIN_REMOVE = "adminRemove"
    SELF_ACTIVATE = "selfActivate"
    SELF_DEACTIVATE = "selfDeactivate"
    ADMIN_EXTEND = "adminExtend"
    ADMIN_RENEW = "adminRenew"
    SELF_EXTEND = "selfExtend"
    SELF_RENEW = "selfRenew"


SELF_ACTIONS = (Action.SELF_ACTIVATE, Action.SELF_DEACTIVATE, Action.SELF_EXTEND, Action.SELF_RENEW)
ADMIN_ACTIONS = tuple(action for action in Action if action not in SELF_ACTIONS)


class RequestStatus(StrEnum):
    """Where a request stands: the eleven documented ones, and two that the live service shows."""

    CANCELED = "Canceled"
    DENIED = "Denied"
    FAILED = "Failed"
    GRANTED = "Granted"
    PENDING_ADMIN_DECISION = "PendingAdminDecision"
    PENDING_APPROVAL = "PendingApproval"
    PENDING_PROVISIONING = "PendingProvisioning"
    PENDING_SCHEDULE_CREATION = "PendingScheduleCreation"
    PROVISIONED = "Provisioned"
    REVOKED = "Revoked"
    SCHEDULE_CREATED = "ScheduleCreated"
    PENDING_APPROVAL_PROVISIONING = "PendingApprovalProvisioning"
    TIMED_OUT = "TimedOut"


CANCELLABLE_STATUSES = (
    RequestStatus.GRANTED,
    RequestStatus.PENDING_APPROVAL,
    RequestStatus.PENDING_APPROVAL_PROVISIONING,
    RequestStatus.PENDING_ADMIN_DECISION,
)


class ExpirationType(StrEnum):
    """How a schedule ends."""

    NOT_SPECIFIED = "notSpecified"
    NO_EXPIRATION = "noExpiration"
    AFTER_DATE_TIME = "afterDateTime"
    AFTER_DURATION = "afterDuration"


class AssignmentType(StrEnum):
    """Held by assignment, or by activating an eligibility."""

    ASSIGNED = "Assigned"
    ACTIVATED = "Activated"


class MemberType(StrEnum):
    """Held directly, through a group, or from a wider scope."""

    DIRECT = "Direct"
    GROUP = "Group"
    INHERITED = "Inherited"


class AccessId(StrEnum):
    """The two roles of a group."""

    MEMBER = "member"
    OWNER = "owner"


class EnabledRule(StrEnum):
    """What an enablement rule can demand; these are compared with regard to case on the way out."""

    MULTI_FACTOR_AUTHENTICATION = "MultiFactorAuthentication"
    JUSTIFICATION = "Justification"
    TICKETING = "Ticketing"


class NotificationLevel(StrEnum):
    """Which mails a notification rule lets through."""

    NONE = "None"
    CRITICAL = "Critical"
    ALL = "All"


class ReviewResult(StrEnum):
    """An approver's decision."""

    NOT_REVIEWED = "NotReviewed"
    APPROVE = "Approve"
    DENY = "Deny"


class StageStatus(StrEnum):
    """Where an approval stage stands."""

    NOT_STARTED = "NotStarted"
    INITIALIZING = "Initializing"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    EXPIRED = "Expired"


class CurrentUserRole(StrEnum):
    """The argument of `filterByCurrentUser(on=…)`."""

    PRINCIPAL = "principal"
    APPROVER = "approver"
    CREATED_BY = "createdBy"
    REVIEWER = "reviewer"


class PolicyScopeType(StrEnum):
    """What a policy belongs to; clients use the first two for the same thing."""

    DIRECTORY_ROLE = "DirectoryRole"
    DIRECTORY = "Directory"
    GROUP = "Group"


RULE_TYPE_PREFIX = "#microsoft.graph.unifiedRoleManagementPolicy"


class Rule(NamedTuple):
    """One of the rules every policy has: its fixed id, and what the id says."""

    id: str
    suffix: str
    caller: str
    level: str
    recipient: str | None = None

    @property
    def odata_type(self) -> str:
        """`#microsoft.graph.unifiedRoleManagementPolicyExpirationRule` and so on."""
        return RULE_TYPE_PREFIX + self.suffix


def _notification(recipient: str, caller: str, level: str) -> Rule:
    return Rule(f"Notification_{recipient}_{caller}_{level}", "NotificationRule", caller, level, recipient)


RULES: tuple[Rule, ...] = (
    Rule("Expiration_Admin_Eligibility", "ExpirationRule", "Admin", "Eligibility"),
    Rule("Enablement_Admin_Eligibility", "EnablementRule", "Admin", "Eligibility"),
    _notification("Admin", "Admin", "Eligibility"),
    _notification("Requestor", "Admin", "Eligibility"),
    _notification("Approver", "Admin", "Eligibility"),
    Rule("Expiration_Admin_Assignment", "ExpirationRule", "Admin", "Assignment"),
    Rule("Enablement_Admin_Assignment", "EnablementRule", "Admin", "Assignment"),
    _notification("Admin", "Admin", "Assignment"),
    _notification("Requestor", "Admin", "Assignment"),
    _notification("Approver", "Admin", "Assignment"),
    Rule("Expiration_EndUser_Assignment", "ExpirationRule", "EndUser", "Assignment"),
    Rule("Enablement_EndUser_Assignment", "EnablementRule", "EndUser", "Assignment"),
    Rule("Approval_EndUser_Assignment", "ApprovalRule", "EndUser", "Assignment"),
    Rule("AuthenticationContext_EndUser_Assignment", "AuthenticationContextRule", "EndUser", "Assignment"),
    _notification("Admin", "EndUser", "Assignment"),
    _notification("Requestor", "EndUser", "Assignment"),
    _notification("Approver", "EndUser", "Assignment"),
)
"""The seventeen rules, in the order in which a policy lists them."""

RULES_BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}
_RULES_BY_LOWER_ID = {rule.id.lower(): rule for rule in RULES}


def rule(text: str) -> Rule | None:
    """The rule with this id, in any case."""
    return _RULES_BY_LOWER_ID.get(text.lower())


def is_rule_type(known: Rule, odata_type: str) -> bool:
    """Whether `odata_type` (with or without `#`, in any case) is the type of the rule `known`."""
    return odata_type.removeprefix("#").lower() == known.odata_type[1:].lower()


Word = TypeVar("Word", bound=StrEnum)

_TABLES: dict[type[StrEnum], dict[str, StrEnum]] = {}


def lookup(words: type[Word], text: str) -> Word | None:
    """The member of `words` spelt `text`, in any case; None if there is none."""
    table = _TABLES.get(words)
    if table is None:
        table = _TABLES[words] = {str(word).lower(): word for word in words}
    found = table.get(text.lower())
    return found if isinstance(found, words) else None
