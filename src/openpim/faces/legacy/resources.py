"""`resources`: the groups, the tenant or the Azure resources at which the caller may activate something."""

from __future__ import annotations

from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Fault, Style
from openpim.faces.graph.resource import Row, listed, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.faces.legacy import provider as pr
from openpim.services import eligibilities
from openpim.wire.odata import matches

PATH = "{provider}/resources"


def _rows(call: Call) -> list[Row]:
    provider = pr.named(call).provider
    held = [one.eligibility for one in eligibilities.mine(call.deps, call.caller, (provider,))]
    known = pr.names(call, provider, {(one.role_id, one.scope) for one in held})
    rows = [pr.resource_row(call, provider, one.scope, known, one.role_id) for one in held]
    return list({one["id"]: one for one in rows}.values())


def index(call: Call) -> Answer:
    expr = call.options.filter
    rows = [one for one in _rows(call) if expr is None or matches(expr, one)]
    page = plain_page(rows, call.options, default=1000)
    return listed(call, "governanceResources", list(page.items), page.next, page.total)


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    found = next((one for one in _rows(call) if one["id"] == key), None)
    if found is None:
        raise Fault("ResourceNotFound", f"There is no resource with the id {key[:100]}.")
    return Answer(200, found)


ENDPOINTS = (
    Endpoint("GET", PATH, index, pr.READ, Style.PIM),
    Endpoint("GET", f"{PATH}/{{id}}", show, pr.READ, Style.PIM),
)
