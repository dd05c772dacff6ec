"""A person's own view of where he is signed in, and the end of it: browsers, and applications that keep access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openpim.core.refusals import Code, Refusal
from openpim.core.signin.lifetimes import session_alive
from openpim.core.signin.values import Account, Grant, Session
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.people import find_client
from openpim.services.signin.sessions import end_all, revoke_grant

_GONE = Refusal(Code.NOT_FOUND, "That has ended already, or is not yours.", member="id")


@dataclass(frozen=True, slots=True)
class InUse:
    """A browser that is signed in. applications: the names of those that got their access from it."""

    session: Session
    applications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An application that keeps access for which no browser is signed in any more: a command line, say."""

    grant: Grant
    application: str


def my_sessions(signin: SignIn, account: Account) -> tuple[list[InUse], list[Kept]]:
    """What lives now, newest first."""
    now, idle = signin.deps.clock(), signin.settings.session_idle_minutes

    def look(tx: Transaction) -> tuple[list[InUse], list[Kept]]:
        alive = [one for one in tx.sessions.of(account) if session_alive(one, now, idle)]
        grants = [one for one in tx.grants.of_account(account) if now < one.expires_at]
        names = _names(tx, grants)
        browsers = [
            InUse(one, tuple(sorted({names[g.client_id] for g in grants if g.session_id == one.id})))
            for one in alive
        ]
        ids = {one.id for one in alive}
        kept = [
            Kept(one, names[one.client_id]) for one in grants if one.offline and one.session_id not in ids
        ]
        return browsers, sorted(kept, key=lambda one: one.grant.created_at, reverse=True)

    return signin.deps.store.read("", look)


def _names(tx: Transaction, grants: Iterable[Grant]) -> dict[str, str]:
    found = {one: find_client(tx, one) for one in {grant.client_id for grant in grants}}
    return {app_id: client.display_name if client else app_id for app_id, client in found.items()}


def end_others(deps: Deps, account: Account, session_id: str, origin: Origin) -> int:
    """End everything but the session the person is in now. Returns how many browsers that were."""

    def work(tx: Transaction) -> int:
        ended = end_all(tx, deps, account, keep_session=session_id)
        about = (("sessions", str(ended)),)
        home = tx.in_tenant(account.tenant_id)
        record(deps, home, account, "End all other sessions", origin, details=about)
        return ended

    return deps.store.write("", work)


def end_application(deps: Deps, account: Account, grant_id: str, origin: Origin) -> Refusal | None:
    """Take back what an application kept: its refresh tokens, and the access tokens made from them."""

    def work(tx: Transaction) -> Refusal | None:
        grant = tx.grants.get(grant_id)
        if grant is None or grant.account != account or grant.revoked_at is not None:
            return _GONE
        revoke_grant(tx, deps, grant)
        home = tx.in_tenant(account.tenant_id)
        record(deps, home, account, "End access of application", origin, app_id=grant.client_id)
        return None

    return deps.store.write("", work)
