"""An administrator gives a person a one-time link: to set the first password, or to come back after losing a device."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.ports.store import Transaction
from openpim.services.credentials import make_setup_link
from openpim.services.directory.performing import Done, perform
from openpim.services.directory.rights import may_control_privileged, may_control_user
from openpim.services.signin.context import SignIn


def invite(signin: SignIn, caller: Caller, user_id: str, origin: str = "") -> str | Refusal:
    """The link to hand over. A guest gets his link from his home tenant. Whoever may not reset a person's password
    (a User Administrator, that of a privileged person) gets a refusal, on record."""

    def work(tx: Transaction, now: datetime) -> Done[str] | Refusal:
        user = tx.users.get(user_id)
        if user is None:
            return Refusal(Code.NOT_FOUND, "There is no such user.", member="user_id")
        if user.home_tenant_id is not None:
            return Refusal(
                Code.INVALID, "A guest signs in with the account of his home tenant.", member="user_id"
            )
        refused = may_control_user(tx, caller, user_id, now)
        if refused is not None:
            return refused
        link = make_setup_link(
            tx,
            signin,
            tx.tenant_id,
            user_id,
            origin or signin.settings.origin,
            ordinary=not may_control_privileged(tx, caller, now),
        )
        return Done(link, (Target("User", user.id, user.display_name),))

    target = (Target("User", user_id),)
    return perform(signin.deps, caller, "Make set-up link", "UserManagement", work, targets=target)
