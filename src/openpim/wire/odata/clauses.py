"""The small clauses of a query: `$select`, `$orderby`, and the cutting of text at separators.

Errors: `ODataError`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from openpim.wire.errors import shown
from openpim.wire.odata.error import ODataError

__all__ = ["PATH", "OrderBy", "parse_orderby", "parse_select", "split_top"]

MAX_CLAUSE = 8_192
MAX_ITEMS = 200
MAX_ORDER_KEYS = 8

PATH = re.compile(r"[A-Za-z_@$][A-Za-z0-9_.@]*+(?:/[A-Za-z_@$][A-Za-z0-9_.@]*+)*+")


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One key of `$orderby`; `path` is in the sender's spelling."""

    path: tuple[str, ...]
    descending: bool = False

    @property
    def name(self) -> str:
        """The path with its slashes."""
        return "/".join(self.path)


def split_top(text: str, separator: str, option: str) -> list[str]:
    """Cut `text` at each `separator` outside quotes and parentheses; the pieces are stripped."""
    pieces: list[str] = []
    depth = start = 0
    quoted = False
    for index, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth < 0:
                raise ODataError(option, "a parenthesis closes that was not open", text=text, position=index)
        elif char == separator and depth == 0:
            pieces.append(text[start:index].strip())
            start = index + 1
    if quoted or depth:
        what = "quoted string" if quoted else "parenthesis"
        raise ODataError(option, f"a {what} does not end", text=text, position=len(text))
    pieces.append(text[start:].strip())
    return pieces


def bounded(text: str, option: str) -> str:
    """`text`, if it is not longer than a clause may be."""
    if len(text) > MAX_CLAUSE:
        raise ODataError(option, f"is longer than {MAX_CLAUSE} characters")
    return text


def parse_select(text: str) -> tuple[str, ...]:
    """The names in `$select`, each once, in the sender's spelling and order; `*` may be among them."""
    names: dict[str, str] = {}
    for piece in bounded(text, "$select").split(","):
        name = piece.strip()
        if not name:
            continue
        if name != "*" and PATH.fullmatch(name) is None:
            raise ODataError("$select", f"{shown(name)} is no property name")
        names.setdefault(name.lower(), name)
    if len(names) > MAX_ITEMS:
        raise ODataError("$select", f"names more than {MAX_ITEMS} properties")
    return tuple(names.values())


def parse_orderby(text: str) -> tuple[OrderBy, ...]:
    """The keys of `$orderby`: `createdDateTime desc,id`."""
    keys: list[OrderBy] = []
    for piece in bounded(text, "$orderby").split(","):
        words = piece.split()
        if not words:
            raise ODataError("$orderby", "has an empty key")
        direction = words[1].lower() if len(words) == 2 else "asc"
        if PATH.fullmatch(words[0]) is None or len(words) > 2 or direction not in {"asc", "desc"}:
            raise ODataError("$orderby", f"{shown(piece.strip())} is not a property name with asc or desc")
        keys.append(OrderBy(tuple(words[0].split("/")), direction == "desc"))
    if len(keys) > MAX_ORDER_KEYS:
        raise ODataError("$orderby", f"has more than {MAX_ORDER_KEYS} keys")
    return tuple(keys)
