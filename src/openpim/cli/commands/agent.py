"""`pim agent`: on a Linux host, what makes granted sudo rules and groups real there and ends them; and, for administrators, the
token that lets a host in."""

from __future__ import annotations

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """The agent of a Linux host.  `token TARGET` (an administrator) makes a token that lets a host in once; on the host,
`enroll` uses it, `run` keeps the host as it should be, `status` shows what is given there, `unit` prints a systemd unit.
What may be given on a host is written in its own /etc/openpim/agent.toml."""
EXAMPLES = """examples:
  pim agent token "db1"                                             anywhere, signed in
  pim agent enroll --server https://pim.example.com < token         on the host, as root
  pim agent run
  pim agent status
"""
_ACTS = ("token", "enroll", "run", "status", "unit")


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("act", choices=_ACTS, metavar="ACT", help="token, enroll, run, status or unit")
    parser.add_argument("name", nargs="?", default="", metavar="TARGET", help="which target the token is for")
    parser.add_argument("--config", default="", metavar="FILE", help="default: /etc/openpim/agent.toml")
    parser.add_argument("--server", default="", metavar="URL", help="where to enrol (default: as configured)")
    parser.add_argument("--ca", default="", metavar="FILE", help="the certificate authority of the server")


def run(args: Namespace, context: Context) -> int:
    """Do it."""
    if args.name and args.act != "token":
        raise PimError("usage", f"pim agent {args.act} takes no name", "a token is read from standard input")
    if args.act == "token":
        return _token(args.name, context)
    if args.act == "unit":
        return _unit(context)
    from openpim.agent import setup
    from openpim.agent.configuration import DEFAULT

    path = args.config or DEFAULT
    try:
        if args.act == "enroll":
            server = setup.enroll(path, _given(context), args.server, args.ca)
            context.printer.line(f"This host is enrolled at {server}. Next: pim agent run")
        elif args.act == "run":
            _log()
            setup.run(path)
        else:
            _status(setup.status(path), context)
    except setup.SetupError as error:
        message, _, hint = str(error).partition("\n")
        raise PimError("usage", message, hint) from error
    return 0


def _given(context: Context) -> str:
    import sys

    if context.interactive:
        return context.ask("Token")
    return sys.stdin.readline().strip()


def _log() -> None:
    import logging

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


def _token(name: str, context: Context) -> int:
    if not name:
        raise PimError("usage", "name a target of kind linux", "see: pim connector list")
    rows = [
        row
        for row in context.graph.rows("/openPim/targets")
        if name.casefold() in {str(row.get("displayName")).casefold(), row.get("id")}
    ]
    if not rows:
        raise PimError("missing", f"there is no target {name!r}", "see: pim connector list")
    made = context.graph.request("POST", f"/openPim/targets/{rows[0].get('id')}/agent/enrolment")
    if context.printer.for_people:
        context.printer.line(str(made.get("token")))
        context.note("works once, within an hour: pim agent enroll --server URL, on the host, as root")
    else:
        context.printer.one(made, (("token", ""), ("expiresDateTime", "")))
    return 0


def _unit(context: Context) -> int:
    import os

    import openpim.data

    folder = os.path.dirname(str(openpim.data.__file__))
    with open(os.path.join(folder, "agent", "openpim-agent.service"), encoding="utf-8") as file:
        context.printer.line(file.read().rstrip("\n"))
    return 0


def _status(row: Row, context: Context) -> None:
    if not context.printer.for_people:
        context.printer.one(row, tuple((name, name) for name in row))
        return
    shown = {**row, "privileges": len(row["privileges"]), "stillRunning": len(row["stillRunning"]),
             "allowedHere": ", ".join(row["allowedHere"])}  # fmt: skip
    context.printer.one(shown, tuple((name, name) for name in shown))
    columns = (("user", "USER"), ("entitlement", "ENTITLEMENT"), ("until", "UNTIL", "time"))
    if row["privileges"]:
        context.printer.line()
        context.printer.rows(row["privileges"], columns)
