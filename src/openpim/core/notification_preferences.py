"""How a person wants to be told: by which channels, and when not to be disturbed. What is critical is always sent, at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing is sent that is not critical: it is held until they end. begins, ends: "HH:MM" in `zone`
    (an IANA name); they may go over midnight."""

    begins: str
    ends: str
    zone: str = "UTC"

    def until(self, now: datetime) -> datetime | None:
        """When the hours that `now` lies in end (aware UTC); None outside of them."""
        begins, ends = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        local = now.astimezone(zone_of(self.zone))
        clock = local.time().replace(microsecond=0)
        if begins <= ends:
            inside = begins <= clock < ends
            day = local.date()
        else:
            inside = clock >= begins or clock < ends
            day = local.date() + timedelta(days=1) if clock >= begins else local.date()
        if not inside:
            return None
        return datetime.combine(day, ends, local.tzinfo).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Preferences:
    """channels: keys of those that are used for what is not critical: "mail", and those the organisation offers; none: nothing but what is critical.
    zone: in which times are written ("" : the organisation's)."""

    channels: tuple[str, ...] = (MAIL,)
    quiet: Quiet | None = None
    zone: str = ""


def zone_of(name: str) -> tzinfo:
    """Raises ValueError for a zone that is not known."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(name) from error


def faults(preferences: Preferences) -> list[tuple[str, str]]:
    """What is wrong with them, as (member, message)."""
    found = []
    if preferences.zone and not _known(preferences.zone):
        found.append(("zone", _ZONE))
    quiet = preferences.quiet
    if quiet is not None:
        for member, value in (("begins", quiet.begins), ("ends", quiet.ends)):
            if not _clock(value):
                found.append((member, "Write a time such as 22:00."))
        if not found and quiet.begins == quiet.ends:
            found.append(("ends", "Quiet hours end at another time than they begin."))
        if not _known(quiet.zone):
            found.append(("zone", _ZONE))
    return found


_ZONE = "Write a time zone such as Europe/Oslo, or UTC."


def _known(zone: str) -> bool:
    try:
        zone_of(zone)
    except ValueError:
        return False
    return True


def _clock(text: str) -> bool:
    try:
        return len(text) == len("22:00") and time.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
