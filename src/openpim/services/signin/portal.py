"""The portal's use of a browser session: who is there, in which of his tenants, and more proof when a form needs it.

The session cookie of the sign-in is the portal's session. What it proves (second factor, authentication contexts) is
read from the session; privilege, as everywhere, from the live store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Tenant
from openpim.core.first_party import PORTAL
from openpim.core.signin.claims import Wanted, granted_contexts
from openpim.core.signin.lifetimes import session_alive
from openpim.core.signin.values import Account, Session
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.flow import Browser, Turn
from openpim.services.signin.forms import session_of
from openpim.services.signin.people import people_of
from openpim.services.signin.proofs import lifetime, mfa_contexts, of_session
from openpim.services.signin.sessions import SEEN_EVERY, sign_out, touch, unended_session
from openpim.services.signin.steps import start

# Begins the name of every field that takes a secret, a person's or another system's. A form that waits for a sign-in
# leaves it behind: he types it again.
SECRET: Final = "secret-"
_TOKEN: Final = "token"  # the form's own: the session it proves is over
_A_KEY: Final = "PRIVATE KEY-----"  # somebody pasted one where none belongs


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is signed in. tenants: every one he may enter, home first. changes: of his tenant, before anything else
    of it was read: what happens later is news to whoever sees what was read then."""

    session: Session
    caller: Caller
    tenant: Tenant
    tenants: tuple[Tenant, ...]
    changes: int


def enter(
    signin: SignIn, cookie: str, wanted_tenant: str, origin: Origin, *, used: bool = True
) -> Presence | None:
    """The person behind a session cookie; None where nobody is, or not any more.

    wanted_tenant: a tenant's id; where he may not enter it, his home. used: the person did something (a page that
    merely waits for news does not keep the session alive).
    """
    deps = signin.deps
    found = deps.store.read("", lambda tx: _present(tx, signin, cookie, wanted_tenant, origin))
    if found is not None and used and deps.clock() - found.session.seen_at >= SEEN_EVERY:
        deps.store.write("", lambda tx: touch(tx, deps, found.session))
    return found


def _present(
    tx: Transaction, signin: SignIn, cookie: str, wanted_tenant: str, origin: Origin
) -> Presence | None:
    session = unended_session(tx, signin.deps, cookie)
    if session is None:
        return None
    people = people_of(tx, session.account)  # nobody, where he is disabled or gone
    if not people:
        return None
    tenant, person = next((one for one in people if one[0].id == wanted_tenant), people[0])
    proof = of_session(session, tenant.id)
    within = tx.in_tenant(tenant.id)
    changes = within.tallies.changes()
    requiring = mfa_contexts(within, proof.acrs)
    acrs = granted_contexts(Wanted(), proof, requiring, lifetime(signin), signin.deps.clock())
    caller = Caller(
        tenant_id=tenant.id,
        principal_id=person.user.id,
        kind=CallerKind.USER,
        display_name=person.user.display_name,
        user_principal_name=person.user.user_principal_name,
        app_id=PORTAL,
        amr=frozenset(session.amr),
        acrs=frozenset(acrs),
        auth_time=session.auth_time,
        session_id=session.id,
        ip=origin.ip or None,
        client=origin.user_agent or None,
        request_id=origin.request_id or None,
    )
    return Presence(session, caller, tenant, tuple(one for one, _ in people), changes)


def still_there(signin: SignIn, presence: Presence) -> bool:
    """Whether the session that was entered has not ended, and its person may still be in the tenant: for answers that take
    long."""

    def work(tx: Transaction) -> bool:
        session = tx.sessions.get(presence.session.id)
        return (
            session is not None
            and session_alive(session, signin.deps.clock(), signin.settings.session_idle_minutes)
            and any(tenant.id == presence.tenant.id for tenant, _ in people_of(tx, session.account))
        )

    return signin.deps.store.read("", work)


def sign_in(signin: SignIn, path: str, browser: Browser) -> Turn:
    """A page that wants a session: the sign-in, and then back to the page. path: on our own origin."""
    return start(signin, "portal", "organizations", {"path": path}, browser)


def sign_in_again(
    signin: SignIn, browser: Browser, *, path: str, action: str, form: Mapping[str, str]
) -> Turn:
    """A form of a session that has ended meanwhile: the sign-in, and then the form again as it was typed but for its secrets,
    if the same person signs in. path: where else to go."""
    session_id = session_of(signin, form.get("token", ""))
    session = signin.deps.store.read("", lambda tx: tx.sessions.get(session_id)) if session_id else None
    if session is None:
        return sign_in(signin, path, browser)
    params = {"path": path, "action": action, **_carried(session.account, form)}
    return start(signin, "portal", "organizations", params, browser)


def _carried(account: Account, form: Mapping[str, str]) -> dict[str, str]:
    """A form in a sign-in, and whose it is. Nothing, where a private key is in it."""
    if any(_A_KEY in value for value in form.values()):
        return {}
    kept = {name: value for name, value in form.items() if name != _TOKEN and not name.startswith(SECRET)}
    return {
        "form": json.dumps(kept, separators=(",", ":")),
        "for": f"{account.tenant_id}/{account.user_id}",
    }


def step_up(
    signin: SignIn,
    presence: Presence,
    browser: Browser,
    *,
    path: str,
    action: str,
    form: Mapping[str, str],
    context: str = "",
) -> Turn:
    """More proof is needed for a form: ask for it, then send the form again, as it was typed.

    path: where to go when it cannot be sent again. action: where the form goes. context: c1 to c99, "": a second
    factor.
    """
    account = presence.session.account
    params = {
        "path": path,
        "action": action,
        **_carried(account, form),
        "acrs": context,
        "mfa": "" if context else "1",
    }
    return start(signin, "portal", presence.tenant.id, params, browser)


def leave(signin: SignIn, presence: Presence, origin: Origin) -> None:
    """Sign out: the session ends, and what clients got from it without offline access."""

    def work(tx: Transaction) -> None:
        sign_out(tx, signin.deps, presence.session)
        account = presence.session.account
        record(signin.deps, tx.in_tenant(account.tenant_id), account, "Sign out", origin)

    signin.deps.store.write("", work)
