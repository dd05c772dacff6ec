"""The authorize request: reading it, and answering it once it is known who asks.

Order matters (RFC 6749 4.1.2.1): nothing is ever sent to a redirect address before client and address are verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from openpim.core.directory import Tenant
from openpim.core.signin.claims import Wanted, parse_claims, with_acr
from openpim.core.signin.oauth import PROMPTS, RESPONSE_MODES, OAuthError, good_challenge, redirect_allowed
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Account, AuthorizationCode, Client, Grant, Session, digest
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.flow import Answer, Failed, id_issuer
from openpim.services.signin.issue import client_info
from openpim.services.signin.keyring import LONGEST_TOKEN
from openpim.services.signin.people import ANY_TENANT, Person, account_of, find_client, find_tenant

CODE_LIFETIME = timedelta(minutes=5)
_LONGEST = {
    "state": 4000,
    "nonce": 1000,
    "login_hint": 320,
    "domain_hint": 320,
    "id_token_hint": 8000,
    "acr_values": 1000,
}


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    client: Client
    tenant: Tenant | None
    redirect_uri: str
    mode: str
    state: str | None
    nonce: str | None
    asked: Asked
    wanted: Wanted
    challenge: str | None
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    domain_hint: str
    wants_client_info: bool
    hinted: Account | None = None  # the one person whose sign-in will do

    @property
    def silent(self) -> bool:
        return "none" in self.prompts

    def refuse(self, error: OAuthError) -> Answer:
        return refusal(self.redirect_uri, self.mode, self.state, error)


def refusal(redirect_uri: str, mode: str, state: str | None, error: OAuthError) -> Answer:
    params = [("error", error.error), ("error_description", error.description)]
    if error.claims is not None:
        params.append(("claims", error.claims))
    if state is not None:
        params.append(("state", state))
    return Answer(redirect_uri, mode, tuple(params))


def read_request(
    signin: SignIn, tx: Transaction, authority: str, params: Mapping[str, str]
) -> AuthorizeRequest | Answer | Failed:
    """Failed: a page for the person (client or address are not to be trusted). Answer: an error for the client."""
    if authority.lower() not in ANY_TENANT and find_tenant(tx, authority) is None:
        return Failed("There is no such tenant: check the address.", 404)
    client = find_client(tx, params.get("client_id", ""))
    if client is None:
        return Failed("The application is not registered here: check its client id.")
    redirect_uri = params.get("redirect_uri", "")
    if not redirect_uri and len(client.redirect_uris) == 1 and not client.any_loopback:
        redirect_uri = client.redirect_uris[0]
    if not redirect_allowed(client, redirect_uri):
        return Failed("The application asked for an answer at an address that is not registered for it.")
    state = params.get("state")
    mode = params.get("response_mode", "query") or "query"
    if mode not in RESPONSE_MODES:
        problem = OAuthError("invalid_request", "response_mode must be query, fragment or form_post.")
        return refusal(redirect_uri, "query", state if _fits(params) else None, problem)
    read = _read_rest(signin, params, client)
    if isinstance(read, OAuthError):
        return refusal(redirect_uri, mode, state if _fits(params) else None, read)
    asked, wanted, prompts, max_age = read
    hinted = _hinted(signin, tx, params.get("id_token_hint", ""), client)
    if isinstance(hinted, OAuthError):
        return refusal(redirect_uri, mode, state, hinted)
    return AuthorizeRequest(
        client=client,
        tenant=find_tenant(tx, authority),
        redirect_uri=redirect_uri,
        mode=mode,
        state=state,
        nonce=params.get("nonce"),
        asked=asked,
        wanted=wanted,
        challenge=params.get("code_challenge") or None,
        prompts=prompts,
        max_age=max_age,
        login_hint=params.get("login_hint", "").strip(),
        domain_hint=params.get("domain_hint", "").strip(),
        wants_client_info=params.get("client_info") == "1",
        hinted=hinted,
    )


def _hinted(signin: SignIn, tx: Transaction, hint: str, client: Client) -> Account | OAuthError | None:
    """Of whom the client has an ID token of ours, old or new; one that it did not get from us says nothing."""
    if not hint:
        return None
    claims = signin.tokens.verify(hint, "JWT", expired=True)
    if claims is None or claims.get("aud") != client.app_id:
        return OAuthError("invalid_request", "id_token_hint is no ID token that this application got here.")
    tenant_id, user_id = str(claims.get("tid")), str(claims.get("sub"))
    user = tx.in_tenant(tenant_id).users.get(user_id)
    return account_of(user, tenant_id) if user is not None else Account(tenant_id, user_id)


def _fits(params: Mapping[str, str]) -> bool:
    return all(len(params.get(name, "")) <= longest for name, longest in _LONGEST.items())


def _read_rest(
    signin: SignIn, params: Mapping[str, str], client: Client
) -> tuple[Asked, Wanted, frozenset[str], int | None] | OAuthError:
    if not _fits(params):
        return OAuthError("invalid_request", "state, nonce or a hint is too long.")
    for name in ("request", "request_uri"):
        if params.get(name):
            return OAuthError(f"{name}_not_supported", f"{name} is not supported: send plain parameters.")
    if params.get("response_type") != "code":
        return OAuthError("unsupported_response_type", "response_type must be code.")
    wrong = _check_pkce(params, client)
    if wrong is not None:
        return wrong
    prompts = frozenset(params.get("prompt", "").split())
    if prompts - PROMPTS or ("none" in prompts and len(prompts) > 1):
        return OAuthError("invalid_request", "prompt must be none, or of login, select_account, consent.")
    max_age = params.get("max_age", "")
    if max_age and not (max_age.isascii() and max_age.isdigit() and len(max_age) < 10):
        return OAuthError("invalid_request", "max_age must be a number of seconds.")
    asked = signin.asked(params.get("scope", ""), params.get("resource", ""))
    if isinstance(asked, OAuthError):
        return asked
    wanted = parse_claims(params.get("claims", ""))
    if wanted is None:
        return OAuthError("invalid_request", "claims is not a JSON object.")
    wanted = with_acr(wanted, params.get("acr_values", "").split())
    return asked, wanted, prompts, int(max_age) if max_age else None


def _check_pkce(params: Mapping[str, str], client: Client) -> OAuthError | None:
    challenge = params.get("code_challenge", "")
    if not challenge:
        if client.public:
            return OAuthError("invalid_request", "A public client must send code_challenge (PKCE, S256).")
        return None
    if params.get("code_challenge_method") != "S256" or not good_challenge(challenge):
        return OAuthError(
            "invalid_request", "code_challenge must be 43 characters with code_challenge_method=S256."
        )
    return None


def make_grant(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    person: Person,
    session: Session,
    asked: Asked,
    acrs: frozenset[str],
    *,
    nonce: str | None = None,
    cp1: bool = False,
) -> Grant:
    now = signin.deps.clock()
    # Without offline access nothing can come of it once its first tokens have expired.
    lifetime = timedelta(days=signin.settings.refresh_token_days) if asked.offline else LONGEST_TOKEN
    grant = Grant(
        id=signin.deps.new_id(),
        client_id=client.app_id,
        account=person.account,
        tenant_id=person.tenant_id,
        scope=asked.scopes,
        session_id=session.id,
        amr=session.amr,
        acrs=tuple(sorted(acrs)),
        auth_time=session.auth_time,
        mfa_at=session.mfa_at,
        created_at=now,
        expires_at=now + lifetime,
        offline=asked.offline,
        nonce=nonce,
        cp1=cp1,
    )
    tx.grants.add(grant)
    return grant


def answer_with_code(
    signin: SignIn,
    tx: Transaction,
    request: AuthorizeRequest,
    authority: str,
    base: str,
    person: Person,
    session: Session,
    acrs: frozenset[str],
) -> Answer:
    """Make the grant and the code that leads to it."""
    grant = make_grant(
        signin,
        tx,
        request.client,
        person,
        session,
        request.asked,
        acrs,
        nonce=request.nonce,
        cp1=request.wanted.cp1,
    )
    secret = f"opimac_{signin.deps.secret(32)}"
    tx.authorization_codes.add(
        AuthorizationCode(
            hash=digest(secret),
            grant_id=grant.id,
            client_id=request.client.app_id,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            expires_at=grant.created_at + CODE_LIFETIME,
        )
    )
    params = [("code", secret)]
    if request.wants_client_info:
        params.append(("client_info", client_info(person)))
    if request.state is not None:
        params.append(("state", request.state))
    params.append(("session_state", session.id))
    params.append(("iss", id_issuer(base, authority, person.tenant_id)))
    return Answer(request.redirect_uri, request.mode, tuple(params))
