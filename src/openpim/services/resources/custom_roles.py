"""Resource role definitions: read by everyone, the tenant's own made, changed and deleted where they can be assigned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from openpim.core.audit import Category, Target
from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider
from openpim.core.permissions import GIVE_ROLES, Permission, ResourceRole
from openpim.core.query import Compare, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import MANAGEMENT_GROUPS, ROOT, canonical
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, perform
from openpim.services.recording import storable
from openpim.services.resource_access import concerns
from openpim.services.resources.rights import may, missing

WRITE = "Microsoft.Authorization/roleDefinitions/write"
DELETE = "Microsoft.Authorization/roleDefinitions/delete"
CATEGORY: Category = "ResourceManagement"
MOST_ACTIONS = 2_000
MOST_SCOPES = 2_000


def at(deps: Deps, caller: Caller, scope: str) -> tuple[ResourceRole, ...] | Refusal:
    """The roles that can be assigned at a place: the built-in ones, and those of the tenant's own that the caller has
    to do with."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[ResourceRole, ...] | Refusal:
        chain = tx.resources.chain(scope)
        if not chain:
            return missing(scope)
        concerned = concerns(tx, caller, now)
        return tuple(
            role
            for role in tx.resource_roles.all()
            if assignable(role, scope, chain) and _visible(role, concerned)
        )

    return deps.store.read(caller.tenant_id, work)


def assignable(role: ResourceRole, scope: str, chain: tuple[str, ...]) -> bool:
    if role.built_in or scope == ROOT:
        return True
    return any(canonical(place) in chain for place in role.assignable_scopes)


def _visible(role: ResourceRole, concerned: Callable[[str], bool]) -> bool:
    return role.built_in or any(concerned(canonical(place)) for place in role.assignable_scopes)


def get(deps: Deps, caller: Caller, role_id: str) -> ResourceRole | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> ResourceRole | Refusal:
        found = tx.resource_roles.get(role_id)
        if found is None or not _visible(found, concerns(tx, caller, now)):
            return _missing(role_id)
        return found

    return deps.store.read(caller.tenant_id, work)


def by_name(deps: Deps, caller: Caller, name: str) -> ResourceRole | None:
    if not storable(name):
        return None
    return deps.store.read(caller.tenant_id, lambda tx: tx.resource_roles.by_name(name))


def put(deps: Deps, caller: Caller, wanted: ResourceRole) -> ResourceRole | Refusal:
    """Make a role, or replace one. The caller needs the right at every scope it can be assigned at, old and new."""

    def work(tx: Transaction, now: datetime) -> Done[ResourceRole] | Refusal:
        tx.lock_tenant()
        old = tx.resource_roles.get(wanted.id)
        if old is not None and old.built_in:
            return Refusal(Code.INVALID, f"{old.name} is built in and cannot be changed.", member="id")
        fault = _fault(tx, wanted) or _names(tx, wanted)
        if fault is not None:
            return fault
        places = {
            canonical(one) for one in (*wanted.assignable_scopes, *(old.assignable_scopes if old else ()))
        }
        # Who changes a role that is there gives (or takes away) what it allows to everybody who has it.
        wanted_rights = (WRITE,) if old is None else (WRITE, GIVE_ROLES)
        for place in sorted(places):
            for right in wanted_rights:
                refusal = may(tx, caller, right, place, now)
                if refusal is not None:
                    return refusal
        role = replace(
            wanted,
            created_at=old.created_at if old else now,
            created_by=old.created_by if old else caller.principal_id,
            updated_at=now,
            updated_by=caller.principal_id,
        )
        tx.resource_roles.put(role)
        return Done(role, (Target("Role", role.id, role.name),))

    targets = (Target("Role", wanted.id, wanted.name[:256]),)
    return perform(deps, caller, "Create or update role definition", CATEGORY, work, targets=targets)


def delete(deps: Deps, caller: Caller, role_id: str) -> ResourceRole | Refusal:
    """Refused while anybody has it or can activate it."""

    def work(tx: Transaction, now: datetime) -> Done[ResourceRole] | Refusal:
        tx.lock_tenant()
        role = tx.resource_roles.get(role_id)
        if role is None:
            return _missing(role_id)
        if role.built_in:
            return Refusal(Code.INVALID, f"{role.name} is built in and cannot be deleted.", member="id")
        for place in role.assignable_scopes:
            refusal = may(tx, caller, DELETE, canonical(place), now)
            if refusal is not None:
                return refusal
        of_it = Query(Compare("role_id", "eq", role_id), limit=1)
        for kind in Kind:
            if tx.schedules.page(Provider.RESOURCE, kind, of_it, live_at=now).items:
                return Refusal(
                    Code.CONFLICT, f"{role.name} is in use; remove its eligibilities and assignments first."
                )
        tx.resource_roles.remove(role_id)
        return Done(role, (Target("Role", role.id, role.name),))

    return perform(deps, caller, "Delete role definition", CATEGORY, work, targets=(Target("Role", role_id),))


def _missing(role_id: str) -> Refusal:
    return Refusal(
        Code.ROLE_MISSING, f"There is no role definition {role_id:.100}.", member="roleDefinitionId"
    )


def _names(tx: Transaction, role: ResourceRole) -> Refusal | None:
    other = tx.resource_roles.by_name(role.name)
    if other is not None and other.id != role.id:
        return Refusal(Code.CONFLICT, f"There is a role named {other.name} already.", member="roleName")
    return None


def _fault(tx: Transaction, role: ResourceRole) -> Refusal | None:
    if not role.name.strip() or len(role.name) > 512 or len(role.description) > 2_048:
        return Refusal(Code.INVALID, "A name of 1 to 512 characters is needed.", member="roleName")
    if not role.assignable_scopes or len(role.assignable_scopes) > MOST_SCOPES:
        return Refusal(Code.INVALID, "Say where it can be assigned.", member="assignableScopes")
    for place in role.assignable_scopes:
        if canonical(place) == ROOT:
            return Refusal(
                Code.INVALID, "Only built-in roles can be assigned at the root.", member="assignableScopes"
            )
        if not storable(place) or not tx.resources.chain(canonical(place)):
            return Refusal(Code.INVALID, f"There is no resource {place:.200}.", member="assignableScopes")
    groups = [one for one in role.assignable_scopes if canonical(one).startswith(MANAGEMENT_GROUPS)]
    if groups and any(one.data_actions for one in role.permissions):
        return Refusal(
            Code.INVALID,
            "A role with data actions cannot be assigned at a management group.",
            member="assignableScopes",
        )
    return _permissions_fault(role.permissions) or (
        None
        if storable(role.name + role.description)
        else Refusal(Code.INVALID, "It cannot be stored.", member="roleName")
    )


def _permissions_fault(permissions: tuple[Permission, ...]) -> Refusal | None:
    count = 0
    for one in permissions:
        for actions in (one.actions, one.not_actions, one.data_actions, one.not_data_actions):
            count += len(actions)
            for action in actions:
                well = action == "*" or ("/" in action and " " not in action)
                if not well or len(action) > 300 or not storable(action) or action.count("*") > 10:
                    return Refusal(Code.INVALID, f"{action:.100} is not an action.", member="permissions")
    if count > MOST_ACTIONS:
        return Refusal(Code.INVALID, f"At most {MOST_ACTIONS} actions.", member="permissions")
    if not permissions:
        return Refusal(Code.INVALID, "Say what it allows.", member="permissions")
    return None
