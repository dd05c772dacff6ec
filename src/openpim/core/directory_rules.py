"""What a user, group, application, unit or custom role must look like before it is stored.

Each function answers with every fault as (member, message), the member in the words of the model.
Lengths are those that Microsoft Entra documents for the same attributes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from openpim.core.directory import (
    AdministrativeUnit,
    Application,
    Group,
    RoleDefinition,
    ServicePrincipal,
    Tenant,
    User,
    fold,
)
from openpim.core.relying import app_role_faults, claim_faults

Fault = tuple[str, str]

_UPN = re.compile(r"[^\s@\\/\"\x00-\x1f]{1,200}@[^\s@\\/\"\x00-\x1f]{1,100}")
_MAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]{1,255}")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
)
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_ACTIONS = 1000
MAX_URIS = 256

USER_TEXTS = {
    "given_name": 64,
    "surname": 64,
    "job_title": 128,
    "department": 64,
    "office_location": 128,
    "mobile_phone": 64,
    "employee_id": 16,
}


def is_guid(value: object) -> bool:
    """Whether it is the text of a lower-case guid, as all ids here are."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def is_address(value: object) -> bool:
    """Whether it looks like name@domain."""
    return isinstance(value, str) and _MAIL.fullmatch(value) is not None


def _text(member: str, value: object, longest: int, *, required: bool = False) -> Iterable[Fault]:
    if value is None and not required:
        return
    if not isinstance(value, str):
        yield member, f"{member} must be text"
    elif required and not value.strip():
        yield member, f"{member} must not be empty"
    elif len(value) > longest:
        yield member, f"{member} may be at most {longest} characters long"
    elif any(ord(character) < 32 and character not in "\n\t" for character in value):
        yield member, f"{member} must not contain control characters"


def _flag(member: str, value: object) -> Iterable[Fault]:
    if not isinstance(value, bool):
        yield member, f"{member} must be true or false"


def user_faults(user: User, tenant: Tenant) -> list[Fault]:
    """The sign-in name must end in a verified domain of the tenant."""
    found = [*_text("display_name", user.display_name, 256, required=True), *_flag("enabled", user.enabled)]
    upn: object = user.user_principal_name  # what a face passes on may be of any type
    if not isinstance(upn, str) or _UPN.fullmatch(upn) is None:
        found.append(("user_principal_name", "the sign-in name must look like name@domain"))
    elif fold(upn.rpartition("@")[2]) not in {fold(domain) for domain in tenant.domains}:
        found.append(
            (
                "user_principal_name",
                f"the sign-in name must end in one of the verified domains: {', '.join(tenant.domains)}",
            )
        )
    if user.mail is not None and not is_address(user.mail):
        found.append(("mail", "mail must be an address such as name@example.com"))
    for member, longest in USER_TEXTS.items():
        found += _text(member, getattr(user, member), longest)
    if user.manager_id is not None and not is_guid(user.manager_id):
        found.append(("manager_id", "the manager is named by his id, a guid"))
    if user.manager_id == user.id:
        found.append(("manager_id", "nobody is his own manager"))
    return found


def group_faults(group: Group) -> list[Fault]:
    found = [
        *_text("display_name", group.display_name, 256, required=True),
        *_text("description", group.description, 1024),
        *_text("mail_nickname", group.mail_nickname, 64),
        *_text("membership_rule", group.membership_rule, 3072),
        *_flag("role_assignable", group.role_assignable),
        *_flag("security_enabled", group.security_enabled),
    ]
    if group.role_assignable and group.membership_rule is not None:
        found.append(
            ("membership_rule", "a group that roles can be assigned to cannot have a membership rule")
        )
    if group.role_assignable and group.synced:
        found.append(("role_assignable", "a synchronised group cannot be one that roles are assigned to"))
    if group.role_assignable and group.security_enabled is False:
        found.append(("security_enabled", "a group that roles can be assigned to must be security-enabled"))
    return found


def service_principal_faults(service_principal: ServicePrincipal) -> list[Fault]:
    found = [
        *_text("display_name", service_principal.display_name, 256, required=True),
        *_flag("enabled", service_principal.enabled),
    ]
    for permission in service_principal.permissions:
        found += _text("permissions", permission, 128, required=True)
    return found


