"""Eligibilities, assignments and the requests that make them: the nouns of the life of a grant.

One set of values serves directory roles, groups and resources. A *schedule* says who holds what, where, from
when until when; whether it is in force is a function of time, never of a job having run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from openpim.core.lifecycle import RequestStatus, ScheduleStatus

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)


class Provider(StrEnum):
    __hash__ = str.__hash__  # keys of many dictionaries: Enum's own is ten times slower

    DIRECTORY = "directory"
    GROUP = "group"
    RESOURCE = "resource"


class Kind(StrEnum):
    ELIGIBILITY = "eligibility"
    ASSIGNMENT = "assignment"


class AssignmentType(StrEnum):
    ASSIGNED = "Assigned"
    ACTIVATED = "Activated"


class Action(StrEnum):
    """The nine things a request can ask for (Graph: unifiedRoleScheduleRequestActions)."""

    ADMIN_ASSIGN = "adminAssign"
    ADMIN_UPDATE = "adminUpdate"
    ADMIN_REMOVE = "adminRemove"
    ADMIN_EXTEND = "adminExtend"
    ADMIN_RENEW = "adminRenew"
    SELF_ACTIVATE = "selfActivate"
    SELF_DEACTIVATE = "selfDeactivate"
    SELF_EXTEND = "selfExtend"
    SELF_RENEW = "selfRenew"

    @property
    def by_self(self) -> bool:
        return self.value.startswith("self")


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar duration: `months` then `seconds`; `iso` is the text it was given as (kept, so that what a
    client wrote is what it reads back)."""

    iso: str
    months: int
    seconds: int

    def after(self, start: datetime) -> datetime:
        """The instant one duration after `start` (the day is clamped to the month's last; END_OF_TIME at most)."""
        months = start.year * 12 + start.month - 1 + self.months
        year, month = divmod(months, 12)
        if year > END_OF_TIME.year - 1:
            return END_OF_TIME
        day = start.day
        while True:
            try:
                moved = start.replace(year=year, month=month + 1, day=day)
                break
            except ValueError:
                day -= 1
        try:
            return min(moved + timedelta(seconds=self.seconds), END_OF_TIME)
        except OverflowError:
            return END_OF_TIME


def hours(count: int) -> Duration:
    return Duration(f"PT{count}H", 0, count * 3600)


def days(count: int) -> Duration:
    return Duration(f"P{count}D", 0, count * 86400)


class ExpirationType(StrEnum):
    NO_EXPIRATION = "noExpiration"
    AFTER_DATE_TIME = "afterDateTime"
    AFTER_DURATION = "afterDuration"
    NOT_SPECIFIED = "notSpecified"


@dataclass(frozen=True, slots=True)
class Window:
    """When a grant is asked for: start (None = as soon as possible) and one way of saying the end."""

    start: datetime | None = None
    type: ExpirationType = ExpirationType.NOT_SPECIFIED
    end: datetime | None = None
    duration: Duration | None = None

    def ends(self, start: datetime) -> datetime | None:
        """The end when it starts at `start`; None = permanent."""
        if self.type is ExpirationType.AFTER_DATE_TIME:
            return self.end
        if self.type is ExpirationType.AFTER_DURATION and self.duration is not None:
            return self.duration.after(start)
        return None


@dataclass(frozen=True, slots=True)
class Ticket:
    number: str | None = None
    system: str | None = None

    @property
    def complete(self) -> bool:
        return bool(self.number and self.number.strip() and self.system and self.system.strip())


NO_TICKET = Ticket()
UNBOUNDED = Window()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who may have (eligibility) or has (assignment) which role where, from when until when.

    ends_at None = permanent. linked_id: for an activation, the eligibility schedule it rests on.
    request_id: the request that made it, None when it was made outside PIM (a plain role assignment).
    """

    id: str
    kind: Kind
    provider: Provider
    principal_id: str
    role_id: str
    scope: str
    starts_at: datetime
    ends_at: datetime | None
    status: ScheduleStatus
    assignment_type: AssignmentType | None
    created_at: datetime
    modified_at: datetime | None = None
    request_id: str | None = None
    linked_id: str | None = None
    window: Window = UNBOUNDED

    def in_force(self, now: datetime) -> bool:
        return (
            self.status is ScheduleStatus.PROVISIONED
            and self.starts_at <= now
            and (self.ends_at is None or now < self.ends_at)
        )

    def live(self, now: datetime) -> bool:
        """In force, or will be if nothing changes."""
        return self.status in LIVE and (self.ends_at is None or now < self.ends_at)

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        return (end is None or self.starts_at < end) and (self.ends_at is None or start < self.ends_at)


LIVE = frozenset({ScheduleStatus.GRANTED, ScheduleStatus.PROVISIONED})


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, by whom, and what became of it. Kept for ever.

    approval_id equals id where an approval is (or was) needed. schedule_id: the schedule it made or changed.
    amr/acrs: how the requestor had signed in when asking (an approval reads them again).
    """

    id: str
    kind: Kind
    provider: Provider
    action: Action
    status: RequestStatus
    principal_id: str
    role_id: str
    scope: str
    created_at: datetime
    created_by: str
    created_by_kind: str = "user"
    completed_at: datetime | None = None
    justification: str | None = None
    ticket: Ticket = NO_TICKET
    window: Window = UNBOUNDED
    schedule_id: str | None = None
    approval_id: str | None = None
    custom_data: str | None = None
    validation_only: bool = False
    amr: tuple[str, ...] = ()
    acrs: tuple[str, ...] = ()
    failure: str | None = None
