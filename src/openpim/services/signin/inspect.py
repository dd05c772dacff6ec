"""Introspection (RFC 7662) and revocation (RFC 7009) of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openpim.core.caller import Caller
from openpim.core.signin.lifetimes import Refresh, judge_refresh
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.values import Client, Grant, digest
from openpim.ports.store import Transaction
from openpim.services.relying.claims import still_held
from openpim.services.signin.bearer import live_caller
from openpim.services.signin.clients import ClientProof, identify
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.people import find_tenant, person_in
from openpim.services.signin.sessions import revoke_grant
from openpim.services.signin.tokens import instant, seconds

_INACTIVE: dict[str, Any] = {"active": False}
_COPIED = [
    "iss",
    "aud",
    "sub",
    "oid",
    "tid",
    "exp",
    "iat",
    "nbf",
    "scp",
    "roles",
    "upn",
    "name",
    "amr",
    "acrs",
    "wids",
    "groups",
    "group_names",
    "activation",
    "act",
    "acr",
    "appid",
    "azp",
    "sid",
    "jti",
    "auth_time",
    "idtyp",
]


def introspect(signin: SignIn, authority: str, token: str, proof: ClientProof) -> dict[str, Any] | OAuthError:
    """What a token is worth now. For confidential clients, about tokens made for them or meant for them."""

    def work(tx: Transaction) -> dict[str, Any] | OAuthError:
        client = identify(signin, tx, proof, authority, confidential=True)
        if isinstance(client, OAuthError):
            return client
        claims = signin.tokens.verify(token)
        if claims is None:
            return _refresh_state(signin, tx, client, token)
        if client.app_id not in {claims.get("appid"), claims.get("aud")} or not _same_tenant(
            tx, authority, claims
        ):
            return _INACTIVE
        there, now = tx.in_tenant(str(claims["tid"])), signin.deps.clock()
        caller = live_caller(there, claims, {}, now)
        if not isinstance(caller, Caller) or not still_held(there, claims, now):
            return _INACTIVE
        found = {name: claims[name] for name in _COPIED if name in claims}
        # What the token says may be more than what still stands: consent taken back, a context gone stale.
        scope = " ".join(name for name in str(claims.get("scp", "")).split() if name in caller.scopes)
        live = {"scp": scope, "acrs": sorted(caller.acrs)}
        found |= {name: value for name, value in live.items() if name in claims}
        username = {"username": caller.user_principal_name} if caller.user_principal_name else {}
        return {
            "active": True,
            "token_type": "Bearer",
            "client_id": claims.get("appid"),
            "scope": scope,
            **username,
            **found,
        }

    # Nothing is written, but for a client's assertion, which is spent.
    return (signin.deps.store.write if proof.assertion else signin.deps.store.read)("", work)


def _same_tenant(tx: Transaction, authority: str, claims: Mapping[str, Any]) -> bool:
    tenant = find_tenant(tx, authority)
    return tenant is None or tenant.id == claims.get("tid")


def _refresh_state(signin: SignIn, tx: Transaction, client: Client, token: str) -> dict[str, Any]:
    found = tx.refresh_tokens.get(digest(token))
    grant = tx.grants.get(found.grant_id) if found else None
    if found is None or grant is None or grant.client_id != client.app_id:
        return _INACTIVE
    if judge_refresh(found, grant, signin.deps.clock(), 0) is not Refresh.USABLE:
        return _INACTIVE
    if person_in(tx, grant.account, grant.tenant_id) is None:
        return _INACTIVE
    return {
        "active": True,
        "token_type": "refresh_token",
        "client_id": grant.client_id,
        "scope": " ".join(grant.scope),
        "exp": seconds(found.expires_at),
        "iat": seconds(found.created_at),
    }


def revoke(
    signin: SignIn, authority: str, token: str, proof: ClientProof, origin: Origin
) -> OAuthError | None:
    """Take back a refresh token (its family dies) or an access token. Says nothing about unknown tokens."""

    def work(tx: Transaction) -> OAuthError | None:
        client = identify(signin, tx, proof, authority)
        if isinstance(client, OAuthError):
            return client
        found = tx.refresh_tokens.get(digest(token))
        grant = tx.grants.get(found.grant_id) if found else None
        claims = signin.tokens.verify(token) if found is None else None
        if claims is not None and claims.get("appid") == client.app_id:
            if isinstance(claims.get("gid"), str):
                grant = tx.grants.get(str(claims["gid"]))
            elif (end := instant(claims.get("exp"))) is not None:
                tx.revocations.add(str(claims.get("jti")), end)
        if grant is not None and grant.client_id == client.app_id and grant.revoked_at is None:
            _revoke(signin, tx, grant, origin)
        return None

    store = signin.deps.store
    ours = store.read("", lambda tx: tx.refresh_tokens.get(digest(token))) is not None
    written = bool(proof.assertion) or ours or signin.tokens.verify(token) is not None
    return (store.write if written else store.read)("", work)


def _revoke(signin: SignIn, tx: Transaction, grant: Grant, origin: Origin) -> None:
    tx.client_sessions.drop_grant(grant.id)  # the application itself gives it back
    revoke_grant(tx, signin.deps, grant)
    home = tx.in_tenant(grant.account.tenant_id)
    record(signin.deps, home, grant.account, "Revoke tokens", origin, app_id=grant.client_id)
