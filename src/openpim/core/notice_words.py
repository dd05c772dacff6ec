"""A notice in words: what, who, why, until when, and the one link that leads to where it is looked at or decided.

The words are ours, the names and reasons in them other people's: they are only ever values beside a label, or names in a
title that is made one line; nothing here is HTML, and whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from urllib.parse import quote

from openpim.core.notices import KINDS, Audience, Facts, Notice, Topic, one_line

_LONGEST_REASON = 1000

_TITLES: dict[Topic, str] = {
    Topic.APPROVAL_WANTED: "{subject} asks for {role}",
    Topic.APPROVED: "Your request for {role} is approved",
    Topic.DENIED: "Your request for {role} is denied",
    Topic.REQUEST_EXPIRED: "Nobody decided on your request for {role}",
    Topic.REQUEST_FAILED: "Your request for {role} could not be carried out",
    Topic.ASSIGNED_ELIGIBLE: "{subject} is eligible for {role}",
    Topic.ASSIGNED_ACTIVE: "{subject} has been assigned {role}",
    Topic.ACTIVATED: "{subject} has activated {role}",
    Topic.ENDING_SOON: "{subject}'s assignment of {role} ends soon",
    Topic.ENDED: "{subject}'s assignment of {role} has ended",
    Topic.EXTENDED: "{subject}'s assignment of {role} is extended",
    Topic.RENEWED: "{subject}'s assignment of {role} is renewed",
    Topic.ASSIGNED_OUTSIDE: "{subject} has been assigned {role} outside PIM",
    Topic.ACCESS_WAITS: "Access of {subject} could not be given yet",
    Topic.REVOCATION_FAILED: "Access of {subject} could not be taken away yet",
    Topic.TARGET_DRIFT: "Others have changed access in {subject}",
    Topic.TARGET_UNREACHABLE: "{subject} cannot be reached",
    Topic.BREAK_GLASS: "The emergency account {subject} is in use",
    Topic.AUDIT_ALARM: "The audit history may have been tampered with",
    Topic.WEEKLY_DIGEST: "The week in privileged access",
    Topic.TEST: "A test",
}
_OWN_TITLES: dict[Topic, str] = {
    Topic.ASSIGNED_ELIGIBLE: "You are eligible for {role}",
    Topic.ASSIGNED_ACTIVE: "You have been assigned {role}",
    Topic.ACTIVATED: "You have activated {role}",
    Topic.ENDING_SOON: "Your assignment of {role} ends soon",
    Topic.ENDED: "Your assignment of {role} has ended",
    Topic.EXTENDED: "Your assignment of {role} is extended",
    Topic.RENEWED: "Your assignment of {role} is renewed",
    Topic.ACCESS_WAITS: "Your access could not be given yet",
    Topic.ASSIGNED_OUTSIDE: "You have been assigned {role} outside PIM",
}
_LEADS: dict[Topic, str] = {
    Topic.APPROVAL_WANTED: "A request waits for your decision.",
    Topic.APPROVED: "What you asked for was approved.",
    Topic.DENIED: "What you asked for was denied. You can ask again.",
    Topic.REQUEST_EXPIRED: "Its time is over. You can ask again.",
    Topic.REQUEST_FAILED: "What it rests on has changed. See the reason, and ask again if you still need it.",
    Topic.ASSIGNED_ELIGIBLE: "Whoever is eligible for a role can activate it when it is needed.",
    Topic.ASSIGNED_ACTIVE: "The assignment is in force without being activated.",
    Topic.ACTIVATED: "The role is in force until the end below.",
    Topic.ENDING_SOON: "It can be extended before it ends.",
    Topic.ENDED: "Its time is over. It can be renewed.",
    Topic.EXTENDED: "It ends later now.",
    Topic.RENEWED: "An assignment that had ended is in force again.",
    Topic.ASSIGNED_OUTSIDE: "The role's settings did not apply: look whether it is meant to be so, and make it eligible instead.",
    Topic.ACCESS_WAITS: "It is in force here, but not in effect in the system yet. It is tried again until that succeeds, and its time goes on. Tell whoever keeps the system if it is urgent.",
    Topic.REVOCATION_FAILED: "It has ended and counts nowhere any more, but a target system has not been told. It is tried again until that succeeds; look at the target system.",
    Topic.TARGET_DRIFT: "It did not come from here. If nobody knows of it, find out who can write to the system.",
    Topic.TARGET_UNREACHABLE: "What begins does not take effect there, and what ends is taken away only when it answers again. Look at the system, and at its credentials here.",
    Topic.BREAK_GLASS: "This account is kept for emergencies. If you know of none, act now.",
    Topic.AUDIT_ALARM: "Somebody or something other than OpenPIM has changed what is on record. Find out who can write to the database, and check the history with: pim audit verify",
    Topic.WEEKLY_DIGEST: "What happened in the last seven days.",
    Topic.TEST: "An administrator asked for this. Notices arrive here.",
}
_GROUP_TITLES: dict[str, str] = {
    "approvals": "{count} requests wait for your decision",
    "requests": "{count} answers to your requests",
    "assignments": "{count} assignments have changed",
    "activations": "{count} roles have been activated",
    "endings": "{count} assignments end soon or have ended",
    "alarms": "{count} alarms",
}
_GROUP_LINKS: dict[str, tuple[str, str]] = {
    "approvals": ("/portal/approvals", "See what waits for you"),
    "requests": ("/portal/roles/pending", "See your requests"),
    "assignments": ("/portal/assignments", "See the assignments"),
    "activations": ("/portal/audit", "See what happened"),
    "endings": ("/portal/assignments", "See the assignments"),
    "alarms": ("/portal/audit", "See what happened"),
}
_OWN_LINK = ("/portal/roles", "See your roles")


def worded(
    facts: Facts, audience: Audience, origin: str, zone: tuple[str, tzinfo], *, critical: bool
) -> Notice:
    """origin: where the portal is, without a slash at the end. zone: its name and itself."""
    when = _writer(zone)
    title = _TITLES[facts.topic]
    if audience is Audience.REQUESTOR:
        title = _OWN_TITLES.get(facts.topic, title)
    path, label = _link(facts, audience)
    return Notice(
        topic=facts.topic,
        title=title.format(subject=one_line(facts.subject_name, 80), role=one_line(facts.role_name, 80)),
        lead=_LEADS[facts.topic],
        lines=tuple(_lines(facts, when)),
        link=f"{origin}{path}",
        link_label=label,
        at=facts.at,
        critical=critical,
        data=_data(facts),
    )


def headed(notices: Sequence[Notice], group: str, origin: str, *, own: bool) -> tuple[str, str, str]:
    """Title, link and its label of what goes out together. own: all of it is about the person himself."""
    if len(notices) == 1:
        return notices[0].title, notices[0].link, notices[0].link_label
    title = _GROUP_TITLES.get(group, "{count} notices").format(count=len(notices))
    path, label = _OWN_LINK if own else _GROUP_LINKS.get(group, ("/portal", "Open the portal"))
    return title, f"{origin}{path}", label


def _lines(facts: Facts, when: Callable[[datetime], str]) -> list[tuple[str, str]]:
    about = [
        ("Role", facts.role_name),
        ("Where", facts.scope_name if facts.scope_name != facts.role_name else ""),
        ("Who", facts.subject_name if facts.role_name else ""),
        ("By", facts.actor_name if facts.actor_id != facts.subject_id else ""),
        ("Why", _shortened(facts.reason)),
        ("Ticket", facts.ticket),
        ("From", when(facts.starts_at) if facts.starts_at else ""),
        ("Until", _until(facts, when)),
        *facts.more,
        ("Decide before", when(facts.deadline) if facts.deadline else ""),
    ]
    return [(label, one_line(value, _LONGEST_REASON)) for label, value in about if value]


def _until(facts: Facts, when: Callable[[datetime], str]) -> str:
    if facts.ends_at is not None:
        return when(facts.ends_at)
    lasting = {
        Topic.ASSIGNED_ELIGIBLE, Topic.ASSIGNED_ACTIVE, Topic.ASSIGNED_OUTSIDE, Topic.EXTENDED, Topic.RENEWED,
    }  # fmt: skip
    return "no end" if facts.topic in lasting else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


def _link(facts: Facts, audience: Audience) -> tuple[str, str]:
    request = quote(facts.request_id, safe="")
    if facts.topic is Topic.APPROVAL_WANTED:
        return f"/portal/approvals/{request}", "Decide"
    if facts.topic is Topic.WEEKLY_DIGEST:
        return "/portal/overview", "Open the overview"
    if KINDS[facts.topic].group == "alarms":
        return "/portal/audit", "See what happened"
    if facts.topic is Topic.TEST:
        return "/portal/me/notifications", "Choose what you are told"
    if audience is Audience.REQUESTOR and facts.topic in {Topic.ENDING_SOON, Topic.ASSIGNED_ELIGIBLE}:
        return _OWN_LINK
    if audience is Audience.REQUESTOR and facts.topic is Topic.ENDED:
        return "/portal/roles/expired", "See your roles"
    if request:
        return f"/portal/requests/{request}", "Open the request"
    return _OWN_LINK if audience is Audience.REQUESTOR else ("/portal/assignments", "See the assignments")


def _data(facts: Facts) -> dict[str, object]:
    """What programs read: small, the same members for every kind of notice that has them."""
    found = {
        "provider": facts.provider,
        "roleDefinitionId": facts.role_id,
        "roleName": facts.role_name,
        "scope": facts.scope,
        "scopeName": facts.scope_name,
        "principalId": facts.subject_id,
        "principalName": facts.subject_name,
        "actorId": facts.actor_id,
        "actorName": facts.actor_name,
        "reason": facts.reason[:_LONGEST_REASON],
        "ticket": facts.ticket,
        "startDateTime": _iso(facts.starts_at),
        "endDateTime": _iso(facts.ends_at),
        "requestId": facts.request_id,
        "decideBefore": _iso(facts.deadline),
    }
    return {name: value for name, value in found.items() if value}


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _writer(zone: tuple[str, tzinfo]) -> Callable[[datetime], str]:
    name, where = zone

    def write(moment: datetime) -> str:
        utc = moment.astimezone(UTC)
        if name == "UTC":
            return f"{utc:%a} {utc.day} {utc:%b %Y %H:%M} UTC"
        local = moment.astimezone(where)
        return f"{local:%a} {local.day} {local:%b %Y %H:%M} {name} ({utc:%H:%M} UTC)"

    return write
