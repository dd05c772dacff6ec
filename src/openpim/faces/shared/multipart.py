"""Reads what a browser sends for a form with a file (multipart/form-data, RFC 7578) without trusting it: flat parts with a
name, fields as strict UTF-8 text, files as bytes that nobody has looked at. Anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from openpim.faces.shared.body import BadBody, parse_form, read_body

KIND = "multipart/form-data"
_FORM = "application/x-www-form-urlencoded"
_MOST_PARTS = 100
_LONGEST_HEAD = 2000
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"content-disposition:[ \t]*form-data([^\r\n]*)", re.IGNORECASE)
_PARAMETER = re.compile(rb';[ \t]*(name|filename)="([^"\r\n]*)"', re.IGNORECASE)
_BAD = BadBody(400, "The form cannot be read. Send it again.")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent. name: as the browser calls it, only to be shown."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    fields: dict[str, str]
    files: Mapping[str, Upload]


async def read_sent(request: Request, limit: int) -> Sent | BadBody:
    """A form of at most `limit` bytes, with files or without."""
    given = request.headers.get("content-type", "")
    kind = given.split(";")[0].strip().lower()
    body = await read_body(request, limit)
    if isinstance(body, BadBody):
        return body
    if kind == KIND:
        found = _BOUNDARY.search(given)
        return (
            _BAD if found is None else parse_parts(body, (found[1] or found[2]).encode("latin-1", "replace"))
        )
    if body and kind != _FORM:
        return BadBody(415, f"Send the form as {_FORM} or {KIND}.")
    fields = parse_form(body)
    return fields if isinstance(fields, BadBody) else Sent(fields, {})


def parse_parts(body: bytes, boundary: bytes) -> Sent | BadBody:
    """The parts between the boundaries. A name that comes twice is refused; a file that was not chosen is left out."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    # What stands before the first boundary, and the "--" behind the last one, are no parts.
    if len(pieces) < 2 or pieces[0] != b"" or pieces[-1].strip(b"\r\n \t") != b"--":
        return _BAD
    if len(pieces) - 2 > _MOST_PARTS:
        return BadBody(400, "Too many fields.")
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for piece in pieces[1:-1]:
        head, divided, content = piece.partition(b"\r\n\r\n")
        disposition = _DISPOSITION.search(head) if len(head) <= _LONGEST_HEAD else None
        if not divided or disposition is None or not piece.startswith(b"\r\n"):
            return _BAD
        parameters = {name.lower(): value for name, value in _PARAMETER.findall(disposition[1])}
        try:
            name = parameters.get(b"name", b"").decode("utf-8")
            shown = parameters[b"filename"].decode("utf-8") if b"filename" in parameters else None
            text = content.decode("utf-8") if shown is None else ""
        except UnicodeDecodeError:
            return BadBody(400, "The form is not valid UTF-8.")
        if not name or "\x00" in name + text:
            return _BAD
        if name in fields or name in files:
            return BadBody(400, f"The field {name[:40]!r} is there twice.")
        if shown is None:
            fields[name] = text
        elif shown or content:
            files[name] = Upload(shown.rpartition("\\")[2].rpartition("/")[2][:200], content)
    return Sent(fields, files)
