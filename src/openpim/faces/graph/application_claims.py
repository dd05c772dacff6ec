"""What an application is told of people, and its own roles, in Graph's words: `groupMembershipClaims`, `optionalClaims`,
`appRoles`; and what Graph has no word for in `openPim` (see docs/divergences/graph.md)."""

from __future__ import annotations

from typing import Any

from openpim.core.directory import Application
from openpim.core.relying import AppRole, LogoutWhen, Named
from openpim.wire.jsonbody import Body

Row = dict[str, Any]


def role_row(role: AppRole) -> Row:
    return {
        "allowedMemberTypes": list(role.members),
        "description": role.description or None,
        "displayName": role.display_name,
        "id": role.id,
        "isEnabled": role.enabled,
        "origin": "Application",
        "value": role.value,
    }


def claim_members(application: Application) -> Row:
    """The members of an application that say what it is told."""
    settings = application.claims
    optional = None
    if settings.id_token or settings.access_token:
        optional = {
            "accessToken": [_claim(one) for one in settings.access_token],
            "idToken": [_claim(one) for one in settings.id_token],
            "saml2Token": [],
        }
    named = settings.userinfo
    return {
        "appRoles": [role_row(one) for one in application.app_roles],
        "groupMembershipClaims": settings.group_claims,
        "optionalClaims": optional,
        "openPim": {
            "logoutWhen": settings.logout_when.value,
            "onlyNamedClaims": settings.only_named,
            "userInfoClaims": None if named is None else [_claim(one) for one in named],
        },
    }


def _claim(named: Named) -> Row:
    return {
        "additionalProperties": list(named.properties),
        "essential": named.essential,
        "name": named.name,
        "source": named.source,
    }


def read_claims(body: Body) -> dict[str, Any]:
    """`app_roles` and `claims` of a body, as far as it names them; of `claims` only what it names."""
    found: dict[str, Any] = {}
    if body.has("appRoles"):
        found["app_roles"] = tuple(_role(one) for one in body.objects("appRoles", most=1000) or ())
    claims: dict[str, Any] = {}
    if body.has("groupMembershipClaims"):
        claims["group_claims"] = body.text("groupMembershipClaims", max_length=100) or None
    if body.has("optionalClaims"):
        optional = body.object("optionalClaims") or Body({})
        if optional.objects("saml2Token"):
            raise optional.fail("saml2Token", "must be empty: there is no SAML here")
        claims["id_token"] = _named(optional, "idToken")
        claims["access_token"] = _named(optional, "accessToken")
    ours = body.object("openPim")
    if ours is not None:
        if ours.has("userInfoClaims"):
            listed = ours.get("userInfoClaims") is not None
            claims["userinfo"] = _named(ours, "userInfoClaims") if listed else None
        if ours.has("onlyNamedClaims"):
            claims["only_named"] = bool(ours.boolean("onlyNamedClaims"))
        if ours.has("logoutWhen"):
            claims["logout_when"] = ours.need_choice("logoutWhen", LogoutWhen)
    if claims:
        found["claims"] = claims
    return found


def _role(body: Body) -> AppRole:
    enabled = body.boolean("isEnabled")
    return AppRole(
        id=body.need_guid("id"),
        value=body.need_text("value", max_length=250),
        display_name=body.need_text("displayName", max_length=250),
        description=body.text("description", max_length=2000) or "",
        enabled=True if enabled is None else enabled,
        members=tuple(dict.fromkeys(body.texts("allowedMemberTypes", most=10, max_length=50) or ())),
    )


def _named(body: Body, name: str) -> tuple[Named, ...]:
    return tuple(
        Named(
            name=one.need_text("name", max_length=100),
            properties=tuple(one.texts("additionalProperties", most=20, max_length=100) or ()),
            essential=bool(one.boolean("essential")),
            source=one.text("source", max_length=100),
        )
        for one in body.objects(name, most=200) or ()
    )
