"""People, groups, applications and units: what a tenant's directory holds.

Every principal (user, group, service principal) shares one id space; `enabled` and `deleted_at` decide whether it
can hold or use anything at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openpim.core.relying import PLAIN, AppRole, ClaimSettings


def fold(name: str) -> str:
    """The form in which names (display names, sign-in names, domains) are compared."""
    return name.lower()


class PrincipalKind(StrEnum):
    USER = "user"
    GROUP = "group"
    SERVICE_PRINCIPAL = "servicePrincipal"


class UserType(StrEnum):
    MEMBER = "Member"
    GUEST = "Guest"


@dataclass(frozen=True, slots=True)
class Tenant:
    """domain: the default verified domain; domains: all of them, that one included."""

    id: str
    name: str
    domain: str
    created_at: datetime
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    id: str
    kind: PrincipalKind
    display_name: str
    enabled: bool
    created_at: datetime
    deleted_at: datetime | None = None

    @property
    def able(self) -> bool:
        """May act: exists and is enabled."""
        return self.enabled and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class User:
    """home_tenant_id/home_user_id: for a guest whose home is another tenant here; he signs in with that account."""

    id: str
    display_name: str
    user_principal_name: str
    user_type: UserType
    enabled: bool
    created_at: datetime
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    office_location: str | None = None
    mobile_phone: str | None = None
    employee_id: str | None = None
    manager_id: str | None = None
    home_tenant_id: str | None = None
    home_user_id: str | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """role_assignable groups alone may hold directory roles; dynamic and synced ones never take part in PIM."""

    id: str
    display_name: str
    created_at: datetime
    description: str | None = None
    mail_nickname: str | None = None
    role_assignable: bool = False
    membership_rule: str | None = None
    synced: bool = False
    security_enabled: bool = True
    deleted_at: datetime | None = None

    @property
    def dynamic(self) -> bool:
        return self.membership_rule is not None


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration; `app_id` is the client id, the same in every tenant.

    tenant_id: the tenant it was registered in ("" for the first-party ones). redirect_uris are exact (loopback
    ports may vary). app_roles: its own roles; claims: what it is told of people, and where. logout_uri: where it is told
    that a session has ended (back channel).
    """

    id: str
    app_id: str
    display_name: str
    created_at: datetime
    public: bool = False
    redirect_uris: tuple[str, ...] = ()
    logout_uri: str | None = None
    identifier_uris: tuple[str, ...] = ()
    tenant_id: str = ""
    app_roles: tuple[AppRole, ...] = ()
    claims: ClaimSettings = PLAIN


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An application's face in this tenant. permissions: application permissions granted to it (Graph names)."""

    id: str
    app_id: str
    display_name: str
    enabled: bool
    created_at: datetime
    permissions: tuple[str, ...] = ()
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AdministrativeUnit:
    id: str
    display_name: str
    created_at: datetime
    description: str | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """actions: allowed resource actions. Built-ins are the same in every tenant; template_id == id for them.

    assignable False: everybody has it or nobody can be given it (the default roles of users and guests).
    """

    id: str
    display_name: str
    actions: tuple[str, ...]
    built_in: bool
    enabled: bool = True
    privileged: bool = False
    description: str | None = None
    template_id: str | None = None
    version: str | None = None
    excluded_actions: tuple[str, ...] = ()
    resource_scopes: tuple[str, ...] = ("/",)
    created_at: datetime | None = None
    assignable: bool = True
