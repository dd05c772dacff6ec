"""Who is told of what: one literal table of all kinds of notices, and the pure rule that reads a role's settings.

What happened comes in as `Facts`, the people whom it may concern as `Concerned`; what comes out says who is told, and as
what. "Critical" is what asks for something to be done now, which is also what Entra's "critical emails only" lets
through: a request that waits for an approver is, the news that an assignment was extended is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from openpim.core import activities
from openpim.core.policy import Level, Notification

MOST_PER_EVENT = 1000  # as Entra
SOON = (timedelta(days=14), timedelta(days=1))
STALE = timedelta(days=7)  # what happened longer ago is no news


class Topic(StrEnum):
    """The kinds of notices. The values are what webhooks and lists call them."""

    APPROVAL_WANTED = "approvalWanted"
    APPROVED = "approved"
    DENIED = "denied"
    REQUEST_EXPIRED = "requestExpired"
    REQUEST_FAILED = "requestFailed"
    ASSIGNED_ELIGIBLE = "assignedEligible"
    ASSIGNED_ACTIVE = "assignedActive"
    ACTIVATED = "activated"
    ENDING_SOON = "endingSoon"
    ENDED = "ended"
    EXTENDED = "extended"
    RENEWED = "renewed"
    ASSIGNED_OUTSIDE = "assignedOutside"
    ACCESS_WAITS = "accessWaits"
    REVOCATION_FAILED = "revocationFailed"
    TARGET_DRIFT = "targetDrift"
    TARGET_UNREACHABLE = "targetUnreachable"
    BREAK_GLASS = "breakGlass"
    AUDIT_ALARM = "auditAlarm"
    WEEKLY_DIGEST = "weeklyDigest"
    TEST = "test"


class Audience(StrEnum):
    """As the role settings call them; the requestor is whom a role is assigned to, or who asks for it."""

    ADMIN = "Admin"
    REQUESTOR = "Requestor"
    APPROVER = "Approver"


class Event(StrEnum):
    """Which third of the role settings' notifications holds."""

    ELIGIBLE = "Admin_Eligibility"
    ACTIVE = "Admin_Assignment"
    ACTIVATION = "EndUser_Assignment"
    NONE = ""  # no role's settings: it is always told


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table. told: the audiences. event: None: that of the schedule's kind (see `event_of`). group: notices of one group
    to one person within a minute are one mail. meaning: for the reference."""

    told: tuple[Audience, ...]
    event: Event | None
    critical: bool
    group: str
    meaning: str


_ADMIN, _REQUESTOR, _APPROVER = Audience.ADMIN, Audience.REQUESTOR, Audience.APPROVER
KINDS: dict[Topic, Kind] = {
    Topic.APPROVAL_WANTED: Kind((_APPROVER,), None, True, "approvals", "A request waits for a decision: an activation, an extension or a renewal. Whoever comes to it later (the next stage, an escalation, a fall-back) is told then."),
    Topic.APPROVED: Kind((_REQUESTOR,), None, False, "requests", "The request was approved."),
    Topic.DENIED: Kind((_REQUESTOR,), None, False, "requests", "The request was denied."),
    Topic.REQUEST_EXPIRED: Kind((_REQUESTOR,), None, False, "requests", "Nobody decided the request in time."),
    Topic.REQUEST_FAILED: Kind((_REQUESTOR,), None, False, "requests", "The request was approved or came due, and could no longer be carried out."),
    Topic.ASSIGNED_ELIGIBLE: Kind((_ADMIN, _REQUESTOR), Event.ELIGIBLE, False, "assignments", "Somebody was made eligible."),
    Topic.ASSIGNED_ACTIVE: Kind((_ADMIN, _REQUESTOR), Event.ACTIVE, False, "assignments", "Somebody was assigned actively."),
    Topic.ACTIVATED: Kind((_ADMIN, _REQUESTOR), Event.ACTIVATION, False, "activations", "An activation came into force."),
    Topic.ENDING_SOON: Kind((_ADMIN, _REQUESTOR), None, False, "endings", "An assignment ends in 14 days, or in 1 day."),
    Topic.ENDED: Kind((_ADMIN, _REQUESTOR), None, False, "endings", "The time of an assignment is over."),
    Topic.EXTENDED: Kind((_ADMIN, _REQUESTOR), None, False, "assignments", "An assignment was extended."),
    Topic.RENEWED: Kind((_ADMIN, _REQUESTOR), None, False, "assignments", "An assignment that had ended was renewed."),
    Topic.ASSIGNED_OUTSIDE: Kind((_ADMIN, _REQUESTOR), Event.ACTIVE, True, "assignments", "A role was assigned outside PIM, without its settings."),
    Topic.ACCESS_WAITS: Kind((_REQUESTOR,), Event.NONE, False, "activations", "Access that is in force could not be given in a target system, three times in a row, and is not there yet; it is tried again."),
    Topic.REVOCATION_FAILED: Kind((_ADMIN,), Event.NONE, True, "alarms", "Access that has ended could not be taken away in a target system yet; it is tried again."),
    Topic.TARGET_DRIFT: Kind((_ADMIN,), Event.NONE, True, "alarms", "Others gave access in a target system, took it away, or gave back what had ended. Not where the target adopts what others give."),
    Topic.TARGET_UNREACHABLE: Kind((_ADMIN,), Event.NONE, True, "alarms", "A target system did not answer, or refused us, three times in a row; it is tried again."),
    Topic.BREAK_GLASS: Kind((_ADMIN,), Event.NONE, True, "alarms", "An account that is kept for emergencies signed in, or activated a role."),
    Topic.AUDIT_ALARM: Kind((_ADMIN,), Event.NONE, True, "alarms", "The audit history is not as this server wrote it, or its log can no longer be signed."),
    Topic.WEEKLY_DIGEST: Kind((_ADMIN,), Event.NONE, False, "digest", "What happened in a week. Can be switched off for the organisation."),
    Topic.TEST: Kind((), Event.NONE, True, "test", "A test that an administrator asked for."),
}  # fmt: skip


# What the history says, and what is told because of it. services/notices/happened.py looks at the facts before it believes
# the name alone: an extension that was asked for and one that was given have the same.
ACTIVITIES: dict[str, Topic] = {
    name: Topic(row.notice) for name, row in activities.ACTIVITIES.items() if row.notice is not None
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice tells, as it was when it happened. All texts are other people's: they are escaped where they are shown.

    activation: it is about an activation, not about an assignment. subject_id: whom it is about. request_id, stage_id:
    of what waits. once: what of this kind has the same is told once. more: further lines, as (label, value).
    """

    topic: Topic
    at: datetime
    provider: str = ""
    eligibility: bool = False
    activation: bool = False
    role_id: str = ""
    role_name: str = ""
    scope: str = ""
    scope_name: str = ""
    subject_id: str = ""
    subject_name: str = ""
    actor_id: str = ""
    actor_name: str = ""
    reason: str = ""
    ticket: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    request_id: str = ""
    schedule_id: str = ""
    stage_id: str = ""
    once: str = ""
    deadline: datetime | None = None
    approved: bool = False
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Concerned:
    """Ids of the people each audience consists of when the settings name nobody else."""

    admins: tuple[str, ...] = ()
    requestors: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()

    def of(self, audience: Audience) -> tuple[str, ...]:
        return {
            Audience.ADMIN: self.admins,
            Audience.REQUESTOR: self.requestors,
            Audience.APPROVER: self.approvers,
        }[audience]


