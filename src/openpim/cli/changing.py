"""What `pim policy set` changes: from options to the changed members of the policy's rules."""

from __future__ import annotations

from openpim.cli import administering, systems
from openpim.client.errors import PimError
from openpim.client.policy import notification_rules
from openpim.client.roles import named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.graph import Graph
    from openpim.client.policy import PolicyRow

    Row = dict[str, Any]

__all__ = ["ACTIVATION", "APPROVAL", "ENABLEMENT", "REQUIREMENTS", "changes"]

REQUIREMENTS = {"mfa": "MultiFactorAuthentication", "justification": "Justification", "ticket": "Ticketing"}
ACTIVATION, ENABLEMENT = "Expiration_EndUser_Assignment", "Enablement_EndUser_Assignment"
APPROVAL = "Approval_EndUser_Assignment"
_CONTEXT = "AuthenticationContext_EndUser_Assignment"
_LEVELS = {"all": "All", "critical": "Critical"}


def _iso(given: str, option: str) -> str:
    from openpim.cli.times import seconds_of
    from openpim.wire.durations import parse_human

    seconds_of(given, option)  # for its error
    return parse_human(given).iso


def _approvers(graph: Graph, names: list[str]) -> list[Row]:
    entries: list[Row] = []
    for name in names:
        row = administering.principal(graph, name)
        kind = "groupMembers" if text(row.get("@odata.type")).endswith("group") else "singleUser"
        member = "groupId" if kind == "groupMembers" else "userId"
        entry = {
            "@odata.type": f"#microsoft.graph.{kind}",
            member: row["id"],
            "description": text(row.get("displayName")) or None,
        }
        entries.append(entry)
    return entries


def _enablement(args: Namespace, policy: PolicyRow, context: Context) -> list[str] | None:
    wanted = {name: getattr(args, name) for name in REQUIREMENTS}
    enabled = set(policy.enabled(ENABLEMENT))
    before = set(enabled)
    takes_context = args.context not in {None, "none"}
    if takes_context and wanted["mfa"] is None and REQUIREMENTS["mfa"] in enabled:
        context.note("an authentication context takes the place of MFA; MFA is no longer required beside it")
        wanted["mfa"] = False
    for name, value in wanted.items():
        if value is not None:
            (enabled.add if value else enabled.discard)(REQUIREMENTS[name])
    return None if enabled == before else [wire for wire in REQUIREMENTS.values() if wire in enabled]


