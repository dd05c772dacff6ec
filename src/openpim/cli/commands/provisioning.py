"""`pim provisioning`: the tokens of those who write people and groups by SCIM, and what becomes of the memberships they write."""

from __future__ import annotations

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
    ("servicePrincipalId", "APPLICATION"),
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
        rows = [_token(row) for row in context.graph.rows(TOKENS, beta=True)]
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
    found = _one(context, args.what, "servicePrincipal")
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
        shown = {**_token(row), "secretText": text(row.get("secretText"))}
        context.printer.one(shown, tuple((name, name) for name in shown))
    return 0


def _revoke(args: Namespace, context: Context) -> int:
    low = args.what.lower()
    rows = context.graph.rows(TOKENS, beta=True)
    found = [row for row in rows if low in {text(row.get("id")), text(row.get("displayName")).lower()}]
    if len(found) != 1:
        names = ", ".join(f"{text(row.get('displayName'))} ({text(row.get('id'))})" for row in rows) or "none"
        raise PimError("missing", f"there is no one token {args.what[:80]!r}", f"there are: {names}")
    context.graph.request("DELETE", f"{TOKENS}/{text(found[0].get('id'))}", beta=True)
    return _say(context, f"{text(found[0].get('displayName'))} opens nothing any more.", _token(found[0]))


def _group(args: Namespace, context: Context) -> int:
    if not args.members:
        raise PimError("usage", "say what members become", "with --members eligible, member or usual")
    found = _one(context, args.what, "group")
    path = f"{MODES}/{text(found.get('id'))}"
    if args.members == "usual":
        context.graph.request("DELETE", path, beta=True)
    else:
        context.graph.request("PUT", path, {"membersBecome": args.members}, beta=True)
    name = text(found.get("displayName"))
    return _say(
        context, f"{name}: {args.members}.", {"groupDisplayName": name, "membersBecome": args.members}
    )


def _one(context: Context, wanted: str, kind: str) -> Row:
    """The one group or application of this name or id."""
    from openpim.client.directory import find_principals, principal_names

    rows = [
        row for row in find_principals(context.graph, wanted) if text(row.get("@odata.type")).endswith(kind)
    ]
    exact = [row for row in rows if wanted.casefold() in {name.casefold() for name in principal_names(row)}]
    if len(exact) == 1 or len(rows) == 1:
        return (exact or rows)[0]
    names = ", ".join(text(row.get("displayName")) for row in rows[:10]) or "none"
    what = "group" if kind == "group" else "application"
    raise PimError("missing", f"there is no one {what} {wanted[:80]!r}", f"there are: {names}")


def _token(row: Row) -> Row:
    return {name: text(row.get(name)) for name in ("id", *(name for name, _ in COLUMNS), "createdDateTime")}


def _say(context: Context, said: str, row: Row) -> int:
    if context.printer.for_people:
        context.printer.line(one_line(said))
    else:
        context.printer.one(row, tuple((name, name) for name in row))
    return 0
