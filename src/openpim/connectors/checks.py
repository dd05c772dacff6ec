"""What many kinds of targets ask of their settings."""

from __future__ import annotations


def is_number(text: str, least: int, most: int) -> bool:
    """A whole number from least to most, in no more digits than it takes: what follows may trust int()."""
    return text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most
