"""The seventeen rules of a policy, out: typed settings (`core.policy`) as the rules that Graph shows them as.

Ours beside Graph's, in an open-type member `openPim`, and only where it differs from what Graph can say. Of an approval
stage: `quorum`, `timeOutInMinutes` for a time-out that is not whole days, and `callout` for one that another system
decides. Of the rule of what an activation must bring: `tickets`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openpim.core.policy import ApprovalSettings, Expiry, Policy, Requirement, Reviewers, Stage
from openpim.core.tickets import NO_RULES, TicketRules
from openpim.wire.enums import RULES, Rule

Row = dict[str, Any]
Names = Mapping[str, str]

MINUTES_A_DAY = 24 * 60
_REQUIREMENTS = (Requirement.MFA, Requirement.JUSTIFICATION, Requirement.TICKETING)


def rules(policy: Policy, names: Names) -> list[Row]:
    """All rules, in the order in which Graph lists them. names: of approvers, by id."""
    return [rule_row(policy, one, names) for one in RULES]


def rule_row(policy: Policy, rule: Rule, names: Names) -> Row:
    return {"@odata.type": rule.odata_type, "id": rule.id, **_RENDER[rule.suffix](policy, rule, names)}


def target(rule: Rule) -> Row:
    return {
        "caller": rule.caller,
        "operations": ["all"],
        "level": rule.level,
        "inheritableSettings": [],
        "enforcedSettings": [],
    }


def expiry_name(rule: Rule) -> str:
    """The setting of the policy that an expiration rule is about."""
    if rule.caller == "EndUser":
        return "activation"
    return "eligibility" if rule.level == "Eligibility" else "assignment"


def requires_name(rule: Rule) -> str:
    """The setting of the policy that an enablement rule is about."""
    return f"{expiry_name(rule)}_requires"


def notification_key(rule: Rule) -> str:
    return f"{rule.recipient}_{rule.caller}_{rule.level}"


def _expiration(policy: Policy, rule: Rule, _names: Names) -> Row:
    expiry: Expiry = getattr(policy, expiry_name(rule))
    return {
        "isExpirationRequired": expiry.required,
        "maximumDuration": expiry.maximum.iso if expiry.maximum is not None else None,
        "target": target(rule),
    }


def _enablement(policy: Policy, rule: Rule, _names: Names) -> Row:
    wanted: frozenset[Requirement] = getattr(policy, requires_name(rule))
    found: Row = {
        "enabledRules": [one.value for one in _REQUIREMENTS if one in wanted],
        "target": target(rule),
    }
    if rule.caller == "EndUser" and policy.tickets != NO_RULES:
        found["openPim"] = {"tickets": tickets_row(policy.tickets)}
    return found


def tickets_row(rules: TicketRules) -> Row:
    return {
        "patterns": list(rules.patterns),
        "customExtensionId": rules.system_id,
        "whenDown": rules.when_down.value,
        "endsWithTicket": rules.ends_with_ticket,
    }


def _context(policy: Policy, rule: Rule, _names: Names) -> Row:
    return {"isEnabled": policy.context_enabled, "claimValue": policy.context, "target": target(rule)}


def _notification(policy: Policy, rule: Rule, _names: Names) -> Row:
    found = policy.notifications[notification_key(rule)]
    return {
        "notificationType": "Email",
        "recipientType": rule.recipient,
        "notificationLevel": found.level.value,
        "isDefaultRecipientsEnabled": found.default_recipients,
        "notificationRecipients": list(found.recipients),
        "target": target(rule),
    }


def _approval(policy: Policy, rule: Rule, names: Names) -> Row:
    return {"target": target(rule), "setting": setting(policy.approval, names)}


def setting(approval: ApprovalSettings, names: Names) -> Row:
    return {
        "isApprovalRequired": approval.required,
        "isApprovalRequiredForExtension": approval.required_for_extension,
        "isRequestorJustificationRequired": approval.requestor_justification_required,
        "approvalMode": "SingleStage" if len(approval.stages) == 1 else "Serial",
        "approvalStages": [stage_row(stage, names) for stage in approval.stages],
    }


def stage_row(stage: Stage, names: Names) -> Row:
    days = max(1, -(-stage.timeout_minutes // MINUTES_A_DAY))
    found: Row = {
        "approvalStageTimeOutInDays": days,
        "isApproverJustificationRequired": stage.justification_required,
        "escalationTimeInMinutes": stage.escalate_after_minutes,
        "isEscalationEnabled": stage.escalate_after_minutes > 0,
        "primaryApprovers": approvers(stage.primary, names),
        "escalationApprovers": approvers(stage.escalation, names),
    }
    ours: Row = {}
    if stage.quorum != 1:
        ours["quorum"] = stage.quorum
    if stage.timeout_minutes != days * MINUTES_A_DAY:
        ours["timeOutInMinutes"] = stage.timeout_minutes
    if stage.callout is not None:
        ours["callout"] = {
            "customExtensionId": stage.callout.channel_id,
            "whenDown": stage.callout.when_down.value,
            "mayAutoApprove": stage.callout.may_auto_approve,
        }
    if ours:
        found["openPim"] = ours
    return found


def approvers(reviewers: Reviewers, names: Names) -> list[Row]:
    """Users, then groups; `description` is the display name, as Graph gives it back."""
    users = [
        {
            "@odata.type": "#microsoft.graph.singleUser",
            "isBackup": False,
            "description": names.get(one),
            "userId": one,
        }
        for one in reviewers.users
    ]
    groups = [
        {
            "@odata.type": "#microsoft.graph.groupMembers",
            "isBackup": False,
            "description": names.get(one),
            "groupId": one,
        }
        for one in reviewers.groups
    ]
    return [*users, *groups]


def approver_ids(policy: Policy) -> set[str]:
    return {key for stage in policy.approval.stages for key in stage.primary.keys() | stage.escalation.keys()}


_RENDER: dict[str, Callable[[Policy, Rule, Names], Row]] = {
    "ExpirationRule": _expiration,
    "EnablementRule": _enablement,
    "AuthenticationContextRule": _context,
    "NotificationRule": _notification,
    "ApprovalRule": _approval,
}
