"""Who has which role of an application: given to people, groups and applications. To a group that people activate, it is a
role for as long as they are in it: the claims are read from here at each call (services/relying/claims.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Application, Principal, PrincipalKind, ServicePrincipal
from openpim.core.query import All, Compare, Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.relying import DEFAULT_ROLE, AppRole, AppRoleAssignment
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, forbidden, not_found, perform
from openpim.services.directory.permission_grants import sees_all
from openpim.services.directory.rights import APPLICATION_MANAGERS, rights_of
from openpim.services.directory.targets import of_principal, of_service_principal

_PERMISSIONS: Final = frozenset({"AppRoleAssignment.ReadWrite.All"})
_WORDS: Final = {
    PrincipalKind.USER: "user",
    PrincipalKind.GROUP: "group",
    PrincipalKind.SERVICE_PRINCIPAL: "service principal",
}
_ADDED: Final = {
    PrincipalKind.USER: "Add app role assignment grant to user",
    PrincipalKind.GROUP: "Add app role assignment to group",
    PrincipalKind.SERVICE_PRINCIPAL: "Add app role assignment to service principal",
}
_REMOVED: Final = {
    PrincipalKind.USER: "Remove app role assignment from user",
    PrincipalKind.GROUP: "Remove app role assignment from group",
    PrincipalKind.SERVICE_PRINCIPAL: "Remove app role assignment from service principal",
}
_MEMBERS: Final = {PrincipalKind.SERVICE_PRINCIPAL: "Application"}


@dataclass(frozen=True, slots=True)
class AppRoleView:
    """An assignment with the names of today. role: its value; "" for access without a role."""

    assignment: AppRoleAssignment
    principal: Principal | None
    resource: ServicePrincipal | None
    role: str
    role_name: str


def page(deps: Deps, caller: Caller, query: Query) -> Page[AppRoleView]:
    """All for those who look after roles or applications and for the owners of the application; for others their own."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[AppRoleView]:
        asked = query
        if not sees_all(tx, caller, now) and not _of_owned(tx, caller, query):
            own = Compare("principal_id", "eq", caller.principal_id)
            asked = replace(query, where=own if query.where is None else All((query.where, own)))
        found = tx.app_role_assignments.page(asked)
        return Page(_dressed(tx, found.items), found.next, found.total)

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, assignment_id: str) -> AppRoleView | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> AppRoleView | Refusal:
        found = tx.app_role_assignments.get(assignment_id)
        if found is None or not (
            sees_all(tx, caller, now)
            or found.principal_id == caller.principal_id
            or _owns(tx, caller, found.resource_id)
        ):
            return not_found("app role assignment", assignment_id)
        return _dressed(tx, (found,))[0]

    return deps.store.read(caller.tenant_id, work)


def assign(
    deps: Deps, caller: Caller, principal_id: str, resource_id: str, app_role_id: str
) -> AppRoleView | Refusal:
    """app_role_id DEFAULT_ROLE: access to the application, without a role. Refusals: FORBIDDEN, NOT_FOUND, INVALID, CONFLICT."""
    new_id = deps.new_id()
    kind = _kind_of(deps, caller, principal_id)

    def work(tx: Transaction, now: datetime) -> Done[AppRoleView] | Refusal:
        tx.lock_principal(resource_id)
        face = tx.service_principals.get(resource_id)
        refusal = _may_assign(tx, caller, resource_id, now)
        if refusal is not None:
            return refusal
        if face is None:
            return not_found("service principal", resource_id)
        principal = tx.principals.get(principal_id)
        if principal is None:
            return Refusal(
                Code.INVALID,
                f"There is nobody and nothing with the id {principal_id:.100}.",
                member="principal_id",
            )
        refusal = _unfit(tx, face, principal, app_role_id)
        if refusal is not None:
            return refusal
        if tx.app_role_assignments.find(principal_id, resource_id, app_role_id) is not None:
            return Refusal(
                Code.CONFLICT,
                "Permission being assigned already exists on the object.",
                member="app_role_id",
            )
        made = AppRoleAssignment(new_id, principal_id, resource_id, app_role_id, now)
        tx.app_role_assignments.add(made)
        view = _dressed(tx, (made,))[0]
        return Done(view, _targets(view, principal, face))

    targets = (Target("ServicePrincipal", resource_id),)
    return perform(deps, caller, _ADDED[kind], "ApplicationManagement", work, targets=targets)


