"""From an event of the history to what receivers are told of it: CAEP events about people, without what only
administrators may read (justifications, tickets, addresses).

A session is said to be revoked when all sessions of a person end, when his account is closed, and when he loses a
privilege: what he opened with it must be judged anew. Claims are told as they are when the event is planned, which is the
truth then; a later change has an event of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from openpim.core.audit import AuditEvent
from openpim.core.relying import Claim, Place, Placed
from openpim.core.signals import (
    ASSURANCE_LEVEL_CHANGE,
    CREDENTIAL_CHANGE,
    SESSION_REVOKED,
    TOKEN_CLAIMS_CHANGE,
)
from openpim.ports.store import Transaction
from openpim.services.access_changes import AccessChange, access_change, people_of, unchanged
from openpim.services.relying.claims import values_of, wanted_in

_SESSIONS: Final = {
    "Revoke sign-in sessions": "All sessions were revoked.",
    "End all other sessions": "The person ended all other sessions.",
    "Disable account": "The account was disabled.",
    "Delete user": "The account was deleted.",
}
# Of some events more than one thing is to be told: (credential type, change, why).
_CREDENTIALS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "Add passkey": (("fido2-roaming", "create", "A passkey was added."),),
    "Remove passkey": (("fido2-roaming", "delete", "A passkey was removed."),),
    "Enrol second factor": (("app", "create", "An authenticator application was set up."),),
    "Replace second factor": (("app", "update", "The authenticator application was replaced."),),
    "Make recovery codes": (("recovery-codes", "update", "New recovery codes were made."),),
    "Use recovery code": (("recovery-codes", "revoke", "A recovery code was used up."),),
    "Change password": (("password", "update", "The password was changed."),),
    "Set up credentials": (
        ("password", "update", "Credentials were set up anew: the password."),
        ("app", "update", "Credentials were set up anew: the authenticator application."),
        ("fido2-roaming", "revoke", "Credentials were set up anew: all passkeys were removed."),
    ),
}
_ENDS_SESSIONS: Final = {
    "Change password": "The password was changed: all other sessions ended.",
    "Set up credentials": "Credentials were set up anew: all sessions ended.",
}
_STEP_UP: Final = "Give second factor"
_CLAIMS: Final = frozenset({Claim.GROUPS, Claim.ROLES, Claim.WIDS})
_PLACES: Final = (Place.USERINFO, Place.ID_TOKEN, Place.ACCESS_TOKEN)


@dataclass(frozen=True, slots=True)
class Told:
    """type: of the event. user_id: whom it is about. event: its own claims; those of a change of token claims each
    receiver is told for itself (`claims_for`). owner_id: the only receiver it concerns, "" for all."""

    type: str
    user_id: str
    event: Mapping[str, Any]
    owner_id: str = ""


def told_of(tx: Transaction, event: AuditEvent, now: datetime) -> list[Told]:
    """What is to be told of it, in order; usually nothing."""
    if event.result != "success":
        return []
    found = [*_sessions(event), *_credentials(event), *_assurance(event), *_app_role(tx, event, now)]
    change = access_change(event)
    return found + (_access(tx, event, change, now) if change is not None else [])


def _sessions(event: AuditEvent) -> list[Told]:
    why = _SESSIONS.get(event.activity) or _ENDS_SESSIONS.get(event.activity)
    if event.activity == "Update user" and _was_disabled(event):
        why = _SESSIONS["Disable account"]
    user_id = _user(event)
    if why is None or user_id is None:
        return []
    return [Told(SESSION_REVOKED, user_id, _common(event, user_id, why))]


def _was_disabled(event: AuditEvent) -> bool:
    changes = [change for one in event.targets if one.kind == "User" for change in one.changes]
    return any(name == "enabled" and after == "False" for name, _, after in changes)


def _credentials(event: AuditEvent) -> list[Told]:
    user_id = _user(event)
    if user_id is None:
        return []
    name = dict(event.details).get("passkey")
    return [
        Told(
            CREDENTIAL_CHANGE,
            user_id,
            {
                "credential_type": kind,
                "change_type": change,
                **({"friendly_name": name} if name else {}),
                **_common(event, user_id, why),
            },
        )
        for kind, change, why in _CREDENTIALS.get(event.activity, ())
    ]


def _assurance(event: AuditEvent) -> list[Told]:
    user_id = _user(event)
    if event.activity != _STEP_UP or user_id is None:
        return []
    levels = {
        "namespace": "NIST-AAL",
        "current_level": "nist-aal2",
        "previous_level": "nist-aal1",
        "change_direction": "increase",
    }
    why = "The person gave a second factor."
    return [Told(ASSURANCE_LEVEL_CHANGE, user_id, {**levels, **_common(event, user_id, why)})]


def _access(tx: Transaction, event: AuditEvent, change: AccessChange, now: datetime) -> list[Told]:
    found: list[Told] = []
    # Which role it is says `claims`, to those receivers that are told it.
    if change.given:
        why = "A role began."
    else:
        why = "A role ended by time." if change.by_time else "A role was taken away."
    for user_id in people_of(tx, change.principal_id, now):
        if unchanged(tx, change, user_id, now):
            continue
        common = _common(event, user_id, why, at=change.at, by_time=change.by_time)
        if change.in_tokens:
            found.append(Told(TOKEN_CLAIMS_CHANGE, user_id, common))
        if not change.given:
            found.append(Told(SESSION_REVOKED, user_id, common))
    return found


def _app_role(tx: Transaction, event: AuditEvent, now: datetime) -> list[Told]:
    """A role of an application's own was given, or taken away: the business of that application alone."""
    given = event.activity.startswith("Add app role assignment")
    if not given and not event.activity.startswith("Remove app role assignment"):
        return []
    if len(event.targets) < 2:
        return []
    application, who = event.targets[:2]
    why = "A role of the application began." if given else "A role of the application was taken away."
    found: list[Told] = []
    for user_id in people_of(tx, who.id, now):
        common = _common(event, user_id, why)
        found.append(Told(TOKEN_CLAIMS_CHANGE, user_id, common, application.id))
        if not given:
            found.append(Told(SESSION_REVOKED, user_id, common, application.id))
    return found


def claims_for(tx: Transaction, app_id: str, user_id: str, now: datetime) -> dict[str, list[str]]:
    """The claims about this person that this receiver is told in tokens or by userinfo, as they are now: no more than it
    would learn by letting him sign in. {}: it is told none."""
    application = tx.applications.by_app_id(app_id)
    places = [Placed(_CLAIMS)] if application is None else [wanted_in(application, one) for one in _PLACES]
    wanted = next((one for one in places if one.claims & _CLAIMS), None)
    if wanted is None:
        return {}
    return values_of(tx, application, user_id, now, Placed(wanted.claims & _CLAIMS, wanted.by_name)).claims


def _common(
    event: AuditEvent, user_id: str, why: str, *, at: datetime | None = None, by_time: bool = False
) -> dict[str, Any]:
    return {
        "event_timestamp": int((at or event.at).timestamp()),
        "initiating_entity": "policy" if by_time else _initiator(event, user_id),
        "reason_admin": {"en": why},
    }


def _initiator(event: AuditEvent, user_id: str) -> str:
    if event.actor_kind == "extension":
        return "policy"
    if event.actor_kind == "system":
        return "system"
    return "user" if event.actor_id == user_id else "admin"


def _user(event: AuditEvent) -> str | None:
    return next((one.id for one in event.targets if one.kind == "User" and one.id), None)
