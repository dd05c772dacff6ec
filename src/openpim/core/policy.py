"""Role settings: what a role demands of an activation and of an assignment.

Entra shows these as 17 rules with fixed ids; here they are typed settings, and the faces render them as rules.
Beyond Entra (approval only): several stages, a quorum for each, a time-out and an escalation that are honoured.
Source of defaults: the documented untouched policy of an Entra tenant (blueprint, section 2; rules 1-17).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID, uuid5

from openpim.core.grants import Duration, Kind, days, hours
from openpim.core.tickets import MOST_PATTERNS, NO_RULES, TicketRules, pattern_fault


class Requirement(StrEnum):
    """What may be demanded of a requestor (case-sensitive on the wire)."""

    MFA = "MultiFactorAuthentication"
    JUSTIFICATION = "Justification"
    TICKETING = "Ticketing"


@dataclass(frozen=True, slots=True)
class Expiry:
    """required False: permanent is allowed. maximum: the longest that may be asked for, None = no limit."""

    required: bool
    maximum: Duration | None


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Who decides: user ids and group ids."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def keys(self) -> frozenset[str]:
        return frozenset(self.users) | frozenset(self.groups)

    def __bool__(self) -> bool:
        return bool(self.users or self.groups)


class WhenDown(StrEnum):
    """What happens when a system that is to be asked does not answer."""

    REFUSE = "refuse"
    PEOPLE = "people"  # the next stage decides; without one, the role's default approvers
    WAIT = "wait"  # it is asked again until the stage's time is over


@dataclass(frozen=True, slots=True)
class AskFirst:
    """A stage that another system decides. may_auto_approve: its AutoApproved takes the place of all people's."""

    channel_id: str
    when_down: WhenDown = WhenDown.REFUSE
    may_auto_approve: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of approval. quorum: how many different people must approve (one denial denies).

    escalate_after: minutes until `escalation` reviewers are asked too; 0 = never.
    callout: another system decides this stage, and no people.
    """

    timeout_minutes: int = 24 * 60
    justification_required: bool = True
    primary: Reviewers = Reviewers()
    escalation: Reviewers = Reviewers()
    escalate_after_minutes: int = 0
    quorum: int = 1
    callout: AskFirst | None = None


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """requestor_justification and extension are Graph's members of the same rule; mode is derived."""

    required: bool = False
    required_for_extension: bool = False
    requestor_justification_required: bool = True
    stages: tuple[Stage, ...] = (Stage(),)


class Level(StrEnum):
    NONE = "None"
    CRITICAL = "Critical"
    ALL = "All"


@dataclass(frozen=True, slots=True)
class Notification:
    """Who is mailed about one kind of event. recipients: further addresses."""

    level: Level = Level.ALL
    default_recipients: bool = True
    recipients: tuple[str, ...] = ()


NOTIFICATION_KEYS = tuple(
    f"{recipient}_{event}"
    for event in ("Admin_Eligibility", "Admin_Assignment", "EndUser_Assignment")
    for recipient in ("Admin", "Requestor", "Approver")
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one role (at one scope), in force since `modified_at`.

    id: stable for ever; version counts changes. context: authentication context an activation must carry, or None.
    tickets_above, context_above: where an activation is below the scope of its eligibility, the other policy's (see
    `stricter`); never stored.
    """

    id: str
    role_id: str
    scope: str = "/"
    version: int = 1
    activation: Expiry = Expiry(required=True, maximum=hours(8))
    activation_requires: frozenset[Requirement] = frozenset({Requirement.MFA, Requirement.JUSTIFICATION})
    context_enabled: bool = False
    context: str | None = None
    approval: ApprovalSettings = ApprovalSettings()
    tickets: TicketRules = NO_RULES
    eligibility: Expiry = Expiry(required=False, maximum=days(365))
    assignment: Expiry = Expiry(required=False, maximum=days(180))
    assignment_requires: frozenset[Requirement] = frozenset({Requirement.JUSTIFICATION})
    eligibility_requires: frozenset[Requirement] = frozenset()
    notifications: dict[str, Notification] = field(
        default_factory=lambda: dict.fromkeys(NOTIFICATION_KEYS, Notification())
    )
    tickets_above: TicketRules = NO_RULES
    context_above: str | None = None
    modified_at: datetime | None = None
    modified_by: str | None = None
    modified_by_name: str | None = None

    @property
    def all_tickets(self) -> tuple[TicketRules, ...]:
        """Every set of rules that a ticket must satisfy."""
        return tuple(dict.fromkeys(one for one in (self.tickets, self.tickets_above) if one != NO_RULES))

    @property
    def contexts(self) -> tuple[str, ...]:
        """Every authentication context that an activation must carry."""
        own = self.context if self.context_enabled else None
        return tuple(dict.fromkeys(one for one in (own, self.context_above) if one is not None))

    def expiry_of(self, kind: Kind) -> Expiry:
        """The limit on what an administrator gives."""
        return self.eligibility if kind is Kind.ELIGIBILITY else self.assignment

    def admin_requires(self, kind: Kind) -> frozenset[Requirement]:
        return self.eligibility_requires if kind is Kind.ELIGIBILITY else self.assignment_requires


@lru_cache(maxsize=5000)
def policy_id(tenant_id: str, what: str) -> str:
    """The id of a policy, the same for ever. what: which one of the tenant's."""
    return str(uuid5(UUID(tenant_id), f"policy/{what}"))


