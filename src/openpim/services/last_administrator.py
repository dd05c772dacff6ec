"""The last Global Administrator and the last Privileged Role Administrator cannot be lost, by any road.

What counts is a *lasting* holder: an enabled user whose active assignment at the tenant scope has no end, his own
or through a role-assignable group. While one stays, expiry can never take the last one away, so no schedule ever
has to outlive its end. Every road that could take one away runs its change through `guarded`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from openpim.core.grants import AssignmentType, Kind, Provider
from openpim.core.query import Query
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import PROTECTED
from openpim.core.scopes import TENANT
from openpim.ports.store import Transaction

_ASSIGNED = AssignmentType.ASSIGNED
_OWNERS = Query(limit=500)


def lasting_holders(tx: Transaction, role_id: str, now: datetime) -> frozenset[str]:
    """Ids of enabled users who hold the role for good; guests from elsewhere do not count."""
    held = [
        schedule
        for schedule in tx.schedules.of_role(Provider.DIRECTORY, Kind.ASSIGNMENT, role_id, TENANT, now=now)
        if schedule.ends_at is None and schedule.assignment_type is AssignmentType.ASSIGNED
    ]
    people: set[str] = set()
    for principal in tx.principals.many([schedule.principal_id for schedule in held]).values():
        if principal.kind.value == "group":
            people |= tx.groups.standing_member_ids(principal.id)
        else:
            people.add(principal.id)
    return _staying(tx, people)


def _staying(tx: Transaction, people: Collection[str]) -> frozenset[str]:
    """Those who are enabled, and whom no other organisation can lock out: a guest's home could at any moment."""
    return frozenset(
        user.id
        for user in tx.users.many(list(people)).values()
        if user.enabled and user.home_tenant_id is None
    )


def lasting_owners(tx: Transaction, group_id: str, now: datetime) -> frozenset[str]:
    """Ids of enabled users who own a group for good: standing owners, and permanent assignments."""
    held = tx.schedules.of_role(Provider.GROUP, Kind.ASSIGNMENT, "owner", group_id, now=now)
    ending = {
        one.principal_id for one in held if one.ends_at is not None or one.assignment_type is not _ASSIGNED
    }
    lasting = {one.principal_id for one in held if one.ends_at is None and one.assignment_type is _ASSIGNED}
    return frozenset(
        owner.id
        for owner in tx.groups.owners(group_id, now, _OWNERS).items
        if owner.able
        and owner.kind.value == "user"
        and (owner.id not in ending or owner.id in lasting or tx.groups.is_standing_owner(group_id, owner.id))
    )


def guarded(
    tx: Transaction,
    now: datetime,
    change: Callable[[], Refusal | None],
    *,
    owned: frozenset[str] = frozenset(),
) -> Refusal | None:
    """Apply `change`; if it refuses, or would lose the last lasting holder, undo it and return the refusal.

    owned: ids of groups whose last lasting owner must stay too. Takes the tenant's lock: two changes that each would leave one administrator go one after the other.
    """
    tx.lock_tenant()
    before = {role_id for role_id in PROTECTED if lasting_holders(tx, role_id, now)}
    owners_before = {group for group in owned if lasting_owners(tx, group, now)}
    refusal: Refusal | None = None
    with tx.savepoint() as point:
        refusal = change()
        if refusal is None:
            lost = [role_id for role_id in before if not lasting_holders(tx, role_id, now)]
            if lost:
                refusal = Refusal(
                    Code.LAST_ADMINISTRATOR,
                    "This would leave the organisation without a lasting administrator. "
                    "Give another enabled person a permanent active assignment first.",
                    detail=",".join(sorted(lost)),
                )
            elif any(not lasting_owners(tx, group, now) for group in owners_before):
                refusal = Refusal(
                    Code.LAST_ADMINISTRATOR,
                    "This would leave the group without a lasting owner. Give it another permanent owner first.",
                )
        if refusal is not None:
            point.roll_back()
    return refusal
