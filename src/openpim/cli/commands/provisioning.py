"""`pim provisioning`: the tokens of those who write people and groups by SCIM, and what becomes of the memberships they write."""

from __future__ import annotations

from openpim.cli import administering
from openpim.cli.match import called
from openpim.cli.output import one_line
from openpim.client.errors import PimError
from openpim.client.roles import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """List, make and revoke the tokens of applications that write people and groups here by SCIM 2.0, and say for a
group what becomes of the memberships they write. A token is printed once. OpenPIM only."""
EXAMPLES = """examples:
  pim provisioning
  pim provisioning add "Entra ID" --name "tenant contoso" --until 2027-11-21T00:00:00Z
  pim provisioning revoke "tenant contoso"
  pim provisioning groups
  pim provisioning group "Wiki readers" --members eligible
  pim provisioning group "Wiki readers" --members usual
"""
TOKENS, MODES = "/openPim/provisioningTokens", "/openPim/provisioningModes"
COLUMNS = (
    ("displayName", "NAME"),
    ("application", "WHOSE"),
    ("hint", "BEGINS"),
    ("endDateTime", "UNTIL"),
)
GROUPS = (("groupDisplayName", "GROUP"), ("membersBecome", "MEMBERS BECOME"))
_ACTS = ("list", "add", "revoke", "groups", "group")


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("act", nargs="?", default="list", choices=_ACTS, help="what to do (default: list)")
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="WHAT",
        help="the application (add), token (revoke) or group (group)",
    )
    parser.add_argument(
        "--name", default="", help="what the new token is called (default: the application's name)"
    )
    parser.add_argument(
        "--until", default="", metavar="TIME", help="when the new token ends (default: never)"
    )
    parser.add_argument(
        "--members",
        default="",
        choices=("eligible", "member", "usual"),
        help="what members become; usual: eligible where the group gives privileges",
    )


def run(args: Namespace, context: Context) -> int:
    """List or carry out."""
    if context.profile.kind != "openpim":
        raise PimError("usage", "Microsoft Entra knows no such thing", "this is about writing into OpenPIM")
    if args.act == "list":
        rows = list(context.graph.rows(TOKENS, beta=True))
        names = administering.labels(context.graph, {text(row.get("servicePrincipalId")) for row in rows})
        rows = [_token(row, names) for row in rows]
        context.printer.rows(rows, COLUMNS, empty="There is no provisioning token.")
        return 0
    if args.act == "groups":
        rows = [
            {name: text(row.get(name)) for name, _ in GROUPS} for row in context.graph.rows(MODES, beta=True)
        ]
        context.printer.rows(rows, GROUPS, empty="All groups are as usual.")
        return 0
    if not args.what:
        raise PimError("usage", "say which", "see: pim provisioning --help")
    act = {"add": _add, "revoke": _revoke, "group": _group}[args.act]
    return act(args, context)


def _add(args: Namespace, context: Context) -> int:
    found = administering.principal(context.graph, args.what, "servicePrincipal")
    body = {
        "servicePrincipalId": text(found.get("id")),
        "displayName": args.name or text(found.get("displayName")),
    }
    if args.until:
        body["endDateTime"] = args.until
    answer = context.graph.request("POST", TOKENS, body, beta=True)
    row = answer if isinstance(answer, dict) else {}
    if context.printer.for_people:
        context.printer.line(f"{one_line(body['displayName'])} is added.")
        context.printer.line(f"Token, shown this once: {one_line(text(row.get('secretText')))}")
    else:
        names = {text(found.get("id")): administering.principal_label(found)}
        shown = {**_token(row, names), "secretText": text(row.get("secretText"))}
        context.printer.one(shown, tuple((name, name) for name in shown))
    return 0


def _revoke(args: Namespace, context: Context) -> int:
    rows = context.graph.rows(TOKENS, beta=True)
    found = called(args.what, rows, "token", "list them: pim provisioning")
    context.graph.request("DELETE", f"{TOKENS}/{text(found.get('id'))}", beta=True)
    names = administering.labels(context.graph, {text(found.get("servicePrincipalId"))})
    return _say(context, f"{text(found.get('displayName'))} opens nothing any more.", _token(found, names))


def _group(args: Namespace, context: Context) -> int:
    if not args.members:
        raise PimError("usage", "say what members become", "with --members eligible, member or usual")
    found = administering.principal(context.graph, args.what, "group")
    path = f"{MODES}/{text(found.get('id'))}"
    if args.members == "usual":
        context.graph.request("DELETE", path, beta=True)
    else:
        context.graph.request("PUT", path, {"membersBecome": args.members}, beta=True)
    name = text(found.get("displayName"))
    return _say(
        context, f"{name}: {args.members}.", {"groupDisplayName": name, "membersBecome": args.members}
    )


def _token(row: Row, names: dict[str, str]) -> Row:
    shown = {name: text(row.get(name)) for name in ("id", *(name for name, _ in COLUMNS), "createdDateTime")}
    by = text(row.get("servicePrincipalId"))
    return {**shown, "application": names.get(by, by), "servicePrincipalId": by}


def _say(context: Context, said: str, row: Row) -> int:
    if context.printer.for_people:
        context.printer.line(one_line(said))
    else:
        context.printer.one(row, tuple((name, name) for name in row))
    return 0
