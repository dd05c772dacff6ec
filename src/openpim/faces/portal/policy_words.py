"""Role settings in words: each fact beside its default, and the whole in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from openpim.core.grants import Duration
from openpim.core.policy import NOTIFICATION_KEYS, Expiry, Level, Policy, Requirement, Stage
from openpim.faces.portal import policy_systems
from openpim.faces.portal.words import REQUIREMENT_WORDS, plural, span, t
from openpim.services.role_settings import RoleSetting

TABS: Final = (("activation", "Activation"), ("assignment", "Assignment"), ("notification", "Notification"))
EVENTS: Final = {
    "Admin_Eligibility": "Somebody is made eligible for this role",
    "Admin_Assignment": "Somebody is assigned this role actively",
    "EndUser_Assignment": "Somebody who is eligible activates this role",
}
RECIPIENTS: Final = {"Admin": "Administrators", "Requestor": "The assignee", "Approver": "Approvers"}
LEVELS: Final = {Level.ALL: "All mail", Level.CRITICAL: "Critical mail only", Level.NONE: "No mail"}


@dataclass(frozen=True, slots=True)
class Fact:
    """default: "" where it is as it came."""

    label: str
    value: str
    default: str = ""


def length(duration: Duration | None) -> str:
    """A policy's duration: 8 h, 6 months, 1 year."""
    if duration is None:
        return t("No limit")
    parts = []
    if duration.months:
        years, months = divmod(duration.months, 12)
        parts += [plural(years, "{count} year", "{count} years")] if years else []
        parts += [plural(months, "{count} month", "{count} months")] if months else []
    if duration.seconds:
        days, rest = divmod(duration.seconds, 86_400)
        if days == 365 and not rest and not parts:
            return t("1 year")
        parts.append(span(timedelta(seconds=duration.seconds)))
    return " ".join(parts) or "0 s"


def requirements(required: Collection[Requirement]) -> str:
    return ", ".join(t(REQUIREMENT_WORDS[one]) for one in Requirement if one in required) or t("Nothing")


def brief(setting: RoleSetting) -> str:
    """The same for a list: up to 8 h · MFA, Justification · no approval."""
    policy = setting.policy
    proof = [policy.context] if policy.context_enabled and policy.context else []
    proof += [t(REQUIREMENT_WORDS[one]) for one in Requirement if one in policy.activation_requires]
    stages = len(policy.approval.stages)
    approval = (
        plural(stages, "approval", "approval in {count} stages")
        if policy.approval.required
        else t("no approval")
    )
    return " · ".join(
        [
            t("up to {time}", time=length(policy.activation.maximum)),
            ", ".join(proof) or t("nothing more"),
            approval,
        ]
    )


def sentence(setting: RoleSetting) -> str:
    """What the settings mean for somebody who is eligible."""
    policy = setting.policy
    told = [
        t("Whoever is eligible may activate {role} for up to {time}", role=setting.role_name, time=length(policy.activation.maximum))
        if policy.activation.maximum
        else t("Whoever is eligible may activate {role} for any time", role=setting.role_name)
    ]  # fmt: skip
    needs = {
        Requirement.MFA: t("a second factor"),
        Requirement.JUSTIFICATION: t("a justification"),
        Requirement.TICKETING: t("a ticket"),
    }
    wanted = [needs[one] for one in Requirement if one in policy.activation_requires]
    if policy.context_enabled and policy.context:
        wanted.insert(0, t("the authentication context {context}", context=policy.context))
    if wanted:
        told.append(t("gives {things}", things=_listed(wanted)))
    if policy.approval.required:
        count = len(policy.approval.stages)
        who = _listed([_who(stage, setting.approvers) for stage in policy.approval.stages], t(", then "))
        told.append(t("waits for approval by {who}", who=who) if count else t("waits for approval"))
    else:
        told.append(t("needs nobody's approval"))
    return f"{_listed(told)}."


