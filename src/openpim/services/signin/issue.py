"""Makes tokens: what stands in an access token, an ID token and a token answer.

The claims are gathered inside the unit of work (`Draft`), the signatures are made after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from openpim.core.directory import ServicePrincipal
from openpim.core.signin.consent import GRAPH_RESOURCE, Audience
from openpim.core.signin.lifetimes import access_token_end
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Client, Grant, RefreshToken, digest
from openpim.ports.store import Transaction
from openpim.services.sealing import b64
from openpim.services.signin.consent import scp_of
from openpim.services.signin.context import SignIn, issuer
from openpim.services.signin.people import Person
from openpim.services.signin.roles import InForce, roles_in_force
from openpim.services.signin.tokens import seconds

_ID_TOKEN_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A token answer before it is signed. scope: the strings to echo. refresh: the secret of a refresh token."""

    access: dict[str, Any]
    expires_in: int
    scope: tuple[str, ...] = ()
    identity: dict[str, Any] | None = None
    client_info: str | None = None
    refresh: str | None = None
    v1_resource: str = ""


def client_info(person: Person) -> str:
    """MSAL's account key: the home account, whatever tenant the token is for."""
    account = person.account
    return b64(json.dumps({"uid": account.user_id, "utid": account.tenant_id}).encode("ascii"))


def draft_for_person(
    signin: SignIn,
    tx: Transaction,
    grant: Grant,
    person: Person,
    asked: Asked,
    audience: Audience,
    now: datetime,
    *,
    id_issuer: str,
    acrs: Mapping[str, datetime],
    cp1: bool,
    nonce: str | None = None,
) -> Draft:
    """id_issuer: the issuer the client's discovery document named; the access token's is always the tenant's.
    acrs: authentication contexts, each with the instant from which it has to be proven anew."""
    settings = signin.settings
    held = roles_in_force(tx.in_tenant(person.tenant_id), person.user.id, now)
    end = access_token_end(now, settings.access_token_minutes, held.ends)
    scp = scp_of(tx.in_tenant(person.tenant_id), grant.client_id, person.user.id, asked, audience)
    access = _access(signin, grant, person, audience, scp, held, now, end, acrs, cp1)
    identity = _identity(grant, person, asked, now, id_issuer, nonce) if asked.openid else None
    return Draft(
        access=access,
        expires_in=max(1, seconds(end) - seconds(now)),
        scope=asked.scopes,
        identity=identity,
        client_info=client_info(person),
    )


def _access(
    signin: SignIn,
    grant: Grant,
    person: Person,
    audience: Audience,
    scp: tuple[str, ...],
    held: InForce,
    now: datetime,
    end: datetime,
    acrs: Mapping[str, datetime],
    cp1: bool,
) -> dict[str, Any]:
    user = person.user
    claims: dict[str, Any] = {
        **_common(signin, person.tenant_id, audience, grant.client_id, now, end),
        "sub": user.id,
        "oid": user.id,
        "scp": " ".join(scp),
        "upn": user.user_principal_name,
        "unique_name": user.user_principal_name,
        "preferred_username": user.user_principal_name,
        "name": user.display_name,
        "amr": list(grant.amr),
        "acr": "1",
        "auth_time": seconds(grant.auth_time),
        "idtyp": "user",
        "sid": grant.session_id,
        "gid": grant.id,
        "wids": list(held.wids),
    }
    if acrs:
        claims["acrs"] = sorted(acrs)
        claims["acrs_until"] = seconds(min(acrs.values()))
    if cp1:
        claims["xms_cc"] = ["CP1"]
    if person.guest:
        claims["idp"] = issuer(signin.settings.origin, person.account.tenant_id)
    return claims


def _common(
    signin: SignIn, tenant_id: str, audience: Audience, app_id: str, now: datetime, end: datetime
) -> dict[str, Any]:
    return {
        "iss": issuer(signin.settings.origin, tenant_id),
        "aud": audience.address,
        "rid": audience.resource_id,
        "iat": seconds(now),
        "nbf": seconds(now),
        "exp": seconds(end),
        "tid": tenant_id,
        "appid": app_id,
        "azp": app_id,
        "jti": signin.deps.new_id(),
        "ver": "2.0",
    }


def _identity(
    grant: Grant, person: Person, asked: Asked, now: datetime, id_issuer: str, nonce: str | None
) -> dict[str, Any]:
    user = person.user
    claims: dict[str, Any] = {
        "iss": id_issuer,
        "aud": grant.client_id,
        "sub": user.id,
        "iat": seconds(now),
        "nbf": seconds(now),
        "exp": seconds(now + timedelta(minutes=_ID_TOKEN_MINUTES)),
        "auth_time": seconds(grant.auth_time),
        "tid": person.tenant_id,
        "oid": user.id,
        "preferred_username": user.user_principal_name,
        "name": user.display_name,
        "amr": list(grant.amr),
        "sid": grant.session_id,
        "ver": "2.0",
    }
    if "profile" in asked.scopes:
        claims |= {k: v for k, v in (("given_name", user.given_name), ("family_name", user.surname)) if v}
    if "email" in asked.scopes and user.mail:
        claims["email"] = user.mail
    # Version-1 clients (the adfs alias) read these.
    claims["upn"] = claims["unique_name"] = user.user_principal_name
    if nonce is not None:
        claims["nonce"] = nonce
    return claims


def draft_for_app(
    signin: SignIn,
    tenant_id: str,
    client: Client,
    principal: ServicePrincipal,
    asked: Asked,
    audience: Audience,
    now: datetime,
) -> Draft:
    """Client credentials: no person, no refresh token; `roles` are the application permissions, which are Graph's."""
    end = now + timedelta(minutes=signin.settings.access_token_minutes)
    access = {
        **_common(signin, tenant_id, audience, client.app_id, now, end),
        "sub": principal.id,
        "oid": principal.id,
        "roles": list(principal.permissions) if audience.resource_id == GRAPH_RESOURCE else [],
        "idtyp": "app",
        "app_displayname": principal.display_name,
        "appidacr": "1",
    }
    return Draft(access=access, expires_in=seconds(end) - seconds(now), scope=asked.scopes)


def new_refresh_token(signin: SignIn, tx: Transaction, grant: Grant, now: datetime) -> str:
    secret = f"opimrt_{signin.deps.secret(32)}"
    tx.refresh_tokens.add(
        RefreshToken(hash=digest(secret), grant_id=grant.id, created_at=now, expires_at=grant.expires_at)
    )
    return secret


def render(signin: SignIn, draft: Draft) -> dict[str, Any]:
    """The token endpoint's answer."""
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(draft.scope),
        "expires_in": draft.expires_in,
        "ext_expires_in": draft.expires_in,
        "access_token": signin.tokens.sign(draft.access, "at+jwt"),
    }
    if draft.identity is not None:
        answer["id_token"] = signin.tokens.sign(draft.identity)
    if draft.refresh is not None:
        answer["refresh_token"] = draft.refresh
    if draft.client_info is not None:
        answer["client_info"] = draft.client_info
    if draft.v1_resource:
        answer["resource"] = draft.v1_resource
        answer["expires_on"] = draft.access["exp"]
        answer["not_before"] = draft.access["nbf"]
    return answer
