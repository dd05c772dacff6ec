"""Who is calling one of our own APIs? The token says who; the store says, at each call, whether that still holds.

A plain function for the thread the act itself runs in: `authenticate(deps, tokens, header)` gives a Caller or a
Refusal (Code.SIGN_IN) and never raises for what a client sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import User
from openpim.core.first_party import APPLICATIONS as FIRST_PARTY
from openpim.core.grants import AssignmentType, Schedule
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.scopes import ResourceKind
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.signin.consent import live_scopes
from openpim.services.signin.context import issuer, origins
from openpim.services.signin.people import able_user
from openpim.services.signin.scopes_by_name import of_application
from openpim.services.signin.tokens import Tokens, instant

GRAPH = frozenset({ResourceKind.GRAPH, ResourceKind.ARM})  # some tools send Graph their management token
ARM = frozenset({ResourceKind.ARM})


def authenticate(
    deps: Deps,
    tokens: Tokens,
    authorization: str | None,
    *,
    accepts: frozenset[ResourceKind] = GRAPH,
    ip: str | None = None,
    client: str | None = None,
    request_id: str | None = None,
) -> Caller | Refusal:
    """authorization: the header as sent. accepts: the audiences of this API. client: the User-Agent."""
    claims = _verified(deps, tokens, authorization, accepts)
    if isinstance(claims, Refusal):
        return claims
    facts: dict[str, Any] = {"ip": ip, "client": client, "request_id": request_id}
    caller = deps.store.read(str(claims["tid"]), lambda tx: live_caller(tx, claims, facts, deps.clock()))
    if (
        isinstance(caller, Caller)
        and claims.get("aud") == deps.settings.arm_origin
        and not _impersonates(caller)
    ):
        return _no("The application of this access token may not act for people here: ask an administrator.")
    return caller


def _impersonates(caller: Caller) -> bool:
    """The resource manager knows one permission, and looks at the person's roles alone for the rest."""
    return caller.kind is not CallerKind.USER or "user_impersonation" in caller.scopes


def userinfo_audience(deps: Deps, tokens: Tokens, authorization: str | None) -> Mapping[str, Any] | Refusal:
    """The claims of a token for userinfo: any of ours will do, whatever API it is for; not yet checked live."""
    return _verified(deps, tokens, authorization, None)


def _verified(
    deps: Deps, tokens: Tokens, authorization: str | None, accepts: frozenset[ResourceKind] | None
) -> Mapping[str, Any] | Refusal:
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return _no("Access token is empty: sign in and send it as `Authorization: Bearer`.")
    claims = tokens.verify(token.strip())
    if claims is None:
        return _no("The access token is not valid or has expired: sign in again.")
    return _meant_for_us(deps, claims, accepts) or claims


def _meant_for_us(
    deps: Deps, claims: Mapping[str, Any], accepts: frozenset[ResourceKind] | None
) -> Refusal | None:
    settings = deps.settings
    addresses = {ResourceKind.GRAPH: settings.origin, ResourceKind.ARM: settings.arm_origin}
    # Only the public tools, which everybody has and which get every permission, use one token for both.
    elsewhere = (
        accepts is not None and ResourceKind.GRAPH in accepts and claims.get("aud") == settings.arm_origin
    )
    if elsewhere and claims.get("appid") not in FIRST_PARTY:
        return _no("The access token is for the resource manager: ask for one with this API's scope.")
    if accepts is not None and claims.get("aud") not in {
        addresses[kind] for kind in accepts if kind in addresses
    }:
        return _no("The access token is for another API: ask for one with this API's scope.")
    if not ours(deps, claims):
        return _no("The access token was issued by somebody else: sign in here.")
    return None


def ours(deps: Deps, claims: Mapping[str, Any]) -> bool:
    """Whether the issuer is us, for the tenant the token names."""
    tenant_id = claims.get("tid")
    return isinstance(tenant_id, str) and claims.get("iss") in {
        issuer(origin, tenant_id) for origin in origins(deps.settings)
    }


def activation_of(tx: Transaction, schedule_id: str, user_id: str, now: datetime) -> Schedule | None:
    """The activation, if it is the person's own and in force."""
    found = tx.schedules.get(schedule_id)
    stands = (
        found is not None
        and found.assignment_type is AssignmentType.ACTIVATED
        and found.principal_id == user_id
        and found.in_force(now)
    )
    return found if stands else None


def live_caller(
    tx: Transaction, claims: Mapping[str, Any], facts: Mapping[str, Any], now: datetime
) -> Caller | Refusal:
    """The caller, if everything the token rests on still stands. tx: of the token's tenant."""
    revocable = [claims.get(name) for name in ("gid", "sid", "jti")]
    if tx.revocations.any_of([one for one in revocable if isinstance(one, str)]):
        return _no("The sign-in behind this access token has ended: sign in again.")
    if claims.get("idtyp") == "app":
        return _application(tx, claims, facts)
    user = tx.users.get(str(claims.get("oid")))
    if user is None or not _still_able(tx, user):
        return _no("The account of this access token is disabled or gone: ask an administrator.")
    if not _client_still_able(tx, str(claims.get("appid"))):
        return _no("The application of this access token is disabled here: ask an administrator.")
    bound = claims.get("activation")
    if isinstance(bound, Mapping) and activation_of(tx, str(bound.get("id")), user.id, now) is None:
        return _no("The activation that this access token carries has ended: activate again.")
    app_id = str(claims.get("appid"))
    return Caller(
        tenant_id=tx.tenant_id,
        principal_id=user.id,
        kind=CallerKind.USER,
        display_name=user.display_name,
        user_principal_name=user.user_principal_name,
        app_id=app_id,
        scopes=live_scopes(tx, app_id, user.id, str(claims.get("rid")), str(claims.get("scp", "")).split()),
        amr=_texts(claims.get("amr")),
        acrs=_contexts(claims, now),
        auth_time=instant(claims.get("auth_time")),
        session_id=str(claims.get("sid")),
        capabilities=frozenset(one.lower() for one in _texts(claims.get("xms_cc"))),
        **facts,
    )


def _application(tx: Transaction, claims: Mapping[str, Any], facts: Mapping[str, Any]) -> Caller | Refusal:
    principal = tx.service_principals.get(str(claims.get("oid")))
    if principal is None or not principal.enabled or principal.app_id != claims.get("appid"):
        return _no("The application of this access token is disabled or gone: ask an administrator.")
    return Caller(
        tenant_id=tx.tenant_id,
        principal_id=principal.id,
        kind=CallerKind.SERVICE_PRINCIPAL,
        display_name=principal.display_name,
        app_id=principal.app_id,
        permissions=of_application(principal, claims),
        **facts,
    )


def _still_able(tx: Transaction, user: User) -> bool:
    if not user.enabled or user.deleted_at is not None:
        return False
    if user.home_tenant_id and user.home_user_id:
        return able_user(tx, user.home_tenant_id, user.home_user_id) is not None
    return True


def _client_still_able(tx: Transaction, app_id: str) -> bool:
    if app_id in FIRST_PARTY:
        return True
    principal = tx.service_principals.by_app_id(app_id)
    return principal is None or principal.enabled


def _contexts(claims: Mapping[str, Any], now: datetime) -> frozenset[str]:
    """A token may outlive the proof of its authentication contexts; without a word about that they do not count."""
    until = instant(claims.get("acrs_until"))
    return _texts(claims.get("acrs")) if until is not None and now < until else frozenset()


def _texts(value: Any) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _no(message: str) -> Refusal:
    return Refusal(Code.SIGN_IN, message)
