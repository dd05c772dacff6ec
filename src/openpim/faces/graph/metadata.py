"""`$metadata`: what can be asked here, as CSDL (OData 4.01), made from the table of endpoints.

Minimal on purpose: types are open (their properties are those of Microsoft Graph, which clients know), and say where one
gets from them. What is not in the table is not in the document, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

_NAMESPACE = "microsoft.graph"
_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    f'<Schema Namespace="{_NAMESPACE}" Alias="graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
_TAIL = "</Schema></edmx:DataServices></edmx:Edmx>\n"
_ROOT = "entity"
# Names of Graph's types, where the last segment of the address does not say them.
_TYPES = {
    "administrativeUnits": "administrativeUnit",
    "appRoleAssignedTo": "appRoleAssignment",
    "appRoleAssignments": "appRoleAssignment",
    "applications": "application",
    "assignmentApprovals": "approval",
    "assignmentScheduleInstances": "privilegedAccessGroupAssignmentScheduleInstance",
    "assignmentScheduleRequests": "privilegedAccessGroupAssignmentScheduleRequest",
    "assignmentSchedules": "privilegedAccessGroupAssignmentSchedule",
    "auditStreams": "openPimAuditStream",
    "authenticationContextClassReferences": "authenticationContextClassReference",
    "channels": "openPimChannel",
    "auditEvents": "openPimAuditEvent",
    "checkpoints": "openPimCheckpoint",
    "customExtensions": "roleManagementCustomCalloutExtension",
    "delegations": "openPimDelegation",
    "directReports": "directoryObject",
    "directoryAudits": "directoryAudit",
    "directoryObjects": "directoryObject",
    "directoryRoleTemplates": "directoryRoleTemplate",
    "directoryRoles": "directoryRole",
    "eligibilities": "openPimEligibility",
    "eligibilityScheduleInstances": "privilegedAccessGroupEligibilityScheduleInstance",
    "eligibilityScheduleRequests": "privilegedAccessGroupEligibilityScheduleRequest",
    "eligibilitySchedules": "privilegedAccessGroupEligibilitySchedule",
    "effectiveRules": "unifiedRoleManagementPolicyRule",
    "groups": "group",
    "inheritsPermissionsFrom": "unifiedRoleDefinition",
    "invitations": "invitation",
    "manager": "directoryObject",
    "me": "user",
    "memberOf": "directoryObject",
    "members": "directoryObject",
    "notificationPreferences": "openPimNotificationPreferences",
    "notificationSettings": "openPimNotificationSettings",
    "notifications": "openPimNotification",
    "oauth2PermissionGrants": "oAuth2PermissionGrant",
    "ownedObjects": "directoryObject",
    "owners": "directoryObject",
    "roleAssignmentApprovals": "approval",
    "roleAssignmentScheduleInstances": "unifiedRoleAssignmentScheduleInstance",
    "roleAssignmentScheduleRequests": "unifiedRoleAssignmentScheduleRequest",
    "roleAssignmentSchedules": "unifiedRoleAssignmentSchedule",
    "roleAssignments": "unifiedRoleAssignment",
    "roleDefinitions": "unifiedRoleDefinition",
    "roleEligibilityScheduleInstances": "unifiedRoleEligibilityScheduleInstance",
    "roleEligibilityScheduleRequests": "unifiedRoleEligibilityScheduleRequest",
    "roleEligibilitySchedules": "unifiedRoleEligibilitySchedule",
    "roleManagementPolicies": "unifiedRoleManagementPolicy",
    "roleManagementPolicyAssignments": "unifiedRoleManagementPolicyAssignment",
    "rules": "unifiedRoleManagementPolicyRule",
    "scopedRoleMembers": "scopedRoleMembership",
    "servicePrincipals": "servicePrincipal",
    "stages": "approvalStage",
    "steps": "approvalStep",
    "transitiveMemberOf": "directoryObject",
    "transitiveMembers": "directoryObject",
    "transitiveRoleAssignments": "unifiedRoleAssignment",
    "users": "user",
}
# Segments that mean another type than elsewhere: (the one before, the segment).
_THERE = {
    ("roleManagement", "directory"): "rbacApplication",
    ("privilegedAccess", "group"): "privilegedAccessGroup",
}
_SINGLE = frozenset({"manager", "me"})


@dataclass(slots=True)
class _Node:
    """One literal segment. keyed: `/{id}` follows. of_all: functions and actions of the collection, the others of one."""

    name: str
    after: str = ""
    keyed: bool = False
    below: dict[str, _Node] = field(default_factory=dict)
    actions: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    of_all: set[str] = field(default_factory=set)

    @property
    def type(self) -> str:
        return _THERE.get((self.after, self.name)) or _TYPES.get(self.name, self.name)

    @property
    def many(self) -> bool:
        plain = not self.below or self.keyed
        return self.keyed or (self.name in _TYPES and self.name not in _SINGLE and plain)


def document(endpoints: Iterable[tuple[str, str]]) -> str:
    """endpoints: (method, address)."""
    root = _Node("")
    for method, address in endpoints:
        _add(root, method, [part for part in address.split("/") if part not in {"$ref", "$metadata"}])
    types: dict[str, dict[str, str]] = {_ROOT: {}}
    bound: set[tuple[str, str, str]] = set()
    for node in root.below.values():
        _collect(node, types, bound)
    parts = [_HEAD]
    parts += [_entity(name, navigations) for name, navigations in sorted(types.items())]
    parts += [_operation(*one) for one in sorted(bound)]
    parts.append('<EntityContainer Name="GraphService">')
    for name, node in sorted(root.below.items()):
        kind, attribute = ("EntitySet", "EntityType") if node.many else ("Singleton", "Type")
        parts.append(f"<{kind} Name={quoteattr(name)} {attribute}={quoteattr(_full(node.type))}/>")
    return "".join([*parts, "</EntityContainer>", _TAIL])


def _add(root: _Node, method: str, parts: list[str]) -> None:
    node, on_one = root, True
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part.startswith("{"):
            node.keyed, on_one = True, True
        elif part.endswith("()"):
            if part[:-2] not in root.below or at > 0:
                (node.functions if on_one and not node.keyed else node.of_all).add(part[:-2])
            return
        elif last and method == "POST" and part not in _TYPES and at > 0:
            (node.actions if on_one else node.of_all).add(part)
            return
        else:
            node = node.below.setdefault(part, _Node(part, node.name))
            on_one = False


def _collect(node: _Node, types: dict[str, dict[str, str]], bound: set[tuple[str, str, str]]) -> None:
    navigations = types.setdefault(node.type, {})
    for name, child in node.below.items():
        navigations[name] = f"Collection({_full(child.type)})" if child.many else _full(child.type)
        _collect(child, types, bound)
    one = _full(node.type)
    bound |= {("Action", name, one) for name in node.actions}
    bound |= {("Function", name, one) for name in node.functions}
    bound |= {
        ("Function" if name.startswith("filterBy") else "Action", name, f"Collection({one})")
        for name in node.of_all
    }


def _full(name: str) -> str:
    return f"{_NAMESPACE}.{name}"


def _entity(name: str, navigations: Mapping[str, str]) -> str:
    if name == _ROOT:
        return (
            f'<EntityType Name="{_ROOT}" Abstract="true" OpenType="true"><Key><PropertyRef Name="id"/></Key>'
            '<Property Name="id" Type="Edm.String" Nullable="false"/></EntityType>'
        )
    inner = "".join(
        f'<NavigationProperty Name={quoteattr(one)} Type={quoteattr(kind)} ContainsTarget="true"/>'
        for one, kind in sorted(navigations.items())
    )
    base = f'BaseType="{_full(_ROOT)}" OpenType="true"'
    return f"<EntityType Name={quoteattr(name)} {base}>{inner}</EntityType>"


def _operation(kind: str, name: str, on: str) -> str:
    parameter = f'<Parameter Name="bindingParameter" Type={quoteattr(on)}/>'
    if kind == "Action":
        return f'<Action Name={quoteattr(name)} IsBound="true">{parameter}</Action>'
    argument = '<Parameter Name="on" Type="Edm.String"/>' if name == "filterByCurrentUser" else ""
    returned = on if on.startswith("Collection(") else f"Collection({_full(_ROOT)})"
    return (
        f'<Function Name={quoteattr(name)} IsBound="true" IsComposable="true">{parameter}{argument}'
        f"<ReturnType Type={quoteattr(returned)}/></Function>"
    )
