"""Azure resources in the words of the rest of the client: rows of the resource manager become rows as Graph has them,
and requests go the other way.  Paths say what a place is: management group, subscription, resource group, resource.
"""

from __future__ import annotations

from openpim.client.arm import AUTHORIZATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Row = dict[str, Any]

__all__ = [
    "GROUP", "MANAGEMENT_GROUPS", "RESOURCE", "RESOURCE_GROUP", "ROOT", "SUBSCRIPTION", "contains", "flat",
    "kind_of", "last", "of_everything", "properties", "role_path", "step", "subscription_of",
]  # fmt: skip

MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups/"
ROOT, GROUP, SUBSCRIPTION, RESOURCE_GROUP, RESOURCE = "/", "mg", "sub", "rg", "resource"


def kind_of(path: str) -> str:
    """Which kind of place a path names."""
    low = path.lower().rstrip("/")
    if not low:
        return ROOT
    if low.startswith(MANAGEMENT_GROUPS.lower()) and low.count("/") == 4:
        return GROUP
    return {2: SUBSCRIPTION, 4: RESOURCE_GROUP}.get(low.count("/"), RESOURCE)


def last(path: str) -> str:
    """The name at the end of a path."""
    return path.rstrip("/").rpartition("/")[2]


def subscription_of(path: str) -> str:
    """`/subscriptions/…` of what is in one (or is one), else ""."""
    parts = path.split("/")
    return "/".join(parts[:3]) if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def contains(outer: str, inner: str) -> bool | None:
    """Whether one place is the other or is around it; None where the paths do not tell (management groups)."""
    out, into = outer.lower().rstrip("/"), inner.lower().rstrip("/")
    if out == into or not out or into.startswith(out + "/"):
        return True
    return None if kind_of(outer) == GROUP and kind_of(inner) != ROOT else False


def role_path(role_id: str, scope: str) -> str:
    """A role definition's id at a place: at a subscription and below it the id names the subscription."""
    return f"{subscription_of(scope)}{AUTHORIZATION}/roleDefinitions/{role_id}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _part(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _low(word: Any) -> str:
    """`SelfActivate` is `selfActivate` in Graph."""
    text = _text(word)
    return text[:1].lower() + text[1:]


def flat(entity: Row) -> Row:
    """A schedule, instance or request of the resource manager as Graph would write it."""
    given = _part(entity, "properties")
    names = _part(given, "expandedProperties")
    person, role, place = (_part(names, name) for name in ("principal", "roleDefinition", "scope"))
    row = dict(given)
    row |= {
        "id": _text(entity.get("name")) or last(_text(entity.get("id"))),
        "resourceScopeId": _text(given.get("scope")) or "/",
        "resourceScope": {"displayName": _text(place.get("displayName"))},
        "roleDefinitionId": last(_text(given.get("roleDefinitionId"))).lower(),
        "roleDefinition": {"displayName": _text(role.get("displayName"))},
        "principal": {
            "displayName": _text(person.get("displayName")),
            "userPrincipalName": _text(person.get("email")),
        },
        "action": _low(given.get("requestType")),
        "createdDateTime": given.get("createdOn"),
        "createdBy": {"user": {"id": _text(given.get("requestorId"))}},
        "targetScheduleId": last(
            _text(given.get("targetRoleAssignmentScheduleId") or given.get("targetRoleEligibilityScheduleId"))
        ),
    }
    return row


def properties(row: Row) -> Row:
    """The body of a schedule request, from the row as Graph takes it."""
    scope, role = _text(row.get("resourceScopeId")), _text(row.get("roleDefinitionId"))
    action = _text(row.get("action"))
    found: Row = {
        "principalId": row.get("principalId"),
        "roleDefinitionId": role_path(role, scope),
        "requestType": action[:1].upper() + action[1:],
    }
    for name in ("justification", "ticketInfo", "linkedRoleEligibilityScheduleId"):
        if row.get(name):
            found[name] = row[name]
    schedule = dict(_part(row, "scheduleInfo"))
    if schedule:
        expiration = dict(_part(schedule, "expiration"))
        kind = _text(expiration.get("type"))
        expiration["type"] = kind[:1].upper() + kind[1:]
        schedule["expiration"] = expiration
        found["scheduleInfo"] = schedule
    if row.get("isValidationOnly"):
        found["isValidationOnly"] = True
    return {"properties": found}


def step(entity: Row) -> Row:
    """A stage of an approval as Graph has it; who decided goes by the names it has there."""
    row = dict(_part(entity, "properties"))
    reviewer = _part(row, "reviewedBy")
    row["id"] = _text(entity.get("name")) or last(_text(entity.get("id")))
    row["reviewedBy"] = {
        "displayName": _text(reviewer.get("principalName")),
        "userPrincipalName": _text(reviewer.get("userPrincipalName")),
    }
    return row


def of_everything(one: Row) -> Row:
    """An eligibility in OpenPIM's one list of all kinds, as the lists of each kind have it."""
    provider, scope = _text(one.get("provider")), _text(one.get("scope")) or "/"
    name = _text(one.get("scopeDisplayName"))
    through = [
        _text(group.get("displayName")) for group in one.get("through") or [] if isinstance(group, dict)
    ]
    row = dict(one)
    row["principal"] = {"displayName": ", ".join(through)}
    row["roleEligibilityScheduleId"] = one.get("eligibilityScheduleId")
    if provider == "group":
        row |= {"groupId": scope, "accessId": one.get("roleDefinitionId"), "group": {"displayName": name}}
        return row
    row["roleDefinition"] = {"displayName": one.get("roleDisplayName")}
    if provider == "resource":
        row |= {"resourceScopeId": scope, "resourceScope": {"displayName": name}}
    else:
        row |= {"directoryScopeId": scope, "directoryScope": {"displayName": name}}
    return row
