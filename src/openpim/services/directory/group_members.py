"""Put somebody in a group, take somebody out."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import last_administrator
from openpim.services.directory.membership_rules import member_to_add, writable
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_change_group
from openpim.services.directory.targets import of_group, of_principal
from openpim.services.ending import people_in, release


def add_member(deps: Deps, caller: Caller, group_id: str, member_id: str) -> Refusal | None:
    """CONFLICT when it is a member already (Graph says so too)."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_tenant()  # two additions that would close a circle together go one after the other
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        refusal = may_change_group(tx, caller, group, now, members_only=True)
        if refusal is not None:
            return refusal
        member = member_to_add(tx, group, member_id, now)
        if isinstance(member, Refusal):
            return member
        if not tx.groups.add_member(group_id, member):
            return Refusal(Code.CONFLICT, "It is a member of this group already.", member="member_id")
        return Done(None, (of_principal(member), of_group(group)))

    return perform(deps, caller, "Add member to group", "GroupManagement", work, targets=_targets(group_id))


def remove_member(deps: Deps, caller: Caller, group_id: str, member_id: str) -> Refusal | None:
    """Ends the standing membership; one that a group schedule gives is ended through its schedule."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(member_id)
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        refusal = may_change_group(tx, caller, group, now, members_only=True) or writable(group)
        if refusal is not None:
            return refusal
        member = tx.principals.get(member_id)
        if member is None or not tx.groups.is_member(group_id, member_id):
            return Refusal(Code.NOT_FOUND, "It is not a member of this group.", member="member_id")

        refusal = taken_out(tx, deps, caller, group_id, member_id, now)
        if refusal is not None:
            return refusal
        return Done(None, (of_principal(member), of_group(group)))

    activity = "Remove member from group"
    return perform(deps, caller, activity, "GroupManagement", work, targets=_targets(group_id))


def taken_out(
    tx: Transaction, deps: Deps, caller: Caller, group_id: str, member_id: str, now: datetime
) -> Refusal | None:
    """End a standing membership, whoever may, and what rests on it; the last administrator stays."""

    def change() -> None:
        concerned = people_in(tx, member_id, now)
        tx.groups.remove_member(group_id, member_id)
        release(tx, deps, caller, concerned, now)

    return last_administrator.guarded(tx, now, change)


def _targets(group_id: str) -> tuple[Target, ...]:
    return (Target("Group", group_id),)
