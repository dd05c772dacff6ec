"""`pim policy show|set`: what a role demands, read from and written to the rules of its policy."""

from __future__ import annotations

from openpim.cli import administering, systems
from openpim.cli.changing import ACTIVATION, APPROVAL, ENABLEMENT, REQUIREMENTS, changes
from openpim.cli.output import short
from openpim.client.arm import VERSION, versioned
from openpim.client.errors import PimError
from openpim.client.policy import Demand, PolicyRow, approver_name, notification_rules, policies_of, rule_out
from openpim.client.roles import length, named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.administering import Target
    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

DESCRIPTION = "Show what a role or a group demands, or (for administrators) change it."
EXAMPLES = """examples:
  pim policy show "Teams Administrator"
  pim policy set "Teams Administrator" --max-duration 4h --ticket
  pim policy set "Exchange Administrator" --approval --approver ben@contoso.com --approver "Security Team"
  pim policy set "Global Administrator" --context c1
  pim policy set sg-admins:owner --max-duration 2h
  pim policy show Owner@prod
  pim policy set Owner@prod --approval --approver ben@contoso.com --escalate-to "Security Team" --escalate-after 2h
  pim policy set Owner --on mg:IT --notify activation:admin=critical,ops@contoso.com
"""
COLUMNS = (
    ("role", "role"), ("maximumDuration", "activation lasts at most"), ("requires", "activation requires"),
    ("context", "authentication context"), ("approval", "approval"), ("stages", "approvers"),
    ("tickets", "tickets"),
    ("eligibleMaximum", "eligible for at most"), ("eligiblePermanent", "eligible permanently"),
    ("activeMaximum", "assigned for at most"), ("activePermanent", "assigned permanently"), ("notifications", "mail"), ("id", "policy"),
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    from argparse import BooleanOptionalAction

    parser.add_argument("act", choices=("show", "set"), help="show or set")
    parser.add_argument(
        "role",
        metavar="ROLE",
        help="role name, a part of it, or its id; a group: NAME, NAME:owner; ROLE@PLACE on a resource",
    )
    parser.add_argument(
        "--on",
        "--scope",
        default="",
        metavar="SCOPE",
        dest="scope",
        help="the place, of a role on resources: mg:NAME, sub:NAME, rg:NAME, SUBSCRIPTION/GROUP, or a path",
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
        "--escalate-to",
        action="append",
        default=[],
        metavar="WHO",
        help="user or group that is asked too when nobody has answered; several times for several (replaces those there)",
    )
    group.add_argument(
        "--escalate-after", default="", metavar="DURATION", help="how long until then, such as 2h"
    )
    group.add_argument(
        "--escalation", action=BooleanOptionalAction, default=None, help="--no-escalation: ask nobody else"
    )
    group.add_argument(
        "--notify",
        action="append",
        default=[],
        metavar="WHEN:WHOM=WORDS",
        help="mail; WHEN: eligible, active (assigned) or activation; WHOM: admin, requestor or approver; "
        "WORDS: on or off (the usual recipients), all or critical, addresses besides (nobody: none)",
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
    systems.add_options(parser)


def _shown(policy: PolicyRow, what: Target) -> Row:
    demand = Demand(policy)
    eligible, active = policy.rule("Expiration_Admin_Eligibility"), policy.rule("Expiration_Admin_Assignment")
    words = {wire: word for word, wire in REQUIREMENTS.items()}
    stages = named(policy.rule(APPROVAL), "setting").get("approvalStages")
    listed = [stage for stage in stages if isinstance(stage, dict)] if isinstance(stages, list) else []
    return {
        "id": policy.id,
        "provider": what.provider,
        "role": what.role,
        "roleDefinitionId": what.role_id,
        "scope": what.scope,
        "maximumDuration": text(policy.rule(ACTIVATION).get("maximumDuration")),
        "requires": [words.get(name, name) for name in policy.enabled(ENABLEMENT)] or ["nothing"],
        "context": demand.context or None,
        "approval": demand.approval,
        "approvers": (demand.approvers or ["administrators of roles"]) if demand.approval else None,
        "stages": [_stage(stage, number) for number, stage in enumerate(listed, 1)]
        if demand.approval
        else [],
        "tickets": systems.shown_tickets(policy.rule(ENABLEMENT)),
        "eligibleMaximum": text(eligible.get("maximumDuration")),
        "eligiblePermanent": eligible.get("isExpirationRequired") is False,
        "activeMaximum": text(active.get("maximumDuration")),
        "activePermanent": active.get("isExpirationRequired") is False,
        "notifications": _mail(policy),
    }


def _mail(policy: PolicyRow) -> list[str]:
    """The rules about mail that are not as they come: `activation:admin off, ops@contoso.com`."""
    found = []
    for name, key in notification_rules().items():
        rule = policy.rule(key)
        words = [] if rule.get("isDefaultRecipientsEnabled") is not False else ["off"]
        words += ["critical"] if rule.get("notificationLevel") == "Critical" else []
        given = rule.get("notificationRecipients")
        words += [str(one) for one in given] if isinstance(given, list) else []
        if words:
            found.append(f"{name}={','.join(words)}")
    return found


def _stage(stage: Row, number: int) -> str:
    """`stage 1: 2 of Anna, Ben within 1 d`."""
    asked = systems.shown_stage(stage)
    if asked:
        return f"stage {number}: {asked}"
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
    line = f"stage {number}: {quorum} of {who} within {short(int(minutes) * 60)}"
    later = stage.get("escalationTimeInMinutes")
    if stage.get("isEscalationEnabled") is not True or not isinstance(later, int):
        return line
    more = stage.get("escalationApprovers")
    others = [approver_name(one) for one in more if isinstance(one, dict)] if isinstance(more, list) else []
    return f"{line}, after {short(later * 60)} also {', '.join(others) or 'administrators of roles'}"


def _read(pim: Pim, what: Target) -> PolicyRow:
    policy = policies_of(pim, [what]).get(what.key)
    if policy is None:
        raise PimError(
            "denied",
            f"the policy of {what.label} cannot be read with this account",
            "see who you are: pim whoami",
        )
    return policy


def _write(pim: Pim, what: Target, policy: PolicyRow, changed: dict[str, Row]) -> None:
    """One rule: PATCH it.  Several: PATCH the policy with all its rules, so that either all change or none.

    A rule is sent whole: Graph wants its type, and one that comes without its target is damaged there.  The resource
    manager takes those that change.
    """
    rules = {name: {**rule, **changed.get(name, {})} for name, rule in policy.rules.items()}
    unknown = [name for name in changed if name not in rules]
    if unknown:
        raise PimError("server", f"the policy lacks the rule {unknown[0]}", "see: pim doctor")
    if what.provider == "resource":
        body = {"properties": {"rules": [rule_out(rules[name]) for name in changed]}}
        pim.need_arm().request("PATCH", versioned(policy.id, VERSION), body)
        return
    path = f"/policies/roleManagementPolicies/{policy.id}"
    if len(changed) == 1:
        name = next(iter(changed))
        pim.graph.request("PATCH", f"{path}/rules/{name}", rules[name])
    else:
        pim.graph.request("PATCH", path, {"rules": list(rules.values())})


def run(args: Namespace, context: Context) -> int:
    """Show or set."""
    pim = context.pim
    what = administering.target(pim, args.role, args.scope)
    policy = _read(pim, what)
    if args.act == "set":
        changed = changes(args, policy, context)
        if changed:
            _write(pim, what, policy, changed)
            policy = _read(pim, what)
        elif not _given(args):
            raise PimError("usage", "nothing to set", "see: pim policy --help")
    row = _shown(policy, what)
    if context.printer.for_people:
        row["role"] = what.label
        for member in ("maximumDuration", "eligibleMaximum", "activeMaximum"):
            seconds = length(row[member])
            row[member] = short(seconds) if seconds else "any time"
    context.printer.one(row, COLUMNS)
    return 0


def _given(args: Namespace) -> list[str]:
    """The options that say what to set."""
    others = {"act", "role", "scope", "output", "profile"}
    return [
        name
        for name, value in vars(args).items()
        if value not in (None, "", [], False) and name not in others
    ]
