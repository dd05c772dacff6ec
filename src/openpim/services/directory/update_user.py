"""Change a user: attributes, manager, sign-in name; disable and enable."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import User
from openpim.core.directory_rules import USER_TEXTS
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import last_administrator
from openpim.services.directory.create_user import check_user
from openpim.services.directory.owners_left import powerful_groups_of
from openpim.services.directory.performing import Done, changed, differences, not_found, perform
from openpim.services.directory.rights import may_change_user, may_control_user, may_rename
from openpim.services.directory.targets import of_user
from openpim.services.signin.sessions import end_in_tenant

PLAIN = frozenset({"display_name", "manager_id", *USER_TEXTS})
# What lets a person in or keeps him out: the address is where approvals and resets are sent to.
CONTROLLING = frozenset({"enabled", "user_principal_name", "mail", "mobile_phone"})


def update_user(deps: Deps, caller: Caller, user_id: str, changes: Mapping[str, object]) -> User | Refusal:
    """changes: attribute of `User` -> new value; anything that is not in PLAIN or CONTROLLING is refused."""

    def work(tx: Transaction, now: datetime) -> Done[User] | Refusal:
        tx.lock_principal(user_id)
        old = tx.users.get(user_id)
        if old is None:
            return not_found("user", user_id)
        controls = CONTROLLING & changes.keys()
        may = may_control_user if controls else may_change_user
        refusal = may(tx, caller, user_id, now)
        if refusal is not None:
            return refusal
        new = changed(old, changes, PLAIN | CONTROLLING)
        if isinstance(new, Refusal):
            return new
        if new == old:
            return Done(old, unchanged=True)
        refusal = (
            may_rename(tx, caller, old, new, now) or check_user(tx, new) or saved(tx, deps, old, new, now)
        )
        if refusal is not None:
            return refusal
        return Done(new, (of_user(new, differences(old, new, changes)),))

    activity = "Update user"
    if changes.keys() == {"enabled"}:
        activity = "Enable account" if changes["enabled"] else "Disable account"
    return perform(deps, caller, activity, "UserManagement", work, targets=(Target("User", user_id),))


def saved(tx: Transaction, deps: Deps, old: User, new: User, now: datetime) -> Refusal | None:
    """Write a user that was checked; whoever is disabled by it loses all sessions for good."""
    if old.enabled and not new.enabled:
        owned = powerful_groups_of(tx, new.id, now)

        def change() -> None:
            tx.users.save(new)
            # For good: whoever is enabled again signs in again, and what a thief still holds stays dead.
            end_in_tenant(tx, deps, old)

        return last_administrator.guarded(tx, now, change, owned=owned)
    tx.users.save(new)
    return None


def set_enabled(deps: Deps, caller: Caller, user_id: str, enabled: bool) -> User | Refusal:
    """Let a person in again, or lock him out at once: every answer of ours looks at the live store."""
    return update_user(deps, caller, user_id, {"enabled": enabled})
