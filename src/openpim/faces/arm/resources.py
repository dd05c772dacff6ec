"""Resources of any type: `/subscriptions/{id}/resources`, a resource by its id, and `/subscriptions/{id}/providers`."""

from __future__ import annotations

from openpim.core.query import Query
from openpim.core.resources import canonical
from openpim.faces.arm import filters, grants, tree
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import settled
from openpim.faces.arm.table import RESOURCE, Endpoint
from openpim.services.resources import browse, shaping
from openpim.services.resources.shaping import Wanted

_NAMESPACES = (
    "Microsoft.Authorization",
    "Microsoft.Insights",
    "Microsoft.Management",
    "Microsoft.Resources",
    "Microsoft.Subscription",
)
PROPERTIES = ("resourceType", "name", "location", "resourceGroup", "tagName", "tagValue")


def _subscription(call: Call) -> str:
    return canonical(f"/subscriptions/{call.params['subscription']}")


def index(call: Call) -> Answer:
    asked = filters.read(call, PROPERTIES, ())
    query = Query(limit=tree.PAGE, after=call.options.skiptoken)
    page = settled(browse.resources_in(call.deps, call.caller, _subscription(call), query))
    rows = []
    for one in page.items:
        parts = one.path.split("/")
        facts: Row = {
            "resourceType": one.type,
            "name": one.name,
            "location": one.location,
            "resourceGroup": parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else None,
        }
        if tree.keeps(asked, one, facts):
            rows.append(tree.resource_row(one))
    return grants.listed(call, rows, page.next)


def show(call: Call) -> Answer:
    found = settled(browse.get(call.deps, call.caller, call.scope))
    return Answer(204) if call.raw.method == "HEAD" else Answer(200, tree.resource_row(found))


def put(call: Call) -> Answer:
    body = call.json(allow_empty=True)
    wanted = Wanted(location=body.text("location", max_length=64), tags=tree.read_tags(body))
    made = settled(shaping.put(call.deps, call.caller, call.written, wanted))
    return Answer(201 if made.new else 200, tree.resource_row(made.resource))


def patch(call: Call) -> Answer:
    settled(browse.get(call.deps, call.caller, call.scope))
    made = settled(
        shaping.put(call.deps, call.caller, call.written, Wanted(tags=tree.read_tags(call.json())))
    )
    return Answer(200, tree.resource_row(made.resource))


def delete(call: Call) -> Answer:
    settled(shaping.delete(call.deps, call.caller, call.scope))
    return Answer(200)


# ---------------------------------------------------------------- namespaces


def _namespace(prefix: str, name: str) -> Row:
    return {
        "id": f"{prefix}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationFree",
        "resourceTypes": [],
    }


def providers(call: Call) -> Answer:
    prefix = _seen(call)
    return grants.listed(call, [_namespace(prefix, name) for name in _NAMESPACES])


def provider(call: Call) -> Answer:
    """Every namespace is registered: there is nothing to switch on."""
    known = {name.lower(): name for name in _NAMESPACES}
    name = call.params["namespace"]
    return Answer(200, _namespace(_seen(call), known.get(name.lower(), name)))


def _seen(call: Call) -> str:
    if "subscription" not in call.params:
        return ""
    return settled(browse.get(call.deps, call.caller, _subscription(call))).path


_BELOW = "subscriptions/{subscription}"
ENDPOINTS = (
    Endpoint("GET", f"{_BELOW}/resources", index, "Microsoft.Resources/subscriptions/resources/read"),
    Endpoint("GET", RESOURCE, show, "*/read"),
    Endpoint("PUT", RESOURCE, put, "*/write"),
    Endpoint("PATCH", RESOURCE, patch, "*/write"),
    Endpoint("DELETE", RESOURCE, delete, "*/delete"),
    Endpoint("GET", "providers", providers),
    Endpoint("GET", "providers/{namespace}", provider),
    Endpoint("GET", f"{_BELOW}/providers", providers),
    Endpoint("GET", f"{_BELOW}/providers/{{namespace}}", provider),
    Endpoint("POST", f"{_BELOW}/providers/{{namespace}}/register", provider),
)
