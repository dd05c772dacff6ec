"""Audit events as OCSF events (Open Cybersecurity Schema Framework, version 1.3.0, category Identity & Access Management),
sent as a JSON array over HTTPS.

Which class: signing in and out is Authentication; what happens to a person's account or credentials is Account Change; who
gets or loses a role is User Access Management; who gets into a group or out of it is Group Management; all else is Entity
Management. What OCSF has no field for stands in `unmapped`. docs/how-to/send-the-audit-to-a-siem.md has the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from openpim import __version__
from openpim.core.audit import AuditEvent, Target
from openpim.core.audit_form import when
from openpim.core.streams import Stream
from openpim.notify.posting import Posting
from openpim.ports.outbound import Outbound
from openpim.ports.streams import Outgoing

VERSION: Final = "1.3.0"
ACCOUNT_CHANGE, AUTHENTICATION, ENTITY_MANAGEMENT, USER_ACCESS, GROUP_MANAGEMENT = (
    3001,
    3002,
    3004,
    3005,
    3006,
)
CLASSES: Final = {
    ACCOUNT_CHANGE: "Account Change",
    AUTHENTICATION: "Authentication",
    ENTITY_MANAGEMENT: "Entity Management",
    USER_ACCESS: "User Access Management",
    GROUP_MANAGEMENT: "Group Management",
}
OTHER: Final = 99
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PEOPLE = ("User", "Group", "ServicePrincipal")
# The first words of an activity -> activity_id, the longest first.
_ACCOUNT = {
    "Add user": 1, "Invite external user": 1, "Create the first administrator": 1, "Enable account": 2,
    "Change password": 3, "Set up credentials": 4, "Make set-up link": 4, "Disable account": 5, "Delete user": 6,
    "Enrol second factor": 10, "Add passkey": 10, "Replace second factor": 10, "Remove passkey": 11,
}  # fmt: skip
_SIGNING_IN = {"Sign in": 1, "Sign out": 2, "End session": 2, "End all other sessions": 2}
_ENTITY = {
    "Add": 1,
    "Create": 1,
    "Update": 3,
    "Change": 3,
    "Delete": 4,
    "Remove": 4,
    "Move": 5,
    "Resume": 13,
    "Pause": 12,
}
_GRANTED = ("completed", "outside of PIM")


class Ocsf:
    """See ports/streams.py, Sender."""

    def __init__(self, outbound: Outbound) -> None:
        self._posting = Posting(outbound)

    def send(self, stream: Stream, secret: str, batch: Sequence[Outgoing]) -> str:
        self._posting.post(stream, secret, [event_of(one) for one in batch])
        return ""


def event_of(one: Outgoing) -> dict[str, Any]:
    """One OCSF event."""
    event = one.event
    class_uid, activity_id, special = _classified(event, one.tenant_id)
    failed = event.result == "failure"
    found: dict[str, Any] = {
        "category_uid": 3,
        "category_name": "Identity & Access Management",
        "class_uid": class_uid,
        "class_name": CLASSES[class_uid],
        "activity_id": activity_id,
        "activity_name": event.activity,
        "type_uid": class_uid * 100 + activity_id,
        "time": (event.at - _EPOCH) // timedelta(milliseconds=1),
        "severity_id": 2 if failed else 1,
        "severity": "Low" if failed else "Informational",
        "status_id": 2 if failed else 1,
        "status": "Failure" if failed else "Success",
        "message": event.activity,
        "metadata": {
            "version": VERSION,
            "profiles": ["host"],  # which `actor` comes from where a class has none of its own
            "product": {"name": "OpenPIM", "vendor_name": "OpenPIM", "version": __version__},
            "uid": event.id,
            "sequence": one.position,
            "tenant_uid": one.tenant_id,
            "original_time": when(event.at),
            "log_name": "audit",
            "log_provider": "openpim",
            "correlation_uid": event.correlation_id,
        },
        "actor": _actor(event),
        "unmapped": _unmapped(event),
        **special,
    }
    if event.reason:
        found["status_detail"] = event.reason
    if event.ip:
        found["src_endpoint"] = {"ip": event.ip}
    if event.client:
        found["http_request"] = {"user_agent": event.client}
    return found


def _classified(event: AuditEvent, tenant_id: str) -> tuple[int, int, dict[str, Any]]:
    """Class, activity, and what only this class has."""
    role, who = _first(event, ("Role",)), _first(event, _PEOPLE)
    if event.activity in _SIGNING_IN:
        special = {
            "user": _subject(event, who),
            "service": {"name": "OpenPIM"},
            "is_mfa": "mfa" in event.amr,
            "is_remote": True,
        }
        return AUTHENTICATION, _SIGNING_IN[event.activity], special
    if event.category in {"UserManagement", "Authentication"} or event.activity in _ACCOUNT:
        return ACCOUNT_CHANGE, _ACCOUNT.get(event.activity, OTHER), {"user": _subject(event, who)}
    if role is not None and who is not None:
        privileges = [role.name or role.id]
        place = _first(event, ("Directory", "Resource"))
        special = {"user": _user_of(who), "privileges": privileges}
        if place is not None:
            special["resource"] = {"uid": place.id, "name": place.name or place.id}
        return USER_ACCESS, _given_or_taken(event), special
    group, member = _first(event, ("Group",)), _first(event, ("User", "ServicePrincipal"))
    if event.category == "GroupManagement" and group is not None and member is not None:
        kinds = {"Add": 3, "Remove": 4}
        activity = kinds.get(event.activity.partition(" ")[0], OTHER)
        return GROUP_MANAGEMENT, activity, {"group": _named(group), "user": _user_of(member)}
    subject = event.targets[0] if event.targets else Target("Tenant", tenant_id)
    entity = {**_named(subject), "type": subject.kind}
    return ENTITY_MANAGEMENT, _ENTITY.get(event.activity.partition(" ")[0], OTHER), {"entity": entity}


def _given_or_taken(event: AuditEvent) -> int:
    """1 assigned, 2 revoked; a request or a decision is neither."""
    words = event.activity
    if event.result == "failure":
        return OTHER
    if words.startswith("Add") and any(word in words for word in _GRANTED):
        return 1
    if words.startswith("Remove") and "requested" not in words and words != "Remove request":
        return 2
    return OTHER


def _first(event: AuditEvent, kinds: Sequence[str]) -> Target | None:
    return next((one for one in event.targets if one.kind in kinds and (one.id or one.name)), None)


def _named(target: Target) -> dict[str, str]:
    found = {"uid": target.id, "name": target.name}
    return {name: value for name, value in found.items() if value} or {"name": "unknown"}


def _user_of(target: Target) -> dict[str, Any]:
    known = {"User": (1, "User"), "ServicePrincipal": (3, "System")}.get(target.kind, (OTHER, target.kind))
    return {**_named(target), "type_id": known[0], "type": known[1]}


def _actor(event: AuditEvent) -> dict[str, Any]:
    if event.actor_kind == "system":
        return {"app_name": "OpenPIM"}
    found: dict[str, Any] = {"user": _doer(event)}
    if event.app_id:
        found["app_uid"] = event.app_id
    return found


def _doer(event: AuditEvent) -> dict[str, Any]:
    person = event.actor_kind != "servicePrincipal"
    values = {"uid": event.actor_id, "name": event.actor_upn or event.actor_name}
    known = {name: value for name, value in values.items() if value} or {"name": "unknown"}
    return {**known, "type_id": 1 if person else 3, "type": "User" if person else "System"}


def _subject(event: AuditEvent, who: Target | None) -> dict[str, Any]:
    """Whose account it is: the target's, or the actor's own."""
    return _user_of(who) if who is not None else _doer(event)


def _unmapped(event: AuditEvent) -> dict[str, Any]:
    texts = {
        "on_behalf_of_id": event.on_behalf_of_id,
        "on_behalf_of_name": event.on_behalf_of_name,
        "ticket_number": event.ticket_number,
        "ticket_system": event.ticket_system,
        "request_id": event.request_id,
        "policy_version": event.policy_version,
    }
    return {
        **{name: text for name, text in texts.items() if text},
        "category": event.category,
        "signed_in_with": list(event.amr),
        "targets": [
            {
                "kind": one.kind,
                "id": one.id,
                "name": one.name,
                "changes": [{"name": name, "before": old, "after": new} for name, old, new in one.changes],
            }
            for one in event.targets
        ],
        "details": [{"name": name, "value": value} for name, value in event.details],
    }
