"""Create a group. Whether roles can be assigned to it is decided now and for ever."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Group
from openpim.core.directory_rules import group_faults
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.membership_rules import member_to_add, owner_to_add
from openpim.services.directory.performing import Done, invalid, perform
from openpim.services.directory.rights import may_create_groups
from openpim.services.directory.targets import of_group


@dataclass(frozen=True, slots=True)
class NewGroup:
    """membership_rule: for a dynamic group. owners and members: principal ids; a person who creates a
    role-assignable group becomes an owner when none is named."""

    display_name: str
    description: str | None = None
    mail_nickname: str | None = None
    role_assignable: bool = False
    membership_rule: str | None = None
    security_enabled: bool = True
    owners: Collection[str] = ()
    members: Collection[str] = ()


def create_group(deps: Deps, caller: Caller, new: NewGroup) -> Group | Refusal:
    group_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[Group] | Refusal:
        refusal = may_create_groups(tx, caller, now, role_assignable=bool(new.role_assignable))
        if refusal is not None:
            return refusal
        group = Group(
            id=group_id,
            display_name=new.display_name,
            created_at=now,
            description=new.description,
            mail_nickname=new.mail_nickname,
            role_assignable=new.role_assignable,
            membership_rule=new.membership_rule,
            security_enabled=new.security_enabled,
        )
        refusal = invalid(group_faults(group))
        if refusal is not None:
            return refusal
        tx.groups.add(group)
        refusal = _filled(tx, caller, group, new, now)
        if refusal is not None:
            return refusal
        return Done(group, (of_group(group),))

    return perform(deps, caller, "Add group", "GroupManagement", work)


def _filled(tx: Transaction, caller: Caller, group: Group, new: NewGroup, now: datetime) -> Refusal | None:
    owners = list(dict.fromkeys(new.owners))
    if not owners and group.role_assignable and caller.kind is CallerKind.USER:
        owners = [caller.principal_id]
    for owner_id in owners:
        owner = owner_to_add(tx, owner_id)
        if isinstance(owner, Refusal):
            return owner
        tx.groups.add_owner(group.id, owner.id)
    for member_id in dict.fromkeys(new.members):
        member = member_to_add(tx, group, member_id, now)
        if isinstance(member, Refusal):
            return member
        tx.groups.add_member(group.id, member)
    return None
