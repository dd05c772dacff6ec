"""Cuts a `$filter` into tokens, in linear time.

A token is `(kind, text, position)`.  One tolerance lives here: a `+` in an unencoded time zone reaches
us as a space (`…T00:00:00 02:00`), so a space before `hh:mm` is read as `+`.
"""

from __future__ import annotations

import re

from openpim.wire.odata.error import ODataError

__all__ = ["END", "Token", "tokens"]

Token = tuple[str, str, int]
END = "end"

_HEX = "[0-9A-Fa-f]"
_IDENT = r"[A-Za-z_@$][A-Za-z0-9_.@]*+"
_TOKEN = re.compile(
    rf"""[ \t\r\n]*+(?:
      (?P<string>'[^']*+(?:''[^']*+)*+')
    | (?P<guid>{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}(?![A-Za-z0-9_-]))
    | (?P<datetime>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt][0-9]{{2}}:[0-9]{{2}}
                   (?::[0-9]{{2}}(?:\.[0-9]{{1,12}})?)?(?:[Zz]|[ +-][0-9]{{2}}:[0-9]{{2}})?+(?![A-Za-z0-9_]))
    | (?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?![A-Za-z0-9_]))
    | (?P<number>-?[0-9]{{1,30}}+(?:\.[0-9]{{1,30}}+)?(?:[eE][+-]?[0-9]{{1,3}})?[LlMmFfDd]?(?![A-Za-z0-9_.]))
    | (?P<typed>[A-Za-z_][A-Za-z0-9_.]*+'[^']*+(?:''[^']*+)*+')
    | (?P<path>{_IDENT}(?:/{_IDENT})*+)
    | (?P<mark>[(),:=])
    )""",
    re.VERBOSE,
)


def tokens(text: str, option: str) -> list[Token]:
    """The tokens of `text`, closed by an `END` token; `option` is named in errors."""
    found: list[Token] = []
    add = found.append
    length = len(text.rstrip(" \t\r\n"))
    scan = _TOKEN.match
    end = 0
    while end < length:
        match = scan(text, end, length)
        if match is None:
            raise _no_token(text, end, option)
        kind = match.lastgroup or END
        add((kind, match[kind], match.start(kind)))
        end = match.end()
    add((END, "", length))
    return found


def _no_token(text: str, position: int, option: str) -> ODataError:
    while text[position] in " \t\r\n":
        position += 1
    problem = "a quoted string does not end" if text[position] == "'" else "cannot be read"
    return ODataError(option, problem, text=text, position=position)
