"""`pim assign`: make somebody eligible for a role, or assign it for a time."""

from __future__ import annotations

from openpim.cli import administering
from openpim.cli.choosing import PLACES, add_scope
from openpim.cli.output import local
from openpim.client import clock
from openpim.client.errors import GraphError, PimError
from openpim.client.policy import PolicyRow, policies_of
from openpim.client.roles import Asked, iso, length, subject, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """Make a user or group eligible for a role, a group or a role on Azure resources (the default), or assign it
itself (--active). Already being so counts as done."""
EXAMPLES = """examples:
  pim assign "Teams Administrator" anna@contoso.com
  pim assign "User Administrator" Helpdesk --au Berlin -d 90d -j "season"
  pim assign "Security Reader" ben@contoso.com --active -d 8h
  pim assign sg-admins anna@contoso.com -d 90d       eligible member of a group; sg-admins:owner
  pim assign Owner@prod anna@contoso.com -d 90d      on a subscription; Owner@prod/rg-web on a resource group
  pim assign Reader "Security Team" --on mg:IT
  pim assign "Teams Administrator" anna@contoso.com --update --until 2027-06-30
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "role",
        metavar="ROLE",
        help="role name, a part of it, or its id; a group: NAME, NAME:owner; ROLE@PLACE on a resource",
    )
    parser.add_argument(
        "who", metavar="WHO", help="user, group or application: address, name or id; 'me' for yourself"
    )
    parser.add_argument(
        "--active", action="store_true", help="assign the role itself instead of making eligible"
    )
    length_of = parser.add_mutually_exclusive_group()
    length_of.add_argument("-d", "--duration", default="", metavar="DURATION", help="how long: 8h, 90d, 6mo")
    length_of.add_argument("--until", default="", metavar="TIME", help="until when")
    length_of.add_argument("--permanent", action="store_true", help="without end")
    parser.add_argument("--start", default="", metavar="TIME", help="from when (default: now)")
    add_scope(parser, PLACES)
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")
    parser.add_argument("--update", action="store_true", help="change the time of what is there already")
    parser.add_argument(
        "--dry-run", action="store_true", help="ask the server whether it would work, and change nothing"
    )


def _expiration(args: Namespace, policy: PolicyRow | None, level: str) -> Row:
    from openpim.cli.times import moment, seconds_of
    from openpim.wire.durations import parse_human

    if args.until:
        return {"type": "afterDateTime", "endDateTime": iso(moment(args.until, "--until"))}
    if args.duration:
        seconds_of(args.duration, "-d")  # for its error
        return {"type": "afterDuration", "duration": parse_human(args.duration).iso}
    rule = policy.rule(f"Expiration_Admin_{level}") if policy else {}
    longest = text(rule.get("maximumDuration"))
    if args.permanent or not longest:
        return {"type": "noExpiration"}
    # Nobody should hold standing privilege by default: permanent only for an eligibility, and if allowed.
    if level == "Eligibility" and rule.get("isExpirationRequired") is False:
        return {"type": "noExpiration"}
    return {"type": "afterDuration", "duration": longest}


def run(args: Namespace, context: Context) -> int:
    """Assign."""
    from openpim.cli.times import moment

    pim = context.pim
    what = administering.target(pim, args.role, args.scope)
    who = administering.principal(pim.graph, args.who)
    level = "Assignment" if args.active else "Eligibility"
    policy = policies_of(pim, [what]).get(what.key)
    why = args.justification.strip()
    if not why and policy and "Justification" in policy.enabled(f"Enablement_Admin_{level}"):
        why = context.ask("Justification") if context.interactive else ""
        if not why:
            raise PimError(
                "policy",
                f"{what.label}: the role's policy also demands a justification (-j TEXT)",
                "add -j TEXT",
            )
    start = moment(args.start, "--start") if args.start else clock.now()
    body: Row = {
        "action": "adminUpdate" if args.update else "adminAssign",
        "principalId": who["id"],
        **subject(what.provider, what.role_id, what.scope),
        "justification": why or None,
        "scheduleInfo": {"startDateTime": iso(start), "expiration": _expiration(args, policy, level)},
        "isValidationOnly": args.dry_run,
    }
    thing = f"{administering.principal_label(who)} {'has' if args.active else 'is eligible for'} {what.label}"
    row: Row = {
        "provider": what.provider,
        "role": what.role,
        "roleDefinitionId": what.role_id,
        "principalId": who["id"],
        "principal": administering.principal_label(who),
        "scope": what.scope,
    }
    try:
        asked = Asked(pim.send(what.provider, level.lower(), body))
    except GraphError as error:
        if error.rules:
            error.hint = f"see what it demands: pim policy show {what.label!r}"
        if error.code not in {"RoleAssignmentExists", "RoleAssignmentScheduleExists"}:
            raise
        row["state"] = "already"
        if not context.printer.for_people:
            context.printer.one(row, tuple((name, name) for name in row))
        else:
            context.printer.line(f"{thing} already. To change its time: add --update")
        return 0
    row |= {"state": "valid" if args.dry_run else asked.status, "request": asked.id, "end": iso(asked.ends)}
    if not context.printer.for_people:
        context.printer.one(row, tuple((name, name) for name in row))
    elif args.dry_run:
        context.printer.line(f"That would work: {thing}. Nothing was changed.")
    elif asked.status.startswith("Pending"):
        context.printer.line(f"{thing} once it is decided ({asked.status}; request {asked.id}).")
    else:
        seconds = length(asked.duration)
        until = f"until {local(iso(asked.ends))}" if asked.ends or seconds else "permanently"
        context.printer.line(f"{thing}, {until}.")
    return 3 if asked.status.startswith("PendingA") and not args.dry_run else 0
