"""Delete a user: what he has ends in the same commit, and his sign-in name is free again."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import User
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import last_administrator
from openpim.services.directory.owners_left import powerful_groups_of
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_control_user
from openpim.services.directory.targets import of_user
from openpim.services.ending import end_all_of
from openpim.services.signin.sessions import end_in_tenant


def delete_user(deps: Deps, caller: Caller, user_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(user_id)
        user = tx.users.get(user_id)
        if user is None:
            return not_found("user", user_id)
        refusal = may_control_user(tx, caller, user_id, now)
        if refusal is not None:
            return refusal

        refusal = gone(tx, deps, caller, user, now)
        if refusal is not None:
            return refusal
        return Done(None, (of_user(user),))

    return perform(deps, caller, "Delete user", "UserManagement", work, targets=(Target("User", user_id),))


def gone(tx: Transaction, deps: Deps, caller: Caller, user: User, now: datetime) -> Refusal | None:
    """Delete somebody, whoever may: all he has ends; the last administrator stays."""

    def change() -> None:
        end_all_of(tx, deps, caller, user.id, now)
        end_in_tenant(tx, deps, user)
        tx.permission_grants.remove_of(user.id)
        tx.provisioning.forget(user.id)
        tx.users.remove(user.id, now)

    return last_administrator.guarded(tx, now, change, owned=powerful_groups_of(tx, user.id, now))
