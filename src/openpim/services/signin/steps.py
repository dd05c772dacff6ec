"""Takes the forms of a sign-in: each checks one thing, then `advance` decides what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from openpim.core.refusals import Refusal
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.values import Account, Passkey
from openpim.ports.store import Transaction
from openpim.services.credentials import enrol_totp, new_totp_seed, totp_uri
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import record
from openpim.services.signin.factors import check_password, check_second_factor
from openpim.services.signin.flow import (
    Ask,
    Browser,
    Failed,
    Flow,
    GoTo,
    Kind,
    Turn,
    begin,
    local_path,
    open_flow,
)
from openpim.services.signin.interactive import Matter, advance, read_matter
from openpim.services.signin.known_browsers import read_known
from openpim.services.signin.passkeys import AMR, ask_options, check_passkey, new_challenge, possible
from openpim.services.signin.people import able_user, find_tenant
from openpim.services.signin.sessions import current_session, strengthen

_LOST = Failed("This page is too old, or belongs to another browser: start the sign-in again.", 400)


def start(signin: SignIn, kind: Kind, authority: str, params: dict[str, str], browser: Browser) -> Turn:
    """An authorize request, a device code that was typed in, or a page of the portal that wants a session."""
    flow = begin(signin, kind, authority, params, browser)
    return _dressed(signin, _go_on(signin, flow, browser), browser)


def submit(signin: SignIn, sealed: str, step: str, fields: Mapping[str, str], browser: Browser) -> Turn:
    """A form of one of our own pages. sealed: the flow it carries."""
    flow = open_flow(signin, sealed, browser)
    act = _STEPS.get(step)
    if flow is None or act is None:
        return Turn(_LOST)
    return _dressed(signin, act(signin, flow, fields, browser), browser)


def _dressed(signin: SignIn, turn: Turn, browser: Browser) -> Turn:
    """An enrolment page needs its seed: made once, then carried in the flow. A page that takes a passkey, its
    challenge: a new one each time."""
    ask = turn.outcome
    if isinstance(ask, Ask) and ask.step in {"password", "code"}:
        return replace(turn, outcome=_challenging(signin, ask, browser))
    if not isinstance(ask, Ask) or ask.step != "enrol":
        return turn
    flow = ask.flow if ask.flow.seed else replace(ask.flow, seed=new_totp_seed(signin))
    name = str(ask.details.get("name", ""))
    details = {**ask.details, "seed": flow.seed, "uri": totp_uri(flow.seed, name, "OpenPIM")}
    return replace(turn, outcome=replace(ask, flow=flow, details=details))


def _challenging(signin: SignIn, ask: Ask, browser: Browser) -> Ask:
    """Offer a passkey: anybody's in place of a password, one of the person's own as the second factor."""
    plain = replace(ask.flow, challenge="", challenge_for="")
    if not possible(signin, browser.origin):
        return replace(ask, flow=plain)
    known: list[Passkey] = []
    whose = ""
    if ask.step == "code":
        account = _person(signin, ask.flow, browser)
        if account is not None:
            known = signin.deps.store.read("", lambda tx: tx.passkeys.of(account))
            whose = f"{account.tenant_id}/{account.user_id}"
        if not any(one.stopped_at is None for one in known):
            return replace(ask, flow=plain)
    flow = replace(plain, challenge=new_challenge(signin), challenge_for=whose)
    return replace(
        ask, flow=flow, details={**ask.details, "passkey": ask_options(signin, flow.challenge, known)}
    )


def _passkey(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    """In place of the password it is a whole sign-in, with the second factor in it; on the page for the second factor
    it is that."""
    wanted = None
    if flow.challenge_for:
        wanted = _person(signin, flow, browser)
        if wanted is None or flow.challenge_for != f"{wanted.tenant_id}/{wanted.user_id}":
            return _go_on(signin, flow, browser)
    proven = signin.deps.clock().timestamp()
    found = check_passkey(signin, flow.challenge, fields.get("assertion", ""), wanted, browser.origin)
    if isinstance(found, Refusal):
        return _again(signin, flow, browser, found)
    if wanted is not None:
        return signin.deps.store.write("", lambda tx: _stronger(signin, tx, flow, browser, found, AMR))
    passed = replace(flow, account=found, amr=AMR, again=False, chosen=True, name="", seed="", proven=proven)
    return _go_on(signin, passed, browser)


def _go_on(signin: SignIn, flow: Flow, browser: Browser, *, error: str = "") -> Turn:
    """Without a live session, or a proof in the flow, nothing will be written: a stranger's request, whatever
    cookie it carries, never waits for, or holds, the one writer."""
    deps = signin.deps
    known = flow.account is not None or (
        browser.session != ""
        and deps.store.read("", lambda tx: current_session(tx, deps, browser.session)) is not None
    )
    run = deps.store.write if known else deps.store.read
    browser = browser if known else replace(browser, session="")
    return run("", lambda tx: advance(signin, tx, flow, browser, error=error))


def _again(signin: SignIn, flow: Flow, browser: Browser, refusal: Refusal) -> Turn:
    turn = _go_on(signin, flow, browser, error=refusal.message)
    if isinstance(turn.outcome, Ask):
        return replace(turn, outcome=replace(turn.outcome, retry_after=refusal.retry_after))
    return turn


def _password(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    name = fields.get("username", "").strip()
    tenant = signin.deps.store.read("", lambda tx: find_tenant(tx, flow.authority))
    known = read_known(signin, browser.known)
    tenant_id = tenant.id if tenant else None
    proven = signin.deps.clock().timestamp()
    found = check_password(signin, name, fields.get("password", ""), tenant_id, known, browser.origin)
    if isinstance(found, Refusal):
        fresh = replace(flow, account=None, amr=(), again=True, name=name[:320])
        return _again(signin, fresh, browser, found)
    passed = replace(
        flow, account=found, amr=("pwd",), again=False, chosen=True, name="", seed="", proven=proven
    )
    return _go_on(signin, passed, browser)


def _person(signin: SignIn, flow: Flow, browser: Browser) -> Account | None:
    """Who is at the keyboard: proven in this flow, or by the session."""
    if flow.account is not None:
        return flow.account
    session = signin.deps.store.read("", lambda tx: current_session(tx, signin.deps, browser.session))
    return session.account if session else None


def _code(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    account = _person(signin, flow, browser)
    if account is None:
        return _go_on(signin, flow, browser)
    amr = check_second_factor(signin, account, fields.get("code", "")[:64], browser.origin)
    if isinstance(amr, Refusal):
        return _again(signin, flow, browser, amr)
    return signin.deps.store.write("", lambda tx: _stronger(signin, tx, flow, browser, account, amr))


def _stronger(
    signin: SignIn, tx: Transaction, flow: Flow, browser: Browser, account: Account, amr: tuple[str, ...]
) -> Turn:
    """Go on with more proof: in the flow if it has no session yet, else in the session, under a new cookie."""
    if flow.account is not None:
        return advance(signin, tx, replace(flow, amr=tuple(dict.fromkeys([*flow.amr, *amr]))), browser)
    session = current_session(tx, signin.deps, browser.session)
    if session is None or session.account != account:
        return advance(signin, tx, flow, browser)
    _, cookie = strengthen(tx, signin.deps, session, amr, anew=False)
    home = tx.in_tenant(account.tenant_id)
    record(signin.deps, home, account, "Give second factor", browser.origin, amr=amr)
    turn = advance(signin, tx, flow, replace(browser, session=cookie))
    return replace(turn, session=turn.session or cookie)


def _enrol(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    account = _person(signin, flow, browser)
    if account is None or not flow.seed or flow.seed_for != account.user_id:
        return _go_on(signin, replace(flow, seed=""), browser)

    def work(tx: Transaction) -> Turn | Refusal:
        home = tx.in_tenant(account.tenant_id)
        home.lock_principal(account.user_id)  # of two who know the password, the second finds it enrolled
        if not _may_enrol(signin, tx, account):
            return advance(signin, tx, replace(flow, seed=""), browser)
        codes = enrol_totp(home, signin, account.user_id, flow.seed, fields.get("code", "")[:64])
        if isinstance(codes, Refusal):
            return codes
        record(signin.deps, home, account, "Enrol second factor", browser.origin)
        done = replace(flow, seed="")
        amr = ("otp", "mfa")
        cookie = None
        session = current_session(tx, signin.deps, browser.session) if flow.account is None else None
        if session is not None:
            _, cookie = strengthen(tx, signin.deps, session, amr, anew=False)
        else:
            done = replace(done, amr=tuple(dict.fromkeys([*flow.amr, *amr])))
        return Turn(Ask("recovery_codes", done, "", {"codes": list(codes)}), session=cookie)

    found = signin.deps.store.write("", work)
    return _again(signin, flow, browser, found) if isinstance(found, Refusal) else found


def _may_enrol(signin: SignIn, tx: Transaction, account: Account) -> bool:
    """Enrolment by password alone is only for accounts that have no second factor (else it would replace it)."""
    credential = tx.in_tenant(account.tenant_id).credentials.get(account.user_id)
    able = able_user(tx, account.tenant_id, account.user_id) is not None
    return able and signin.settings.totp_self_enrolment and (credential is None or credential.totp is None)


def _continue(signin: SignIn, flow: Flow, _fields: Mapping[str, str], browser: Browser) -> Turn:
    return _go_on(signin, flow, browser)


def _account(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    if fields.get("choice") == "other":
        return _go_on(signin, replace(flow, again=True, name=""), browser)
    return _go_on(signin, replace(flow, chosen=True), browser)


def _tenant(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    return _go_on(signin, replace(flow, tenant=fields.get("tenant", "")[:36]), browser)


def _cancel(signin: SignIn, flow: Flow, _fields: Mapping[str, str], _browser: Browser) -> Turn:
    """The person says no: the client is told, a device code is refused."""

    def work(tx: Transaction) -> Turn:
        matter = read_matter(signin, tx, flow)
        if not isinstance(matter, Matter):
            return Turn(matter)
        if matter.request is not None:
            return Turn(
                matter.request.refuse(OAuthError("access_denied", "The person cancelled the sign-in."))
            )
        if matter.device is not None:
            tx.device_codes.decide(matter.device.hash, "denied", None)
        if flow.kind == "portal" and flow.params.get("form"):
            return Turn(GoTo(local_path(flow.params.get("path", ""))))
        return Turn(Failed("The sign-in was cancelled. Close this window.", 200, "Cancelled"))

    return signin.deps.store.write("", work)


def _consent(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    """Yes or no. What is written down is what the page showed, to whom it was shown: `advance` looks at both again."""
    if fields.get("choice") != "yes":
        return _cancel(signin, flow, fields, browser)
    everybody = fields.get("everybody") == "yes"
    return _go_on(signin, replace(flow, allowed="all" if everybody else "me"), browser)


def _confirm_device(signin: SignIn, flow: Flow, fields: Mapping[str, str], browser: Browser) -> Turn:
    if fields.get("choice") != "yes":
        return _cancel(signin, flow, fields, browser)
    return _go_on(signin, replace(flow, confirmed=True), browser)


_Step = Callable[[SignIn, Flow, Mapping[str, str], Browser], Turn]
_STEPS: dict[str, _Step] = {
    "password": _password,
    "code": _code,
    "passkey": _passkey,
    "enrol": _enrol,
    "recovery_codes": _continue,
    "account": _account,
    "tenant": _tenant,
    "consent": _consent,
    "confirm_device": _confirm_device,
    "cancel": _cancel,
}
