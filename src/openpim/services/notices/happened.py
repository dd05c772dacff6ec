"""From an event of the history to what is to be told: the facts, as they were when it happened."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from openpim.core.audit import AuditEvent, Target
from openpim.core.connecting import EffectState, Foreign
from openpim.core.grants import Action, AssignmentType, Kind, Provider, Request, Schedule
from openpim.core.lifecycle import ApprovalStatus, RequestStatus
from openpim.core.notices import ACTIVITIES, Facts, Topic
from openpim.core.scopes import TENANT
from openpim.ports.store import Transaction
from openpim.services.eligibilities import Names

_PROVIDERS = {
    "RoleManagement": Provider.DIRECTORY,
    "GroupManagement": Provider.GROUP,
    "ResourceManagement": Provider.RESOURCE,
}
_SUBJECTS = frozenset({"User", "Group", "ServicePrincipal", "Other"})
_EXTENSIONS = frozenset({Action.ADMIN_EXTEND, Action.SELF_EXTEND})
_RENEWALS = frozenset({Action.ADMIN_RENEW, Action.SELF_RENEW})
_OF_TARGETS = frozenset({Topic.REVOCATION_FAILED, Topic.TARGET_DRIFT, Topic.TARGET_UNREACHABLE})
_USED = frozenset({"Sign in", "Add member to role requested (PIM activation)"})


def news_of(tx: Transaction, event: AuditEvent, break_glass: Collection[str]) -> list[Facts]:
    """What is to be told of the event: usually nothing, or one thing."""
    topic = ACTIVITIES.get(event.activity)
    if topic is Topic.AUDIT_ALARM and event.actor_kind == "system":
        return [_alarm(event)] if event.result == "failure" else []
    if topic is Topic.ACCESS_WAITS:
        return _waits(tx, event)
    if topic in _OF_TARGETS:
        return _in_target(event, topic)
    found: list[Facts] = []
    if event.result != "success":
        return found
    if event.actor_id in break_glass and event.activity in _USED:
        found.append(_used(event))
    if topic is None or topic in {Topic.AUDIT_ALARM, Topic.BREAK_GLASS}:
        return found
    facts = _facts(tx, event, topic)
    return [*found, facts] if facts is not None else found


def _used(event: AuditEvent) -> Facts:
    more = [("What", "Signed in" if event.activity == "Sign in" else "Activated a role")]
    more += [("Role", one.name) for one in event.targets if one.kind == "Role" and one.name]
    more += [(label, value) for label, value in (("Address", event.ip), ("Client", event.client)) if value]
    return Facts(
        topic=Topic.BREAK_GLASS,
        at=event.at,
        subject_id=event.actor_id,
        subject_name=event.actor_name or event.actor_upn or event.actor_id,
        actor_id=event.actor_id,
        actor_name=event.actor_name,
        more=tuple(more),
    )


def _alarm(event: AuditEvent) -> Facts:
    more = [("What", event.activity)]
    more += [("Record", f"{one.name} ({one.id})" if one.name else one.id) for one in event.targets]
    return Facts(topic=Topic.AUDIT_ALARM, at=event.at, reason=event.reason, more=tuple(more))


def _in_target(event: AuditEvent, topic: Topic) -> list[Facts]:
    """Of a real system: what has ended is still there, others change it, it does not answer. What a target adopts is no news.
    Where two write against each other that is told once a day, and of a system that comes and goes once an hour."""
    system, details = _target(event, "Other"), dict(event.details)
    if details.get("Foreign") == Foreign.ADOPT:
        return []
    about = _target(event, "User") if topic is Topic.REVOCATION_FAILED else system
    drift = topic is Topic.TARGET_DRIFT
    again = {Topic.TARGET_DRIFT: f"{event.at:%Y-%m-%d}", Topic.TARGET_UNREACHABLE: f"{event.at:%Y-%m-%dT%H}"}
    same = [
        event.activity,
        system.id if system is not None else "",
        *details.values(),
        again.get(topic, event.id),
    ]
    lines = [
        ("System", system.name if system is not None else ""),
        ("What", event.activity if drift else ""),
        ("Access", details.get("Entitlement", "")),
        ("Whose", details.get("Subject", "") if drift else ""),
        ("Others", details.get("Others", "")),
    ]
    return [
        Facts(
            topic=topic,
            at=event.at,
            subject_id=about.id if about is not None else "",
            subject_name=about.name if about is not None else details.get("Subject", "others"),
            reason=event.reason,
            once=hashlib.sha256("\0".join(same).encode()).hexdigest()[:32],
            more=tuple((label, value) for label, value in lines if value),
        )
    ]


def _waits(tx: Transaction, event: AuditEvent) -> list[Facts]:
    """To whom access could not be given in a real system: once a day, and not if it is there meanwhile."""
    system, person, details = _target(event, "Other"), _target(event, "User"), dict(event.details)
    if system is None or person is None:
        return []
    waiting = any(
        (one.target_id, one.edge.subject, one.edge.entitlement, one.state)
        == (system.id, details.get("Subject"), details.get("Entitlement"), EffectState.PENDING)
        for one in tx.effects.of_principals({person.id}, since=event.at)
    )
    if not waiting:
        return []
    same = [system.id, person.id, details.get("Entitlement", ""), f"{event.at:%Y-%m-%d}"]
    facts = Facts(
        topic=Topic.ACCESS_WAITS,
        at=event.at,
        subject_id=person.id,
        subject_name=person.name,
        reason=event.reason,
        once=hashlib.sha256("\0".join(same).encode()).hexdigest()[:32],
        more=(("System", system.name), ("Access", details.get("Entitlement", ""))),
    )
    schedule = tx.schedules.get(details.get("Schedules", "").partition(",")[0])
    if schedule is None:
        return [facts]
    about = replace(facts, provider=schedule.provider.value, role_id=schedule.role_id, scope=schedule.scope)
    return [_named(tx, replace(about, request_id=schedule.request_id or "", ends_at=schedule.ends_at))]


def _facts(tx: Transaction, event: AuditEvent, topic: Topic) -> Facts | None:
    request_target = _target(event, "Request")
    request = tx.requests.get(request_target.id) if request_target is not None else None
    if topic is Topic.ENDED and ("AuditType", "RemoveActivatedRole") not in event.details:
        return None  # an administrator removed it: that is no end by time
    facts = _told_by(event, topic) if _target(event, "Directory") is not None else None
    if facts is None and request is not None:
        facts = _asked_by(request, event, topic)
    if facts is None:
        return None
    if request is not None:
        facts = _with_request(tx, facts, request, event)
    return _named(tx, facts) if facts is not None else None


def _told_by(event: AuditEvent, topic: Topic) -> Facts:
    """What the event itself says."""
    details = dict(event.details)
    role, place = _target(event, "Role"), _target(event, "Directory")
    subject = next((one for one in event.targets if one.kind in _SUBJECTS), None)
    provider = _PROVIDERS.get(event.category, Provider.DIRECTORY)
    scope = (place.name or place.id) if place is not None else TENANT
    ticket = " ".join(details[name] for name in ("TicketSystem", "TicketNumber") if details.get(name))
    request = _target(event, "Request")
    return Facts(
        topic=topic,
        at=event.at,
        provider=provider.value,
        eligibility="eligible member" in event.activity,
        activation="PIM activation" in event.activity,
        role_id=role.id if role else "",
        role_name=role.name if role else "",
        scope=scope,
        subject_id=subject.id if subject else "",
        subject_name=subject.name if subject else "",
        actor_id=event.actor_id,
        actor_name=event.actor_name or event.actor_upn or "",
        reason=event.reason or details.get("Justification", ""),
        ticket=ticket,
        starts_at=_moment(details.get("StartTime")),
        ends_at=_moment(details.get("ExpirationTime")),
        request_id=request.id if request else "",
        schedule_id=event.correlation_id,
    )


def _asked_by(request: Request, event: AuditEvent, topic: Topic) -> Facts:
    """For events that only name the request."""
    return Facts(
        topic=topic,
        at=event.at,
        provider=request.provider.value,
        role_id=request.role_id,
        scope=request.scope,
        subject_id=request.principal_id,
        reason=request.justification or "",
        request_id=request.id,
    )


def _with_request(tx: Transaction, facts: Facts, request: Request, event: AuditEvent) -> Facts | None:
    """What the event's name leaves open, decided by the request; None where another event tells of it."""
    schedule = tx.schedules.get(request.schedule_id) if request.schedule_id else None
    activation = _is_activation(request, schedule)
    facts = replace(facts, activation=activation, eligibility=request.kind is Kind.ELIGIBILITY)
    waits = request.approval_id is not None
    if facts.topic is Topic.APPROVAL_WANTED or (
        facts.topic is Topic.EXTENDED and waits and event.actor_id == request.created_by
    ):
        return _wanted(tx, facts, request) if waits else None
    if facts.topic is Topic.APPROVED:
        return _approved(tx, facts, request, schedule)
    if facts.topic in {Topic.ASSIGNED_ELIGIBLE, Topic.ASSIGNED_ACTIVE} and request.action in _RENEWALS:
        return replace(facts, topic=Topic.RENEWED)
    if facts.topic is Topic.ACTIVATED and waits and event.actor_kind != "system":
        return replace(facts, approved=True)
    return facts


