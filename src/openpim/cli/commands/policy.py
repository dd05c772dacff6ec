"""`pim policy show|set`: what a role demands, read from and written to the rules of its policy."""

from __future__ import annotations

from openpim.cli import administering
from openpim.cli.output import short
from openpim.client.errors import PimError
from openpim.client.policy import Demand, PolicyRow, approver_name, policies_of
from openpim.client.roles import length, named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.administering import Target
    from openpim.cli.context import Context
    from openpim.client.graph import Graph
    from openpim.client.pim import Pim

    Row = dict[str, Any]

DESCRIPTION = "Show what a role or a group demands, or (for administrators) change it."
EXAMPLES = """examples:
  pim policy show "Teams Administrator"
  pim policy set "Teams Administrator" --max-duration 4h --ticket
  pim policy set "Exchange Administrator" --approval --approver ben@contoso.com --approver "Security Team"
  pim policy set "Global Administrator" --context c1
  pim policy set sg-admins:owner --max-duration 2h
"""
COLUMNS = (
    ("role", "role"), ("maximumDuration", "activation lasts at most"), ("requires", "activation requires"),
    ("context", "authentication context"), ("approval", "approval"), ("stages", "approvers"),
    ("eligibleMaximum", "eligible for at most"), ("eligiblePermanent", "eligible permanently"),
    ("activeMaximum", "assigned for at most"), ("activePermanent", "assigned permanently"), ("id", "policy"),
)  # fmt: skip
_REQUIREMENTS = {"mfa": "MultiFactorAuthentication", "justification": "Justification", "ticket": "Ticketing"}
_ACTIVATION, _ENABLEMENT = "Expiration_EndUser_Assignment", "Enablement_EndUser_Assignment"
_CONTEXT, _APPROVAL = "AuthenticationContext_EndUser_Assignment", "Approval_EndUser_Assignment"


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    from argparse import BooleanOptionalAction

    parser.add_argument("act", choices=("show", "set"), help="show or set")
    parser.add_argument(
        "role", metavar="ROLE", help="role name, a part of it, or its id; or a group: NAME, NAME:owner"
    )
    group = parser.add_argument_group("what to set")
    group.add_argument(
        "--max-duration", default="", metavar="DURATION", help="how long an activation may last: 30m to 24h"
    )
    for name, what in (
        ("mfa", "multi-factor authentication"),
        ("justification", "a justification"),
        ("ticket", "a ticket"),
    ):
        group.add_argument(
            f"--{name}", action=BooleanOptionalAction, default=None, help=f"activation requires {what}"
        )
    group.add_argument(
        "--context",
        default=None,
        metavar="C1|none",
        help="activation requires this authentication context (instead of MFA)",
    )
    group.add_argument(
        "--approval", action=BooleanOptionalAction, default=None, help="activation requires approval"
    )
    group.add_argument(
        "--approver",
        action="append",
        default=[],
        metavar="WHO",
        help="user or group that approves; several times for several (replaces those there)",
    )
    group.add_argument(
        "--stage",
        type=int,
        default=None,
        metavar="N",
        help="the stage of approval that --approver, --quorum and --approval-timeout are about; one more than there are adds one (default: 1; OpenPIM only)",
    )
    group.add_argument(
        "--quorum", type=int, default=None, metavar="N", help="how many must approve (OpenPIM only)"
    )
    group.add_argument(
        "--approval-timeout",
        default="",
        metavar="DURATION",
        help="how long approvers have (OpenPIM only; Microsoft: one day)",
    )
    group.add_argument(
        "--eligible-max", default="", metavar="DURATION", help="how long somebody may be made eligible for"
    )
    group.add_argument(
        "--eligible-permanent",
        action=BooleanOptionalAction,
        default=None,
        help="whether eligible may be without end",
    )
    group.add_argument(
        "--active-max", default="", metavar="DURATION", help="how long the role may be assigned for"
    )
    group.add_argument(
        "--active-permanent",
        action=BooleanOptionalAction,
        default=None,
        help="whether assigned may be without end",
    )


def _shown(policy: PolicyRow, what: Target) -> Row:
    demand = Demand(policy)
    eligible, active = policy.rule("Expiration_Admin_Eligibility"), policy.rule("Expiration_Admin_Assignment")
    words = {wire: word for word, wire in _REQUIREMENTS.items()}
    stages = named(policy.rule(_APPROVAL), "setting").get("approvalStages")
    listed = [stage for stage in stages if isinstance(stage, dict)] if isinstance(stages, list) else []
    return {
        "id": policy.id,
        "provider": what.provider,
        "role": what.role,
        "roleDefinitionId": what.role_id,
        "scope": what.scope,
        "maximumDuration": text(policy.rule(_ACTIVATION).get("maximumDuration")),
        "requires": [words.get(name, name) for name in policy.enabled(_ENABLEMENT)] or ["nothing"],
        "context": demand.context or None,
        "approval": demand.approval,
        "approvers": (demand.approvers or ["administrators of roles"]) if demand.approval else None,
        "stages": [_stage(stage, number) for number, stage in enumerate(listed, 1)]
        if demand.approval
        else [],
        "eligibleMaximum": text(eligible.get("maximumDuration")),
        "eligiblePermanent": eligible.get("isExpirationRequired") is False,
        "activeMaximum": text(active.get("maximumDuration")),
        "activePermanent": active.get("isExpirationRequired") is False,
    }


