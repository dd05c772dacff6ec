"""Reads request bodies without trusting them: a limit on size, strict UTF-8, and forms without surprises."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request

MEGABYTE = 1 << 20
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100


@dataclass(frozen=True, slots=True)
class BadBody:
    """Why a body was not taken. status: 400, 413 or 415."""

    status: int
    message: str


async def read_body(request: Request, limit: int = MEGABYTE) -> bytes | BadBody:
    """The whole body, at most `limit` bytes; never reads on past the limit."""
    too_large = BadBody(413, f"The body is larger than {limit} bytes.")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 18:
        return BadBody(400, "Content-Length is not a number.")
    if int(declared) > limit:
        return too_large
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                return too_large
            parts.append(part)
    except ClientDisconnect:
        return BadBody(400, "The client went away.")
    return b"".join(parts)


async def read_form(request: Request, limit: int = 64 * 1024) -> dict[str, str] | BadBody:
    """An urlencoded form; a repeated field is refused (RFC 6749 3.1: parameters MUST NOT be included twice)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body = await read_body(request, limit)
    if isinstance(body, BadBody):
        return body
    if body and kind != _FORM:
        return BadBody(415, f"Send the form as {_FORM}.")
    return parse_form(body)


def parse_form(data: bytes) -> dict[str, str] | BadBody:
    """The fields of an urlencoded body or query string, as strict UTF-8 text without control characters."""
    fields: dict[str, str] = {}
    pairs = [pair for pair in data.split(b"&") if pair]
    if len(pairs) > _MOST_FIELDS:
        return BadBody(400, "Too many fields.")
    for pair in pairs:
        raw_name, _, raw_value = pair.partition(b"=")
        try:
            name = unquote_to_bytes(raw_name.replace(b"+", b" ")).decode("utf-8")
            value = unquote_to_bytes(raw_value.replace(b"+", b" ")).decode("utf-8")
        except UnicodeDecodeError:
            return BadBody(400, "The form is not valid UTF-8.")
        if "\x00" in name or "\x00" in value:
            return BadBody(400, "The form holds a null character.")
        if name in fields:
            return BadBody(400, f"The field {name[:40]!r} is there twice.")
        fields[name] = value
    return fields
