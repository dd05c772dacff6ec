"""`pim delegate`: an approver on leave lets somebody else decide in his place."""

from __future__ import annotations

from openpim.cli import administering
from openpim.cli.output import local, one_line
from openpim.client import clock
from openpim.client.errors import GraphError, PimError
from openpim.client.instants import instant, iso
from openpim.client.roles import text
from openpim.client.transport import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.graph import Graph

    Row = dict[str, Any]

DESCRIPTION = """Let somebody else decide in your place for a time, take that back, or list who stands in for whom.
What you may decide because of a role that you hold stays with you. OpenPIM only."""
EXAMPLES = """examples:
  pim delegate                                   who stands in for whom
  pim delegate ben@contoso.com --until 2026-12-31
  pim delegate ben --from "tomorrow 8:00" --until +14d
  pim delegate --stop ben
"""
COLUMNS = (
    ("approver", "APPROVER"), ("delegate", "DECIDES INSTEAD"), ("start", "FROM", "time"), ("end", "UNTIL", "time"),
)  # fmt: skip
_PATH = "/openPim/delegations"
_USUAL = 7 * 86400


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("who", nargs="?", default="", metavar="PERSON", help="address, name or id")
    parser.add_argument("--from", default="", metavar="TIME", dest="start", help="from when (default: now)")
    parser.add_argument(
        "--until", default="", metavar="TIME", help="until when (default: a week; at most 180 days)"
    )
    parser.add_argument("--stop", action="store_true", help="take it back at once")


def _row(found: Row, names: dict[str, str]) -> Row:
    approver, delegate = text(found.get("approverId")), text(found.get("delegateId"))
    return {
        "approver": names.get(approver, approver),
        "approverId": approver,
        "delegate": names.get(delegate, delegate),
        "delegateId": delegate,
        "start": iso(instant(found.get("startDateTime"))),
        "end": iso(instant(found.get("endDateTime"))),
    }


def _list(context: Context) -> int:
    found = context.graph.rows(_PATH)
    ids = {text(row.get(name)) for row in found for name in ("approverId", "delegateId")}
    names = administering.labels(context.graph, ids - {""})
    context.printer.rows(
        [_row(row, names) for row in found], COLUMNS, empty="Nobody stands in for you, nor you for anybody."
    )
    return 0


def _window(args: Namespace) -> tuple[float | None, float]:
    """`(from, until)`; the server reads no start as now."""
    from openpim.cli.times import moment

    start = moment(args.start, "--from") if args.start else None
    until = moment(args.until, "--until") if args.until else (start or clock.now()) + _USUAL
    if until <= (start or clock.now()):
        raise PimError("usage", "--until is not later than the start", "write it like --until +14d")
    return start, until


def _stop(graph: Graph, who: str) -> str:
    """Take it back; what is not there counts as done."""
    try:
        graph.request("DELETE", f"{_PATH}/{quote(who)}")
    except GraphError as error:
        if error.status != 404:
            raise
        return "not there"
    return "stopped"


def run(args: Namespace, context: Context) -> int:
    """List, delegate or take back."""
    if context.profile.kind != "openpim":
        raise PimError(
            "usage", "Microsoft Entra knows no such thing", "let a group approve; change its members"
        )
    if args.stop and (args.start or args.until):
        raise PimError("usage", "--stop is at once", "leave out --from and --until")
    if not args.who:
        if args.stop or args.start or args.until:
            raise PimError("usage", "say who", "see who stands in for you: pim delegate")
        return _list(context)
    start, until = (None, 0.0) if args.stop else _window(args)
    who = administering.principal(context.graph, args.who)
    label = administering.principal_label(who)
    if args.stop:
        state = _stop(context.graph, text(who.get("id")))
        row: Row = {"delegate": label, "delegateId": text(who.get("id")), "state": state}
        said = f"{label} {'no longer decides' if state == 'stopped' else 'does not decide'} in your place."
    else:
        body = {"delegateId": who["id"], "endDateTime": iso(until)}
        if start is not None:
            body["startDateTime"] = iso(start)
        answer = context.graph.request("POST", _PATH, body)
        row = _row(answer if isinstance(answer, dict) else {}, {text(who.get("id")): label})
        row["state"] = "delegated"
        since = "" if start is None else f" from {local(row['start'])}"
        said = f"{label} decides in your place{since} until {local(row['end'])}."
    if context.printer.for_people:
        context.printer.line(one_line(said))
    else:
        context.printer.one(row, tuple((name, name) for name in row))
    return 0
