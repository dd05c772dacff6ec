"""`pim signals`: the event streams of an application, which is told at once what happens to people and their access."""

from __future__ import annotations

import os

from openpim.cli.match import called
from openpim.cli.output import one_line
from openpim.client.errors import PimError
from openpim.client.roles import named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """List, add and remove the event streams of an application (Shared Signals, CAEP), and have a test event sent (verify).
Streams belong to applications: the command signs in as one, by PIM_CLIENT_ID and PIM_CLIENT_SECRET, that has the permission
ssf.manage. OpenPIM only."""
EXAMPLES = """examples:
  pim signals
  pim signals add wiki --to https://wiki.example.com/events --authorization @/run/secrets/wiki
  pim signals add wiki --event session-revoked --event token-claims-change
  pim signals verify wiki
  pim signals remove wiki
"""
COLUMNS = (
    ("description", "NAME"),
    ("stream_id", "STREAM"),
    ("status", "STATUS"),
    ("delivery", "DELIVERY"),
    ("endpoint_url", "ADDRESS"),
    ("events", "EVENTS"),
)
_ACTS = ("list", "add", "remove", "verify")
_TYPES = "https://schemas.openid.net/secevent/caep/event-type/"
_EVENTS = ("session-revoked", "token-claims-change", "credential-change", "assurance-level-change")
_PUSH, _POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("act", nargs="?", default="list", choices=_ACTS, help="what to do (default: list)")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="name or id of the stream")
    parser.add_argument(
        "--to", default="", metavar="URL", help="push to this address (default: the application fetches)"
    )
    parser.add_argument(
        "--authorization",
        default="",
        metavar="@FILE",
        help="the Authorization header to push with, read from a file (@-: asked for, or from standard input)",
    )
    parser.add_argument(
        "--event", action="append", default=[], choices=_EVENTS, help="what to tell (default: everything)"
    )
    parser.add_argument(
        "--email", action="store_true", help="name people by their mail address where they have one"
    )


def run(args: Namespace, context: Context) -> int:
    """List or carry out."""
    if context.profile.kind != "openpim":
        raise PimError("usage", "Microsoft Entra knows no such thing", "use an OpenPIM server")
    if not (context.session.is_application or os.environ.get("PIM_ACCESS_TOKEN")):
        message = "event streams belong to applications"
        raise PimError("usage", message, "set PIM_CLIENT_ID and PIM_CLIENT_SECRET of one that has ssf.manage")
    if args.act == "list" and not args.name:
        rows = [_shown(context, row) for row in _streams(context)]
        context.printer.rows(rows, COLUMNS, empty="This application has no stream. Add one: pim signals add")
        return 0
    if not args.name:
        raise PimError("usage", "say which", "list them: pim signals")
    return {"list": _show, "add": _add, "remove": _remove, "verify": _verify}[args.act](args, context)


def _show(args: Namespace, context: Context) -> int:
    context.printer.one(_shown(context, _called(context, args.name)), COLUMNS)
    return 0


def _add(args: Namespace, context: Context) -> int:
    delivery: Row = {"method": _PUSH, "endpoint_url": args.to} if args.to else {"method": _POLL}
    if args.authorization:
        delivery["authorization_header"] = context.secret("--authorization ", args.authorization)
    body = {
        "description": args.name,
        "delivery": delivery,
        "events_requested": [_TYPES + one for one in args.event or _EVENTS],
        **({"format": "email"} if args.email else {}),
    }
    made = _ask(context, "POST", "streams", body)
    row = made if isinstance(made, dict) else {}
    return _say(context, f"{args.name} is added. Next: pim signals verify {args.name!r}", row)


def _remove(args: Namespace, context: Context) -> int:
    found = _called(context, args.name)
    _ask(context, "DELETE", f"streams?stream_id={text(found.get('stream_id'))}")
    return _say(context, f"{_name(found)} is removed, with all that waited in it.", None)


def _verify(args: Namespace, context: Context) -> int:
    found = _called(context, args.name)
    _ask(context, "POST", "verify", {"stream_id": text(found.get("stream_id"))})
    return _say(context, f"A test event goes to {_name(found)}, behind what waits there.", None)


def _streams(context: Context) -> list[Row]:
    found = _ask(context, "GET", "streams")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _called(context: Context, given: str) -> Row:
    hint = "list them: pim signals"
    return called(given, _streams(context), "stream", hint, name="description", key="stream_id")


def _ask(context: Context, method: str, path: str, body: Row | None = None) -> Any:
    tenant = context.session.tokens().account.get("tid", "")
    return context.graph.request(method, f"{context.profile.graph}/ssf/{tenant}/{path}", body)


def _shown(context: Context, row: Row) -> Row:
    delivery = named(row, "delivery")
    events = row.get("events_delivered")
    names = [text(one).rpartition("/")[2] for one in events] if isinstance(events, list) else []
    status = _ask(context, "GET", f"status?stream_id={text(row.get('stream_id'))}")
    return {
        "description": text(row.get("description")),
        "stream_id": text(row.get("stream_id")),
        "status": text(status.get("status")) if isinstance(status, dict) else "",
        "delivery": "push" if delivery.get("method") == _PUSH else "poll",
        "endpoint_url": text(delivery.get("endpoint_url")),
        "events": ", ".join(names),
    }


def _name(row: Row) -> str:
    return text(row.get("description")) or text(row.get("stream_id"))


def _say(context: Context, said: str, row: Row | None) -> int:
    if context.printer.for_people:
        context.printer.line(one_line(said))
    else:
        shown = _shown(context, row) if row else {"said": said}
        context.printer.one(shown, COLUMNS if row else (("said", "SAID"),))
    return 0
