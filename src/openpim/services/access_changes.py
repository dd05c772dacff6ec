"""Whose access does an event of the history change? The one place that reads it out of the audit log: what is told to
relying applications (signals, logouts) follows it.

An event says that a grant began or ended; whether that changed anything for a person is asked of the live store, because
grants are a union: who still has the same by another road has lost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openpim.core.audit import AuditEvent, Target
from openpim.core.directory import PrincipalKind
from openpim.core.grants import Kind, Provider
from openpim.core.scopes import TENANT
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.ending import people_in

STARTED: Final = "Start assignment"
EXPIRED: Final = "Remove member from role (PIM activation expired)"
_GIVEN: Final = frozenset(
    {
        "Add member to role completed (PIM activation)",
        "Add member to role in PIM completed (permanent)",
        "Add member to role in PIM completed (timebound)",
        "Add member to role outside of PIM (permanent)",
        STARTED,
    }
)
_TAKEN: Final = frozenset(
    {
        EXPIRED,
        "Remove member from role completed (PIM deactivate)",
        "Remove member from role in PIM completed (permanent)",
        "Remove member from role in PIM completed (timebound)",
        "Remove member from role completed (resource removed)",
        "Remove permanent direct role assignment",
        "Remove member from group (PIM)",
    }
)
_STANDING: Final = {"Add member to group": True, "Remove member from group": False}
_PROVIDERS: Final = {
    "RoleManagement": Provider.DIRECTORY,
    "GroupManagement": Provider.GROUP,
    "ResourceManagement": Provider.RESOURCE,
}
_SUBJECTS: Final = frozenset({"User", "Group", "ServicePrincipal"})


@dataclass(frozen=True, slots=True)
class AccessChange:
    """principal_id began (given) or ceased to have the role at the scope, at this instant. request_id: of the grant, ""
    where it has none. by_time: nobody did it."""

    given: bool
    provider: Provider
    principal_id: str
    role_id: str
    scope: str
    at: datetime
    request_id: str = ""
    by_time: bool = False

    @property
    def in_tokens(self) -> bool:
        """Whether claims of tokens tell of it: a directory role over the whole tenant, or being in a group."""
        if self.provider is Provider.DIRECTORY:
            return self.scope == TENANT
        return self.provider is Provider.GROUP and self.role_id == "member"


def access_change(event: AuditEvent) -> AccessChange | None:
    """None: the event changes nobody's access now. (A grant that starts later is told by the event of its start.)"""
    if event.result != "success":
        return None
    if event.activity in _STANDING:
        return _membership(event)
    given = event.activity in _GIVEN
    role, subject = _target(event, "Role"), _subject(event)
    place, provider = _target(event, "Directory"), _PROVIDERS.get(event.category)
    if not (given or event.activity in _TAKEN) or role is None or subject is None or provider is None:
        return None
    details = dict(event.details)
    at = event.at
    starts = details.get("StartTime")
    if given and starts and datetime.fromisoformat(starts) > event.at:
        return None
    if event.activity == STARTED and starts:
        at = datetime.fromisoformat(starts)
    if event.activity == EXPIRED and (ended := details.get("ExpirationTime")):
        at = min(at, datetime.fromisoformat(ended))
    request = _target(event, "Request")
    return AccessChange(
        given=given,
        provider=provider,
        principal_id=subject.id,
        role_id=role.id,
        scope=(place.name or TENANT) if place is not None else TENANT,
        at=at,
        request_id=request.id if request is not None else "",
        by_time=event.actor_kind == "system" and ("AuditType", "RemoveActivatedRole") in event.details,
    )


def people_of(tx: Transaction, principal_id: str, now: datetime) -> list[str]:
    """The users whom something about a principal concerns: the one it is, or all who are in the group it is; by id."""
    named = people_in(tx, principal_id, now)
    found = tx.principals.many(list(named))
    return sorted(one.id for one in found.values() if one.kind is PrincipalKind.USER)


def unchanged(tx: Transaction, change: AccessChange, user_id: str, now: datetime) -> bool:
    """Whether this user had, or still has, the same without it."""
    if change.provider is Provider.GROUP and change.role_id == "member":
        if not change.given:
            return change.scope in tx.groups.groups_of(user_id, now)
        if tx.groups.is_member(change.scope, user_id):
            return bool(change.request_id)
    others = tx.schedules.of(
        identities(tx, user_id, now),
        provider=change.provider,
        kind=Kind.ASSIGNMENT,
        role_id=change.role_id,
        scopes=[change.scope],
        live_at=now,
    )
    return any(
        one.in_force(now)
        and (not change.given or (one.starts_at < change.at and one.request_id != change.request_id))
        for one in others
    )


def _membership(event: AuditEvent) -> AccessChange | None:
    """A standing membership: the member is named first, the group last."""
    if len(event.targets) != 2 or event.targets[1].kind != "Group":
        return None
    member, group = event.targets
    return AccessChange(
        given=_STANDING[event.activity],
        provider=Provider.GROUP,
        principal_id=member.id,
        role_id="member",
        scope=group.id,
        at=event.at,
    )


def _target(event: AuditEvent, kind: str) -> Target | None:
    return next((one for one in event.targets if one.kind == kind), None)


def _subject(event: AuditEvent) -> Target | None:
    return next((one for one in event.targets if one.kind in _SUBJECTS), None)
