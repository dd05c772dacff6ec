"""The seventeen rules of a policy, in: what a PATCH says, as a change of the typed settings.

Only what is set is changed; names and words match in any case. What cannot be understood is a BodyError that names
the member, so that nothing is ever stored half. See `policy_rules` for the way out, and for our own members.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from openpim.core.grants import Duration
from openpim.core.policy import (
    ApprovalSettings,
    AskFirst,
    Expiry,
    Level,
    Notification,
    Policy,
    Requirement,
    Reviewers,
    Stage,
    WhenDown,
)
from openpim.core.tickets import NO_RULES, TicketRules, TicketsDown
from openpim.faces.shared.policy_rules import MINUTES_A_DAY, expiry_name, notification_key, requires_name
from openpim.wire.claims import is_context_id
from openpim.wire.enums import Rule, is_rule_type, lookup, rule
from openpim.wire.jsonbody import Body

Change = Callable[[Policy], Policy]

MOST_STAGES = 20
_MAIL = re.compile(r"[^\s@;,<>\x00-\x1f]{1,64}@[^\s@;,<>\x00-\x1f]{1,255}")
_MODES = frozenset({"singlestage", "serial", "parallel", "noapproval"})


def read_rule(body: Body, known: Rule | None = None) -> Change:
    """The change that the body of one rule asks for. known: the rule the address names; else `id` says which."""
    given = body.text("id", max_length=200)
    if known is None:
        known = rule(given or "")
        if known is None:
            raise body.fail("id", "is none of the seventeen rules" if given else "is required")
    elif given is not None and given.lower() != known.id.lower():
        raise body.fail("id", f"is not {known.id}, which the address names")
    kind = body.text("@odata.type", max_length=200)
    if kind is not None and not is_rule_type(known, kind):
        raise body.fail("@odata.type", f"must be {known.odata_type} for the rule {known.id}")
    _check_target(body, known)
    return _READ[known.suffix](body, known)


def read_policy(body: Body) -> Change:
    """The change that a policy with a `rules` array asks for; each rule at most once."""
    given = body.objects("rules", most=50)
    if not given:
        raise body.fail("rules", "is required, and has at least one rule")
    changes: dict[str, Change] = {}
    for one in given:
        known = rule(one.text("id", max_length=200) or "")
        if known is not None and known.id in changes:
            raise one.fail("id", "is given twice")
        change = read_rule(one)
        assert known is not None  # noqa: S101 - read_rule has refused it
        changes[known.id] = change

    def all_of(policy: Policy) -> Policy:
        for change in changes.values():
            policy = change(policy)
        return policy

    return all_of


def _check_target(body: Body, known: Rule) -> None:
    """A target is not needed, since the id says it all; but one that says something else is a mistake."""
    target = body.object("target")
    if target is None:
        return
    for name, wanted in (("caller", known.caller), ("level", known.level)):
        text = target.text(name, max_length=100)
        if text is not None and text.lower() != wanted.lower():
            raise target.fail(name, f"must be {wanted} for the rule {known.id}")


def _expiration(body: Body, known: Rule) -> Change:
    name = expiry_name(known)
    required = body.boolean("isExpirationRequired")
    given = body.duration("maximumDuration")
    maximum = Duration(given.iso, given.months, given.seconds) if given is not None else None
    cleared = body.has("maximumDuration") and maximum is None

    def change(policy: Policy) -> Policy:
        old: Expiry = getattr(policy, name)
        new = Expiry(
            old.required if required is None else required,
            maximum if maximum is not None or cleared else old.maximum,
        )
        return _with(policy, name, new)

    return change


def _enablement(body: Body, known: Rule) -> Change:
    name = requires_name(known)
    given = body.texts("enabledRules", most=20, max_length=100)
    wanted: set[Requirement] = set()
    for index, text in enumerate(given or ()):
        found = lookup(Requirement, text)
        if found is None:
            raise body.fail(f"enabledRules[{index}]", f"is none of {', '.join(Requirement)}")
        wanted.add(found)
    if given is None and body.has("enabledRules"):
        raise body.fail("enabledRules", "is null, not a list")
    ours = body.object("openPim")
    tickets = _tickets(ours, known) if ours is not None and ours.has("tickets") else None

    def change(policy: Policy) -> Policy:
        if tickets is not None:
            policy = replace(policy, tickets=tickets)
        return policy if given is None else _with(policy, name, frozenset(wanted))

    return change


def _tickets(ours: Body, known: Rule) -> TicketRules:
    """The whole of it: what is left out is as it is by default; null takes all of it away."""
    if known.caller != "EndUser":
        raise ours.fail("tickets", "is for activations: it belongs to Enablement_EndUser_Assignment")
    given = ours.object("tickets")
    if given is None:
        return NO_RULES
    return TicketRules(
        tuple(given.texts("patterns", most=20, max_length=200) or ()),
        given.guid("customExtensionId"),
        given.choice("whenDown", TicketsDown) or TicketsDown.REFUSE,
        given.boolean("endsWithTicket") or False,
    )


def _callout(ours: Body) -> AskFirst | None:
    given = ours.object("callout")
    if given is None:
        return None
    return AskFirst(
        given.need_guid("customExtensionId"),
        given.choice("whenDown", WhenDown) or WhenDown.REFUSE,
        given.boolean("mayAutoApprove") or False,
    )


def _context(body: Body, _known: Rule) -> Change:
    enabled = body.boolean("isEnabled")
    value = body.text("claimValue", max_length=100) or None
    if value is not None and not is_context_id(value.lower()):
        raise body.fail("claimValue", "is none of c1 to c99")
    given = body.has("claimValue")

    def change(policy: Policy) -> Policy:
        return replace(
            policy,
            context_enabled=policy.context_enabled if enabled is None else enabled,
            context=(value.lower() if value else None) if given else policy.context,
        )

    return change


def _notification(body: Body, known: Rule) -> Change:
    level = body.choice("notificationLevel", Level)
    default = body.boolean("isDefaultRecipientsEnabled")
    recipients = body.texts("notificationRecipients", most=100, max_length=320)
    for index, text in enumerate(recipients or ()):
        if _MAIL.fullmatch(text) is None:
            raise body.fail(f"notificationRecipients[{index}]", "is not a mail address")
    recipient = body.text("recipientType", max_length=100)
    if recipient is not None and recipient.lower() != (known.recipient or "").lower():
        raise body.fail("recipientType", f"must be {known.recipient} for the rule {known.id}")

    def change(policy: Policy) -> Policy:
        key = notification_key(known)
        old = policy.notifications[key]
        new = Notification(
            old.level if level is None else level,
            old.default_recipients if default is None else default,
            old.recipients if recipients is None else tuple(dict.fromkeys(recipients)),
        )
        return replace(policy, notifications={**policy.notifications, key: new})

    return change


def _approval(body: Body, _known: Rule) -> Change:
    setting = body.object("setting")
    if setting is None:
        return lambda policy: policy
    required = setting.boolean("isApprovalRequired")
    extension = setting.boolean("isApprovalRequiredForExtension")
    justified = setting.boolean("isRequestorJustificationRequired")
    mode = setting.text("approvalMode", max_length=100)
    if mode is not None and mode.lower() not in _MODES:
        raise setting.fail("approvalMode", "is none of SingleStage, Serial, Parallel, NoApproval")
    given = setting.objects("approvalStages", most=MOST_STAGES)
    stages = [_stage(one) for one in given or ()]

    def change(policy: Policy) -> Policy:
        old = policy.approval
        wanted = old.required if required is None else required
        if mode is not None and mode.lower() == "noapproval":
            wanted = False
        new = ApprovalSettings(
            required=wanted,
            required_for_extension=old.required_for_extension if extension is None else extension,
            requestor_justification_required=old.requestor_justification_required
            if justified is None
            else justified,
            stages=_merged(old.stages, stages) if stages else old.stages,
        )
        return replace(policy, approval=new)

    return change


StageChange = Callable[[Stage], Stage]


def _merged(old: tuple[Stage, ...], changes: list[StageChange]) -> tuple[Stage, ...]:
    """The list that was sent is the new list; what a stage leaves out keeps its value (or is the default)."""
    return tuple(change(old[index] if index < len(old) else Stage()) for index, change in enumerate(changes))


def _stage(body: Body) -> StageChange:
    changes: dict[str, Any] = {}
    days = body.integer("approvalStageTimeOutInDays", least=1, most=60)
    if days is not None:
        changes["timeout_minutes"] = days * MINUTES_A_DAY
    justified = body.boolean("isApproverJustificationRequired")
    if justified is not None:
        changes["justification_required"] = justified
    escalates = body.boolean("isEscalationEnabled")
    minutes = body.integer("escalationTimeInMinutes", least=0, most=60 * MINUTES_A_DAY)
    if escalates is False:
        minutes = 0
    if escalates and not minutes and body.has("escalationTimeInMinutes"):
        raise body.fail("escalationTimeInMinutes", "is required where isEscalationEnabled is true")
    if minutes is not None:
        changes["escalate_after_minutes"] = minutes
    for name, attribute in (("primaryApprovers", "primary"), ("escalationApprovers", "escalation")):
        people = body.objects(name, most=100)
        if people is not None:
            changes[attribute] = _reviewers(people)
    ours = body.object("openPim")
    changes |= {"quorum": 1, "callout": None}
    if ours is not None:
        changes["quorum"] = ours.integer("quorum", least=1, most=20) or 1
        changes["callout"] = _callout(ours)
        exact = ours.integer("timeOutInMinutes", least=1, most=60 * MINUTES_A_DAY)
        if exact is not None:
            changes["timeout_minutes"] = exact
        if changes["callout"] is not None:  # a stage of people that was there in its place lends it nothing
            changes = {
                "primary": Reviewers(),
                "escalation": Reviewers(),
                "escalate_after_minutes": 0,
            } | changes
    return lambda stage: replace(stage, **changes)


def _reviewers(people: list[Body]) -> Reviewers:
    users: list[str] = []
    groups: list[str] = []
    for one in people:
        kind = (one.text("@odata.type", max_length=200) or "").removeprefix("#").lower()
        kind = kind.removeprefix("microsoft.graph.")
        given = one.guid("id")
        user = one.guid("userId") or (given if kind == "singleuser" else None)
        group = one.guid("groupId") or (given if kind == "groupmembers" else None)
        if kind not in {"", "singleuser", "groupmembers"}:
            raise one.fail("@odata.type", "is neither singleUser nor groupMembers")
        if user is not None and kind != "groupmembers":
            users.append(user)
        elif group is not None and kind != "singleuser":
            groups.append(group)
        else:
            raise one.fail("groupId" if kind == "groupmembers" else "userId", "is required")
    return Reviewers(tuple(dict.fromkeys(users)), tuple(dict.fromkeys(groups)))


def _with(policy: Policy, name: str, value: Any) -> Policy:
    changes: dict[str, Any] = {name: value}
    return replace(policy, **changes)


_READ: dict[str, Callable[[Body, Rule], Change]] = {
    "ExpirationRule": _expiration,
    "EnablementRule": _enablement,
    "AuthenticationContextRule": _context,
    "NotificationRule": _notification,
    "ApprovalRule": _approval,
}
