"""Consent: what a registered application may do *for a person*, and who can allow it.

Kept apart from application permissions, which are what an application may do as itself. Everything here is names; what
the person may do is read from the store at each call, so a delegated permission only ever narrows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from openpim.core.signin.scopes import OIDC_SCOPES, Asked, ResourceKind

GRAPH_RESOURCE = "00000003-0000-0000-c000-000000000000"
ARM_RESOURCE = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
OWN_RESOURCES = frozenset({GRAPH_RESOURCE, ARM_RESOURCE})
USER_READ = "User.Read"
IMPERSONATION = "user_impersonation"
# What a person may allow by himself: that he is signed in, and his own profile. Everything else is an administrator's
# to give: else whoever registers an application would act as every administrator who follows a link.
LOW = OIDC_SCOPES | {USER_READ}


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """client_id: the application's service principal here. resource_id: the API's service principal, or the well-known
    client id of one of our own APIs. principal_id: the person it was given for; None: everybody. scope: names."""

    id: str
    client_id: str
    resource_id: str
    principal_id: str | None
    scope: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Audience:
    """The API that tokens are asked for, found. address: the `aud`; resource_id: as in PermissionGrant."""

    resource_id: str
    address: str
    name: str


def beyond_low(grant: PermissionGrant) -> bool:
    """Whether the grant lets the application do what a person could not have allowed by himself."""
    return grant.resource_id != GRAPH_RESOURCE or bool(set(grant.scope) - LOW)


def needed(asked: Asked) -> dict[str, frozenset[str]]:
    """What must have been consented for this request: kind of resource ("" the API itself, GRAPH_RESOURCE for the names
    of OpenID Connect) -> names. `.default` asks for what was given, so it needs no more than the least."""
    oidc = frozenset(asked.scopes) & OIDC_SCOPES
    own = frozenset(asked.names)
    if asked.default or not (own or oidc):
        own |= {USER_READ if asked.resource.kind is ResourceKind.GRAPH else IMPERSONATION}
    return {"": own, GRAPH_RESOURCE: oidc}


def missing(asked: Asked, resource_id: str, given: Iterable[PermissionGrant]) -> tuple[tuple[str, str], ...]:
    """(resource id, name) of what nobody has consented to yet. given: the grants that count for this person."""
    known = {(grant.resource_id, name) for grant in given for name in grant.scope}
    wanted = {(key or resource_id, name) for key, names in needed(asked).items() for name in names}
    return tuple(sorted(wanted - known))


def person_may_allow(wanted: Iterable[tuple[str, str]]) -> bool:
    return all(resource == GRAPH_RESOURCE and name in LOW for resource, name in wanted)


def allowed_names(asked: Asked, resource_id: str, given: Iterable[PermissionGrant]) -> tuple[str, ...]:
    """The `scp` of a token: of what was asked, what was consented. `.default`: all that was."""
    grants = list(given)
    at_resource = [name for one in grants if one.resource_id == resource_id for name in one.scope]
    oidc = {name for one in grants if one.resource_id == GRAPH_RESOURCE for name in one.scope} & OIDC_SCOPES
    own = at_resource if asked.default else [name for name in asked.names if name in set(at_resource)]
    named = [name for name in own if name not in OIDC_SCOPES]
    said = [name for name in asked.scopes if name in oidc and name != "offline_access"]
    return tuple(dict.fromkeys([*sorted(named), *said]))


def live_names(resource_id: str, given: Iterable[PermissionGrant]) -> frozenset[str]:
    """All that a token for this API may still carry."""
    return frozenset(
        name
        for one in given
        for name in one.scope
        if one.resource_id == resource_id or (one.resource_id == GRAPH_RESOURCE and name in OIDC_SCOPES)
    )
