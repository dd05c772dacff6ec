"""Which page of a list is meant: addresses and forms are typed by anybody."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = 4


def page_number(text: str, pages: int = 10**_DIGITS) -> int:
    """From 1 to `pages`: the last one where there are not so many, the first where it is no number."""
    known = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return min(max(1, int(text) if known else 1), pages)
