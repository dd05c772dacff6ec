"""Times of Graph as seconds since 1970, by arithmetic alone.

Why not `wire.instants` and `wire.durations`: they need `datetime`, regular expressions and `typing`, six
milliseconds at every start of `pim`; here times come in already checked by the server, and go out.
"""

from __future__ import annotations

from openpim.client.clock import local_parts, utc_text, written

__all__ = ["instant", "iso", "iso_duration", "local_text", "plain_seconds"]


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to the date, by the Gregorian calendar (counted from March, in eras of 400 years)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def instant(value: object) -> float | None:
    """Seconds since 1970 of a time as Graph writes it; None for none, and for the year 1 it writes for none."""
    if not isinstance(value, str) or not 16 <= len(value) <= 40:
        return None
    try:
        year, month, day = int(value[0:4]), int(value[5:7]), int(value[8:10])
        clock, offset = _zone(value[11:])
        hour, minute, second = [*clock.split(":"), "0"][:3]
        seconds = int(hour) * 3600 + int(minute) * 60 + float(second)
    except ValueError:
        return None
    if year < 1971 or not (1 <= month <= 12 and 1 <= day <= 31) or value[10] not in "Tt " or seconds > 86400:
        return None
    return _days(year, month, day) * 86400 + seconds - offset


def _zone(text: str) -> tuple[str, int]:
    """The clock and the offset in seconds; a time without an offset is taken as UTC."""
    if text[-1:] in {"Z", "z"}:
        return text[:-1], 0
    for sign in "+-":
        clock, found, offset = text.partition(sign)
        if found:
            digits = offset.replace(":", "")
            seconds = int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60
            return clock, -seconds if sign == "-" else seconds
    return text, 0


def iso(seconds: float | None) -> str | None:
    """`2026-11-21T18:00:00Z`, in whole seconds."""
    if seconds is None:
        return None
    return utc_text(int(seconds))


def local_text(then: float, now: float) -> str:
    """In the local zone: `18:30` today, `Sun 18:30` within a week, else `2026-11-21 18:30`."""
    there, here = local_parts(then), local_parts(now)
    apart = _days(*there[:3]) - _days(*here[:3])
    form = "%H:%M" if apart == 0 else "%a %H:%M" if 0 < apart < 7 else "%Y-%m-%d %H:%M"
    return written(form, there)


def plain_seconds(duration: str) -> int:
    """Seconds of an ISO 8601 duration of whole days, hours, minutes and seconds; 0 for every other form."""
    if duration[:1] != "P":
        return 0
    total, digits, units = 0, "", {"D": 86400}
    for char in duration[1:]:
        if char == "T" and not digits:
            units = {"H": 3600, "M": 60, "S": 1}
        elif char in units and digits:
            total, digits = total + int(digits) * units[char], ""
        elif char in "0123456789" and len(digits) < 9:
            digits += char
        else:
            return 0
    return 0 if digits else total


def iso_duration(seconds: int) -> str:
    """`PT8H`, `PT1H30M` of a positive number of seconds."""
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + "".join(f"{amount}{unit}" for amount, unit in parts if amount)
