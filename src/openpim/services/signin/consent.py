"""Finds the API that tokens are asked for, and what has been consented there; writes what a person has just allowed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import ServicePrincipal
from openpim.core.first_party import APPLICATIONS as FIRST_PARTY
from openpim.core.signin.consent import (
    ARM_RESOURCE,
    GRAPH_RESOURCE,
    Audience,
    PermissionGrant,
    allowed_names,
    live_names,
    missing,
)
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.scopes import Asked, ResourceKind
from openpim.core.signin.values import Client
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.rights import may_grant_delegated
from openpim.services.recording import record

CONSENT = "Consent to application"
Missing = tuple[tuple[str, str], ...]


def find_audience(tx: Transaction, asked: Asked) -> Audience | OAuthError:
    """tx: of the tenant the tokens are for. Ours, or an application that goes by this identifier there and has an
    enabled service principal; nothing else gets tokens."""
    named = asked.resource.audience
    if asked.resource.kind is ResourceKind.GRAPH:
        return Audience(GRAPH_RESOURCE, named, "the directory (Graph)")
    if asked.resource.kind is ResourceKind.ARM:
        return Audience(ARM_RESOURCE, named, "the resource manager")
    bare = named.removeprefix("api://").removeprefix("spn:").lower()
    application = tx.applications.by_uri(named) or tx.applications.by_app_id(bare)
    face = tx.service_principals.by_app_id(application.app_id) if application is not None else None
    if application is None or face is None or not face.enabled:
        return OAuthError(
            "invalid_resource",
            f"AADSTS500011: The resource {named[:200]!r} was not found in this tenant. Ask an administrator to register "
            "the application with this identifier URI and to give it a service principal.",
        )
    return Audience(face.id, application.app_id, application.display_name)


def grants_of(tx: Transaction, app_id: str, user_id: str) -> list[PermissionGrant]:
    """What counts when this registered application acts for this person. tx: of his tenant."""
    face = tx.service_principals.by_app_id(app_id)
    return [] if face is None else tx.permission_grants.of(face.id, user_id)


def unconsented(tx: Transaction, client: Client, user_id: str, asked: Asked, audience: Audience) -> Missing:
    """What has still to be consented before tokens are made; nothing for the first-party clients."""
    if client.first_party:
        return ()
    return missing(asked, audience.resource_id, grants_of(tx, client.app_id, user_id))


def scp_of(tx: Transaction, app_id: str, user_id: str, asked: Asked, audience: Audience) -> tuple[str, ...]:
    """The delegated permissions a token for this person carries."""
    if app_id in FIRST_PARTY:
        return asked.granted
    return allowed_names(asked, audience.resource_id, grants_of(tx, app_id, user_id))


def live_scopes(
    tx: Transaction, app_id: str, user_id: str, resource_id: str, claimed: Collection[str]
) -> frozenset[str]:
    """Of what a token claims, what still stands now."""
    if app_id in FIRST_PARTY:
        return frozenset(claimed)
    return live_names(resource_id, grants_of(tx, app_id, user_id)).intersection(claimed)


def may_allow_all(tx: Transaction, tenant_id: str, user_id: str, now: datetime) -> bool:
    """Whether this person gives delegated permissions for others."""
    return may_grant_delegated(tx, Caller(tenant_id, user_id, CallerKind.USER), now) is None


def allow(
    tx: Transaction, deps: Deps, caller: Caller, client: Client, wanted: Missing, *, everybody: bool
) -> None:
    """Write down the consent: of this person, or of an administrator for everybody. The right was checked before."""
    now = deps.clock()
    face = tx.service_principals.by_app_id(client.app_id) or _first_seen(tx, deps, client, now)
    person = None if everybody else caller.principal_id
    for resource in sorted({resource for resource, _ in wanted}):
        names = {name for one, name in wanted if one == resource}
        before = tx.permission_grants.find(face.id, resource, person)
        grant = before or PermissionGrant(deps.new_id(), face.id, resource, person, (), now)
        tx.permission_grants.put(replace(grant, scope=tuple(sorted({*grant.scope, *names}))))
        record(
            tx,
            deps,
            caller,
            now,
            activity=CONSENT,
            category="ApplicationManagement",
            targets=(Target("ServicePrincipal", face.id, face.display_name),),
            details=(
                ("ConsentType", "AllPrincipals" if everybody else "Principal"),
                ("ResourceId", resource),
                ("Scope", " ".join(sorted(names))),
            ),
        )


def _first_seen(tx: Transaction, deps: Deps, client: Client, now: datetime) -> ServicePrincipal:
    """An application of this tenant that nobody has made a service principal for."""
    made = ServicePrincipal(deps.new_id(), client.app_id, client.display_name, enabled=True, created_at=now)
    tx.service_principals.add(made)
    return made
