"""`/directoryObjects`: an object of any kind by its id, and several at once."""

from __future__ import annotations

from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import missing
from openpim.faces.graph.objects import object_rows
from openpim.faces.graph.resource import listed
from openpim.faces.graph.table import Endpoint
from openpim.services import browse

MOST = 1000


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    found = browse.objects(call.deps, call.caller, {key})
    if key not in found:
        raise missing(key)
    row = object_rows(call, (found[key],), call.options)[0]
    return Answer(200, {"@odata.context": call.context("directoryObjects/$entity"), **row})


def by_ids(call: Call) -> Answer:
    """In the order they were asked for; ids that mean nothing are left out, as in Graph."""
    body = call.json()
    ids = body.texts("ids", most=MOST, max_length=200)
    if ids is None:
        raise body.fail("ids", "is required")
    kinds = {
        one.lower().removeprefix("#microsoft.graph.")
        for one in body.texts("types", most=50, max_length=200) or ()
    }
    wanted = list(dict.fromkeys(one.strip().lower() for one in ids))
    found = browse.objects(call.deps, call.caller, [one for one in wanted if "\x00" not in one])
    rows = object_rows(call, [found[one] for one in wanted if one in found], call.options)
    if kinds and "directoryobject" not in kinds:
        rows = [row for row in rows if row["@odata.type"].lower().removeprefix("#microsoft.graph.") in kinds]
    return listed(call, "directoryObjects", rows)


ENDPOINTS = (
    Endpoint("GET", "directoryObjects/{id}", show, p.OBJECTS_READ),
    Endpoint("POST", "directoryObjects/getByIds", by_ids, p.OBJECTS_READ),
)
