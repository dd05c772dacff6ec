"""The token endpoint: a code, a refresh token, a device code or the client's own proof, for tokens.

Each is one unit of work that returns a draft or an OAuth error; an error commits too, because finding a replay
revokes what was made from it. Signatures are made after the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from openpim.core.signin.claims import (
    Wanted,
    demand,
    granted_contexts,
    needs_mfa,
    needs_password,
    parse_claims,
)
from openpim.core.signin.lifetimes import Refresh, judge_refresh
from openpim.core.signin.oauth import OAuthError, pkce_matches
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import AuthorizationCode, Client, Grant, digest
from openpim.ports.store import Transaction
from openpim.services.relying.sessions import remember
from openpim.services.signin.clients import ClientProof, identify
from openpim.services.signin.consent import find_audience, unconsented
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.exchange import GRANT_TYPE, exchange
from openpim.services.signin.flow import id_issuer
from openpim.services.signin.issue import Draft, draft_for_app, draft_for_person, new_refresh_token, render
from openpim.services.signin.people import (
    ANY_TENANT,
    client_allowed,
    find_tenant,
    person_in,
)
from openpim.services.signin.proofs import lifetime, mfa_contexts, of_grant
from openpim.services.signin.scopes_by_name import SIGNALS, named_alone
from openpim.services.signin.sessions import revoke_grant

DEVICE_GRANTS = frozenset({"urn:ietf:params:oauth:grant-type:device_code", "device_code"})
_INVALID = "invalid_grant"


def redeem(
    signin: SignIn, authority: str, fields: Mapping[str, str], proof: ClientProof, origin: Origin
) -> dict[str, Any] | OAuthError:
    """authority: the tenant segment. fields: the form. The answer's JSON members, or the error."""
    kind = fields.get("grant_type", "")
    act = _GRANTS.get("device_code" if kind in DEVICE_GRANTS else kind)
    if act is None:
        if not kind:
            return OAuthError("invalid_request", "grant_type is missing.")
        return OAuthError("unsupported_grant_type", "This grant_type is not supported.")
    wanted = parse_claims(fields.get("claims", ""))
    if wanted is None:
        return OAuthError("invalid_request", "claims is not a JSON object.")

    def work(tx: Transaction) -> Draft | OAuthError:
        if authority.lower() not in ANY_TENANT and find_tenant(tx, authority) is None:
            return OAuthError("invalid_request", "There is no such tenant: check the address.")
        client = identify(signin, tx, proof, authority)
        if isinstance(client, OAuthError):
            return client
        return act(signin, tx, client, authority, fields, wanted, origin)

    # A secret that nobody knows changes nothing: whoever tries some never waits for, or holds, the one writer. (An
    # assertion is spent, so it is always written.)
    store = signin.deps.store
    written = (
        bool(proof.assertion)
        or store.read("", lambda tx: _known(tx, fields))
        or (kind == GRANT_TYPE and signin.tokens.verify(fields.get("subject_token", "")) is not None)
    )
    draft = (store.write if written else store.read)("", work)
    if isinstance(draft, OAuthError):
        return draft
    if fields.get("resource") and kind != GRANT_TYPE:
        draft = replace(draft, v1_resource=fields["resource"])
    return render(signin, draft)


def _known(tx: Transaction, fields: Mapping[str, str]) -> bool:
    """Whether the form carries a code or token of ours. (For its own tokens an application only reads.)"""
    device = fields.get("device_code") or fields.get("code", "")
    return (
        tx.authorization_codes.get(digest(fields.get("code", ""))) is not None
        or tx.refresh_tokens.get(digest(fields.get("refresh_token", ""))) is not None
        or tx.device_codes.get(digest(device)) is not None
    )


def _asked(signin: SignIn, fields: Mapping[str, str], otherwise: tuple[str, ...]) -> Asked | OAuthError:
    scope, resource = fields.get("scope", ""), fields.get("resource", "")
    if scope or resource:
        return signin.asked(
            scope or " ".join(s for s in otherwise if s in {"openid", "offline_access"}), resource
        )
    return signin.asked(" ".join(otherwise))


# ---------------------------------------------------------------------------------------- people's grants


