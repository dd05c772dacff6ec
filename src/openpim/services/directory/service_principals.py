"""Let an application into the tenant, change what it may, throw it out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import ServicePrincipal
from openpim.core.directory_rules import service_principal_faults
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import last_administrator
from openpim.services.directory.owners_left import powerful_groups_of
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
from openpim.services.directory.targets import of_service_principal
from openpim.services.ending import end_all_of
from openpim.services.power import is_powerful, is_privileged

CHANGEABLE = frozenset({"display_name", "enabled", "permissions"})


def create_service_principal(deps: Deps, caller: Caller, app_id: str) -> ServicePrincipal | Refusal:
    """app_id: of an application of any tenant, or a first-party client. It starts without permissions."""
    new_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[ServicePrincipal] | Refusal:
        application = tx.applications.by_app_id(app_id)
        ours = application is not None and application.tenant_id == tx.tenant_id
        if application is not None and ours:
            refusal = may_manage_application(tx, caller, application.id, now)
        else:
            refusal = may_manage_applications(tx, caller, now)
        if refusal is not None:
            return refusal
        if application is None:
            return Refusal(
                Code.INVALID, f"There is no application with the client id {app_id:.100}.", member="app_id"
            )
        if tx.service_principals.by_app_id(app_id) is not None:
            return Refusal(
                Code.CONFLICT, "This application has a service principal here already.", member="app_id"
            )
        made = ServicePrincipal(
            id=new_id, app_id=app_id, display_name=application.display_name, enabled=True, created_at=now
        )
        tx.service_principals.add(made)
        return Done(made, (of_service_principal(made),))

    return perform(deps, caller, "Add service principal", "ApplicationManagement", work)


def update_service_principal(
    deps: Deps, caller: Caller, service_principal_id: str, changes: Mapping[str, object], *, seen: str = ""
) -> ServicePrincipal | Refusal:
    """changes: display_name, enabled, permissions (a tuple: the application permissions it shall have). seen: see
    `performing.overtaken`."""

    def work(tx: Transaction, now: datetime) -> Done[ServicePrincipal] | Refusal:
        tx.lock_principal(service_principal_id)
        old = tx.service_principals.get(service_principal_id)
        if old is None:
            return not_found("service principal", service_principal_id)
        refusal = may_manage_applications(tx, caller, now) if changes.keys() - {"permissions"} else None
        decisive = "permissions" in changes or ("enabled" in changes and is_powerful(tx, old, now))
        if refusal is None and decisive:
            refusal = may_grant_permissions(tx, caller, now)
        if refusal is not None:
            return refusal
        new = changed(old, changes, CHANGEABLE)
        if isinstance(new, Refusal):
            return new
        refusal = invalid(service_principal_faults(new))
        if refusal is not None:
            return refusal
        if new == old:
            return Done(old, unchanged=True)
        refusal = overtaken(old, seen)
        if refusal is not None:
            return refusal
        refusal = last_administrator.guarded(tx, now, lambda: tx.service_principals.save(new))
        if refusal is not None:
            return refusal
        return Done(new, (of_service_principal(new, differences(old, new, changes)),))

    targets = (Target("ServicePrincipal", service_principal_id),)
    activity = "Update service principal"
    return perform(deps, caller, activity, "ApplicationManagement", work, targets=targets)


def delete_service_principal(deps: Deps, caller: Caller, service_principal_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(service_principal_id)
        found = tx.service_principals.get(service_principal_id)
        if found is None:
            return not_found("service principal", service_principal_id)
        refusal = may_manage_applications(tx, caller, now)
        if refusal is None:
            refusal = remove_with_all(tx, deps, caller, found, now)
        if refusal is not None:
            return refusal
        return Done(None, (of_service_principal(found),))

    targets = (Target("ServicePrincipal", service_principal_id),)
    activity = "Remove service principal"
    return perform(deps, caller, activity, "ApplicationManagement", work, targets=targets)


def remove_with_all(
    tx: Transaction, deps: Deps, caller: Caller, found: ServicePrincipal, now: datetime
) -> Refusal | None:
    """Remove it and end all that it holds. One that holds a privileged role takes a role manager to remove."""
    if is_privileged(tx, found.id, now):
        refusal = may_grant_permissions(tx, caller, now)
        if refusal is not None:
            return refusal

    def change() -> None:
        end_all_of(tx, deps, caller, found.id, now)
        tx.permission_grants.remove_of(found.id)
        tx.service_principals.remove(found.id, now)

    return last_administrator.guarded(tx, now, change, owned=powerful_groups_of(tx, found.id, now))