def _approved(tx: Transaction, facts: Facts, request: Request, schedule: Schedule | None) -> Facts | None:
    approval = tx.approvals.get(request.id)
    if approval is not None and approval.status is ApprovalStatus.IN_PROGRESS:
        return _wanted(tx, replace(facts, topic=Topic.APPROVAL_WANTED), request)
    if request.status is RequestStatus.FAILED or not facts.activation:
        return None
    if schedule is not None:
        facts = replace(facts, starts_at=schedule.starts_at, ends_at=schedule.ends_at)
    return facts


def _wanted(tx: Transaction, facts: Facts, request: Request) -> Facts | None:
    """A request that waits: for whom, says the stage. None when it no longer does."""
    approval = tx.approvals.get(request.id)
    stage = approval.current if approval is not None else None
    if approval is None or stage is None or approval.status is not ApprovalStatus.IN_PROGRESS:
        return None
    window = request.window
    more: tuple[tuple[str, str], ...] = ()
    if window.duration is not None and window.end is None:
        more = (("For", _span(window.duration.months, window.duration.seconds)),)
    if request.action in _EXTENSIONS | _RENEWALS:
        more = (("Asked for", "an extension" if request.action in _EXTENSIONS else "a renewal"), *more)
    return replace(
        facts,
        topic=Topic.APPROVAL_WANTED,
        stage_id=stage.id,
        actor_id=request.created_by,
        reason=request.justification or "",
        ticket=" ".join(part for part in (request.ticket.system, request.ticket.number) if part),
        starts_at=window.start,
        ends_at=window.end,
        deadline=stage.deadline,
        more=more,
    )


