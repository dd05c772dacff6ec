"""`pim notifications`: what was told to whom, what could not be delivered, and how I want to be told."""

from __future__ import annotations

from openpim.cli.output import one_line
from openpim.client.errors import PimError
from openpim.client.roles import text
from openpim.client.transport import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """Without an option: how you are told, by which channels and in which hours not; --channels, --quiet and
--zone change it. For administrators: --list shows deliveries, --retry has what was given up tried again, --test sends
you a test mail. OpenPIM only."""
EXAMPLES = """examples:
  pim notifications                              how you are told
  pim notifications --channels mail --quiet 20:00-07:00 --zone Europe/Oslo
  pim notifications --quiet off
  pim notifications --list                       what could not be delivered
  pim notifications --list waiting
  pim notifications --retry all
"""
STATES = ("dead", "waiting", "sent", "dropped", "all")
COLUMNS = (
    ("createdDateTime", "SINCE", "time"), ("status", "STATE"), ("notice", "NOTICE"), ("recipient", "TO"),
    ("channel", "BY"), ("reason", "REASON"), ("id", "ID"),
)  # fmt: skip
_PATH = "/openPim/notifications"
_MINE = "/openPim/notificationPreferences"


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--channels",
        metavar="NAMES",
        help='by which channels, with commas; "none": only what is critical, by mail',
    )
    parser.add_argument(
        "--quiet",
        metavar="HOURS",
        help='hours in which what can wait waits, such as 20:00-07:00; "off": none',
    )
    parser.add_argument("--zone", metavar="ZONE", help="your time zone, such as Europe/Oslo")
    parser.add_argument(
        "--list",
        nargs="?",
        const="dead",
        choices=STATES,
        help="deliveries (default: those that were given up)",
    )
    parser.add_argument("--retry", metavar="ID", help='have one tried again, or "all" that were given up')
    parser.add_argument("--test", action="store_true", help="send yourself a test mail")


def run(args: Namespace, context: Context) -> int:
    """One thing of the four."""
    if context.profile.kind != "openpim":
        raise PimError(
            "usage", "Microsoft Entra's notifications are not reached by this", "use its own settings"
        )
    mine = any(value is not None for value in (args.channels, args.quiet, args.zone))
    if sum((mine, args.list is not None, args.retry is not None, args.test)) > 1:
        raise PimError("usage", "one thing at a time", "see: pim notifications --help")
    if args.list is not None:
        return _list(context, args.list)
    if args.retry is not None:
        return _retry(context, args.retry)
    if args.test:
        context.graph.request("POST", f"{_PATH}/sendTest")
        return _say(
            context, "A test mail to you is on its way. See: pim notifications --list all", {"state": "sent"}
        )
    return (
        _change(args, context) if mine else _show(context, _preferences(context.graph.request("GET", _MINE)))
    )


def _list(context: Context, state: str) -> int:
    """Deliveries, the newest first."""
    asked = "" if state == "all" else f"?$filter={quote(f'status eq {chr(39)}{state}{chr(39)}')}"
    empty = "Everything could be delivered." if state == "dead" else "There is nothing."
    context.printer.rows(context.graph.rows(f"{_PATH}{asked}"), COLUMNS, empty=empty)
    return 0


def _retry(context: Context, which: str) -> int:
    """One, or all that were given up."""
    ids = [which]
    if which == "all":
        dead = quote("status eq 'dead'")
        ids = [text(row.get("id")) for row in context.graph.rows(f"{_PATH}?$filter={dead}")]
    for one in ids:
        context.graph.request("POST", f"{_PATH}/{quote(one)}/retry")
    return _say(context, f"{len(ids)} {'is' if len(ids) == 1 else 'are'} tried again.", {"retried": len(ids)})


def _change(args: Namespace, context: Context) -> int:
    """Change what is given, and show all of it."""
    body: Row = {}
    if args.channels is not None:
        names = [name.strip() for name in args.channels.split(",") if name.strip()]
        body["channels"] = [] if names == ["none"] else names
    if args.zone is not None:
        body["timeZone"] = args.zone
    if args.quiet == "off":
        body["quietHours"] = None
    elif args.quiet is not None:
        begins, dash, ends = args.quiet.partition("-")
        if not dash:
            raise PimError("usage", "--quiet has no end", "write it like --quiet 20:00-07:00")
        body["quietHours"] = {"begins": begins.strip(), "ends": ends.strip(), "timeZone": args.zone}
    return _show(context, _preferences(context.graph.request("PATCH", _MINE, body)))


def _preferences(answer: Any) -> Row:
    return answer if isinstance(answer, dict) else {}


def _show(context: Context, found: Row) -> int:
    """A line of its own for each thing."""
    row = {name: found.get(name) for name in ("channels", "quietHours", "timeZone", "availableChannels")}
    if not context.printer.for_people:
        context.printer.one(row, tuple((name, name) for name in row))
        return 0
    offered = {text(one.get("id")): text(one.get("displayName")) for one in row["availableChannels"] or ()}
    channels = (
        ", ".join(offered.get(one, one) for one in row["channels"] or ())
        or "none (what is critical comes by mail)"
    )
    hours = row["quietHours"]
    quiet = (
        f"{hours['begins']} to {hours['ends']}, {hours['timeZone']}" if isinstance(hours, dict) else "none"
    )
    context.printer.line(one_line(f"Channels     {channels}"))
    context.printer.line(one_line(f"Quiet hours  {quiet}"))
    context.printer.line(one_line(f"Time zone    {row['timeZone'] or 'that of the organisation'}"))
    others = [f"{name} ({key})" for key, name in offered.items() if key not in (row["channels"] or ())]
    if others:
        context.printer.line(one_line(f"Also there   {', '.join(others)}"))
    return 0


def _say(context: Context, sentence: str, row: Row) -> int:
    if context.printer.for_people:
        context.printer.line(sentence)
    else:
        context.printer.one(row, tuple((name, name) for name in row))
    return 0
