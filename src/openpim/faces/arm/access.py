"""`permissions`, `eligibleChildResources`, `elevateAccess`, `providerOperations`, and the classic administrators that
nobody has any more."""

from __future__ import annotations

from collections.abc import Iterable

from openpim.core.permissions import ResourceRole
from openpim.core.query import Query
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import Fault, settled
from openpim.faces.arm.role_definitions import permission_row
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services.resources import access, custom_roles
from openpim.services.resources.elevate import elevate as elevate_access

PAGE = 1000
_OURS = "Microsoft.Authorization"


def permissions(call: Call) -> Answer:
    found = settled(access.permissions(call.deps, call.caller, call.scope))
    return grants.listed(call, [permission_row(one) for one in found])


def children(call: Call) -> Answer:
    asked = filters.read(call, ("resourceType",), ())
    query = Query(limit=PAGE, after=call.options.skiptoken)
    page = settled(access.eligible_children(call.deps, call.caller, call.scope, query))
    rows = []
    for one in page.items:
        found = {"id": one.path, "name": one.display_name, "type": grants.scope_type(one)}
        if asked.keeps({"properties": {"resourceType": found["type"]}}):
            rows.append(found)
    return grants.listed(call, rows, page.next)


def elevate(call: Call) -> Answer:
    settled(elevate_access(call.deps, call.caller))
    return Answer(200)


def operations(call: Call) -> Answer:
    return grants.listed(call, [_namespace(name, found) for name, found in sorted(_operations(call).items())])


def operations_of(call: Call) -> Answer:
    key = call.params["namespace"].lower()
    for name, found in _operations(call).items():
        if name.lower() == key:
            return Answer(200, _namespace(name, found))
    raise Fault("NotFound", f"No role here knows of the namespace {call.params['namespace'][:100]!r}.")


def served(call: Call) -> Answer:
    """What can be done with this provider itself, in the words of role definitions."""
    return grants.listed(
        call,
        [
            {
                "name": action,
                "isDataAction": data,
                "display": {
                    "provider": _OURS,
                    "resource": action.split("/", 1)[1].rpartition("/")[0],
                    "operation": action.rpartition("/")[2],
                    "description": "",
                },
                "origin": "user,system",
            }
            for action, data in sorted(_operations(call).get(_OURS, {}).items())
        ],
    )


def _operations(call: Call) -> dict[str, dict[str, bool]]:
    """By namespace, the actions (and whether they are about data) that role definitions name in full."""
    found: dict[str, dict[str, bool]] = {}
    names: dict[str, str] = {}
    for role in settled(custom_roles.at(call.deps, call.caller, ROOT)):
        for action, data in _named(role):
            namespace = action.split("/", 1)[0]
            shown = names.setdefault(namespace.lower(), namespace)
            found.setdefault(shown, {})[action] = data
    return found


def _named(role: ResourceRole) -> Iterable[tuple[str, bool]]:
    for one in role.permissions:
        for action in (*one.actions, *one.not_actions):
            if "*" not in action:
                yield action, False
        for action in (*one.data_actions, *one.not_data_actions):
            if "*" not in action:
                yield action, True


def _namespace(name: str, actions: dict[str, bool]) -> Row:
    return {
        "id": f"/providers/Microsoft.Authorization/providerOperations/{name}",
        "type": "Microsoft.Authorization/providerOperations",
        "name": name,
        "displayName": name,
        "resourceTypes": [],
        "operations": [
            {"name": action, "displayName": action, "isDataAction": data}
            for action, data in sorted(actions.items())
        ],
    }


def nobody(call: Call) -> Answer:
    """Classic administrators: there are none."""
    return grants.listed(call, [])


_BASE = f"{SCOPE}/providers/Microsoft.Authorization"
_HERE = "providers/Microsoft.Authorization"
ENDPOINTS = (
    Endpoint("GET", f"{_BASE}/permissions", permissions),
    Endpoint("GET", f"{_BASE}/eligibleChildResources", children),
    Endpoint("GET", f"{_BASE}/classicAdministrators", nobody),
    Endpoint("POST", f"{_HERE}/elevateAccess", elevate, "Microsoft.Authorization/elevateAccess/action"),
    Endpoint("GET", f"{_HERE}/operations", served),
    Endpoint("GET", f"{_HERE}/providerOperations", operations),
    Endpoint("GET", f"{_HERE}/providerOperations/{{namespace}}", operations_of),
)
