"""May this caller do this action at this place in the resource tree? Read live: assignments in force at the place or
above it, the caller's own and his groups', less what deny assignments take away."""

from __future__ import annotations

from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Kind, Provider, Schedule
from openpim.ports.store import Transaction
from openpim.services.authority import identities


def assignments_at(
    tx: Transaction, principal_id: str, chain: tuple[str, ...], now: datetime
) -> tuple[frozenset[str], list[Schedule]]:
    """The principal's identities, and the resource assignments in force for them at any scope of the chain."""
    who = identities(tx, principal_id, now)
    held = tx.schedules.of(who, provider=Provider.RESOURCE, kind=Kind.ASSIGNMENT, scopes=chain, live_at=now)
    return who, [one for one in held if one.in_force(now)]


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
