"""Takes a request path apart, once and safely.

Clients double slashes, end paths with one, change the case of segments and encode what need not be.
So: the raw (still encoded) path is cut at `/`, empty segments fall away, and each segment is decoded
exactly once.  A slash between the quotes of a function's argument, `f(scope='/')`, cuts nothing.  What could mean two things is refused: encoded slashes and backslashes, `.` and `..`,
control characters, bytes that are not UTF-8, too much of anything.

A refusal is a value (`BadPath`), since a face answers it with 400 like any other refusal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

__all__ = ["BadPath", "SplitPath", "fold", "split_path"]

MAX_LENGTH = 8_192
MAX_SEGMENTS = 64
_MARKS = re.compile(rb"/|'|%27|\(|%28|\)|%29")
_QUOTED = re.compile(r"(?<=[(,=])'[^']*'(?=[,)])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class SplitPath(NamedTuple):
    """The segments as sent (decoded), and the same folded for comparing with names."""

    segments: tuple[str, ...]
    folded: tuple[str, ...]


class BadPath(NamedTuple):
    """Why a path was refused, in words for the sender."""

    reason: str


def fold(segment: str) -> str:
    """Fold `segment` for comparing with names, which are all ASCII: other letters keep their case."""
    return segment.lower() if segment.isascii() else segment


@lru_cache(maxsize=16)  # one request asks several times
def split_path(raw: bytes | str) -> SplitPath | BadPath:
    """Cut a raw path (no query) into decoded segments; `/` and the empty path give none."""
    data = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
    if len(data) > MAX_LENGTH:
        return BadPath(f"the path is longer than {MAX_LENGTH} bytes")
    if not data.startswith(b"/") and data:
        return BadPath("the path does not start with /")
    segments: list[str] = []
    for part in _cut(data):
        if not part:
            continue
        segment = _decoded(part)
        if isinstance(segment, BadPath):
            return segment
        segments.append(segment)
    if len(segments) > MAX_SEGMENTS:
        return BadPath(f"the path has more than {MAX_SEGMENTS} segments")
    return SplitPath(tuple(segments), tuple(fold(segment) for segment in segments))


def _cut(data: bytes) -> list[bytes]:
    """At every slash but those between quotes inside parentheses; quotes that are not closed mean nothing."""
    parts: list[bytes] = []
    start, deep, quoted = 0, False, False
    for mark in _MARKS.finditer(data):
        match mark[0]:
            case b"/" if not quoted:
                parts.append(data[start : mark.start()])
                start, deep = mark.end(), False
            case b"'" | b"%27":
                quoted = deep and not quoted
            case b"(" | b"%28" if not quoted:
                deep = True
            case b")" | b"%29" if not quoted:
                deep = False
    return data.split(b"/") if quoted else [*parts, data[start:]]


def _decoded(part: bytes) -> str | BadPath:
    try:
        segment = (unquote_to_bytes(part) if b"%" in part else part).decode("utf-8")
    except UnicodeDecodeError:
        return BadPath("the path is not UTF-8")
    if segment in {".", ".."}:
        return BadPath("the path has a dot segment")
    if "/" in _QUOTED.sub("", segment) or "\\" in segment:
        return BadPath("the path has a backslash or an encoded slash")
    if _CONTROL.search(segment):
        return BadPath("the path has a control character")
    return segment
