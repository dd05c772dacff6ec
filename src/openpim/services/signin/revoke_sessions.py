"""Everything somebody is signed in with ends: sessions, refresh tokens, and the access tokens that are out."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_control_user
from openpim.services.signin.sessions import end_in_tenant


def revoke_sessions(deps: Deps, caller: Caller, user_id: str) -> Refusal | None:
    """Of oneself, or of somebody whose password one could reset. A guest's: those for this tenant."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        user = tx.users.get(user_id)
        if user is None:
            return not_found("user", user_id)
        own = caller.kind is CallerKind.USER and caller.principal_id == user_id
        refusal = None if own else may_control_user(tx, caller, user_id, now)
        if refusal is not None:
            return refusal
        end_in_tenant(tx, deps, user)
        return Done(None, (Target("User", user.id, user.display_name),))

    target = (Target("User", user_id),)
    return perform(deps, caller, "Revoke sign-in sessions", "UserManagement", work, targets=target)
