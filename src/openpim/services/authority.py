"""What a caller may do, read from the live store each time, never from claims in a token."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import UserType
from openpim.core.grants import Kind, Provider, Request, Schedule
from openpim.core.roles import (
    MANAGERS,
    READERS,
    is_role_key,
    read_role_key,
    role_key,
    scoped_role_key,
)
from openpim.core.scopes import TENANT
from openpim.ports.store import Transaction

MANAGING_PERMISSIONS = frozenset(
    {
        "RoleManagement.ReadWrite.Directory",
        "RoleAssignmentSchedule.ReadWrite.Directory",
        "RoleAssignmentSchedule.Remove.Directory",
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "RoleEligibilitySchedule.Remove.Directory",
        "RoleManagementPolicy.ReadWrite.Directory",
    }
)


def identities(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """The principal and every group it is in: all ids whose grants it enjoys."""
    return frozenset({principal_id}) | tx.groups.groups_of(principal_id, now)


def held_now(tx: Transaction, who: frozenset[str], now: datetime) -> list[Schedule]:
    """Assignments in force for a principal, its own and its groups' (who: its identities), of every provider: what most
    rules go by, and so one question."""
    held = tx.schedules.of(who, kind=Kind.ASSIGNMENT, live_at=now)
    return [one for one in held if one.in_force(now)]


def assignments_of(tx: Transaction, principal_id: str, now: datetime) -> list[Schedule]:
    """Directory role assignments in force for a principal, its own and its role-assignable groups'."""
    who = identities(tx, principal_id, now)
    return [one for one in held_now(tx, who, now) if one.provider is Provider.DIRECTORY]


