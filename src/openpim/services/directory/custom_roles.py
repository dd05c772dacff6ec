"""Role definitions of the tenant's own: make, change, delete. The built-in ones are as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import RoleDefinition
from openpim.core.directory_rules import privileged_actions, role_faults
from openpim.core.grants import Kind, Provider
from openpim.core.query import Compare, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, changed, differences, invalid, not_found, perform
from openpim.services.directory.rights import may_manage_roles
from openpim.services.directory.targets import of_role

CHANGEABLE = frozenset(
    {"display_name", "description", "enabled", "actions", "excluded_actions", "resource_scopes", "version"}
)


@dataclass(frozen=True, slots=True)
class NewRole:
    """actions: a choice among those of the built-in roles. Whether it is privileged follows from them."""

    display_name: str
    actions: tuple[str, ...]
    enabled: bool = True
    description: str | None = None
    template_id: str | None = None
    version: str | None = None
    excluded_actions: tuple[str, ...] = ()
    resource_scopes: tuple[str, ...] = ("/",)


def create_role(deps: Deps, caller: Caller, new: NewRole) -> RoleDefinition | Refusal:
    role_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[RoleDefinition] | Refusal:
        refusal = may_manage_roles(tx, caller, now)
        if refusal is not None:
            return refusal
        role = RoleDefinition(
            id=role_id,
            display_name=new.display_name,
            actions=tuple(new.actions),
            built_in=False,
            enabled=new.enabled,
            description=new.description,
            template_id=new.template_id or role_id,
            version=new.version,
            excluded_actions=tuple(new.excluded_actions),
            resource_scopes=tuple(new.resource_scopes),
            created_at=now,
        )
        checked = _checked(tx, role)
        if isinstance(checked, Refusal):
            return checked
        tx.roles.add(checked)
        return Done(checked, (of_role(checked),))

    return perform(deps, caller, "Add role definition", "RoleManagement", work)


def update_role(
    deps: Deps, caller: Caller, role_id: str, changes: Mapping[str, object]
) -> RoleDefinition | Refusal:
    """changes: attribute of `RoleDefinition` -> new value. Actions that change, change for all holders at once."""

    def work(tx: Transaction, now: datetime) -> Done[RoleDefinition] | Refusal:
        tx.lock_tenant()
        old = _own(tx, caller, role_id, now)
        if isinstance(old, Refusal):
            return old
        new = changed(old, changes, CHANGEABLE)
        if isinstance(new, Refusal):
            return new
        if new == old:
            return Done(old, unchanged=True)
        checked = _checked(tx, new)
        if isinstance(checked, Refusal):
            return checked
        tx.roles.save(checked)
        return Done(checked, (of_role(checked, differences(old, checked, changes)),))

    targets = (Target("Role", role_id),)
    return perform(deps, caller, "Update role definition", "RoleManagement", work, targets=targets)


def delete_role(deps: Deps, caller: Caller, role_id: str) -> Refusal | None:
    """Refused while anybody has it or can activate it."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_tenant()
        role = _own(tx, caller, role_id, now)
        if isinstance(role, Refusal):
            return role
        of_it = Query(Compare("role_id", "eq", role_id), limit=1)
        for kind in Kind:
            if tx.schedules.page(Provider.DIRECTORY, kind, of_it, live_at=now).items:
                return Refusal(
                    Code.CONFLICT,
                    f"{role.display_name} is in use; remove its eligibilities and assignments first.",
                )
        tx.roles.remove(role_id)
        return Done(None, (of_role(role),))

    targets = (Target("Role", role_id),)
    return perform(deps, caller, "Delete role definition", "RoleManagement", work, targets=targets)


def _own(tx: Transaction, caller: Caller, role_id: str, now: datetime) -> RoleDefinition | Refusal:
    """The custom role, if the caller may change it."""
    role = tx.roles.get(role_id)
    if role is None:
        return not_found("role definition", role_id)
    refusal = may_manage_roles(tx, caller, now)
    if refusal is not None:
        return refusal
    if role.built_in:
        return Refusal(Code.INVALID, f"{role.display_name} is built in and cannot be changed.", member="id")
    return role


def _checked(tx: Transaction, role: RoleDefinition) -> RoleDefinition | Refusal:
    """The role as it is to be stored: well-formed, uniquely named, and marked as privileged where it is."""
    built_in = [each for each in tx.roles.all() if each.built_in]
    known = frozenset(action for each in built_in for action in each.actions)
    refusal = invalid(role_faults(role, known))
    if refusal is not None:
        return refusal
    other = tx.roles.find_by_name(role.display_name)
    if other is not None and other.id != role.id:
        return Refusal(
            Code.CONFLICT, f"There is a role named {other.display_name} already.", member="display_name"
        )
    powers = privileged_actions(built_in)
    return replace(role, privileged=any(action in powers for action in role.actions))