@dataclass(frozen=True, slots=True)
class Recipient:
    """person: an id; or, where a setting names it, an address of anybody."""

    audience: Audience
    person: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """left_out: how many more there would have been."""

    recipients: tuple[Recipient, ...]
    left_out: int = 0


def event_of(facts: Facts) -> Event:
    """Which of the role's settings hold."""
    fixed = KINDS[facts.topic].event
    if fixed is not None:
        return fixed
    if facts.activation:
        return Event.ACTIVATION
    return Event.ELIGIBLE if facts.eligibility else Event.ACTIVE


def told(
    facts: Facts,
    settings: Mapping[str, Notification],
    concerned: Concerned,
    *,
    most: int = MOST_PER_EVENT,
) -> Told:
    """Who is told. settings: the role's, by "<audience>_<event>". Each person once, as what concerns him most.

    Who did it himself is not told as an administrator, unless it is critical: then it may not have been him.
    """
    kind, event = KINDS[facts.topic], event_of(facts)
    found: dict[str, Recipient] = {}
    for audience in sorted(kind.told, key=(Audience.APPROVER, Audience.REQUESTOR, Audience.ADMIN).index):
        rule = settings.get(f"{audience}_{event}", Notification()) if event else Notification()
        if rule.level is Level.NONE or (rule.level is Level.CRITICAL and not kind.critical):
            continue
        people = concerned.of(audience) if rule.default_recipients else ()
        for person in people:
            own = audience is Audience.ADMIN and person == facts.actor_id and not kind.critical
            if not own:
                found.setdefault(person, Recipient(audience, person=person))
        for address in rule.recipients:
            plain = address.strip()
            if plain:
                found.setdefault(plain.lower(), Recipient(audience, address=plain))
    recipients = tuple(found.values())
    return Told(recipients[:most], max(0, len(recipients) - most))


