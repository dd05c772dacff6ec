"""Points in time as clients write them, and as we write them back.

Read: ISO 8601 with `Z` or an offset and zero to seven fraction digits (seven is what .NET writes;
the seventh is dropped: we keep microseconds).  Written: UTC with `Z`, no trailing zeros in the
fraction.  Everything returned is an aware UTC `datetime`.

Graph refuses a time without an offset with its own error code, so that fault has its own class:
`MissingOffsetError`.  Years outside 1970..9999 are refused (`0001-01-01` is what some clients send for
"nothing"); a client that reads such values from a server passes `first_year=1`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from openpim.wire.errors import WireError, shown

__all__ = ["FIRST_YEAR", "InstantError", "MissingOffsetError", "parse_datetime", "render_datetime"]

FIRST_YEAR = 1970
_MAX_TEXT = 40
_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,7}))?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_MAX_OFFSET = timedelta(hours=14)


class InstantError(WireError):
    """The text is no point in time, or one outside the years we keep."""


class MissingOffsetError(InstantError):
    """The text is a date and time, but does not say in which time zone."""


def parse_datetime(text: str, *, first_year: int = FIRST_YEAR) -> datetime:
    """The aware UTC datetime that `text` means; raises `InstantError` or `MissingOffsetError`."""
    if len(text) > _MAX_TEXT:
        raise InstantError(f"date and time {shown(text, 24)} is too long to be one")
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise InstantError(f"date and time {shown(text)} is not like 2026-04-13T08:52:32Z")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if zone is None:
        raise MissingOffsetError(f"date and time {shown(text)} has no time zone: end it with Z or +hh:mm")
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        numbers = int(year), int(month), int(day), int(hour), int(minute), int(second or 0), microsecond
        local = datetime(*numbers, tzinfo=_zone(zone, text))
        value = local if local.tzinfo is UTC else local.astimezone(UTC)
    except OverflowError:
        raise InstantError(f"date and time {shown(text)} is outside the years {first_year} to 9999") from None
    except WireError:
        raise
    except ValueError as error:
        raise InstantError(f"date and time {shown(text)} does not exist: {error}") from None
    if value.year < first_year:
        raise InstantError(f"date and time {shown(text)} is outside the years {first_year} to 9999")
    return value


def _zone(text: str, whole: str) -> timezone:
    if text in {"Z", "z"}:
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > _MAX_OFFSET or int(digits[2:]) > 59:
        raise InstantError(f"date and time {shown(whole)} has an offset beyond 14 hours")
    return timezone(-offset if text[0] == "-" else offset)


def render_datetime(value: datetime) -> str:
    """`2022-04-13T08:52:32.648585Z`: UTC, fraction only where there is one.  `value` must be aware."""
    if value.tzinfo is None:
        raise ValueError("a time without a time zone cannot be written")
    text = value.astimezone(UTC).isoformat()[:-6]
    return text.rstrip("0") + "Z" if "." in text else text + "Z"
