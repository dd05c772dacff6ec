"""The check of an audit history at the command line: where its lines come from, what is remembered, and what is said."""

from __future__ import annotations

import json
import os

from openpim.cli.exits import exit_code
from openpim.client import clock
from openpim.client.errors import PimError
from openpim.client.files import read_private, write_private
from openpim.client.transport import quote
from openpim.proof.history import FORMAT, History, UnreadableError
from openpim.proof.note import NoteError, decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

LINES = "/openPim/auditLog/lines"
_AT_ONCE = 4096
_SHOWN = 100
TAMPERED = exit_code("tampered")


def keys(context: Context) -> int:
    """The public keys of the log, the oldest first."""
    rows = context.graph.get("/openPim/auditLog", beta=True).get("keys")
    shown = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    columns = (("verifierKey", "KEY"), ("createdDateTime", "SINCE", "time"))
    context.printer.rows(
        shown, columns, empty="The log has no key yet: it signs a few minutes after its first event."
    )
    return 0


def verify(args: Namespace, context: Context) -> int:
    """Check, tell, and remember what was seen when all is well."""
    from openpim.cli.times import seconds_of

    portions = _from_file(args.file) if args.file else _saving(_from_server(context), args.save)
    if args.file and args.save:
        raise PimError("usage", "--save is for what comes from the server", "leave FILE or --save away")
    accepted = _positions(args.accept)
    slack = seconds_of(args.slack, "--slack")
    begun = clock.now()
    first = next(portions, [])
    header = _header(first)
    known = _remembered(context.home, header, forget=args.forget)
    trusted = args.key or str(known.get("key") or "")
    history = History(trusted=trusted, remembered=_seen(known), slack=slack, accepted=accepted)
    try:
        history.feed(first)
        for lines in portions:
            history.feed(lines)
        history.finish()
    except UnreadableError as error:
        raise PimError(
            "server" if not args.file else "usage",
            str(error),
            "export it again: pim audit verify --save FILE",
        ) from None
    except NoteError as error:
        raise PimError(
            "usage", f"--key: {error}", "it looks like: openpim.audit/TENANT+12345678+AbCd…"
        ) from None
    if not history.findings and history.keys:
        _remember(context.home, header, history, trusted)
    _tell(context, history, clock.now() - begun, vouched=bool(trusted))
    return TAMPERED if history.findings else 0


# ---------------------------------------------------------------- where it comes from


def _from_server(context: Context) -> Iterator[list[bytes]]:
    at: str | None = ""
    while at is not None:
        body, headers = context.graph.download(f"{LINES}?at={quote(at)}", beta=True)
        yield body.split(b"\n")
        at = headers.get("openpim-next")


def _saving(portions: Iterator[list[bytes]], path: str) -> Iterator[list[bytes]]:
    if not path:
        yield from portions
        return
    try:
        with _opened(path, "wb") as file:
            for lines in portions:
                file.write(b"\n".join(lines))
                yield lines
    except OSError as error:
        raise PimError(
            "usage", f"{path} cannot be written: {error.strerror}", "choose another file"
        ) from None


def _from_file(path: str) -> Iterator[list[bytes]]:
    import zlib

    try:
        with _opened(path, "rb") as file:
            lines: list[bytes] = []
            for line in file:
                lines.append(line)
                if len(lines) == _AT_ONCE:
                    yield lines
                    lines = []
            yield lines
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise PimError("usage", f"{path} cannot be read: {why}", "give the file that --save wrote") from None


def _opened(path: str, mode: str) -> Any:
    if path.endswith(".gz"):
        import gzip

        return gzip.open(path, mode)
    return open(path, mode)


def _header(lines: list[bytes]) -> Row:
    """What the first line says, empty when it is none: the check itself says what is wrong with it."""
    try:
        row = json.loads(lines[0]) if lines else {}
    except (ValueError, RecursionError):
        row = {}
    return row if isinstance(row, dict) and row.get("openpim") == FORMAT else {}


def _positions(texts: list[str]) -> list[int]:
    if all(text.isascii() and text.isdigit() for text in texts):
        return [int(text) for text in texts]
    raise PimError("usage", "--accept takes the position of an alarm", "such as: --accept 1204")


# ---------------------------------------------------------------- what is remembered


def _file(home: str, header: Row) -> str:
    name = "".join(one if one.isalnum() or one == "-" else "_" for one in str(header.get("origin")))[:120]
    return os.path.join(home, "audit", f"{name}.json")


def _remembered(home: str, header: Row, *, forget: bool) -> Row:
    data = None if forget or not header else read_private(_file(home, header))
    if data is None:
        return {}
    try:
        row = json.loads(data)
        return row if isinstance(row, dict) else {}
    except ValueError:
        path = _file(home, header)
        raise PimError(
            "unexpected", f"{path} is damaged", "check it, or start anew: pim audit verify --forget"
        ) from None


def _seen(known: Row) -> tuple[int, bytes] | None:
    size, root = known.get("size"), known.get("root")
    if not isinstance(size, int) or not isinstance(root, str):
        return None
    return size, decoded(root)


def _remember(home: str, header: Row, history: History, trusted: str) -> None:
    from base64 import b64encode

    row = {
        "origin": history.origin,
        "key": trusted or history.keys[0].text,
        "size": history.size,
        "root": b64encode(history.root()).decode(),
        "at": header.get("madeAt"),
    }
    write_private(_file(home, header), json.dumps(row, indent=1).encode())


# ---------------------------------------------------------------- what is said


def _tell(context: Context, history: History, seconds: float, *, vouched: bool) -> None:
    printer = context.printer
    found = [{"kind": one.kind, "position": one.position, "finding": one.text} for one in history.findings]
    if not printer.for_people:
        summary: Row = {
            "proved": not found,
            "origin": history.origin,
            "size": history.size,
            "events": history.events,
            "removedByRetention": history.removed,
            "checkpoints": len(history.checkpoints),
            "provedByCheckpoint": history.proved,
            "key": history.keys[0].text if history.keys else None,
            "findings": found,
        }
        printer.one(summary, tuple((name, name) for name in summary))
        return
    for one in history.findings[:_SHOWN]:
        printer.line(f"{one.kind.upper()}: {one.text}")
    more = len(history.findings) - _SHOWN + history.more
    if more > 0:
        printer.line(f"… and {more} more")
    if found:
        printer.line()
        printer.line(
            "The audit history is NOT what was signed. Keep the database and what you have saved as evidence."
        )
        return
    rate = f", {history.events / seconds:,.0f} events a second" if seconds > 0.5 else ""
    printer.line(f"The audit history is whole: {history.events} events{rate}.")
    if history.removed:
        printer.line(f"{history.removed} more were removed by retention, as events in the log say.")
    if history.checkpoints:
        number, last = history.checkpoints[-1]
        printer.line(
            f"Proved by {len(history.checkpoints)} signed checkpoints, the last one (number {number}) of {last.at}."
        )
    if history.size > history.proved:
        printer.line(f"{history.size - history.proved} events are newer than the last checkpoint.")
    if history.keys and not vouched:
        context.note(
            f"nobody vouched for the key {history.keys[0].text}: compare it with somebody you trust; it is remembered"
        )
