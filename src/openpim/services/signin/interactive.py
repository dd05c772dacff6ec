"""What comes next in a sign-in? `advance` looks at the facts anew at every step and asks only for what is missing:
the password without a session, the second factor where a session lacks it and something demands it, the tenant where
there are several and the client named none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

from openpim.core.signin.claims import (
    Proof,
    Wanted,
    demand,
    granted_contexts,
    is_context,
    needs_mfa,
    needs_password,
    parse_claims,
    with_contexts,
)
from openpim.core.signin.oauth import OAuthError, origin_of
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Account, Client, DeviceCode, Session
from openpim.ports.store import Transaction
from openpim.services.signin.authorize import AuthorizeRequest, answer_with_code, make_grant, read_request
from openpim.services.signin.consent_step import consented
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import record
from openpim.services.signin.flow import (
    Answer,
    Ask,
    Browser,
    Done,
    Failed,
    Flow,
    GoTo,
    Outcome,
    Turn,
    local_path,
)
from openpim.services.signin.forms import form_token
from openpim.services.signin.known_browsers import read_known, remember
from openpim.services.signin.people import (
    Person,
    able_user,
    client_allowed,
    find_account,
    find_client,
    find_tenant,
    person_in,
    tenants_of,
)
from openpim.services.signin.proofs import lifetime, mfa_contexts, of_session
from openpim.services.signin.sessions import current_session, open_session, touch

_FRESH_PASSWORD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Matter:
    """What the flow is for. request / device: one of them, or neither for the portal."""

    client: Client | None
    wanted: Wanted
    asked: Asked | None = None
    request: AuthorizeRequest | None = None
    device: DeviceCode | None = None
    target: str = ""

    @property
    def silent(self) -> bool:
        return self.request is not None and self.request.silent


@dataclass(frozen=True, slots=True)
class Who:
    """The person so far. session None: proven in this flow only, so far."""

    account: Account
    amr: tuple[str, ...]
    session: Session | None
    proof: Proof


class _Stop(Exception):  # noqa: N818 - carries an outcome up, within this file
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


def advance(signin: SignIn, tx: Transaction, flow: Flow, browser: Browser, *, error: str = "") -> Turn:
    """The next page, or the end. error: what to say on a page that is shown again."""
    try:
        return _advance(signin, tx, flow, browser, error)
    except _Stop as stop:
        return Turn(stop.outcome)


def _advance(signin: SignIn, tx: Transaction, flow: Flow, browser: Browser, error: str) -> Turn:
    matter = read_matter(signin, tx, flow)
    if not isinstance(matter, Matter):
        return Turn(matter)
    who = _who(signin, tx, flow, browser, matter, error)
    if matter.request is not None and matter.request.hinted not in {None, who.account}:
        return Turn(
            _refuse(matter, "login_required", "Somebody else signed in than the application asked for.")
        )
    _second_factor(signin, tx, flow, matter, who, frozenset(), error)
    person = _place(tx, flow, matter, who)
    if matter.client is not None and not client_allowed(tx, matter.client, person.tenant_id):
        return Turn(_refuse(matter, "unauthorized_client", "The application is not allowed in this tenant."))
    there, now, life = tx.in_tenant(person.tenant_id), signin.deps.clock(), lifetime(signin)
    contexts = mfa_contexts(there, matter.wanted.acrs)
    _second_factor(signin, tx, flow, matter, who, contexts, error)
    if needs_password(matter.wanted, who.proof, contexts, life, now):
        why = "What you are about to do asks you to sign in anew."
        return Turn(_password(replace(flow, again=True), matter, error or why))
    flow = _consented(signin, tx, flow, browser, matter, person)
    session, cookie, known = _session(signin, tx, browser, who, matter)
    proof = of_session(session, person.tenant_id)
    contexts = mfa_contexts(there, proof.acrs.union(matter.wanted.acrs))
    acrs = frozenset(granted_contexts(matter.wanted, proof, contexts, life, now))
    outcome = _finish(signin, tx, flow, browser, matter, person, session, acrs)
    return Turn(outcome, cookie, known)


def read_matter(signin: SignIn, tx: Transaction, flow: Flow) -> Matter | Answer | Failed:
    if flow.kind == "authorize":
        request = read_request(signin, tx, flow.authority, flow.params)
        if not isinstance(request, AuthorizeRequest):
            return request
        target = origin_of(request.redirect_uri)
        return Matter(request.client, request.wanted, request.asked, request, target=target)
    if flow.kind == "device":
        device = tx.device_codes.get(flow.params.get("code", ""))
        if device is None or device.status != "pending" or signin.deps.clock() >= device.expires_at:
            return Failed("This code has expired or was used already: start again on the device.")
        client = find_client(tx, device.client_id)
        if client is None:
            return Failed("The application is not registered here any more.")
        asked = signin.asked(" ".join(device.scope))
        if isinstance(asked, OAuthError):
            return Failed(asked.description)
        return Matter(client, parse_claims(device.claims) or Wanted(), asked, device=device)
    contexts = tuple(one for one in flow.params.get("acrs", "").split() if is_context(one))
    return Matter(None, Wanted(contexts, mfa=flow.params.get("mfa") == "1"))


def _refuse(matter: Matter, error: str, description: str, claims: str | None = None) -> Answer | Failed:
    if matter.request is not None:
        return matter.request.refuse(OAuthError(error, description, claims=claims))
    return Failed(description, 403)


def _ask(matter: Matter, ask: Ask, error: str, description: str) -> Outcome:
    """The page; or, where nobody may be asked, the error that stands for it."""
    if matter.silent:
        wants = (
            demand(matter.wanted) if error == "interaction_required" and matter.wanted != Wanted() else None
        )
        return _refuse(matter, error, description, wants)
    client = matter.client.display_name if matter.client else ""
    return replace(ask, details={"client": client, **ask.details}, target=matter.target)


def _password(flow: Flow, matter: Matter, error: str, name: str = "") -> Outcome:
    hint = matter.request.login_hint if matter.request else ""
    ask = Ask("password", flow, error, {"name": flow.name or name or hint})
    return _ask(matter, ask, "login_required", "Nobody is signed in, or the sign-in is too old.")


def _who(signin: SignIn, tx: Transaction, flow: Flow, browser: Browser, matter: Matter, error: str) -> Who:
    if flow.account is not None:
        if able_user(tx, flow.account.tenant_id, flow.account.user_id) is None:
            raise _Stop(Failed("This account is disabled: ask an administrator.", 403))
        if _outdated(tx, flow, flow.account):
            anew = replace(flow, account=None, amr=(), again=True, seed="")
            raise _Stop(_password(anew, matter, "The password was changed meanwhile: give the new one."))
        now = signin.deps.clock()
        fresh = Proof(frozenset(flow.amr), frozenset(), now, now if "mfa" in flow.amr else None)
        return Who(flow.account, flow.amr, None, fresh)
    session = current_session(tx, signin.deps, browser.session)
    if session is None or flow.again or not _counts(signin, tx, flow, matter, session):
        raise _Stop(_password(flow, matter, error))
    request = matter.request
    if request is not None and "select_account" in request.prompts and not flow.chosen:
        user = able_user(tx, session.account.tenant_id, session.account.user_id)
        name = user.user_principal_name if user else ""
        raise _Stop(_ask(matter, Ask("account", flow, error, {"name": name}), "login_required", ""))
    proof = of_session(session, "")
    return Who(session.account, session.amr, session, proof)


def _outdated(tx: Transaction, flow: Flow, account: Account) -> bool:
    """Was the password changed after it was given in this flow? Then the proof is void, as every session is."""
    credential = tx.in_tenant(account.tenant_id).credentials.get(account.user_id)
    changed_at = credential.password_at if credential is not None else None
    return changed_at is not None and changed_at.timestamp() > flow.proven


def _counts(signin: SignIn, tx: Transaction, flow: Flow, matter: Matter, session: Session) -> bool:
    """Is this session good enough for what the client said about prompt, age and person?"""
    request = matter.request
    if request is None:
        return True
    if "login" in request.prompts:
        return False
    age = signin.deps.clock() - session.auth_time
    if request.max_age is not None and age > timedelta(seconds=request.max_age):
        return False
    if request.hinted is not None and request.hinted != session.account:
        return False
    if request.login_hint and not flow.chosen:
        hinted = find_account(tx, request.login_hint, request.tenant.id if request.tenant else None)
        return hinted is None or hinted == session.account
    return True


def _second_factor(
    signin: SignIn,
    tx: Transaction,
    flow: Flow,
    matter: Matter,
    who: Who,
    contexts: frozenset[str],
    error: str,
) -> None:
    """Stop at the page for the second factor if it is missing and demanded: by our own settings, or by the client
    (`contexts`: the authentication contexts asked for that require it)."""
    demanded = needs_mfa(matter.wanted, who.proof, contexts, lifetime(signin), signin.deps.clock())
    if "mfa" in who.amr and not demanded:
        return
    credential = tx.in_tenant(who.account.tenant_id).credentials.get(who.account.user_id)
    enrolled = credential is not None and credential.totp is not None
    settings = signin.settings
    by_setting = settings.mfa_at_sign_in == "always" or (settings.mfa_at_sign_in == "enrolled" and enrolled)
    if not by_setting and not demanded:
        return
    why = "A second factor is needed."
    if enrolled:
        raise _Stop(_ask(matter, Ask("code", flow, error), "interaction_required", why))
    if not settings.totp_self_enrolment:
        no = "A second factor is needed and none is enrolled: ask an administrator for a set-up link."
        raise _Stop(_refuse(matter, "access_denied", no))
    if matter.silent:
        raise _Stop(_ask(matter, Ask("enrol", flow), "interaction_required", why))
    fresh = who.session is None or signin.deps.clock() - who.session.auth_time < _FRESH_PASSWORD
    if not fresh:
        again = replace(flow, again=True)
        raise _Stop(_password(again, matter, error or "Give your password again to enrol a second factor."))
    user = able_user(tx, who.account.tenant_id, who.account.user_id)
    details = {"name": user.user_principal_name if user else ""}
    seed = flow.seed if flow.seed_for == who.account.user_id else ""
    own = replace(flow, seed=seed, seed_for=who.account.user_id)
    raise _Stop(_ask(matter, Ask("enrol", own, error, details), "interaction_required", why))


def _place(tx: Transaction, flow: Flow, matter: Matter, who: Who) -> Person:
    """The person in the tenant the tokens are for."""
    explicit = find_tenant(tx, matter.device.authority if matter.device else flow.authority)
    tenant_id = explicit.id if explicit else None
    if tenant_id is None:
        options = tenants_of(tx, who.account)
        hint = matter.request.domain_hint if matter.request else ""
        hinted = find_tenant(tx, hint) if hint else None
        chosen = flow.tenant or (hinted.id if hinted else None)
        authority = matter.device.authority if matter.device else flow.authority
        if chosen in {one.id for one in options}:
            tenant_id = chosen
        elif len(options) > 1 and authority == "common" and not matter.silent:
            details = {"tenants": [(one.id, one.name, one.domain) for one in options]}
            raise _Stop(_ask(matter, Ask("tenant", flow, "", details), "interaction_required", ""))
        else:
            tenant_id = who.account.tenant_id
    person = person_in(tx, who.account, tenant_id)
    if person is None:
        name = explicit.name if explicit else "the tenant"
        start = replace(flow, account=None, amr=(), again=True, name="")
        raise _Stop(_password(start, matter, f"This account has no access to {name}: use another one."))
    return person


def _consented(
    signin: SignIn, tx: Transaction, flow: Flow, browser: Browser, matter: Matter, person: Person
) -> Flow:
    """Stop at the page that asks whether the application may do this, if that is still open."""
    if matter.client is None or matter.asked is None:
        return flow
    again = matter.request is not None and "consent" in matter.request.prompts
    found = consented(signin, tx, flow, browser, matter.client, matter.asked, person, again=again)
    if isinstance(found, OAuthError):
        raise _Stop(_refuse(matter, found.error, found.description))
    if isinstance(found, Ask):
        raise _Stop(_ask(matter, found, "consent_required", "The person has not allowed this yet."))
    return found


def _session(
    signin: SignIn, tx: Transaction, browser: Browser, who: Who, matter: Matter
) -> tuple[Session, str | None, str | None]:
    """The session everything rests on. A fresh sign-in gets a new one under a new cookie: nothing that was in the
    browser before survives (no session fixation)."""
    if who.session is not None:
        touch(tx, signin.deps, who.session)
        return who.session, None, None
    former = current_session(tx, signin.deps, browser.session)
    if former is not None:
        tx.sessions.end(former.id, signin.deps.clock())
        if former.account != who.account:
            tx.client_sessions.end_session(former.id, signin.deps.clock())
    session, cookie = open_session(tx, signin.deps, who.account, who.amr, browser.origin)
    known = remember(signin, read_known(signin, browser.known), who.account)
    app_id = matter.client.app_id if matter.client else None
    home = tx.in_tenant(who.account.tenant_id)
    record(signin.deps, home, who.account, "Sign in", browser.origin, app_id=app_id, amr=who.amr)
    return session, cookie, known


def _finish(
    signin: SignIn,
    tx: Transaction,
    flow: Flow,
    browser: Browser,
    matter: Matter,
    person: Person,
    session: Session,
    acrs: frozenset[str],
) -> Outcome:
    if matter.request is not None:
        base = browser.origin.base
        return answer_with_code(signin, tx, matter.request, flow.authority, base, person, session, acrs)
    if matter.device is not None:
        return _finish_device(signin, tx, flow, browser, matter, matter.device, person, session, acrs)
    return _finish_portal(signin, tx, flow, person, session, acrs)


def _finish_portal(
    signin: SignIn, tx: Transaction, flow: Flow, person: Person, session: Session, acrs: frozenset[str]
) -> GoTo:
    """Back to the page; where a form led here, and the same person is there, with the form."""
    if acrs:
        tx.sessions.replace(replace(session, acrs=with_contexts(session.acrs, person.tenant_id, acrs)))
    account = session.account
    if flow.params.get("form") and flow.params.get("for") == f"{account.tenant_id}/{account.user_id}":
        fields = {**json.loads(flow.params["form"]), "token": form_token(signin, session.id)}
        return GoTo(local_path(flow.params.get("action", "")), tuple(fields.items()))
    return GoTo(local_path(flow.params.get("path", "")))


def _finish_device(
    signin: SignIn,
    tx: Transaction,
    flow: Flow,
    browser: Browser,
    matter: Matter,
    device: DeviceCode,
    person: Person,
    session: Session,
    acrs: frozenset[str],
) -> Outcome:
    if not flow.confirmed or matter.client is None:
        # The session exists from here on: the flow no longer carries the proof.
        details = {
            "client": matter.client.display_name if matter.client else "",
            "name": person.user.user_principal_name,
            "ip": device.ip,
            "code": device.user_code,
        }
        return Ask("confirm_device", replace(flow, account=None, amr=(), again=False), "", details)
    asked = matter.asked
    if asked is None:  # pragma: no cover - a device's matter has one
        raise AssertionError
    grant = make_grant(signin, tx, matter.client, person, session, asked, acrs, cp1=matter.wanted.cp1)
    if not tx.device_codes.decide(device.hash, "approved", grant.id):
        return Failed("This code has expired or was used already: start again on the device.")
    app_id = matter.client.app_id
    where = tx.in_tenant(person.account.tenant_id)
    record(signin.deps, where, person.account, "Approve device sign-in", browser.origin, app_id=app_id)
    return Done(
        "You are signed in", f"{matter.client.display_name} is signed in on the device. Close this window."
    )
