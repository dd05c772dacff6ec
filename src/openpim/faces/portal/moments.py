"""Moments as forms have them: a local date and time, and how far its zone is from UTC (nothing without a script: UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta


def read_moment(text: str, offset: int = 0) -> datetime | None:
    """The moment; without a zone of its own it is `offset` minutes east of UTC. None for what is none."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC) - timedelta(minutes=offset)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_offset(fields: Mapping[str, str], name: str = "offset") -> int:
    """Minutes; 0 for what is no number, or no zone."""
    text = fields.get(name, "0")
    number = (
        int(text)
        if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 5
        else 0
    )
    return number if abs(number) <= 14 * 60 else 0
