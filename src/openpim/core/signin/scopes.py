"""Scopes and the resource they name: which API a token is for, and which delegated permissions it carries.

One resource per token. Addresses are compared without port and trailing slash, because clients write them in all
ways (kiota drops the port, the Azure SDKs double the slash); the well-known names of Graph and the management API
mean ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from openpim.core.signin.oauth import OAuthError

OIDC_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
_GRAPH_NAMES = frozenset({"graph.microsoft.com", "graph.windows.net"})
_ARM_NAMES = frozenset({"management.azure.com", "management.core.windows.net"})
_GRAPH_APP = "00000003-0000-0000-c000-000000000000"
_ARM_APP = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
MAX_SCOPES = 100

# What `.default` of Graph stands for: every delegated permission the Graph face knows. Privilege never comes from
# here: what the person may do is read from the store at each call.
GRAPH_DELEGATED: tuple[str, ...] = (
    "AccessReview.ReadWrite.All",
    "AdministrativeUnit.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "Decision.Evaluate",
    "Decision.Request",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "Directory.ReadWrite.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "Organization.Read.All",
    "Policy.ReadWrite.ConditionalAccess",
    "PrivilegedAccess-CustomExt.ReadWrite.All",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagementAlert.ReadWrite.Directory",
    "RoleManagementPolicy.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.ReadWrite.Directory",
    "User.Read",
    "User.ReadWrite.All",
)


class ResourceKind(StrEnum):
    GRAPH = "graph"
    ARM = "arm"
    APPLICATION = "application"  # an API of the tenant's own


@dataclass(frozen=True, slots=True)
class Resource:
    """audience: the canonical `aud` of a token for it; for an APPLICATION the name as asked, still to be found."""

    kind: ResourceKind
    audience: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asked for. scopes: the exact strings, in order. names: permission names for the resource;
    default: it asked for `.default`."""

    scopes: tuple[str, ...]
    resource: Resource
    names: tuple[str, ...]
    default: bool

    @property
    def openid(self) -> bool:
        return "openid" in self.scopes

    @property
    def offline(self) -> bool:
        return "offline_access" in self.scopes

    @property
    def granted(self) -> tuple[str, ...]:
        """The `scp` of an access token for a person."""
        named = list(self.names)
        if self.default:
            named += GRAPH_DELEGATED if self.resource.kind is ResourceKind.GRAPH else ("user_impersonation",)
        elif not named and self.resource.kind is not ResourceKind.APPLICATION:
            named += () if self.resource.kind is ResourceKind.GRAPH else ("user_impersonation",)
        oidc = [scope for scope in self.scopes if scope in OIDC_SCOPES and scope != "offline_access"]
        return tuple(dict.fromkeys([*named, *oidc]))


def same_address(left: str, right: str) -> bool:
    """Equal modulo port, trailing slashes and case of the host."""
    return _key(left) is not None and _key(left) == _key(right)


def _key(address: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(address)
        return (parts.hostname or "", parts.path.rstrip("/")) if parts.scheme == "https" else None
    except ValueError:
        return None


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


def find_resource(name: str, graph: tuple[str, ...], arm: tuple[str, ...]) -> Resource:
    """The resource called `name`. graph, arm: our addresses of each, the canonical one first."""
    lowered = name.strip().rstrip("/").lower()
    host = lowered.removeprefix("https://").split("/")[0]
    if host in _GRAPH_NAMES or lowered == _GRAPH_APP:
        return Resource(ResourceKind.GRAPH, graph[0])
    if host in _ARM_NAMES or lowered == _ARM_APP:
        return Resource(ResourceKind.ARM, arm[0])
    port = _port(lowered)
    for addresses, kind in ((graph, ResourceKind.GRAPH), (arm, ResourceKind.ARM)):
        if any(same_address(lowered, address) and port == _port(address) for address in addresses):
            return Resource(kind, addresses[0])
    for addresses, kind in ((graph, ResourceKind.GRAPH), (arm, ResourceKind.ARM)):
        if any(same_address(lowered, address) for address in addresses):
            return Resource(kind, addresses[0])
    return Resource(ResourceKind.APPLICATION, name.strip().rstrip("/"))


def _split(scope: str) -> tuple[str, str] | None:
    """(resource, permission) of a qualified scope; None for a bare permission name."""
    lowered = scope.lower()
    if lowered.startswith(("https://", "api://", "http://", "spn:")) or lowered.endswith("/.default"):
        resource, _, name = scope.rpartition("/")
        return resource, name
    head, _, name = scope.partition("/")
    if name and len(head) == 36 and head.count("-") == 4:
        return head, name
    return None


def parse_scopes(
    text: str, graph: tuple[str, ...], arm: tuple[str, ...], *, resource: str = ""
) -> Asked | OAuthError:
    """Read a `scope` parameter. `resource`: the v1 parameter of that name, when no scope names one."""
    scopes = tuple(dict.fromkeys(text.split()))
    if len(scopes) > MAX_SCOPES or any(len(scope) > 500 for scope in scopes):
        return OAuthError("invalid_scope", "Too many scopes, or one is too long.")
    found: Resource | None = None
    names: list[str] = []
    default = False
    for scope in scopes:
        if scope in OIDC_SCOPES:
            continue
        parts = _split(scope)
        one = find_resource(parts[0], graph, arm) if parts else Resource(ResourceKind.GRAPH, graph[0])
        name = parts[1] if parts else scope
        if found is not None and found != one:
            return OAuthError(
                "invalid_scope", "Scopes of two resources in one request: ask for one at a time."
            )
        found = one
        if name == ".default":
            default = True
        elif name:
            names.append(name)
    if found is None and resource:
        found = find_resource(resource, graph, arm)
        default = True
    if found is None:
        found = Resource(ResourceKind.GRAPH, graph[0])
    return Asked(scopes, found, tuple(names), default)