def roles_of_principal(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """Role ids in force at the tenant scope; none for a principal that is disabled or gone."""
    principal = tx.principals.get(principal_id)
    if principal is None or not principal.able:
        return frozenset()
    return frozenset(held.role_id for held in assignments_of(tx, principal_id, now) if held.scope == TENANT)


def roles_of(tx: Transaction, caller: Caller, now: datetime) -> frozenset[str]:
    """Role ids in force for the caller at the tenant scope."""
    if caller.kind is CallerKind.SYSTEM:
        return MANAGERS
    return roles_of_principal(tx, caller.principal_id, now)


def roles_at(tx: Transaction, caller: Caller, scope: str, now: datetime) -> frozenset[str]:
    """Role ids in force for the caller at a scope or above it."""
    if caller.kind is CallerKind.SYSTEM:
        return MANAGERS
    principal = tx.principals.get(caller.principal_id)
    if principal is None or not principal.able:
        return frozenset()
    return frozenset(
        held.role_id for held in assignments_of(tx, caller.principal_id, now) if held.scope in {TENANT, scope}
    )


def may_manage_roles(tx: Transaction, caller: Caller, now: datetime) -> bool:
    """A person by the roles he holds; an application by what it was granted (each endpoint has asked for its own
    permission before; this holds against an endpoint that forgot to)."""
    if caller.kind is CallerKind.SERVICE_PRINCIPAL and caller.permissions & MANAGING_PERMISSIONS:
        return True
    return bool(roles_of(tx, caller, now) & MANAGERS)


def may_read_roles(tx: Transaction, caller: Caller, now: datetime) -> bool:
    if caller.kind is CallerKind.SERVICE_PRINCIPAL and caller.permissions:
        return True  # each endpoint has asked for its own permission before
    return bool(roles_of(tx, caller, now) & READERS)


def limited(tx: Transaction, caller: Caller, now: datetime) -> bool:
    """Whether the caller is a guest without a role that reads: he sees himself, his groups and what he has."""
    if caller.kind is not CallerKind.USER:
        return False
    user = tx.users.get(caller.principal_id)
    return (user is None or user.user_type is UserType.GUEST) and not may_read_roles(tx, caller, now)


def own_reviewer_keys(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """Reviewer keys by which this person decides in his own right."""
    who = identities(tx, principal_id, now)
    principal = tx.principals.get(principal_id)
    if principal is None or not principal.able:
        return who
    return keys_held(who, held_now(tx, who, now))


def keys_held(who: frozenset[str], held: Iterable[Schedule]) -> frozenset[str]:
    """The reviewer keys of these identities and of what is in force for them."""
    found = set(who)
    for one in held:
        if one.provider is Provider.RESOURCE:
            found.add(scoped_role_key(one.role_id, one.scope))
        elif one.provider is Provider.DIRECTORY and one.scope == TENANT:
            found.add(role_key(one.role_id))
    return frozenset(found)


def keys_of(tx: Transaction, request: Request, keys: frozenset[str]) -> frozenset[str]:
    """Reviewer keys as they count today: who holds a role at a place that no longer contains the one it is about has
    nothing to say about it any more."""
    if request.provider is not Provider.RESOURCE:
        return keys
    return keys_within(tx.resources.chain(request.scope), keys)


def keys_within(chain: Collection[str], keys: frozenset[str]) -> frozenset[str]:
    """Those that count at a place. chain: the place and all that contain it."""
    return frozenset(key for key in keys if not is_role_key(key) or read_role_key(key)[1] in {None, *chain})


@dataclass(frozen=True, slots=True)
class Decider:
    """What a person decides by, read once for any number of approvals. own: his reviewer keys. lent: (who, his keys) of
    those who have handed theirs to him, what a role gives excepted."""

    principal_id: str
    own: frozenset[str] = frozenset()
    lent: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        return self.own.union(*(theirs for _, theirs in self.lent))

    def rights(self, requestor_id: str, keys: frozenset[str]) -> list[str]:
        """Whose rights he can use on a stage with these keys: his own first, then those handed to him. Never on one's
        own request, not even by delegation."""
        if self.principal_id == requestor_id:
            return []
        own = [self.principal_id] if self.own & keys else []
        return own + [who for who, theirs in self.lent if who != requestor_id and theirs & keys]


def decider(tx: Transaction, principal_id: str, now: datetime) -> Decider:
    if not able_people(tx, [principal_id]):
        return Decider(principal_id)
    return decider_of(tx, principal_id, own_reviewer_keys(tx, principal_id, now), now)


def decider_of(tx: Transaction, principal_id: str, own: frozenset[str], now: datetime) -> Decider:
    """Of a person who is enabled. own: his reviewer keys."""
    delegators = sorted(able_people(tx, tx.approvals.delegators_of(principal_id, now)))
    return Decider(principal_id, own, tuple((one, identities(tx, one, now)) for one in delegators))


def able_reviewers(tx: Transaction, keys: Iterable[str], requestor_id: str, now: datetime) -> frozenset[str]:
    """Everyone who could decide by these keys: enabled people, the requestor excepted."""
    people: set[str] = set()
    groups: list[str] = []
    plain = [key for key in keys if not is_role_key(key)]
    for principal in tx.principals.many(plain).values():
        (groups.append if principal.kind.value == "group" else people.add)(principal.id)
    for key in keys:
        if is_role_key(key):
            role_id, scope = read_role_key(key)
            provider = Provider.DIRECTORY if scope is None else Provider.RESOURCE
            held = tx.schedules.of_role(provider, Kind.ASSIGNMENT, role_id, scope or TENANT, now=now)
            for principal in tx.principals.many([one.principal_id for one in held]).values():
                (groups.append if principal.kind.value == "group" else people.add)(principal.id)
    for group in groups:
        people |= tx.groups.transitive_member_ids(group, now)
    people.discard(requestor_id)
    return frozenset(able_people(tx, people))


def delegated_reviewers(
    tx: Transaction, keys: Iterable[str], requestor_id: str, now: datetime
) -> frozenset[str]:
    """Everyone who could decide by these keys in somebody else's place: what a role gives is not handed over."""
    own = able_reviewers(tx, [key for key in keys if not is_role_key(key)], requestor_id, now)
    found = {delegate for _, delegate in tx.approvals.delegates_of(own, now)} if own else set()
    return frozenset(able_people(tx, found - {requestor_id}))


def able_people(tx: Transaction, ids: Iterable[str]) -> list[str]:
    """Those of them who are people and enabled."""
    return [
        principal.id
        for principal in tx.principals.many(list(ids)).values()
        if principal.able and principal.kind.value == "user"
    ]
