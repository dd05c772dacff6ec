"""Times and durations as a person types them, in the local zone: `18:00`, `tomorrow 9:00`, `+2h`, `2026-11-21T18:00Z`."""

from __future__ import annotations

from openpim.client import clock
from openpim.client.errors import PimError

__all__ = ["moment", "seconds_of"]


def seconds_of(text: str, option: str) -> int:
    """Seconds of a duration such as `2h`, `90m`, `1h30m`, `PT2H`; months count 30 days."""
    from openpim.wire.durations import DurationError, parse_human

    try:
        parsed = parse_human(text)
    except DurationError as error:
        raise PimError(
            "usage", f"{option}: {error}", f"write it like {option} 2h, {option} 90m or {option} 1h30m"
        ) from None
    return parsed.seconds + parsed.months * 2_592_000


def moment(text: str, option: str) -> float:
    """Seconds since 1970 of a point in time; a bare `HH:MM` is the next time the clock shows it."""
    from datetime import datetime, timedelta

    given = text.strip()
    if given.lower() == "now":
        return clock.now()
    if given.startswith("+"):
        return clock.now() + seconds_of(given[1:], option)
    today = datetime.fromtimestamp(clock.now()).astimezone()
    day, shift = today, 0
    lowered = given.lower()
    for word, days in (("today", 0), ("tomorrow", 1)):
        if lowered.startswith(word):
            lowered, shift = lowered[len(word) :].strip() or "00:00", days + 1
    hour, colon, minute = lowered.partition(":")
    if colon and hour.isdigit() and minute.isdigit() and len(hour) <= 2 and len(minute) == 2:
        if int(hour) > 23 or int(minute) > 59:
            raise _wrong(text, option)
        day = day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0, tzinfo=None)
        day += timedelta(days=shift - 1 if shift else 0)
        if not shift and day.astimezone().timestamp() <= clock.now():
            day += timedelta(days=1)
        return day.astimezone().timestamp()
    if shift:
        raise _wrong(text, option)
    try:
        return datetime.fromisoformat(given).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise _wrong(text, option) from None


def _wrong(text: str, option: str) -> PimError:
    hint = (
        f"write it like {option} 18:00, {option} 'tomorrow 9:00', {option} +2h or {option} 2026-11-21T18:00"
    )
    return PimError("usage", f"{option}: {text[:60]!r} is no point in time", hint)
