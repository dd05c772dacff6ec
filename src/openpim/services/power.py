"""What gives power over others, and who has it or could come by it: by the groups he is in, could get into or owns, by
approving, by standing in for somebody. He, and those groups, are looked after by those who look after the powerful
(docs/decisions/0031-approvers-are-privileged.md)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from openpim.core.directory import Group, ServicePrincipal
from openpim.core.grants import Provider
from openpim.core.permissions import GIVE_ROLES
from openpim.core.query import Query
from openpim.core.signin.consent import beyond_low
from openpim.ports.store import Transaction


def could_be(tx: Transaction, ids: Collection[str], now: datetime) -> frozenset[str]:
    """These principals, and every group that they are in, or could get into or own by a schedule, now or later, one step
    after the other."""
    found: set[str] = set()
    new = set(ids)
    while new:
        # The way up from a group that was found on it is known: it is not asked for again.
        new = new.union(*(tx.groups.groups_of(one, now) for one in new)) - found
        found |= new
        new = {one.scope for one in tx.schedules.of(new, provider=Provider.GROUP, live_at=now)} - found
    return frozenset(found)


def owned_by(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """The groups it owns: it could put itself into them."""
    found: set[str] = set()
    query = Query(limit=500)
    while True:
        page = tx.groups.owned(principal_id, now, query)
        found |= {group.id for group in page.items}
        if page.next is None:
            return frozenset(found)
        query = Query(limit=500, after=page.next)


def approve_power(
    tx: Transaction, ids: Collection[str], now: datetime, known: frozenset[str] = frozenset()
) -> bool:
    """Whether a policy names one of these as approver of a directory role, of a role on resources, or of being in a
    group that gives power. (Who approves for an ordinary group has no more say than its managers.) known: groups that have
    been looked at."""
    named = tx.policies.approver_in(ids)
    if any(provider is not Provider.GROUP for provider, _ in named):
        return True
    groups = could_be(tx, {scope for _, scope in named}, now) - known
    return bool(groups) and gives_power(tx, groups, now, known | groups)


def gives_power(
    tx: Transaction, ids: Collection[str], now: datetime, known: frozenset[str] = frozenset()
) -> bool:
    """Whether one of these is a group that roles can be assigned to, has or may activate a privileged role or one by which
    roles on resources are given, or approves for one of these."""
    if any(group.role_assignable for group in tx.groups.many(ids).values()):
        return True
    held = tx.schedules.of(ids, live_at=now)
    roles = tx.roles.many({one.role_id for one in held if one.provider is Provider.DIRECTORY})
    if any(role.privileged for role in roles.values()):
        return True
    on_resources = tx.resource_roles.many({one.role_id for one in held if one.provider is Provider.RESOURCE})
    if any(role.allows(GIVE_ROLES) for role in on_resources.values()):
        return True
    return approve_power(tx, ids, now, known)


def is_privileged(tx: Transaction, principal_id: str, now: datetime) -> bool:
    """Whether it has power, can activate it or will have it, or stands in, or will, for somebody who approves for it."""
    if gives_power(tx, could_be(tx, {principal_id} | owned_by(tx, principal_id, now), now), now):
        return True
    lent = tx.approvals.delegations(principal_id, now)
    approvers = {one.approver_id for one in lent if one.delegate_id == principal_id}
    return bool(approvers) and approve_power(tx, could_be(tx, approvers, now), now)


def protected(tx: Transaction, group: Group, now: datetime) -> bool:
    """Whether whoever puts himself into this group gets more than the managers of groups may give."""
    return group.role_assignable or gives_power(tx, could_be(tx, {group.id}, now), now)


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