def _for_person(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    grant: Grant,
    asked: Asked,
    wanted: Wanted,
    origin: Origin,
    *,
    nonce: str | None = None,
    fresh: bool = True,
) -> Draft | OAuthError:
    """Tokens from a grant, after the facts have been read again: the person, the tenant, the client, the proof. fresh: it
    is a sign-in, no refresh."""
    explicit = find_tenant(tx, authority)
    person = person_in(tx, grant.account, explicit.id if explicit else grant.tenant_id)
    if person is None:
        return OAuthError(_INVALID, "The account is disabled or has no access to this tenant.")
    if not client_allowed(tx, client, person.tenant_id):
        return OAuthError("unauthorized_client", "The application is not allowed in this tenant.")
    there = tx.in_tenant(person.tenant_id)
    audience = find_audience(there, asked)
    if isinstance(audience, OAuthError):
        return audience
    if unconsented(there, client, person.user.id, asked, audience):
        return OAuthError(
            _INVALID,
            "AADSTS65001: The application was not allowed to do this for you: sign in again to be asked.",
            suberror="consent_required",
        )
    now, life = signin.deps.clock(), lifetime(signin)
    proof = of_grant(grant, person.tenant_id)
    mfa = mfa_contexts(there, proof.acrs.union(wanted.acrs))
    if needs_mfa(wanted, proof, mfa, life, now) or needs_password(wanted, proof, mfa, life, now):
        problem = "More proof is needed: sign in again with these claims."
        return OAuthError("interaction_required", problem, claims=demand(wanted))
    acrs = granted_contexts(wanted, proof, mfa, life, now)
    if acrs.keys() != proof.acrs and person.tenant_id == grant.tenant_id:
        tx.grants.set_acrs(grant.id, acrs)
    draft = draft_for_person(
        signin,
        tx,
        grant,
        person,
        asked,
        audience,
        now,
        id_issuer=id_issuer(origin.base, authority, person.tenant_id),
        acrs=acrs,
        cp1=wanted.cp1 or grant.cp1,
        nonce=nonce,
    )
    if draft.identity is not None:
        remember(tx, grant, person, str(draft.identity["iss"]), now, fresh=fresh)
    return draft


def _with_refresh(
    signin: SignIn, tx: Transaction, grant: Grant, draft: Draft | OAuthError
) -> Draft | OAuthError:
    if isinstance(draft, OAuthError) or not grant.offline:
        return draft
    return replace(draft, refresh=new_refresh_token(signin, tx, grant, signin.deps.clock()))


def _stolen(signin: SignIn, tx: Transaction, grant: Grant | None, what: str, origin: Origin) -> OAuthError:
    """Something that works once came twice: everything made from it dies, and it is on record."""
    if grant is not None and grant.revoked_at is None:
        revoke_grant(tx, signin.deps, grant)
        home = tx.in_tenant(grant.account.tenant_id)
        reason = f"{what} was used twice: the tokens made from it are revoked"
        record(
            signin.deps, home, grant.account, "Revoke tokens", origin, reason=reason, app_id=grant.client_id
        )
    return OAuthError(_INVALID, f"The {what} was used before: sign in again.")


def _code(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    wanted: Wanted,
    origin: Origin,
) -> Draft | OAuthError:
    code = tx.authorization_codes.get(digest(fields.get("code", "")))
    if code is None or code.client_id != client.app_id:
        return OAuthError(_INVALID, "The code is not valid.")
    grant = tx.grants.lock(code.grant_id)
    if code.used_at is not None:
        return _stolen(signin, tx, grant, "code", origin)
    problem = _code_problem(signin, code, fields)
    if problem is not None:
        return problem
    if grant is None or grant.revoked_at is not None:
        return OAuthError(_INVALID, "The code is not valid any more.")
    explicit = find_tenant(tx, authority)
    if explicit is not None and explicit.id != grant.tenant_id:
        return OAuthError(_INVALID, "The code is for another tenant.")
    if not tx.authorization_codes.use(code.hash, signin.deps.clock()):
        return _stolen(signin, tx, grant, "code", origin)
    asked = _asked(signin, fields, grant.scope)
    if isinstance(asked, OAuthError):
        return asked
    draft = _for_person(signin, tx, client, authority, grant, asked, wanted, origin, nonce=grant.nonce)
    return _with_refresh(signin, tx, grant, draft)


def _code_problem(signin: SignIn, code: AuthorizationCode, fields: Mapping[str, str]) -> OAuthError | None:
    if signin.deps.clock() >= code.expires_at:
        return OAuthError(_INVALID, "The code has expired: sign in again.")
    if fields.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
        return OAuthError(_INVALID, "redirect_uri differs from the one of the sign-in.")
    verifier = fields.get("code_verifier", "")
    if code.challenge is None:
        # RFC 9700 2.1.1: a verifier without a challenge means that somebody stripped the challenge.
        return OAuthError(_INVALID, "code_verifier was not expected.") if verifier else None
    if not pkce_matches(code.challenge, verifier):
        return OAuthError(_INVALID, "code_verifier does not match the sign-in.")
    return None