def _is_activation(request: Request, schedule: Schedule | None) -> bool:
    if request.action is Action.SELF_ACTIVATE:
        return True
    activated = schedule is not None and schedule.assignment_type is AssignmentType.ACTIVATED
    return request.action is Action.SELF_EXTEND and activated


def _named(tx: Transaction, facts: Facts) -> Facts:
    """With names of today where the event has none."""
    provider = Provider(facts.provider)
    key = (provider, facts.role_id, facts.scope)
    names = Names(tx, {key})
    role_name = facts.role_name or names.roles.get(key, facts.role_id)
    subject_name = facts.subject_name
    if not subject_name and facts.subject_id:
        subject = tx.principals.get(facts.subject_id, deleted=True)
        subject_name = subject.display_name if subject is not None else facts.subject_id
    place = names.scopes.get(key, facts.scope)
    path = names.paths.get(facts.scope, "")
    if provider is Provider.RESOURCE and path and path != place:
        place = f"{place} ({path})"
    if provider is Provider.GROUP and facts.role_name == names.roles.get(key):
        role_name = f"{role_name} of {place}"
    return replace(facts, role_name=role_name, subject_name=subject_name, scope_name=place)


def _target(event: AuditEvent, kind: str) -> Target | None:
    return next((one for one in event.targets if one.kind == kind), None)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _span(months: int, seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    parts = [(months, "month"), (days, "day"), (hours, "hour"), (minutes, "minute")]
    return (
        " ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count)
        or "0 minutes"
    )
