"""Whether somebody is privileged: the question that keeps ordinary administrators away from powerful people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from openpim.core.directory import Group, ServicePrincipal
from openpim.core.grants import Provider
from openpim.core.query import Query
from openpim.core.signin.consent import beyond_low
from openpim.ports.store import Transaction
from openpim.services.approvers import is_approver, protected


def is_privileged(tx: Transaction, principal_id: str, now: datetime) -> bool:
    """Holds a privileged role, or can activate one, or will; or approves for a powerful role; or is in, or owns, a group
    that gives one of these."""
    groups = tx.groups.groups_of(principal_id, now)
    if any(group.role_assignable for group in tx.groups.many(groups).values()):
        return True
    if any(protected(tx, group, now) for group in _owned(tx, principal_id, now)):
        return True
    if is_approver(tx, principal_id, groups, now):
        return True
    schedules = tx.schedules.of({principal_id, *groups}, provider=Provider.DIRECTORY, live_at=now)
    if any(role.privileged for role in tx.roles.many({each.role_id for each in schedules}).values()):
        return True
    in_groups = tx.schedules.of({principal_id}, provider=Provider.GROUP, live_at=now)
    scopes = tx.groups.many({each.scope for each in in_groups})
    return any(protected(tx, group, now) for group in scopes.values())


def _owned(tx: Transaction, principal_id: str, now: datetime) -> Iterator[Group]:
    after: str | None = None
    while True:
        page = tx.groups.owned(principal_id, now, Query(limit=500, after=after))
        yield from page.items
        after = page.next
        if after is None:
            return


def is_powerful(tx: Transaction, application: ServicePrincipal | None, now: datetime) -> bool:
    """An application with permissions (as itself, or for people beyond signing them in) or with any role, also at a
    resource: its secrets, where its answers go, and whether it may sign in are for those who could give it that power. None: it has
    no service principal here, and no power."""
    return application is not None and (
        bool(application.permissions)
        or any(beyond_low(grant) for grant in tx.permission_grants.of_client(application.id))
        or is_privileged(tx, application.id, now)
        or _holds_anything(tx, application.id, now)
    )


def _holds_anything(tx: Transaction, principal_id: str, now: datetime) -> bool:
    """Its owner has no role at all: whatever it holds would be his."""
    return bool(tx.schedules.of({principal_id, *tx.groups.groups_of(principal_id, now)}, live_at=now))
