"""One application as a person looks at it: the registration, its face in the tenant, who may do what with it, its
credentials (never what proves them), and what people and administrators allowed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from openpim.core.caller import Caller
from openpim.core.directory import Application, Principal, ServicePrincipal
from openpim.core.query import All, Compare, Order, Page, Query
from openpim.core.refusals import Refusal
from openpim.core.roles import READERS
from openpim.core.signin.consent import ARM_RESOURCE, GRAPH_RESOURCE, PermissionGrant
from openpim.core.signin.values import ClientCredential
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.browse import shut
from openpim.services.directory.application_owners import MOST
from openpim.services.directory.performing import not_found
from openpim.services.directory.permission_grants import sees_all
from openpim.services.directory.rights import (
    may_grant_permissions,
    may_manage_application,
    may_manage_applications,
    rights_of,
)
from openpim.services.power import is_powerful
from openpim.services.sealing import unb64

CONSENTS = 25  # that one page shows
OWN_APIS = {GRAPH_RESOURCE: "Microsoft Graph", ARM_RESOURCE: "Azure Resource Manager"}


@dataclass(frozen=True, slots=True)
class CredentialView:
    """hint: the first characters of a secret. thumbprint: of a certificate, SHA-256, hex. over: it has expired."""

    id: str
    kind: Literal["secret", "key"]
    name: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    over: bool
    thumbprint: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A delegated permission. resource: the API's name. person: None for everybody, or where the person is gone."""

    grant: PermissionGrant
    resource: str
    person: Principal | None
    mine: bool


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """application: where it is registered here. face: its service principal here.

    powerful: it may do more than sign people in, so its secrets, redirect addresses and whether it may sign in are for
    those who give permissions. may_manage: the caller owns it or manages applications, so he may change what gives nobody
    anything; may_decide: that and, where it is powerful, the rest; may_switch: whether it may be used here; may_empower: give
    it permissions. owners: of the registration. credentials: None where the caller does not get to see them.
    consents: only the caller's own where all_consents is False; next: the cursor of the following page of them.
    """

    application: Application | None
    face: ServicePrincipal | None
    powerful: bool
    may_manage: bool
    may_decide: bool
    may_switch: bool
    may_empower: bool
    owners: tuple[Principal, ...]
    credentials: tuple[CredentialView, ...] | None
    consents: tuple[Consent, ...]
    all_consents: bool
    next: str | None