def default_directory_policy(policy_id: str, role_id: str) -> Policy:
    """The untouched policy of a directory role."""
    return Policy(id=policy_id, role_id=role_id)


def default_group_policy(policy_id: str, role_id: str, group_id: str) -> Policy:
    """The untouched policy of a group's member or owner: permanent eligibility is not allowed."""
    return replace(
        Policy(id=policy_id, role_id=role_id, scope=group_id),
        eligibility=Expiry(required=True, maximum=days(365)),
    )


def default_resource_policy(policy_id: str, role_id: str, scope: str) -> Policy:
    """The untouched policy of a resource role at one scope."""
    return replace(
        Policy(id=policy_id, role_id=role_id, scope=scope),
        activation_requires=frozenset({Requirement.JUSTIFICATION}),
        assignment=Expiry(required=True, maximum=days(180)),
    )


def stricter(one: Policy, other: Policy, *, extending: bool = False) -> Policy:
    """What both policies allow of an activation: the shorter maximum, every requirement, both contexts, both approvals in
    turn. extending: of one that is longer.

    Used where a role is activated below the scope of its eligibility: neither policy may be side-stepped.
    """
    approvals = [
        policy.approval
        for policy in (one, other)
        if policy.approval.required or (extending and policy.approval.required_for_extension)
    ]
    approval = one.approval
    if approvals:
        stages = tuple(dict.fromkeys(stage for approval in approvals for stage in approval.stages))
        if any(
            each.stages != stages for each in approvals
        ):  # one policy's system does not speak for the other's people
            stages = tuple(_without_auto(stage) for stage in stages)
        approval = ApprovalSettings(
            required=any(each.required for each in approvals),
            required_for_extension=any(each.required_for_extension for each in approvals),
            requestor_justification_required=any(each.requestor_justification_required for each in approvals),
            stages=stages,
        )
    return replace(
        one,
        activation=_shorter(one.activation, other.activation),
        activation_requires=one.activation_requires | other.activation_requires,
        context_above=next(iter(other.contexts), None),
        approval=approval,
        tickets_above=other.tickets,
    )


def _without_auto(stage: Stage) -> Stage:
    if stage.callout is None:
        return stage
    return replace(stage, callout=replace(stage.callout, may_auto_approve=False))


def _shorter(one: Expiry, other: Expiry) -> Expiry:
    """Of two limits the one that allows less; one that is not required allows all."""
    limits = [expiry for expiry in (one, other) if expiry.required and expiry.maximum is not None]
    if not limits:
        return one
    return min(
        limits,
        key=lambda expiry: (
            (expiry.maximum.months * 2_629_746 + expiry.maximum.seconds) if expiry.maximum else 0
        ),
    )


def faults(policy: Policy) -> list[tuple[str, str]]:
    """What is wrong with the settings, as (member, message); empty when they can be stored."""
    found = [
        (name, "an expiration that is required needs a maximum duration")
        for name, expiry in (
            ("activation", policy.activation),
            ("eligibility", policy.eligibility),
            ("assignment", policy.assignment),
        )
        if expiry.required and expiry.maximum is None
    ]
    maximum = policy.activation.maximum
    if maximum is not None and not (maximum.months == 0 and 5 * 60 <= maximum.seconds <= 24 * 3600):
        found.append(("activation", "the activation maximum must lie between 5 minutes and 24 hours"))
    if policy.context_enabled and not policy.context:
        found.append(("context", "name the authentication context (c1 to c99) that is to be required"))
    if policy.context_enabled and Requirement.MFA in policy.activation_requires:
        found.append(
            ("context", "multi-factor authentication and an authentication context exclude each other")
        )
    stages = policy.approval.stages
    if policy.approval.required and not stages:
        found.append(("approval", "an approval that is required needs at least one stage"))
    if len(stages) > 5:
        found.append(("approval", "at most five approval stages are supported"))
    if len(policy.tickets.patterns) > MOST_PATTERNS:
        found.append(("tickets", f"at most {MOST_PATTERNS} ticket patterns"))
    found += [("tickets", wrong) for one in policy.tickets.patterns if (wrong := pattern_fault(one))]
    if policy.tickets.ends_with_ticket and policy.tickets.system_id is None:
        found.append(("tickets", "name the ticket system that says when a ticket is closed"))
    for number, stage in enumerate(stages, start=1):
        found += [("approval", f"stage {number}: {fault}") for fault in _stage_faults(stage)]
    return found


def _stage_faults(stage: Stage) -> list[str]:
    found = []
    if not 1 <= stage.timeout_minutes <= 60 * 24 * 60:
        found.append("the time-out must lie between 1 minute and 60 days")
    if not 1 <= stage.quorum <= 20:
        found.append("the quorum must lie between 1 and 20")
    if stage.callout is not None:
        if stage.primary or stage.escalation or stage.quorum != 1 or stage.escalate_after_minutes:
            found.append("another system decides it: it has no approvers, no quorum and no escalation")
        return found
    named_only = bool(stage.primary.users) and not stage.primary.groups and not stage.escalation
    if named_only and stage.quorum > len(set(stage.primary.users)):
        found.append("the quorum is larger than the number of approvers")
    if stage.escalate_after_minutes < 0 or stage.escalate_after_minutes >= stage.timeout_minutes:
        found.append("it must escalate before it times out")
    if stage.escalate_after_minutes and not stage.escalation:
        found.append("name the approvers to escalate to")
    if len(stage.primary.keys()) > 100 or len(stage.escalation.keys()) > 100:
        found.append("at most 100 approvers")
    return found