def application_faults(application: Application) -> list[Fault]:
    found = [
        *_text("display_name", application.display_name, 120, required=True),
        *_flag("public", application.public),
    ]
    if len(application.redirect_uris) > MAX_URIS:
        found.append(("redirect_uris", f"at most {MAX_URIS} redirect addresses are allowed"))
    found += [
        ("redirect_uris", f"{uri!s:.100}: {fault}")
        for uri in application.redirect_uris[:MAX_URIS]
        for fault in _redirect_faults(uri, public=application.public)
    ]
    if application.logout_uri is not None:
        found += [("logout_uri", fault) for fault in _redirect_faults(application.logout_uri, public=False)]
    for uri in application.identifier_uris:
        found += _text("identifier_uris", uri, 255, required=True)
        if not (str(uri).isascii() and str(uri).isprintable() and " " not in str(uri)):
            found.append(("identifier_uris", "an identifier is an address: no spaces, plain letters only"))
    if len(application.identifier_uris) > MAX_URIS:
        found.append(("identifier_uris", f"at most {MAX_URIS} identifiers are allowed"))
    return [*found, *app_role_faults(application.app_roles), *claim_faults(application.claims)]


def _redirect_faults(uri: object, *, public: bool) -> Iterable[str]:
    """RFC 6749, 3.1.2 and RFC 8252: absolute, no fragment; https, loopback http, or a scheme of one's own."""
    if not isinstance(uri, str) or not uri or len(uri) > 1024 or any(ord(c) <= 32 or c == "*" for c in uri):
        yield "not an address"
        return
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        yield "not an address"
        return
    if "#" in uri:
        yield "an address to return to has no fragment"
    if parts.username is not None or parts.password is not None:
        yield "an address to return to carries no user name"
    if parts.scheme == "https":
        if not host:
            yield "the host is missing"
    elif parts.scheme == "http":
        if host not in _LOOPBACK:
            yield "http is only for this machine itself (localhost, 127.0.0.1 or [::1]); use https"
    elif not public or "." not in parts.scheme:
        yield "use https (public clients may also use a reversed domain name as scheme, such as com.example.app)"


def unit_faults(unit: AdministrativeUnit) -> list[Fault]:
    return [
        *_text("display_name", unit.display_name, 256, required=True),
        *_text("description", unit.description, 1024),
    ]


def role_faults(role: RoleDefinition, known_actions: Collection[str]) -> list[Fault]:
    """known_actions: those of the built-in roles; a custom role is a choice among them."""
    found = [
        *_text("display_name", role.display_name, 256, required=True),
        *_text("description", role.description, 1024),
        *_flag("enabled", role.enabled),
    ]
    if not role.actions:
        found.append(("actions", "a role needs at least one action"))
    if len(role.actions) > MAX_ACTIONS or len(role.excluded_actions) > MAX_ACTIONS:
        found.append(("actions", f"at most {MAX_ACTIONS} actions are allowed"))
    unknown = [each for each in role.actions + role.excluded_actions if each not in known_actions]
    found += [("actions", f"there is no action {each!s:.100}") for each in unknown[:10]]
    if role.version is not None:
        found += _text("version", role.version, 32)
    if role.template_id is not None and not is_guid(role.template_id):
        found.append(("template_id", "the template id must be a guid"))
    if role.resource_scopes != ("/",):
        found.append(
            ("resource_scopes", 'resource_scopes must be ["/"]; name narrower scopes when assigning')
        )
    return found


def tenant_faults(tenant: Tenant) -> list[Fault]:
    found = [*_text("name", tenant.name, 256, required=True)]
    domains: tuple[object, ...] = (tenant.domain, *tenant.domains)
    found += [
        ("domain", f"{domain!s:.100} is not a domain name such as example.com")
        for domain in domains
        if not isinstance(domain, str) or _DOMAIN.fullmatch(fold(domain)) is None
    ]
    if not is_guid(tenant.id):
        found.append(("id", "the tenant id must be a guid"))
    return found


def privileged_actions(roles: Iterable[RoleDefinition]) -> frozenset[str]:
    """The actions that only privileged built-in roles have: a custom role with one of them is privileged too."""
    privileged: set[str] = set()
    ordinary: set[str] = set()
    for role in roles:
        if role.built_in:
            (privileged if role.privileged else ordinary).update(role.actions)
    return frozenset(privileged - ordinary)
