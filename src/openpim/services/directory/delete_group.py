"""Delete a group: what it gave to its members ends in the same commit."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import last_administrator
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.released import end_all_at
from openpim.services.directory.rights import may_change_group
from openpim.services.directory.targets import of_group
from openpim.services.ending import end_all_of, people_in, release


def delete_group(deps: Deps, caller: Caller, group_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(group_id)
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        refusal = may_change_group(tx, caller, group, now)
        if refusal is not None:
            return refusal

        refusal = gone(tx, deps, caller, group_id, now)
        if refusal is not None:
            return refusal
        return Done(None, (of_group(group),))

    targets = (Target("Group", group_id),)
    return perform(deps, caller, "Delete group", "GroupManagement", work, targets=targets)


def gone(tx: Transaction, deps: Deps, caller: Caller, group_id: str, now: datetime) -> Refusal | None:
    """Delete a group, whoever may: what it gave ends; the last administrator stays."""

    def change() -> None:
        concerned = people_in(tx, group_id, now)
        end_all_at(tx, deps, caller, group_id, now)
        end_all_of(tx, deps, caller, group_id, now)
        tx.provisioning.forget(group_id)
        tx.groups.remove(group_id, now)
        release(tx, deps, caller, concerned, now)

    return last_administrator.guarded(tx, now, change)