def _listed(parts: list[str], between: str = ", ") -> str:
    if between != ", " or len(parts) < 2:
        return between.join(parts)
    return t("{most} and {last}", most=", ".join(parts[:-1]), last=parts[-1])


def _who(stage: Stage, names: Mapping[str, str]) -> str:
    if stage.callout is not None:
        return names.get(stage.callout.channel_id) or t("another system")
    if not stage.primary:
        return t("those who manage the role")
    found = [names.get(one) or t("an approver") for one in (*stage.primary.users, *stage.primary.groups)]
    if len(found) > 3:
        found = [*found[:3], t("{count} more", count=len(found) - 3)]
    if stage.quorum > 1:
        return t("{count} of {who}", count=stage.quorum, who=", ".join(found))
    return t(" or ").join(found)


def facts(setting: RoleSetting, tab: str) -> tuple[Fact, ...]:
    """What a tab shows."""
    make = _MAKE[tab]
    default = dict(make(setting.default, setting.approvers))
    found = []
    for label, value in make(setting.policy, setting.approvers):
        usual = default.get(label, t("None"))
        found.append(Fact(label, value, usual if usual != value else ""))
    return tuple(found)


def _activation(policy: Policy, names: Mapping[str, str]) -> list[tuple[str, str]]:
    asks = policy.approval
    facts = [
        (t("Activation maximum duration"), length(policy.activation.maximum)),
        (t("On activation, require"), requirements(policy.activation_requires)),
        (
            t("Authentication context"),
            (policy.context or "") if policy.context_enabled else t("None"),
        ),
        (t("Require approval to activate"), t("Yes") if asks.required else t("No")),
    ]
    facts += policy_systems.facts(policy, names)
    if not asks.required:
        return facts
    several = len(asks.stages) > 1
    for number, stage in enumerate(asks.stages, start=1):
        if stage.callout is not None:
            continue
        label = t("Approvers, stage {number}", number=number) if several else t("Approvers")
        facts.append((label, _stage(stage, names)))
    return facts


def _stage(stage: Stage, names: Mapping[str, str]) -> str:
    told = [_who(stage, names), t("within {time}", time=span(stage.timeout_minutes * 60))]
    if stage.escalate_after_minutes and stage.escalation:
        others = [names.get(one) or t("an approver") for one in sorted(stage.escalation.keys())]
        told.append(
            t("after {time} also {who}", time=span(stage.escalate_after_minutes * 60), who=", ".join(others))
        )
    if not stage.justification_required:
        told.append(t("who need not say why"))
    return ", ".join(told)


def _assignment(policy: Policy, _names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (t("Allow permanent eligible assignment"), _permanent(policy.eligibility)),
        (t("Expire eligible assignments after"), length(policy.eligibility.maximum)),
        (t("Allow permanent active assignment"), _permanent(policy.assignment)),
        (t("Expire active assignments after"), length(policy.assignment.maximum)),
        (t("On eligible assignment, require"), requirements(policy.eligibility_requires)),
        (t("On active assignment, require"), requirements(policy.assignment_requires)),
    ]


def _permanent(expiry: Expiry) -> str:
    return t("No") if expiry.required else t("Yes")


def _notification(policy: Policy, _names: Mapping[str, str]) -> list[tuple[str, str]]:
    facts = []
    for key in NOTIFICATION_KEYS:
        mail = policy.notifications[key]
        told = [t(LEVELS[mail.level])]
        if not mail.default_recipients:
            told.append(t("not to the usual recipients"))
        if mail.recipients:
            told.append(t("also to {who}", who=", ".join(mail.recipients)))
        facts.append((notification_label(key), ", ".join(told)))
    return facts


def notification_label(key: str) -> str:
    recipient, _, event = key.partition("_")
    return f"{t(EVENTS[event])}: {t(RECIPIENTS[recipient])}"


_MAKE: Final[Mapping[str, Callable[[Policy, Mapping[str, str]], list[tuple[str, str]]]]] = {
    "activation": _activation,
    "assignment": _assignment,
    "notification": _notification,
}