def subject_key(facts: Facts) -> str:
    """What a notice is about: somebody is told of the same thing once, however often it is planned."""
    topic = facts.topic.value
    if facts.topic is Topic.APPROVAL_WANTED:
        return f"{topic}/{facts.stage_id}"
    if facts.topic in {Topic.APPROVED, Topic.DENIED, Topic.REQUEST_EXPIRED, Topic.REQUEST_FAILED}:
        return f"{topic}/{facts.request_id}"
    if facts.topic is Topic.ENDING_SOON and facts.ends_at is not None:
        return f"{topic}/{facts.schedule_id}/{int(facts.ends_at.timestamp())}/{facts.stage_id}"
    if facts.once:
        return f"{topic}/{facts.once}"
    if facts.request_id:
        return f"{topic}/{facts.request_id}/{int(facts.at.timestamp())}"
    return f"{topic}/{facts.schedule_id or facts.subject_id}/{int(facts.at.timestamp())}"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice in words, for any channel. lines: (label, value), the value as it was given, to be escaped where it is shown. link: where it is
    looked at or decided, with its label."""

    topic: Topic
    title: str
    lead: str
    lines: tuple[tuple[str, str], ...]
    link: str
    link_label: str
    at: datetime
    critical: bool = False
    data: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """Plain, several lines."""
        return "\n".join([self.lead, *(f"{label}: {value}" for label, value in self.lines)])


def one_line(text: str, longest: int = 200) -> str:
    """A text in one line without control characters or marks that turn the reading direction: for subjects, and wherever
    a line must stay one."""
    plain = "".join(" " if _unseen(character) else character for character in text)
    short = " ".join(plain.split())
    return short if len(short) <= longest else short[: longest - 1] + "…"


def _unseen(character: str) -> bool:
    code = ord(character)
    return (
        code < 32
        or 127 <= code < 160
        or code in {0x200E, 0x200F, 0x2028, 0x2029, 0x061C, 0xFEFF}
        or 0x202A <= code <= 0x202E
        or 0x2066 <= code <= 0x2069
        or 0xD800 <= code <= 0xDFFF
    )


def renamed(facts: Facts, topic: Topic) -> Facts:
    """The same facts as another kind of notice."""
    return replace(facts, topic=topic)
