"""Makes tokens: what stands in an access token, an ID token and a token answer.

The claims are gathered inside the unit of work (`Draft`), the signatures are made after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpim.core.directory import ServicePrincipal
from openpim.core.relying import Place, fitting
from openpim.core.signin.consent import GRAPH_RESOURCE, OWN_RESOURCES, Audience
from openpim.core.signin.lifetimes import access_token_end
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Client, Grant, RefreshToken, digest
from openpim.ports.store import Transaction
from openpim.services.relying.claims import Values, in_access_token, roles_of_client, values_of, wanted_in
from openpim.services.sealing import b64
from openpim.services.signin.consent import scp_of
from openpim.services.signin.context import SignIn, issuer
from openpim.services.signin.people import Person
from openpim.services.signin.tokens import seconds

_ID_TOKEN_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A token answer before it is signed. scope: the strings to echo. refresh: the secret of a refresh token.
    issued_type: what was made of another token (RFC 8693)."""

    access: dict[str, Any]
    expires_in: int
    scope: tuple[str, ...] = ()
    identity: dict[str, Any] | None = None
    client_info: str | None = None
    refresh: str | None = None
    v1_resource: str = ""
    issued_type: str = ""


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
    there = tx.in_tenant(person.tenant_id)
    held = in_access_token(there, audience, person.user.id, now)
    end = access_token_end(now, signin.settings.access_token_minutes, held.ends)
    scp = scp_of(there, grant.client_id, person.user.id, asked, audience)
    access = _access(signin, grant, person, audience, scp, held, now, end, acrs, cp1)
    identity = None
    if asked.openid:
        shown = _shown(there, grant.client_id, person.user.id, now)
        identity = _identity(signin, grant, person, asked, now, id_issuer, nonce, shown, acrs)
    return Draft(
        access=access,
        expires_in=max(1, seconds(end) - seconds(now)),
        scope=asked.scopes,
        identity=identity,
        client_info=client_info(person),
    )


def _shown(tx: Transaction, client_id: str, user_id: str, now: datetime) -> Values:
    """What the ID token of this client carries of what the person holds."""
    client = tx.applications.by_app_id(client_id)
    if client is None:
        return Values({})
    return values_of(tx, client, user_id, now, wanted_in(client, Place.ID_TOKEN))


def acr_of(grant: Grant) -> str:
    """`mfa` where a second factor was given, else 1 (see docs/how-to/let-people-sign-in.md)."""
    return "mfa" if "mfa" in grant.amr else "1"


def userinfo_address(signin: SignIn) -> str:
    return f"{signin.settings.origin}/oidc/userinfo"


def _access(
    signin: SignIn,
    grant: Grant,
    person: Person,
    audience: Audience,
    scp: tuple[str, ...],
    held: Values,
    now: datetime,
    end: datetime,
    acrs: Mapping[str, datetime],
    cp1: bool,
) -> dict[str, Any]:
    user = person.user
    claims: dict[str, Any] = {
        **common(signin, person.tenant_id, audience, grant.client_id, now, end),
        "sub": user.id,
        "oid": user.id,
        "scp": " ".join(scp),
        "upn": user.user_principal_name,
        "unique_name": user.user_principal_name,
        "preferred_username": user.user_principal_name,
        "name": user.display_name,
        "amr": list(grant.amr),
        "acr": acr_of(grant),
        "auth_time": seconds(grant.auth_time),
        "idtyp": "user",
        "sid": grant.session_id,
        "gid": grant.id,
        **fitting(held.claims, userinfo_address(signin)),
    }
    if acrs:
        claims["acrs"] = sorted(acrs)
        claims["acrs_until"] = seconds(min(acrs.values()))
    if cp1:
        claims["xms_cc"] = ["CP1"]
    if person.guest:
        claims["idp"] = issuer(signin.settings.origin, person.account.tenant_id)
    return claims


def common(
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
    signin: SignIn,
    grant: Grant,
    person: Person,
    asked: Asked,
    now: datetime,
    id_issuer: str,
    nonce: str | None,
    shown: Values,
    acrs: Mapping[str, datetime],
) -> dict[str, Any]:
    user = person.user
    end = access_token_end(now, _ID_TOKEN_MINUTES, shown.ends)
    claims: dict[str, Any] = {
        "iss": id_issuer,
        "aud": grant.client_id,
        "sub": user.id,
        "iat": seconds(now),
        "nbf": seconds(now),
        "exp": seconds(end),
        "auth_time": seconds(grant.auth_time),
        "tid": person.tenant_id,
        "oid": user.id,
        "preferred_username": user.user_principal_name,
        "name": user.display_name,
        "amr": list(grant.amr),
        "acr": acr_of(grant),
        "sid": grant.session_id,
        "ver": "2.0",
        **fitting(shown.claims, userinfo_address(signin)),
    }
    if acrs:
        claims["acrs"] = sorted(acrs)
    if "profile" in asked.scopes:
        claims |= {k: v for k, v in (("given_name", user.given_name), ("family_name", user.surname)) if v}
    if "email" in asked.scopes and user.mail:
        claims["email"] = user.mail
    # Version-1 clients (the adfs alias) read these.
    claims["upn"] = claims["unique_name"] = user.user_principal_name
    if nonce is not None:
        claims["nonce"] = nonce
    return claims


def _roles_as_itself(
    tx: Transaction, principal: ServicePrincipal, audience: Audience, now: datetime
) -> dict[str, datetime | None]:
    """Graph's application permissions; at another application, its roles that this one was given."""
    if audience.resource_id == GRAPH_RESOURCE:
        return dict.fromkeys(principal.permissions)
    application = (
        None if audience.resource_id in OWN_RESOURCES else tx.applications.by_app_id(audience.address)
    )
    return roles_of_client(tx, application, principal.id, now) if application is not None else {}


def draft_for_app(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    principal: ServicePrincipal,
    asked: Asked,
    audience: Audience,
    now: datetime,
) -> Draft:
    """Client credentials: no person, no refresh token. tx: of the tenant."""
    roles = _roles_as_itself(tx, principal, audience, now)
    bounds = [end for end in roles.values() if end is not None]
    end = access_token_end(now, signin.settings.access_token_minutes, bounds)
    access = {
        **common(signin, tx.tenant_id, audience, client.app_id, now, end),
        "sub": principal.id,
        "oid": principal.id,
        "roles": sorted(roles),
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
    if draft.issued_type:
        answer["issued_token_type"] = draft.issued_type
    if draft.v1_resource:
        answer["resource"] = draft.v1_resource
        answer["expires_on"] = draft.access["exp"]
        answer["not_before"] = draft.access["nbf"]
    return answer