def _approval(args: Namespace, policy: PolicyRow, context: Context) -> Row | None:
    """The approval setting with what was given changed in one of its stages; None for nothing given."""
    escalates = args.escalate_to or args.escalate_after or args.escalation is not None
    of_stage = args.approver or args.quorum is not None or args.approval_timeout or escalates
    if args.approval is None and not of_stage and not systems.given(args):
        return None
    setting = dict(named(policy.rule(APPROVAL), "setting"))
    setting["isApprovalRequired"] = args.approval is not False
    listed = setting.get("approvalStages")
    stages = [dict(stage) for stage in listed if isinstance(stage, dict)] if isinstance(listed, list) else []
    stages = systems.ask_first(args, stages, context)
    stages = stages or [{"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": True}]
    number = 1 if args.stage is None else args.stage
    if not 1 <= number <= len(stages) + 1:
        text = f"--stage {number}: there are {len(stages)} stages"
        raise PimError("usage", text, f"give 1 to {len(stages)}, or {len(stages) + 1} for a new one")
    if number > len(stages):
        stages.append({"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": True})
    stage = stages[number - 1]
    if args.approver:
        stage["primaryApprovers"] = _approvers(context.graph, args.approver)
    ours = dict(named(stage, "openPim"))
    if args.quorum is not None:
        ours["quorum"] = args.quorum
    if args.approval_timeout:
        from openpim.cli.times import seconds_of

        ours["timeOutInMinutes"] = seconds_of(args.approval_timeout, "--approval-timeout") // 60
        stage["approvalStageTimeOutInDays"] = max(1, -(-ours["timeOutInMinutes"] // 1440))
    if ours:
        stage["openPim"] = ours
    if escalates:
        _escalate(args, stage, context)
    setting["approvalStages"] = stages
    setting["approvalMode"] = "SingleStage" if len(stages) == 1 else "Serial"
    return setting


def _escalate(args: Namespace, stage: Row, context: Context) -> None:
    """Who is asked too when the first ones have not answered for a while."""
    from openpim.cli.times import seconds_of

    if args.escalation is False:
        stage |= {"isEscalationEnabled": False, "escalationTimeInMinutes": 0, "escalationApprovers": []}
        return
    if args.escalate_to:
        stage["escalationApprovers"] = _approvers(context.graph, args.escalate_to)
    if args.escalate_after:
        stage["escalationTimeInMinutes"] = seconds_of(args.escalate_after, "--escalate-after") // 60
    lacks = []
    if not stage.get("escalationApprovers"):
        lacks.append("whom to ask then (--escalate-to WHO)")
    if not stage.get("escalationTimeInMinutes"):
        lacks.append("after how long (--escalate-after DURATION)")
    if lacks:
        raise PimError("usage", f"an escalation needs {' and '.join(lacks)}", "see: pim policy --help")
    stage["isEscalationEnabled"] = True


def _notifications(args: Namespace, policy: PolicyRow) -> dict[str, Row]:
    """`--notify activation:admin=off,ops@contoso.com`: what is changed of the nine rules about mail."""
    found: dict[str, Row] = {}
    known = notification_rules()
    for given in args.notify:
        name, equals, words = given.partition("=")
        rule = known.get(name.strip().lower())
        if rule is None or not equals:
            text_ = f"--notify: {given[:80]!r} does not say for what to whom"
            raise PimError(
                "usage",
                text_,
                f"write it like --notify activation:admin=critical; there are: {', '.join(known)}",
            )
        change = found.setdefault(rule, {})
        people: list[str] = []
        for word in (one.strip() for one in words.split(",")):
            low = word.lower()
            if low in {"on", "off"}:
                change["isDefaultRecipientsEnabled"] = low == "on"
            elif low in _LEVELS:
                change["notificationLevel"] = _LEVELS[low]
            elif low == "nobody":
                change["notificationRecipients"] = []
            elif "@" in word:
                people.append(word)
            else:
                text_ = (
                    f"--notify: {word[:60]!r} is none of on, off, all, critical, nobody, and no mail address"
                )
                raise PimError(
                    "usage", text_, "write it like --notify activation:admin=on,critical,ops@contoso.com"
                )
        if people:
            change["notificationRecipients"] = people
    return {name: {**policy.rule(name), **change} for name, change in found.items()}


def changes(args: Namespace, policy: PolicyRow, context: Context) -> dict[str, Row]:
    """The changed members by rule id."""
    found: dict[str, Row] = {}
    if args.max_duration:
        found[ACTIVATION] = {
            "isExpirationRequired": True,
            "maximumDuration": _iso(args.max_duration, "--max-duration"),
        }
    enabled = _enablement(args, policy, context)
    if enabled is not None:
        found[ENABLEMENT] = {"enabledRules": enabled}
    tickets = systems.tickets(args, policy.rule(ENABLEMENT), context)
    if tickets is not None:
        found.setdefault(ENABLEMENT, {})["openPim"] = {"tickets": tickets}
    if args.context is not None:
        on = args.context.lower() != "none"
        found[_CONTEXT] = {"isEnabled": on, "claimValue": args.context.lower() if on else None}
    approval = _approval(args, policy, context)
    if approval is not None:
        found[APPROVAL] = {"setting": approval}
    for level, longest, permanent in (
        ("Eligibility", args.eligible_max, args.eligible_permanent),
        ("Assignment", args.active_max, args.active_permanent),
    ):
        change: Row = {}
        if longest:
            option = "--eligible-max" if level == "Eligibility" else "--active-max"
            change["maximumDuration"] = _iso(longest, option)
        if permanent is not None:
            change["isExpirationRequired"] = not permanent
        if change:
            found[f"Expiration_Admin_{level}"] = change
    return found | _notifications(args, policy)
