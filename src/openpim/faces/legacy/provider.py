"""The providers in this dialect's words, and its ids.

Here a resource (a group, the tenant, a subscription) has a GUID of its own, and a group's roles have GUIDs too. They
are derived from what they stand for, so that nothing has to be kept; the way back goes through what the caller holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.resources import ResourceKind, read_path, subscription_of
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Call
from openpim.faces.graph.dispatch import narrowed
from openpim.faces.graph.faults import Fault
from openpim.faces.graph.resource import Row
from openpim.services import eligibilities
from openpim.services.eligibilities import Key, Names

ACCESS = ("member", "owner")
_AZURE_READ = ("PrivilegedAccess.Read.AzureResources", "PrivilegedAccess.ReadWrite.AzureResources")
_AZURE_WRITE = ("PrivilegedAccess.ReadWrite.AzureResources",)
_ROLES_READ = ("PrivilegedAccess.Read.AzureAD", "PrivilegedAccess.ReadWrite.AzureAD")
_ROLES_WRITE = ("PrivilegedAccess.ReadWrite.AzureAD",)


def _kept(permissions: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that only take away, which this dialect does not know."""
    return tuple(one for one in permissions if ".Remove." not in one)


@dataclass(frozen=True, slots=True)
class Named:
    """A provider as addresses call it, and the permissions that let in; make: those to make or end an eligibility."""

    word: str
    provider: Provider
    read: tuple[str, ...]
    write: tuple[str, ...]
    make: tuple[str, ...]


PROVIDERS = {
    "aadgroups": Named(
        "aadGroups",
        Provider.GROUP,
        p.GROUP_ASSIGNMENT_READ,
        p.GROUP_APPROVALS_WRITE,
        _kept(p.GROUP_ELIGIBILITY_WRITE),
    ),
    "aadroles": Named(
        "aadRoles",
        Provider.DIRECTORY,
        (*p.ASSIGNMENT_READ, *_ROLES_READ),
        (*_kept(p.ASSIGNMENT_WRITE), *_ROLES_WRITE),
        (*_kept(p.ELIGIBILITY_WRITE), *_ROLES_WRITE),
    ),
    "azureresources": Named("azureResources", Provider.RESOURCE, _AZURE_READ, _AZURE_WRITE, _AZURE_WRITE),
}
READ = tuple(dict.fromkeys(one for named in PROVIDERS.values() for one in named.read))
WRITE = tuple(dict.fromkeys(one for named in PROVIDERS.values() for one in (*named.write, *named.make)))


def named(call: Call) -> Named:
    """The provider that the address names; its permissions are looked at again (for requests: see `allow`)."""
    found = PROVIDERS.get(call.params["provider"].lower())
    if found is None:
        text = call.params["provider"][:100]
        raise Fault("BadRequest", f"{text} is none of aadGroups, aadRoles, azureResources.")
    if call.raw.method == "GET":
        narrowed(call, found.read)
    return found


def allow(call: Call, found: Named, kind: Kind) -> None:
    """Whether the caller's permissions are those for a request of this kind."""
    narrowed(call, found.make if kind is Kind.ELIGIBILITY else found.write)


# ---------------------------------------------------------------- ids


def role_key(provider: Provider, role_id: str, scope: str) -> str:
    """The id of a role: a group's two have one each."""
    return str(uuid5(UUID(scope), role_id)) if provider is Provider.GROUP else role_id


def resource_key(call: Call, provider: Provider, scope: str) -> str:
    """The id of the resource that a scope belongs to: the group, the tenant, the Azure resource."""
    if provider is Provider.GROUP:
        return scope
    if provider is Provider.DIRECTORY:
        return call.caller.tenant_id
    return str(uuid5(UUID(call.caller.tenant_id), f"resource/{scope}"))


def scoped_key(provider: Provider, scope: str) -> str | None:
    """The id of the narrower thing a directory role is held at."""
    if provider is not Provider.DIRECTORY or scope == TENANT:
        return None
    return scope.removeprefix(ADMINISTRATIVE_UNITS).removeprefix(TENANT)


def key_of(provider: Provider, role_id: str, scope: str) -> Key:
    return provider, role_id, scope


def names(call: Call, provider: Provider, pairs: set[tuple[str, str]]) -> Names:
    """The names of these roles at these scopes."""
    return eligibilities.names(
        call.deps, call.caller, {key_of(provider, role, scope) for role, scope in pairs}
    )


# ---------------------------------------------------------------- what rows refer to


def resource_row(call: Call, provider: Provider, scope: str, known: Names, role_id: str) -> Row:
    kind = {Provider.GROUP: "group", Provider.DIRECTORY: "tenant", Provider.RESOURCE: "resource"}[provider]
    name = known.scopes.get(key_of(provider, role_id, scope), scope)
    path, root = known.paths.get(scope, scope), None
    place = read_path(path) if provider is Provider.RESOURCE else None
    if place is not None:
        kind = place.type if place.kind is ResourceKind.RESOURCE else place.kind.value
        root = "/".join(path.split("/")[:3]) if subscription_of(scope) is not None else path
    return {
        "id": resource_key(call, provider, scope),
        "externalId": path if provider is Provider.RESOURCE else resource_key(call, provider, scope),
        "type": kind,
        "displayName": name,
        "status": "Active",
        "registeredDateTime": None,
        "registeredRoot": root,
    }


def role_row(call: Call, provider: Provider, role_id: str, scope: str, known: Names) -> Row:
    key = role_key(provider, role_id, scope)
    return {
        "id": key,
        "resourceId": resource_key(call, provider, scope),
        "externalId": key,
        "templateId": None if provider is Provider.GROUP else role_id,
        "displayName": known.roles.get(key_of(provider, role_id, scope), role_id),
    }


def subject_of(schedule: Schedule, me: str, *, mine: bool) -> str:
    """What comes to the caller through a group is shown as his, as this dialect does."""
    return me if mine else schedule.principal_id
