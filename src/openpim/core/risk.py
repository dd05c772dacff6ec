"""What an approver should look at twice: marks on a request, from the request and what the person did before. They decide
nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from openpim.core.grants import Schedule

_LONGER = 1.5


class Risk(StrEnum):
    """FIRST_TIME: never activated this role here before. OUT_OF_HOURS: starts when nobody works. LONG: half as long
    again as the longest time before."""

    FIRST_TIME = "firstTime"
    OUT_OF_HOURS = "outOfHours"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """days: Monday is 0. The hours are those of `zone`."""

    begins: time
    ends: time
    days: frozenset[int]
    zone: tzinfo

    def hold_at(self, moment: datetime) -> bool:
        at = moment.astimezone(self.zone)
        return at.weekday() in self.days and self.begins <= at.time() < self.ends


def risks(
    before: Sequence[Schedule], hours: WorkingHours, begins: datetime, ends_at: datetime | None
) -> tuple[Risk, ...]:
    """before: the person's earlier activations of this role at this scope, whatever became of them. begins, ends_at: of
    this one, if it is approved now."""
    found = []
    if not before:
        found.append(Risk.FIRST_TIME)
    if not hours.hold_at(begins):
        found.append(Risk.OUT_OF_HOURS)
    asked = length(ends_at, begins)
    lengths = [one for one in (asked_length(earlier) for earlier in before) if one is not None]
    if lengths and (asked is None or asked > max(lengths) * _LONGER):
        found.append(Risk.LONG)
    return tuple(found)


def asked_length(schedule: Schedule) -> timedelta | None:
    """How long it was asked for (it may have been ended early)."""
    return length(schedule.window.ends(schedule.starts_at) or schedule.ends_at, schedule.starts_at)


def length(end: datetime | None, start: datetime) -> timedelta | None:
    return None if end is None else end - start