def registration(
    deps: Deps, caller: Caller, application_id: str, after: str | None = None
) -> ApplicationView | Refusal:
    """An application that is registered in the caller's tenant. after: the cursor of a page of consents."""

    def work(tx: Transaction) -> ApplicationView | Refusal:
        refusal = shut(tx, caller, now)
        if refusal is not None:
            return refusal
        application = tx.applications.get(application_id)
        if application is None:
            return not_found("application", application_id)
        face = tx.service_principals.by_app_id(application.app_id)
        return _view(tx, caller, application, face, after, now)

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def enterprise(
    deps: Deps, caller: Caller, service_principal_id: str, after: str | None = None
) -> ApplicationView | Refusal:
    """A service principal of the caller's tenant; the registration comes along where it is of the same tenant."""

    def work(tx: Transaction) -> ApplicationView | Refusal:
        refusal = shut(tx, caller, now)
        if refusal is not None:
            return refusal
        face = tx.service_principals.get(service_principal_id)
        if face is None:
            return not_found("service principal", service_principal_id)
        found = tx.applications.by_app_id(face.app_id)
        ours = found is not None and found.tenant_id == tx.tenant_id
        return _view(tx, caller, found if ours else None, face, after, now)

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def may_register(deps: Deps, caller: Caller) -> bool:
    """Whether the caller may register applications: what a page offers; the act decides."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: may_manage_applications(tx, caller, now) is None)


def consent(deps: Deps, caller: Caller, service_principal_id: str, grant_id: str) -> Consent | None:
    """One delegated permission of this application, where the caller may see it."""

    def work(tx: Transaction) -> Consent | None:
        found = tx.permission_grants.get(grant_id)
        if found is None or found.client_id != service_principal_id:
            return None
        if found.principal_id != caller.principal_id and not sees_all(tx, caller, now):
            return None
        return _dressed(tx, caller, (found,))[0]

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def find_api(deps: Deps, caller: Caller, named: str) -> str | None:
    """What a permission grant calls an API that somebody has typed: the resource id of one of ours (by id or name), or of
    an application that goes by this client id or identifier URI here. None: there is none."""

    def work(tx: Transaction) -> str | None:
        if shut(tx, caller, now) is not None:
            return None
        if named in OWN_APIS:
            return named
        bare = named.removeprefix("api://").lower()
        found = tx.applications.by_uri(named) or tx.applications.by_app_id(bare)
        face = tx.service_principals.by_app_id(found.app_id) if found is not None else None
        face = face or tx.service_principals.get(bare)
        return face.id if face is not None else None

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def _view(
    tx: Transaction,
    caller: Caller,
    application: Application | None,
    face: ServicePrincipal | None,
    after: str | None,
    now: datetime,
) -> ApplicationView:
    powerful = is_powerful(tx, face, now)
    switches = may_manage_applications(tx, caller, now) is None
    manages = switches or (
        application is not None and may_manage_application(tx, caller, application.id, now) is None
    )
    empowers = may_grant_permissions(tx, caller, now) is None
    consents = _consents(tx, caller, face, after, now)
    shown = application is not None and (manages or rights_of(tx, caller, now).any(READERS))
    return ApplicationView(
        application=application,
        face=face,
        powerful=powerful,
        may_manage=manages,
        may_decide=manages and (empowers or not powerful),
        may_switch=switches and (empowers or not powerful),
        may_empower=empowers,
        owners=_owners(tx, application),
        credentials=_credentials(tx, application, now) if shown and application is not None else None,
        consents=_dressed(tx, caller, consents.items),
        all_consents=sees_all(tx, caller, now),
        next=consents.next,
    )


def _owners(tx: Transaction, application: Application | None) -> tuple[Principal, ...]:
    if application is None:
        return ()
    return tx.applications.owners(application.id, Query(order=(Order("display_name"),), limit=MOST)).items


def _credentials(tx: Transaction, application: Application, now: datetime) -> tuple[CredentialView, ...]:
    return tuple(_credential(one, now) for one in tx.client_credentials.of(application.app_id))


def _credential(one: ClientCredential, now: datetime) -> CredentialView:
    over = one.expires_at is not None and one.expires_at <= now
    raw = unb64(one.thumbprints[0]) if one.thumbprints else None
    thumbprint = raw.hex().upper() if raw is not None else ""
    return CredentialView(
        one.id, one.kind, one.display_name, one.hint, one.created_at, one.expires_at, over, thumbprint
    )


def _consents(
    tx: Transaction, caller: Caller, face: ServicePrincipal | None, after: str | None, now: datetime
) -> Page[PermissionGrant]:
    """Everybody's first."""
    if face is None:
        return Page(())
    where = Compare("client_id", "eq", face.id)
    own = Compare("principal_id", "eq", caller.principal_id)
    query = Query(
        where=where if sees_all(tx, caller, now) else All((where, own)),
        order=(Order("principal_id"),),
        limit=CONSENTS,
        after=after,
    )
    return tx.permission_grants.page(query)


def _dressed(tx: Transaction, caller: Caller, grants: tuple[PermissionGrant, ...]) -> tuple[Consent, ...]:
    apis = tx.service_principals.many({one.resource_id for one in grants})
    people = tx.principals.many({one.principal_id for one in grants if one.principal_id is not None})
    return tuple(
        Consent(
            grant=one,
            resource=OWN_APIS.get(one.resource_id)
            or (apis[one.resource_id].display_name if one.resource_id in apis else one.resource_id),
            person=people.get(one.principal_id) if one.principal_id is not None else None,
            mine=one.principal_id == caller.principal_id,
        )
        for one in grants
    )
