"""Who owns a registered application: owners manage it without a role, as far as it gives them no power.

What makes it powerful stays with those who give power: an owner of a powerful application gets neither a secret of it nor
decides where its answers go, nor who else owns it.
"""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import Application, Principal, UserType
from openpim.core.query import Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.browse import shut
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_grant_permissions, may_manage_application
from openpim.services.directory.targets import of_application, of_principal, of_user
from openpim.services.power import is_powerful

MOST = 100


def owners(deps: Deps, caller: Caller, application_id: str, query: Query) -> Page[Principal] | Refusal:
    """For whoever sees the application."""

    def work(tx: Transaction) -> Page[Principal] | Refusal:
        refusal = shut(tx, caller, now)
        if refusal is not None:
            return refusal
        if tx.applications.get(application_id) is None:
            return not_found("application", application_id)
        return tx.applications.owners(application_id, query)

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def owned(deps: Deps, caller: Caller, query: Query) -> Page[Application] | Refusal:
    """The applications that the caller owns."""

    def work(tx: Transaction) -> Page[Application] | Refusal:
        refusal = shut(tx, caller, now)
        return refusal if refusal is not None else tx.applications.owned(caller.principal_id, query)

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def add_owner(deps: Deps, caller: Caller, application_id: str, owner_id: str) -> Refusal | None:
    """owner_id: of a member; guests do not see applications."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        application = _application(tx, caller, application_id, now)
        if isinstance(application, Refusal):
            return application
        owner = tx.users.get(owner_id)
        if owner is None:
            return Refusal(Code.SUBJECT_MISSING, f"There is no user {owner_id:.100}.", member="owner_id")
        if owner.user_type is UserType.GUEST:
            return Refusal(Code.SUBJECT_NOT_ALLOWED, "A guest cannot own an application.", member="owner_id")
        if len(tx.applications.owners(application_id, Query(limit=MOST)).items) >= MOST:
            return Refusal(Code.INVALID, f"An application has at most {MOST} owners.", member="owner_id")
        if not tx.applications.add_owner(application_id, owner_id):
            return Refusal(Code.CONFLICT, "This person owns the application already.", member="owner_id")
        return Done(None, (of_user(owner), of_application(application)))

    activity = "Add owner to application"
    return perform(deps, caller, activity, "ApplicationManagement", work, targets=_targets(application_id))


def remove_owner(deps: Deps, caller: Caller, application_id: str, owner_id: str) -> Refusal | None:
    """The last one too: those who manage applications always can."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        application = _application(tx, caller, application_id, now, less=True)
        if isinstance(application, Refusal):
            return application
        owner = tx.principals.get(owner_id)
        if owner is None or not tx.applications.remove_owner(application_id, owner_id):
            return Refusal(Code.NOT_FOUND, "This person does not own the application.", member="owner_id")
        return Done(None, (of_principal(owner), of_application(application)))

    activity = "Remove owner from application"
    return perform(deps, caller, activity, "ApplicationManagement", work, targets=_targets(application_id))


def _application(
    tx: Transaction, caller: Caller, application_id: str, now: datetime, *, less: bool = False
) -> Application | Refusal:
    """The application, locked against others who change its owners. less: an owner is taken away."""
    tx.lock_tenant()
    application = tx.applications.get(application_id)
    if application is None:
        return not_found("application", application_id)
    refusal = may_manage_application(tx, caller, application_id, now)
    face = tx.service_principals.by_app_id(application.app_id)
    if refusal is None and not less and is_powerful(tx, face, now):
        refusal = may_grant_permissions(tx, caller, now)
    return refusal or application


def _targets(application_id: str) -> tuple[Target, ...]:
    return (Target("Other", application_id),)
