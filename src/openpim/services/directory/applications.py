"""Register applications, change and remove them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import Application, ServicePrincipal
from openpim.core.directory_rules import application_faults
from openpim.core.refusals import Code, Refusal
from openpim.core.relying import PLAIN, AppRole, ClaimSettings, roles_json, settings_json
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import (
    Done,
    changed,
    differences,
    invalid,
    not_found,
    overtaken,
    perform,
)
from openpim.services.directory.rights import (
    may_grant_permissions,
    may_manage_application,
    may_manage_applications,
)
from openpim.services.directory.service_principals import remove_with_all
from openpim.services.directory.targets import of_application, of_service_principal
from openpim.services.power import is_powerful

CHANGEABLE = frozenset(
    {"display_name", "public", "redirect_uris", "logout_uri", "identifier_uris", "app_roles", "claims"}
)
# Who gets the answers of a sign-in, and whether a secret is asked for: with these, somebody could use its permissions.
DECISIVE = frozenset({"public", "redirect_uris"})


@dataclass(frozen=True, slots=True)
class NewApplication:
    """public: an application that can keep no secret (a command line, a single page)."""

    display_name: str
    public: bool = False
    redirect_uris: tuple[str, ...] = ()
    logout_uri: str | None = None
    identifier_uris: tuple[str, ...] = ()
    app_roles: tuple[AppRole, ...] = ()
    claims: Mapping[str, object] | ClaimSettings = PLAIN


def create_application(deps: Deps, caller: Caller, new: NewApplication) -> Application | Refusal:
    """Its secret or certificate comes from services.credentials; its service principal is made apart."""
    application_id, app_id = deps.new_id(), deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[Application] | Refusal:
        refusal = may_manage_applications(tx, caller, now)
        if refusal is not None:
            return refusal
        application = Application(
            id=application_id,
            app_id=app_id,
            display_name=new.display_name,
            created_at=now,
            public=new.public,
            redirect_uris=tuple(new.redirect_uris),
            logout_uri=new.logout_uri,
            identifier_uris=tuple(new.identifier_uris),
            tenant_id=tx.tenant_id,
            app_roles=tuple(new.app_roles),
            claims=new.claims if isinstance(new.claims, ClaimSettings) else _settings(PLAIN, new.claims),
        )
        refusal = invalid(_faults(deps, application)) or _taken(tx, application)
        if refusal is not None:
            return refusal
        tx.applications.add(application)
        return Done(application, (of_application(application),))

    return perform(deps, caller, "Add application", "ApplicationManagement", work)


def update_application(
    deps: Deps, caller: Caller, application_id: str, changes: Mapping[str, object], *, seen: str = ""
) -> Application | Refusal:
    """changes: attribute of `Application` -> new value (tuples for the lists; of `claims` only what changes, by name).
    seen: see `performing.overtaken`."""

    def work(tx: Transaction, now: datetime) -> Done[Application] | Refusal:
        old = tx.applications.get(application_id)
        if old is None:
            return not_found("application", application_id)
        refusal = may_manage_application(tx, caller, application_id, now)
        if refusal is not None:
            return refusal
        wanted = dict(changes)
        if isinstance(wanted.get("claims"), Mapping):
            wanted["claims"] = _settings(old.claims, wanted["claims"])  # type: ignore[arg-type]
        new = changed(old, wanted, CHANGEABLE)
        if isinstance(new, Refusal):
            return new
        if new == old:
            return Done(old, unchanged=True)
        refusal = overtaken(old, seen)
        if refusal is not None:
            return refusal
        face = tx.service_principals.by_app_id(old.app_id)
        if changes.keys() & DECISIVE and is_powerful(tx, face, now):
            refusal = may_grant_permissions(tx, caller, now)
            if refusal is not None:
                return refusal
        refusal = invalid(_faults(deps, new, old)) or _taken(tx, new) or _roles_dropped(tx, old, new, face)
        if refusal is not None:
            return refusal
        tx.applications.save(new)
        return Done(new, (of_application(new, _differences(old, new, changes)),))

    targets = (Target("Other", application_id),)
    return perform(deps, caller, "Update application", "ApplicationManagement", work, targets=targets)


def _settings(old: ClaimSettings, changes: Mapping[str, object]) -> ClaimSettings:
    return replace(old, **changes)  # type: ignore[arg-type]


def _faults(deps: Deps, new: Application, old: Application | None = None) -> list[tuple[str, str]]:
    """Where a call will go must be where calls may go; what stands there already stays."""
    found = application_faults(new)
    if new.logout_uri is not None and (old is None or old.logout_uri != new.logout_uri) and not found:
        fault = deps.outbound.fault(new.logout_uri)
        found += [("logout_uri", fault.rstrip("."))] if fault is not None else []
    return found


def _roles_dropped(
    tx: Transaction, old: Application, new: Application, face: ServicePrincipal | None
) -> Refusal | None:
    """A role goes in two steps, as in Graph: switched off, then removed; who had it has it no more."""
    kept = {one.id for one in new.app_roles}
    gone = [one for one in old.app_roles if one.id not in kept]
    enabled = next((one for one in gone if one.enabled), None)
    if enabled is not None:
        return Refusal(
            Code.INVALID,
            f"The role {enabled.value} is switched on: switch it off first, then remove it.",
            member="app_roles",
        )
    for one in gone if face is not None else ():
        tx.app_role_assignments.remove_role(face.id, one.id)  # type: ignore[union-attr]
    return None


def _differences(
    old: Application, new: Application, names: Iterable[str]
) -> tuple[tuple[str, str | None, str | None], ...]:
    """Roles and claim settings as JSON: that is how they are read again."""
    plain = differences(old, new, set(names) - {"app_roles", "claims"})
    more = (
        ("app_roles", roles_json(old.app_roles), roles_json(new.app_roles)),
        ("claims", settings_json(old.claims), settings_json(new.claims)),
    )
    return (*plain, *((name, before, after) for name, before, after in more if before != after))


def _taken(tx: Transaction, application: Application) -> Refusal | None:
    """Tokens are asked for by these names, so each means one application; a client id means its own alone."""
    tx.lock_tenant()
    for uri in application.identifier_uris:
        other = tx.applications.by_uri(uri) or tx.applications.by_app_id(uri.removeprefix("api://").lower())
        if other is not None and other.app_id != application.app_id:
            return Refusal(
                Code.CONFLICT,
                f"Another application goes by {uri:.100} already. Choose another identifier.",
                member="identifier_uris",
            )
    return None


def delete_application(deps: Deps, caller: Caller, application_id: str) -> Refusal | None:
    """Its service principal in this tenant goes with it."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        application = tx.applications.get(application_id)
        if application is None:
            return not_found("application", application_id)
        refusal = may_manage_application(tx, caller, application_id, now)
        if refusal is not None:
            return refusal
        face = tx.service_principals.by_app_id(application.app_id)
        if face is not None:
            refusal = remove_with_all(tx, deps, caller, face, now)
            if refusal is not None:
                return refusal
        tx.applications.remove(application_id)
        faces = (of_service_principal(face),) if face is not None else ()
        return Done(None, (of_application(application), *faces))

    targets = (Target("Other", application_id),)
    return perform(deps, caller, "Delete application", "ApplicationManagement", work, targets=targets)
