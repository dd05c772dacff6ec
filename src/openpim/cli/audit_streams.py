"""`pim audit streams`: where the audit history is sent to."""

from __future__ import annotations

import sys

from openpim.cli.output import one_line
from openpim.client.errors import PimError
from openpim.client.roles import text
from openpim.client.transport import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

PATH = "/openPim/auditStreams"
ACTS = ("list", "add", "change", "pause", "resume", "retry", "remove")
KINDS = ("syslog", "otlp", "ocsf")
COLUMNS = (
    ("name", "NAME"), ("kind", "KIND"), ("address", "ADDRESS"), ("state", "STATE"), ("behind", "BEHIND"), ("sent", "SENT"),
    ("error", "LAST ERROR"),
)  # fmt: skip


def run(args: Namespace, context: Context) -> int:
    """List or change."""
    act = args.file or "list"
    if act not in ACTS:
        raise PimError("usage", f"there is no act {act!r}", f"one of: {', '.join(ACTS)}")
    if act == "list":
        rows = context.graph.rows(PATH, beta=True)
        context.printer.rows([_row(row) for row in rows], COLUMNS, empty="The audit history is sent nowhere.")
        return 0
    if not args.name:
        raise PimError("usage", "say which one", f"pim audit streams {act} NAME")
    if act == "add":
        return _say(context, _sent(context, "POST", PATH, _new(args)), "added")
    found = _find(context, args.name)
    address = f"{PATH}/{quote(text(found.get('id')))}"
    if act == "remove":
        context.graph.request("DELETE", address, beta=True)
        return _say(context, found, "removed")
    body = {"pause": {"isPaused": True}, "resume": {"isPaused": False}, "retry": {}}.get(act)
    body = _changes(args) if body is None else body
    return _say(
        context, _sent(context, "PATCH", address, body), f"{act}d" if act != "retry" else "tried again"
    )


def _sent(context: Context, method: str, path: str, body: Row) -> Row:
    answer = context.graph.request(method, path, body, beta=True)
    return answer if isinstance(answer, dict) else {}


def _new(args: Namespace) -> Row:
    if args.kind not in KINDS:
        raise PimError("usage", "say what kind of receiver it is", f"--kind {'|'.join(KINDS)}")
    if not args.address:
        raise PimError("usage", "say where it is", "--address tls://siem.example.com:6514")
    start = "beginning" if args.from_beginning else "now"
    return {"displayName": args.name, "kind": args.kind, "startFrom": start, **_changes(args)}


def _changes(args: Namespace) -> Row:
    body: Row = {}
    for option, member in (("address", "address"), ("header", "headerName"), ("facility", "facility")):
        value = getattr(args, option)
        if value not in {"", None}:
            body[member] = value
    if args.secret_file:
        body["secret"] = _secret(args.secret_file)
    if args.no_gzip:
        body["isCompressed"] = False
    return body


def _secret(file: str) -> str:
    """Never from the command line, where others on the machine see it."""
    try:
        if file == "-":
            return sys.stdin.readline().strip()
        with open(file, encoding="utf-8") as opened:
            return opened.read().strip()
    except (OSError, UnicodeDecodeError):
        raise PimError("usage", f"{file} cannot be read", "name a file with the secret in it, or -") from None


def _find(context: Context, name: str) -> Row:
    rows = context.graph.rows(PATH, beta=True)
    fits = [
        row
        for row in rows
        if name.casefold() in {text(row.get("displayName")).casefold(), text(row.get("id"))}
    ]
    if not fits:
        raise PimError("missing", f"there is no audit stream {name!r}", "see them: pim audit streams")
    return fits[0]


def _row(row: Row) -> Row:
    found = row.get("status")
    status: Row = found if isinstance(found, dict) else {}
    failing = bool(status.get("failures"))
    behind = f"{status.get('eventsBehind', 0)} events"
    return {
        "id": text(row.get("id")),
        "name": text(row.get("displayName")),
        "kind": text(row.get("kind")),
        "address": text(row.get("address")),
        "state": "paused" if row.get("isPaused") else "failing" if failing else "sending",
        "behind": behind + (f", {status.get('secondsBehind', 0)} s" if status.get("eventsBehind") else ""),
        "sent": str(status.get("eventsSent", 0)),
        "error": text(status.get("lastError")) or None,
    }


def _say(context: Context, row: Row, done: str) -> int:
    if context.printer.for_people:
        context.printer.line(one_line(f"{text(row.get('displayName'))}: {done}."))
    else:
        context.printer.one(_row(row), tuple((name, name) for name in _row(row)))
    return 0
