"""Sign-out (OpenID Connect RP-initiated logout): ends the browser's session, and goes back only to an address that
is registered for the client. Without a valid id_token_hint the person is asked, so that no other site can sign him out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openpim.core.signin.oauth import redirect_allowed
from openpim.core.signin.values import digest
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import record
from openpim.services.signin.flow import Browser
from openpim.services.signin.people import find_client
from openpim.services.signin.sessions import current_session, sign_out

_PURPOSE = "logout"


@dataclass(frozen=True, slots=True)
class SignedOut:
    """redirect_uri: where to go, with state; "" to show our own page."""

    redirect_uri: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmSignOut:
    """Ask first. token: goes into the form and back into `confirm_logout`."""

    token: str
    name: str


def logout(signin: SignIn, params: Mapping[str, str], browser: Browser) -> SignedOut | ConfirmSignOut:
    hint = signin.tokens.verify(params.get("id_token_hint", ""), "JWT", expired=True) or {}
    client_id = params.get("client_id", "") or str(hint.get("aud", ""))
    target = params.get("post_logout_redirect_uri", "")

    def work(tx: Transaction) -> SignedOut | ConfirmSignOut:
        client = find_client(tx, client_id) if client_id else None
        uri = target if client is not None and target and redirect_allowed(client, target) else ""
        session = current_session(tx, signin.deps, browser.session)
        if session is None:
            return SignedOut(uri, params.get("state", ""))
        if hint.get("sid") != session.id:
            user = tx.in_tenant(session.account.tenant_id).users.get(session.account.user_id)
            body = {"s": session.id, "b": digest(browser.browser), "u": uri, "t": params.get("state", "")}
            token = signin.sealer.seal_json(_PURPOSE, body)
            return ConfirmSignOut(token, user.user_principal_name if user else "")
        sign_out(tx, signin.deps, session)
        home = tx.in_tenant(session.account.tenant_id)
        record(signin.deps, home, session.account, "Sign out", browser.origin)
        return SignedOut(uri, params.get("state", ""))

    # Only a live session can be ended: without one a stranger's request does not take the one writer.
    live = signin.deps.store.read("", lambda tx: current_session(tx, signin.deps, browser.session))
    return (signin.deps.store.write if live is not None else signin.deps.store.read)("", work)


def confirm_logout(signin: SignIn, token: str, browser: Browser) -> SignedOut | None:
    """None: the form is not ours, or of another browser or session."""
    body = signin.sealer.unseal_json(_PURPOSE, token) if token else None
    if body is None or not browser.browser or body["b"] != digest(browser.browser):
        return None

    def work(tx: Transaction) -> SignedOut | None:
        session = current_session(tx, signin.deps, browser.session)
        if session is not None and session.id == body["s"]:
            sign_out(tx, signin.deps, session)
            home = tx.in_tenant(session.account.tenant_id)
            record(signin.deps, home, session.account, "Sign out", browser.origin)
        return SignedOut(body["u"], body["t"])

    return signin.deps.store.write("", work)
