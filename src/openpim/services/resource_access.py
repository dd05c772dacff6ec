"""May this caller do this action at this place in the resource tree? Read live: assignments in force at the place or
above it, the caller's own and his groups', less what deny assignments take away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.resources import contains, subscription_of
from openpim.ports.store import Transaction
from openpim.services.authority import identities


def assignments_at(
    tx: Transaction, principal_id: str, chain: tuple[str, ...], now: datetime
) -> tuple[frozenset[str], list[Schedule]]:
    """The principal's identities, and the resource assignments in force for them at any scope of the chain."""
    who = identities(tx, principal_id, now)
    held = tx.schedules.of(who, provider=Provider.RESOURCE, kind=Kind.ASSIGNMENT, scopes=chain, live_at=now)
    return who, [one for one in held if one.in_force(now)]


def scopes_of(tx: Transaction, caller: Caller, now: datetime, *, to_come: bool = False) -> frozenset[str]:
    """Where the caller holds, or is eligible for, anything; nowhere when he is disabled. to_come: or will."""
    principal = tx.principals.get(caller.principal_id)
    if principal is None or not principal.able:
        return frozenset()
    held = tx.schedules.of(identities(tx, caller.principal_id, now), provider=Provider.RESOURCE, live_at=now)
    return frozenset(one.scope for one in held if to_come or one.in_force(now))


def assigned_at(tx: Transaction, caller: Caller, now: datetime) -> frozenset[str]:
    """Where the caller holds anything now: nothing is allowed to him elsewhere."""
    who = identities(tx, caller.principal_id, now)
    held = tx.schedules.of(who, provider=Provider.RESOURCE, kind=Kind.ASSIGNMENT, live_at=now)
    return frozenset(one.scope for one in held if one.in_force(now))


def concerns(tx: Transaction, caller: Caller, now: datetime) -> Callable[[str], bool]:
    """Whether what is said about a place is the caller's business: he holds, may activate or will hold something at
    it, above it or below it. For any number of places at the price of one."""
    scopes = scopes_of(tx, caller, now, to_come=True)
    around = tx.resources.chains({subscription_of(one) or one for one in scopes}) if scopes else {}
    above = frozenset().union(*around.values())  # what contains anything he has

    def concerned(scope: str) -> bool:
        if caller.kind is CallerKind.SYSTEM:
            return True
        if not scopes:
            return False
        below = scope in above or any(contains(scope, one) for one in scopes)
        return below or bool(scopes.intersection(tx.resources.chain(scope)))

    return concerned


def allowed(
    tx: Transaction, caller: Caller, action: str, scope: str, now: datetime, *, data: bool = False
) -> bool:
    """False for a caller who is disabled, and at a place that does not exist."""
    if caller.kind is CallerKind.SYSTEM:
        return True
    principal = tx.principals.get(caller.principal_id)
    chain = tx.resources.chain(scope)
    if principal is None or not principal.able or not chain:
        return False
    who, held = assignments_at(tx, caller.principal_id, chain, now)
    roles = tx.resource_roles.many({one.role_id for one in held})
    if not any(role.allows(action, data=data) for role in roles.values()):
        return False
    denials = tx.deny_assignments.at(chain)
    return not any(
        denial.denies(action, who, data=data)
        for denial in denials
        if denial.below or denial.scope == chain[0]
    )