def unassign(deps: Deps, caller: Caller, assignment_id: str, *, of: str = "") -> Refusal | None:
    """of: the principal or application whose list it was named in; "" for any."""
    found = deps.store.read(caller.tenant_id, lambda tx: tx.app_role_assignments.get(assignment_id))
    kind = _kind_of(deps, caller, found.principal_id) if found is not None else PrincipalKind.USER

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        there = tx.app_role_assignments.get(assignment_id)
        if there is None or of not in {"", there.principal_id, there.resource_id}:
            return not_found("app role assignment", assignment_id)
        refusal = _may_assign(tx, caller, there.resource_id, now)
        if refusal is not None:
            return refusal
        view = _dressed(tx, (there,))[0]
        tx.app_role_assignments.remove(assignment_id)
        return Done(None, _targets(view, view.principal, view.resource))

    targets = (Target("ServicePrincipal", found.resource_id),) if found is not None else ()
    return perform(deps, caller, _REMOVED[kind], "ApplicationManagement", work, targets=targets)


def roles_of(deps: Deps, caller: Caller, app_id: str) -> tuple[AppRole, ...]:
    """The roles of an application that may be used in the caller's tenant, wherever it is registered."""

    def work(tx: Transaction) -> tuple[AppRole, ...]:
        face = tx.service_principals.by_app_id(app_id)
        application = _application(tx, face)
        return application.app_roles if application is not None else ()

    return deps.store.read(caller.tenant_id, work)


def may_assign(deps: Deps, caller: Caller, resource_id: str) -> bool:
    """What a page offers; the act decides."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: _may_assign(tx, caller, resource_id, now) is None)


def _may_assign(tx: Transaction, caller: Caller, resource_id: str, now: datetime) -> Refusal | None:
    """What a role means is the application's own matter, so those who look after the application give it."""
    if _owns(tx, caller, resource_id) or rights_of(tx, caller, now).any(APPLICATION_MANAGERS, _PERMISSIONS):
        return None
    return forbidden(
        "To give roles of this application, be one of its owners, or activate Application Administrator first."
    )


def _owns(tx: Transaction, caller: Caller, resource_id: str) -> bool:
    application = _application(tx, tx.service_principals.get(resource_id))
    return (
        caller.kind is CallerKind.USER
        and application is not None
        and application.tenant_id == tx.tenant_id
        and tx.applications.is_owner(application.id, caller.principal_id)
    )


def _of_owned(tx: Transaction, caller: Caller, query: Query) -> bool:
    """A list pinned to one application that the caller owns."""
    where = query.where.parts if isinstance(query.where, All) else (query.where,)
    return any(
        isinstance(one, Compare)
        and (one.field, one.op) == ("resource_id", "eq")
        and _owns(tx, caller, str(one.value))
        for one in where
    )


def _application(tx: Transaction, face: ServicePrincipal | None) -> Application | None:
    return tx.applications.by_app_id(face.app_id) if face is not None else None


def _unfit(tx: Transaction, face: ServicePrincipal, principal: Principal, app_role_id: str) -> Refusal | None:
    if app_role_id == DEFAULT_ROLE:
        return None
    application = _application(tx, face)
    role = next(
        (one for one in application.app_roles if one.id == app_role_id)
        if application is not None
        else iter(()),
        None,
    )
    if role is None or not role.enabled:
        return Refusal(
            Code.INVALID, "The application has no such role, or it is switched off.", member="app_role_id"
        )
    if _MEMBERS.get(principal.kind, "User") not in role.members:
        return Refusal(
            Code.INVALID,
            f"The role {role.value} is not for a {_WORDS[principal.kind]}: see its allowedMemberTypes.",
            member="app_role_id",
        )
    return None


def _kind_of(deps: Deps, caller: Caller, principal_id: str) -> PrincipalKind:
    found = deps.store.read(caller.tenant_id, lambda tx: tx.principals.get(principal_id))
    return found.kind if found is not None else PrincipalKind.USER


def _dressed(tx: Transaction, rows: tuple[AppRoleAssignment, ...]) -> tuple[AppRoleView, ...]:
    principals = tx.principals.many({one.principal_id for one in rows})
    faces = tx.service_principals.many({one.resource_id for one in rows})
    applications = {key: tx.applications.by_app_id(face.app_id) for key, face in faces.items()}
    found = []
    for one in rows:
        application = applications.get(one.resource_id)
        role = next(
            (role for role in application.app_roles if role.id == one.app_role_id)
            if application
            else iter(()),
            None,
        )
        found.append(
            AppRoleView(
                one,
                principals.get(one.principal_id),
                faces.get(one.resource_id),
                role.value if role is not None else "",
                role.display_name if role is not None else "",
            )
        )
    return tuple(found)


def _targets(
    view: AppRoleView, principal: Principal | None, face: ServicePrincipal | None
) -> tuple[Target, ...]:
    found = [of_service_principal(face)] if face is not None else []
    if principal is not None:
        found.append(of_principal(principal))
    return (*found, Target("Role", view.assignment.app_role_id, view.role))
