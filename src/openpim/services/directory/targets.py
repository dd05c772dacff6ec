"""How things of the directory are named in the audit."""

from __future__ import annotations

from openpim.core.audit import Target
from openpim.core.directory import (
    AdministrativeUnit,
    Application,
    Group,
    Principal,
    PrincipalKind,
    RoleDefinition,
    ServicePrincipal,
    User,
)

Changes = tuple[tuple[str, str | None, str | None], ...]
_KINDS = {
    PrincipalKind.USER: "User",
    PrincipalKind.GROUP: "Group",
    PrincipalKind.SERVICE_PRINCIPAL: "ServicePrincipal",
}


def of_principal(principal: Principal) -> Target:
    return Target(_KINDS[principal.kind], principal.id, principal.display_name)


def of_user(user: User, changes: Changes = ()) -> Target:
    return Target("User", user.id, user.display_name, changes)


def of_group(group: Group, changes: Changes = ()) -> Target:
    return Target("Group", group.id, group.display_name, changes)


def of_service_principal(service_principal: ServicePrincipal, changes: Changes = ()) -> Target:
    return Target("ServicePrincipal", service_principal.id, service_principal.display_name, changes)


def of_application(application: Application, changes: Changes = ()) -> Target:
    return Target("Other", application.id, application.display_name, changes)


def of_unit(unit: AdministrativeUnit, changes: Changes = ()) -> Target:
    return Target("Other", unit.id, unit.display_name, changes)


def of_role(role: RoleDefinition, changes: Changes = ()) -> Target:
    return Target("Role", role.id, role.display_name, changes)
