"""Cells of CSV that a spreadsheet reads as text, whatever people have written into them."""

from __future__ import annotations

import re
from typing import Final

# What begins a formula, in the widths that spreadsheets read alike.
_FORMULA: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_BEGINS: Final = re.compile(rf"\s*[{_FORMULA}]|[\t\r\n]")
# Where the separator is another one than ours, a cell begins behind it.
_INSIDE: Final = re.compile(rf"([;\t\r\n|][\"\s]*)(?=[{_FORMULA}])")
_KEPT: Final = re.compile(rf"'(?=\s*[{_FORMULA}])")


def plain_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: names and reasons are written by people."""
    text = _INSIDE.sub(r"\1'", text)
    return f"'{text}" if _BEGINS.match(text) else text


def written_cell(text: str) -> str:
    """What was written before `plain_cell` made it plain (but for what begins inside it)."""
    return text[1:] if _KEPT.match(text) else text
