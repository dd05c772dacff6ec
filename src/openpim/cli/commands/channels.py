"""`pim channels`: the other systems of the organisation: what is told, and what is asked."""

from __future__ import annotations

from openpim.cli.output import one_line
from openpim.cli.systems import PATH, called
from openpim.client.errors import PimError
from openpim.client.roles import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """List, add, change, try and remove the other systems of the organisation: webhooks and chats that are told
what happens, and systems (extensions) that are asked before a role is activated. A signing secret is printed once.
OpenPIM only."""
EXAMPLES = """examples:
  pim channels
  pim channels add "Desk hook" --webhook https://desk.example.com/hook --notice approvalWanted
  pim channels add "On-call" --chat https://hooks.slack.com/services/T000/B000/XXXX
  pim channels add ServiceNow --extension https://snow.example.com/openpim
  pim channels test "On-call"
  pim channels rotate "Desk hook"
  pim channels remove "Desk hook"
"""
COLUMNS = (
    ("displayName", "NAME"), ("kind", "KIND"), ("address", "ADDRESS"), ("isEnabled", "ON"), ("notices", "TOLD OF"),
)  # fmt: skip
_ACTS = ("list", "add", "set", "test", "rotate", "remove")


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    from argparse import BooleanOptionalAction

    parser.add_argument("act", nargs="?", default="list", choices=_ACTS, help="what to do (default: list)")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="name or id of the channel")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--webhook", default="", metavar="URL", help="told by signed JSON")
    kinds.add_argument("--chat", default="", metavar="URL", help="told in a chat or by push")
    kinds.add_argument("--extension", default="", metavar="URL", help="asked, signed; may call back")
    parser.add_argument(
        "--notice",
        action="append",
        default=[],
        metavar="KIND",
        help="what it is told of; several times for several (when adding, by default everything; replaces those there)",
    )
    parser.add_argument(
        "--enabled", action=BooleanOptionalAction, default=None, help="switch it on, or off for a while"
    )
    parser.add_argument(
        "--offered",
        action=BooleanOptionalAction,
        default=None,
        help="people may choose it for their own notifications",
    )
    parser.add_argument(
        "--timeout", type=int, default=None, metavar="MS", help="how long an extension has to answer"
    )
    parser.add_argument("--retries", type=int, default=None, metavar="N", help="how often it is asked again")


def _body(args: Namespace) -> Row:
    body: Row = {
        "address": args.webhook or args.chat or args.extension or None,
        "notices": ["*"] if args.notice == ["all"] else args.notice or None,
        "isEnabled": args.enabled,
        "isOffered": args.offered,
        "timeoutInMilliseconds": args.timeout,
        "maximumRetries": args.retries,
    }
    return {name: value for name, value in body.items() if value is not None}


def run(args: Namespace, context: Context) -> int:
    """List or carry out."""
    if context.profile.kind != "openpim":
        raise PimError("usage", "Microsoft Entra knows no such thing", "use its custom extensions")
    if args.act == "list":
        rows = [_shown(row) for row in context.graph.rows(PATH, beta=True)]
        context.printer.rows(rows, COLUMNS, empty="There is no channel.")
        return 0
    if not args.name:
        raise PimError("usage", "say which", "list them: pim channels")
    if args.act == "add":
        return _add(args, context)
    found = called(context, args.name)
    name = text(found.get("displayName"))
    path = f"{PATH}/{text(found.get('id'))}"
    if args.act == "test":
        return _test(context, path, name)
    if args.act == "rotate":
        answer = context.graph.request("POST", f"{path}/rotateSecret", beta=True)
        return _secret(context, answer, f"{name} has a new secret; the one before counts for another day.")
    if args.act == "remove":
        context.graph.request("DELETE", path, beta=True)
        said, row = f"{name} is removed.", {**_shown(found), "state": "removed"}
    else:
        answer = context.graph.request("PATCH", path, _body(args), beta=True)
        said, row = f"{name} is changed.", _shown(answer if isinstance(answer, dict) else {})
    _say(context, said, row)
    return 0


def _add(args: Namespace, context: Context) -> int:
    kind = "webhook" if args.webhook else "chat" if args.chat else "extension"
    body = {"kind": kind, "displayName": args.name, **_body(args)}
    if "address" not in body:
        raise PimError("usage", "say where it is", "with --webhook, --chat or --extension URL")
    if kind != "extension":
        body.setdefault("notices", ["*"])
    answer = context.graph.request("POST", PATH, body, beta=True)
    return _secret(context, answer, f"{args.name} is added.")


def _test(context: Context, path: str, name: str) -> int:
    answer = context.graph.request("POST", f"{path}/test", beta=True)
    row = answer if isinstance(answer, dict) else {}
    if row.get("isSent") is not True:
        raise PimError(
            "server", f"{name} did not take the test: {text(row.get('reason'))}", "look at its address"
        )
    _say(context, f"{name} took the test.", {"displayName": name, "isSent": True})
    return 0


def _secret(context: Context, answer: object, said: str) -> int:
    row = answer if isinstance(answer, dict) else {}
    shown = _shown(row)
    for member in ("secret", "callbackUrl"):
        if row.get(member):
            shown[member] = text(row[member])
    if context.printer.for_people:
        context.printer.line(one_line(said))
        if row.get("secret"):
            context.printer.line(f"Signing secret, shown this once: {one_line(text(row['secret']))}")
        if row.get("callbackUrl"):
            context.printer.line(f"It calls back at: {one_line(text(row['callbackUrl']))}")
    else:
        context.printer.one(shown, tuple((name, name) for name in shown))
    return 0


def _say(context: Context, said: str, row: Row) -> None:
    if context.printer.for_people:
        context.printer.line(one_line(said))
    else:
        context.printer.one(row, tuple((name, name) for name in row))


def _shown(row: Row) -> Row:
    notices = row.get("notices")
    return {
        "id": text(row.get("id")),
        "displayName": text(row.get("displayName")),
        "kind": text(row.get("kind")),
        "address": text(row.get("address")),
        "isEnabled": row.get("isEnabled") is True,
        "notices": [str(one) for one in notices] if isinstance(notices, list) else [],
    }
