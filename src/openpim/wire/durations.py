"""Durations as clients write them, and as we write them back.

Read: ISO 8601 (`PT480M`, `P6M`, `P1DT12H`), what Python's `str(timedelta)` gives because the Graph
SDK for Python sends it (`5:00:00`, `365 days, 0:00:00`), and the .NET form `1.02:00:00`.  Written:
ISO 8601.  An ISO text is kept as it was given (upper-cased), so that a client that compares what it
sent with what it reads back (Terraform) sees no change.  The `pim` command reads and shows a form
for people: `parse_human`, `render_human`.

Units: `months` are calendar months and are never turned into days here; everything else is whole
`seconds` (a day is 86,400).  Errors: `DurationError`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from openpim.wire.errors import WireError, shown

__all__ = ["Duration", "DurationError", "parse", "parse_human", "render", "render_human"]

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

MAX_YEARS = 100
_MAX_TEXT = 64
_MONTH_ON_AVERAGE = 2_629_800  # a twelfth of 365.25 days: only used for the limit
_MAX_SECONDS = MAX_YEARS * 12 * _MONTH_ON_AVERAGE


class DurationError(WireError):
    """The text is no duration, or one that is negative, empty, finer than a second or too long."""


class Duration(NamedTuple):
    """A length of time: the ISO 8601 text to show, calendar months, and seconds beside them."""

    iso: str
    months: int
    seconds: int

    def __str__(self) -> str:
        return self.iso


_NUMBER = r"[0-9]{1,18}(?:[.,][0-9]{1,18})?"
_ISO = re.compile(
    rf"P(?:({_NUMBER})Y)?(?:({_NUMBER})M)?(?:({_NUMBER})W)?(?:({_NUMBER})D)?"
    rf"(?:T(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?"
)
_ISO_UNITS = (12, 1, WEEK, DAY, HOUR, MINUTE, 1)  # the first two count months
_CLOCK = re.compile(
    r"(?:([0-9]{1,18}) days?,? |([0-9]{1,18})\.)?([0-9]{1,18}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
)


def parse(text: str) -> Duration:
    """The duration that `text` means in any form a client sends; raises `DurationError`."""
    if len(text) > _MAX_TEXT:
        raise DurationError(f"duration {shown(text, 24)} is too long to be one")
    given = text.strip()
    if not given:
        raise DurationError("duration is empty")
    if "-" in given:
        raise DurationError(f"duration {shown(text)} is negative")
    upper = given.upper()
    if upper[0] == "P":
        return _parse_iso(upper, text)
    return _parse_clock(given, text)


def _parse_iso(upper: str, text: str) -> Duration:
    match = _ISO.fullmatch(upper)
    if match is None or upper.endswith(("P", "T")):
        raise DurationError(f"duration {shown(text)} is not ISO 8601, such as PT8H, P1DT12H or P6M")
    months = seconds = 0
    fraction_in: int | None = None
    for index, part in enumerate(match.groups()):
        if part is None:
            continue
        if fraction_in is not None:
            raise DurationError(f"duration {shown(text)}: only its last number may have a fraction")
        whole, _, digits = part.replace(",", ".").partition(".")
        amount, rest = int(whole) * _ISO_UNITS[index], 0
        if digits.strip("0"):
            fraction_in = index
            extra, rest = divmod(int(digits) * _ISO_UNITS[index], 10 ** len(digits))
            amount += extra
        if rest:
            unit = "a whole month" if index < 2 else "a whole second"
            raise DurationError(f"duration {shown(text)} is finer than {unit}")
        if index < 2:
            months += amount
        else:
            seconds += amount
    return _checked(upper, months, seconds, text)


def _parse_clock(given: str, text: str) -> Duration:
    match = _CLOCK.fullmatch(given.lower())
    if match is None:
        raise DurationError(f"duration {shown(text)} is neither ISO 8601, such as PT8H, nor H:MM:SS")
    days, dotted_days, hours, minutes, seconds, fraction = match.groups()
    if int(minutes) > 59 or int(seconds) > 59:
        raise DurationError(f"duration {shown(text)} has more than 59 minutes or seconds")
    if fraction and fraction.strip("0"):
        raise DurationError(f"duration {shown(text)} is finer than a whole second")
    total = int(days or dotted_days or 0) * DAY + int(hours) * HOUR + int(minutes) * MINUTE + int(seconds)
    checked = _checked("", 0, total, text)
    return checked._replace(iso=render(total))


def _checked(iso: str, months: int, seconds: int, text: str) -> Duration:
    if months == 0 and seconds == 0:
        raise DurationError(f"duration {shown(text)} is zero")
    if months * _MONTH_ON_AVERAGE + seconds > _MAX_SECONDS:
        raise DurationError(f"duration {shown(text)} is longer than {MAX_YEARS} years")
    return Duration(iso, months, seconds)


def render(seconds: int = 0, *, months: int = 0) -> str:
    """ISO 8601 for whole months and seconds: `PT8H`, `P365D`, `P1DT12H`, `P6M`; `PT0S` for nothing."""
    if seconds < 0 or months < 0:
        raise DurationError("a negative duration cannot be written")
    days, rest = divmod(seconds, DAY)
    years, months = divmod(months, 12)
    date = _joined((years, "Y"), (months, "M"), (days, "D"))
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    time = _joined((hours, "H"), (minutes, "M"), (rest, "S"))
    if time:
        return f"P{date}T{time}"
    return f"P{date}" if date else "PT0S"


def _joined(*parts: tuple[int, str]) -> str:
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount)


_HUMAN_UNITS = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": MINUTE, "min": MINUTE, "mins": MINUTE, "minute": MINUTE, "minutes": MINUTE,
    "h": HOUR, "hr": HOUR, "hrs": HOUR, "hour": HOUR, "hours": HOUR,
    "d": DAY, "day": DAY, "days": DAY,
    "w": WEEK, "week": WEEK, "weeks": WEEK,
}  # fmt: skip
_HUMAN_MONTHS = {"mo": 1, "month": 1, "months": 1, "y": 12, "year": 12, "years": 12}
_HUMAN_PART = re.compile(r"([0-9]{1,9})(?:[.]([0-9]{1,9}))? ?([a-z]+)(?:,? |$)?")


def parse_human(text: str) -> Duration:
    """What a person types: `2h`, `90m`, `1h30m`, `1.5h`, `3 days`, `1 h 30 min`, or any form of `parse`.

    `m` is minutes, `mo` is months.  A bare number is refused: nobody knows its unit.
    """
    given = text.strip().lower()
    if len(text) > _MAX_TEXT:
        raise DurationError(f"duration {shown(text, 24)} is too long to be one")
    if not given or given[0] == "p" or ":" in given or "-" in given:
        return parse(text)
    if given.replace(".", "").isdigit():
        raise DurationError(f"duration {shown(text)} has no unit: write {given}h or {given}m")
    months = seconds = position = 0
    seen: set[int] = set()
    while position < len(given):
        match = _HUMAN_PART.match(given, position)
        unit = match.group(3) if match else ""
        if match is None or (unit not in _HUMAN_UNITS and unit not in _HUMAN_MONTHS):
            raise DurationError(f"duration {shown(text)} is not like 2h, 90m, 1h30m or 3d")
        size = -_HUMAN_MONTHS[unit] if unit in _HUMAN_MONTHS else _HUMAN_UNITS[unit]
        if size in seen:
            raise DurationError(f"duration {shown(text)} names a unit twice")
        seen.add(size)
        digits = match.group(2) or "0"
        amount, rest = divmod(int(match.group(1) + digits) * abs(size), 10 ** len(digits))
        if rest:
            raise DurationError(
                f"duration {shown(text)} is finer than a whole {'month' if size < 0 else 'second'}"
            )
        if size < 0:
            months += amount
        else:
            seconds += amount
        position = match.end()
    checked = _checked("", months, seconds, text)
    return checked._replace(iso=render(seconds, months=months))


def render_human(seconds: int) -> str:
    """For people: `1 h 30 min`, `3 d 4 h`, `45 s`; `0 s` for nothing.  `parse_human` reads it back."""
    if seconds < 0:
        return "-" + render_human(-seconds)
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount) or "0 s"
