"""Path segments that call a function or name a key: `filterByCurrentUser(on='principal')`, `users('x')`.

The segment comes decoded (see `wire.paths.split_path`), or, with `encoded=True`, as it was sent.
Names are returned in lower case, without `microsoft.graph.`; an argument without a name has the name
"".  Errors: `ODataError`.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from openpim.wire.errors import shown
from openpim.wire.odata.ast import Literal, LiteralValue
from openpim.wire.odata.clauses import PATH
from openpim.wire.odata.error import ODataError
from openpim.wire.odata.filter import literal
from openpim.wire.odata.lexer import END, Token, tokens

__all__ = ["FunctionSegment", "parse_function_segment"]

MAX_LENGTH = 2_048
_NAMESPACE = "microsoft.graph."
_CONSTANTS: dict[str, LiteralValue] = {"true": True, "false": False, "null": None}


class FunctionSegment(NamedTuple):
    """A called segment: lower-case name, and its arguments by lower-case name."""

    name: str
    args: dict[str, LiteralValue]

    def text(self, name: str) -> str | None:
        """The argument `name` if it is there and a text."""
        value = self.args.get(name.lower())
        return value if isinstance(value, str) else None


def parse_function_segment(segment: str, *, encoded: bool = False) -> FunctionSegment | None:
    """Take `name(key='value',…)` apart; None when the segment has no parentheses and so is a plain name."""
    if len(segment) > MAX_LENGTH:
        raise ODataError("path", f"the segment {shown(segment)} is too long")
    if encoded and "%" in segment:
        try:
            segment = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            raise ODataError("path", f"the segment {shown(segment)} is not UTF-8") from None
    name, bracket, inner = segment.partition("(")
    if not bracket:
        return None
    if not inner.endswith(")") or PATH.fullmatch(name) is None or "/" in name:
        raise ODataError("path", f"the segment {shown(segment)} is not like name(key='value')")
    lower = name.lower().removeprefix(_NAMESPACE)
    return FunctionSegment(lower, _arguments(inner[:-1], segment))


def _arguments(inner: str, segment: str) -> dict[str, LiteralValue]:
    args: dict[str, LiteralValue] = {}
    found = tokens(inner, "path")
    index = 0
    while found[index][0] != END:
        if args:
            _expect(found[index], ",", segment)
            index += 1
        name = ""
        if found[index][0] == "path" and found[index + 1][1] == "=":
            name = found[index][1].lower()
            index += 2
        if name in args:
            raise ODataError("path", f"the segment {shown(segment)} gives an argument twice")
        args[name] = _argument(found[index], segment)
        index += 1
    return args


def _expect(token: Token, mark: str, segment: str) -> None:
    if token[:2] != ("mark", mark):
        raise ODataError("path", f"the segment {shown(segment)} is not like name(key='value')")


def _argument(token: Token, segment: str) -> LiteralValue:
    kind, text, position = token
    if kind == "path" and text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if kind in {"path", "mark", END}:
        raise ODataError("path", f"the segment {shown(segment)} is not like name(key='value')")
    found: Literal = literal(kind, text, option="path", position=position, whole=segment)
    return found.value