def _stage(stage: Row, number: int) -> str:
    """`stage 1: 2 of Anna, Ben within 1 d`."""
    ours = named(stage, "openPim")
    entries = stage.get("primaryApprovers")
    names = (
        [approver_name(entry) for entry in entries if isinstance(entry, dict)]
        if isinstance(entries, list)
        else []
    )
    quorum = ours.get("quorum") if isinstance(ours.get("quorum"), int) else 1
    days = stage.get("approvalStageTimeOutInDays")
    minutes = ours.get("timeOutInMinutes") or (days if isinstance(days, int) else 1) * 1440
    who = ", ".join(names) or "administrators of roles"
    return f"stage {number}: {quorum} of {who} within {short(int(minutes) * 60)}"


def _read(pim: Pim, what: Target) -> PolicyRow:
    policy = policies_of(pim, [what]).get(what.key)
    if policy is None:
        raise PimError(
            "denied",
            f"the policy of {what.role} cannot be read with this account",
            "see who you are: pim whoami",
        )
    return policy


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
    wanted = {name: getattr(args, name) for name in _REQUIREMENTS}
    enabled = set(policy.enabled(_ENABLEMENT))
    before = set(enabled)
    takes_context = args.context not in {None, "none"}
    if takes_context and wanted["mfa"] is None and _REQUIREMENTS["mfa"] in enabled:
        context.note("an authentication context takes the place of MFA; MFA is no longer required beside it")
        wanted["mfa"] = False
    for name, value in wanted.items():
        if value is not None:
            (enabled.add if value else enabled.discard)(_REQUIREMENTS[name])
    return None if enabled == before else [wire for wire in _REQUIREMENTS.values() if wire in enabled]


def _approval(args: Namespace, policy: PolicyRow, context: Context) -> Row | None:
    """The approval setting with what was given changed in one of its stages; None for nothing given."""
    of_stage = args.approver or args.quorum is not None or args.approval_timeout
    if args.approval is None and not of_stage:
        return None
    setting = dict(named(policy.rule(_APPROVAL), "setting"))
    setting["isApprovalRequired"] = args.approval is not False
    listed = setting.get("approvalStages")
    stages = [dict(stage) for stage in listed if isinstance(stage, dict)] if isinstance(listed, list) else []
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
    setting["approvalStages"] = stages
    setting["approvalMode"] = "SingleStage" if len(stages) == 1 else "Serial"
    return setting


def _changes(args: Namespace, policy: PolicyRow, context: Context) -> dict[str, Row]:
    """The changed members by rule id."""
    changes: dict[str, Row] = {}
    if args.max_duration:
        changes[_ACTIVATION] = {
            "isExpirationRequired": True,
            "maximumDuration": _iso(args.max_duration, "--max-duration"),
        }
    enabled = _enablement(args, policy, context)
    if enabled is not None:
        changes[_ENABLEMENT] = {"enabledRules": enabled}
    if args.context is not None:
        on = args.context.lower() != "none"
        changes[_CONTEXT] = {"isEnabled": on, "claimValue": args.context.lower() if on else None}
    approval = _approval(args, policy, context)
    if approval is not None:
        changes[_APPROVAL] = {"setting": approval}
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
            changes[f"Expiration_Admin_{level}"] = change
    return changes


def _write(graph: Graph, policy: PolicyRow, changes: dict[str, Row]) -> None:
    """One rule: PATCH it.  Several: PATCH the policy with all its rules, so that either all change or none.

    A rule is sent whole: Graph wants its type, and one that comes without its target is damaged there.
    """
    rules = {name: {**rule, **changes.get(name, {})} for name, rule in policy.rules.items()}
    unknown = [name for name in changes if name not in rules]
    if unknown:
        raise PimError("server", f"the policy lacks the rule {unknown[0]}", "see: pim doctor")
    path = f"/policies/roleManagementPolicies/{policy.id}"
    if len(changes) == 1:
        name = next(iter(changes))
        graph.request("PATCH", f"{path}/rules/{name}", rules[name])
    else:
        graph.request("PATCH", path, {"rules": list(rules.values())})


def run(args: Namespace, context: Context) -> int:
    """Show or set."""
    graph = context.graph
    what = administering.target(graph, args.role)
    policy = _read(context.pim, what)
    if args.act == "set":
        changes = _changes(args, policy, context)
        if not changes:
            given = [
                name
                for name, value in vars(args).items()
                if value not in (None, "", [], False) and name not in {"act", "role", "output", "profile"}
            ]
            if not given:
                raise PimError("usage", "nothing to set", "see: pim policy --help")
        else:
            _write(graph, policy, changes)
            policy = _read(context.pim, what)
    row = _shown(policy, what)
    if context.printer.for_people:
        for member in ("maximumDuration", "eligibleMaximum", "activeMaximum"):
            seconds = length(row[member])
            row[member] = short(seconds) if seconds else "any time"
    context.printer.one(row, COLUMNS)
    return 0
