"""`/subscriptions/{id}/resourcegroups`: list, look, make, change, remove."""

from __future__ import annotations

from openpim.core.query import Query
from openpim.core.resources import ResourceKind, canonical
from openpim.faces.arm import filters, grants, tree
from openpim.faces.arm.call import Answer, Call
from openpim.faces.arm.faults import settled
from openpim.faces.arm.table import Endpoint
from openpim.services.resources import browse, shaping
from openpim.services.resources.shaping import Wanted

PROPERTIES = ("name", "location", "tagName", "tagValue")


def _subscription(call: Call) -> str:
    return canonical(f"/subscriptions/{call.params['subscription']}")


def _written(call: Call) -> str:
    return f"/subscriptions/{call.params['subscription']}/resourceGroups/{call.params['group']}"


def index(call: Call) -> Answer:
    asked = filters.read(call, PROPERTIES, ())
    query = Query(limit=tree.PAGE, after=call.options.skiptoken)
    kinds = [ResourceKind.RESOURCE_GROUP]
    page = settled(browse.children(call.deps, call.caller, _subscription(call), kinds, query))
    kept = [one for one in page.items if tree.keeps(asked, one, {"name": one.name, "location": one.location})]
    return grants.listed(call, [tree.group_row(one) for one in kept], page.next)


def show(call: Call) -> Answer:
    """HEAD answers 204 where there is one."""
    found = settled(browse.get(call.deps, call.caller, canonical(_written(call))))
    return Answer(204) if call.raw.method == "HEAD" else Answer(200, tree.group_row(found))


def put(call: Call) -> Answer:
    body = call.json()
    wanted = Wanted(location=body.text("location", max_length=64), tags=tree.read_tags(body))
    made = settled(shaping.put(call.deps, call.caller, _written(call), wanted))
    return Answer(201 if made.new else 200, tree.group_row(made.resource))


def patch(call: Call) -> Answer:
    settled(browse.get(call.deps, call.caller, canonical(_written(call))))
    made = settled(
        shaping.put(call.deps, call.caller, _written(call), Wanted(tags=tree.read_tags(call.json())))
    )
    return Answer(200, tree.group_row(made.resource))


def delete(call: Call) -> Answer:
    settled(shaping.delete(call.deps, call.caller, canonical(_written(call))))
    return Answer(200)


def within(call: Call) -> Answer:
    """Everything in a resource group."""
    query = Query(limit=tree.PAGE, after=call.options.skiptoken)
    scope = canonical(_written(call))
    page = settled(browse.children(call.deps, call.caller, scope, [ResourceKind.RESOURCE], query))
    return grants.listed(call, [tree.resource_row(one) for one in page.items], page.next)


_BASE = "subscriptions/{subscription}/resourcegroups"
_ACTION = "Microsoft.Resources/subscriptions/resourceGroups"
ENDPOINTS = (
    Endpoint("GET", _BASE, index, f"{_ACTION}/read"),
    Endpoint("GET", f"{_BASE}/{{group}}", show, f"{_ACTION}/read"),
    Endpoint("PUT", f"{_BASE}/{{group}}", put, f"{_ACTION}/write"),
    Endpoint("PATCH", f"{_BASE}/{{group}}", patch, f"{_ACTION}/write"),
    Endpoint("DELETE", f"{_BASE}/{{group}}", delete, f"{_ACTION}/delete"),
    Endpoint("GET", f"{_BASE}/{{group}}/resources", within, f"{_ACTION}/resources/read"),
)