def _refresh(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    wanted: Wanted,
    origin: Origin,
) -> Draft | OAuthError:
    now = signin.deps.clock()
    presented = tx.refresh_tokens.get(digest(fields.get("refresh_token", "")))
    grant = tx.grants.lock(presented.grant_id) if presented else None
    if presented is None or grant is None or grant.client_id != client.app_id:
        return OAuthError(_INVALID, "The refresh token is not valid.")
    # Read again under the family's lock: another request may have used it meanwhile.
    token = tx.refresh_tokens.get(presented.hash) or presented
    verdict = judge_refresh(token, grant, now, signin.settings.refresh_grace_seconds)
    if verdict is Refresh.REUSED:
        return _stolen(signin, tx, grant, "refresh token", origin)
    if verdict is Refresh.DEAD:
        return OAuthError(_INVALID, "The refresh token has expired or was revoked: sign in again.")
    asked = _asked(signin, fields, grant.scope)
    if isinstance(asked, OAuthError):
        return asked
    draft = _for_person(signin, tx, client, authority, grant, asked, wanted, origin, fresh=False)
    if isinstance(draft, OAuthError):
        return (
            draft  # the refresh token stays good: the client will need it after the step-up it is asked for
        )
    tx.refresh_tokens.use(token.hash, now)
    return _with_refresh(signin, tx, grant, draft)


def _device(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    wanted: Wanted,
    origin: Origin,
) -> Draft | OAuthError:
    now = signin.deps.clock()
    device = tx.device_codes.get(digest(fields.get("device_code") or fields.get("code", "")))
    if device is None or device.client_id != client.app_id:
        return OAuthError(_INVALID, "The device code is not valid.")
    grant = tx.grants.lock(device.grant_id) if device.grant_id else None
    if device.status == "redeemed":
        return _stolen(signin, tx, grant, "device code", origin)
    if device.status == "denied":
        return OAuthError("access_denied", "The person refused the sign-in.")
    if now >= device.expires_at:
        return OAuthError("expired_token", "The code has expired: start again.")
    if device.status == "pending":
        soon = device.polled_at is not None and now < device.polled_at + timedelta(
            seconds=device.interval - 1
        )
        tx.device_codes.polled(device.hash, now, device.interval + 5 if soon else device.interval)
        if soon:
            return OAuthError("slow_down", f"Ask again in {device.interval + 5} seconds.")
        return OAuthError("authorization_pending", "The person has not finished the sign-in yet.")
    if grant is None or grant.revoked_at is not None or not tx.device_codes.redeem(device.hash):
        return _stolen(signin, tx, grant, "device code", origin)
    asked = _asked(signin, fields, grant.scope)
    if isinstance(asked, OAuthError):
        return asked
    if asked.resource != _resource(signin, grant.scope):
        return OAuthError("invalid_scope", "The scope differs from the one the person agreed to.")
    explicit = find_tenant(tx, authority)
    if explicit is not None and explicit.id != grant.tenant_id:
        return OAuthError(_INVALID, "The code is for another tenant.")
    draft = _for_person(signin, tx, client, authority, grant, asked, wanted, origin)
    return _with_refresh(signin, tx, grant, draft)


def _resource(signin: SignIn, scope: tuple[str, ...]) -> object:
    asked = signin.asked(" ".join(scope))
    return asked.resource if isinstance(asked, Asked) else None


# ---------------------------------------------------------------------------------------- applications


def _client_credentials(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    wanted: Wanted,
    _origin: Origin,
) -> Draft | OAuthError:
    if client.public:
        return OAuthError("unauthorized_client", "A public client cannot act as itself.")
    tenant = find_tenant(tx, authority)
    if tenant is None and authority.lower() == "adfs" and client.tenant_id is not None:
        tenant = tx.tenants.get(client.tenant_id)  # the alias cannot name one: the application's own
    if tenant is None:
        return OAuthError(
            "invalid_request", "An application must name its tenant: use the tenant's own address."
        )
    asked = signin.asked(fields.get("scope", ""), fields.get("resource", ""))
    if isinstance(asked, OAuthError):
        return asked
    if not asked.default and not SIGNALS.issuperset(asked.names or ("",)):
        return OAuthError("invalid_scope", "An application asks for `<resource>/.default`.")
    principal = tx.in_tenant(tenant.id).service_principals.by_app_id(client.app_id)
    if principal is None or not principal.enabled:
        return OAuthError("unauthorized_client", "The application is not allowed in this tenant.")
    audience = find_audience(tx.in_tenant(tenant.id), asked)
    if isinstance(audience, OAuthError):
        return audience
    draft = draft_for_app(
        signin, tx.in_tenant(tenant.id), client, principal, asked, audience, signin.deps.clock()
    )
    if wanted.cp1:
        draft.access["xms_cc"] = ["CP1"]
    return draft if asked.default else named_alone(draft, asked)


def _exchange(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    _wanted: Wanted,
    origin: Origin,
) -> Draft | OAuthError:
    return exchange(signin, tx, client, authority, fields, origin)


_Grant = Callable[[SignIn, Transaction, Client, str, Mapping[str, str], Wanted, Origin], Draft | OAuthError]
_GRANTS: dict[str, _Grant] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    "device_code": _device,
    "client_credentials": _client_credentials,
    GRANT_TYPE: _exchange,
}
