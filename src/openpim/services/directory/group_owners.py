"""Give a group an owner, take one away; never the last."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import last_administrator
from openpim.services.directory.membership_rules import owner_to_add
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_change_group
from openpim.services.directory.targets import of_group, of_principal


def add_owner(deps: Deps, caller: Caller, group_id: str, owner_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(group_id)
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        refusal = may_change_group(tx, caller, group, now)
        if refusal is not None:
            return refusal
        owner = owner_to_add(tx, owner_id)
        if isinstance(owner, Refusal):
            return owner
        if not tx.groups.add_owner(group_id, owner_id):
            return Refusal(Code.CONFLICT, "It is an owner of this group already.", member="owner_id")
        return Done(None, (of_principal(owner), of_group(group)))

    return perform(deps, caller, "Add owner to group", "GroupManagement", work, targets=_targets(group_id))


def remove_owner(deps: Deps, caller: Caller, group_id: str, owner_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(group_id)
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        refusal = may_change_group(tx, caller, group, now)
        if refusal is not None:
            return refusal
        owner = tx.principals.get(owner_id)
        if owner is None or not tx.groups.is_standing_owner(group_id, owner_id):
            return Refusal(Code.NOT_FOUND, "It is not an owner of this group.", member="owner_id")

        def change() -> None:
            tx.groups.remove_owner(group_id, owner_id)

        refusal = last_administrator.guarded(tx, now, change, owned=frozenset({group_id}))
        if refusal is not None:
            return refusal
        return Done(None, (of_principal(owner), of_group(group)))

    activity = "Remove owner from group"
    return perform(deps, caller, activity, "GroupManagement", work, targets=_targets(group_id))


def _targets(group_id: str) -> tuple[Target, ...]:
    return (Target("Group", group_id),)
