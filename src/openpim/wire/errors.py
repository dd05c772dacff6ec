"""The one family of errors this room raises: text from outside that is not what the wire allows.

Every message names what was wrong in words that may be shown to the sender.  Text of the sender is
quoted through `shown`, which shortens it and takes the control characters out.
"""

from __future__ import annotations

__all__ = ["WireError", "shown"]


class WireError(ValueError):
    """A value from outside is malformed; `str(error)` says how and is safe to show."""


def shown(text: str, limit: int = 60) -> str:
    """`text` quoted for a message: at most `limit` characters, printable ones only."""
    cut = text[:limit]
    clean = "".join(char if char.isprintable() else "?" for char in cut)
    return f"'{clean}…'" if len(text) > limit else f"'{clean}'"
