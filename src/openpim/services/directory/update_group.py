"""Change a group's name and description; never whether roles can be assigned to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import Group
from openpim.core.directory_rules import group_faults
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, changed, differences, invalid, not_found, perform
from openpim.services.directory.rights import may_change_group
from openpim.services.directory.targets import of_group

CHANGEABLE = frozenset(
    {"display_name", "description", "mail_nickname", "membership_rule", "security_enabled"}
)


def update_group(deps: Deps, caller: Caller, group_id: str, changes: Mapping[str, object]) -> Group | Refusal:
    """changes: attribute of `Group` -> new value."""

    def work(tx: Transaction, now: datetime) -> Done[Group] | Refusal:
        tx.lock_principal(group_id)
        old = tx.groups.get(group_id)
        if old is None:
            return not_found("group", group_id)
        refusal = may_change_group(tx, caller, old, now)
        if refusal is not None:
            return refusal
        if changes.get("role_assignable", old.role_assignable) != old.role_assignable:
            return Refusal(
                Code.INVALID,
                "Whether roles can be assigned to a group is decided when it is created; create another group.",
                member="role_assignable",
            )
        rest = {name: value for name, value in changes.items() if name != "role_assignable"}
        new = changed(old, rest, CHANGEABLE)
        if isinstance(new, Refusal):
            return new
        if new == old:
            return Done(old, unchanged=True)
        if new.dynamic != old.dynamic:
            return Refusal(
                Code.INVALID,
                "A group stays dynamic, or stays assigned; create another group.",
                member="membership_rule",
            )
        refusal = invalid(group_faults(new))
        if refusal is not None:
            return refusal
        tx.groups.save(new)
        return Done(new, (of_group(new, differences(old, new, rest)),))

    targets = (Target("Group", group_id),)
    return perform(deps, caller, "Update group", "GroupManagement", work, targets=targets)
