"""`/directory/administrativeUnits`, also at its older address `/administrativeUnits`."""

from __future__ import annotations

from typing import Any

from openpim.core.query import Order
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import bad, settled
from openpim.faces.graph.objects import UNITS, people, people_query, searching
from openpim.faces.graph.references import reference
from openpim.faces.graph.table import Endpoint
from openpim.services import browse
from openpim.services.directory.administrative_units import (
    add_unit_member,
    create_unit,
    delete_unit,
    remove_unit_member,
    update_unit,
)


def _key(call: Call) -> str:
    return call.params["id"].lower()


def index(call: Call) -> Answer:
    query = UNITS.query(
        call, extra=searching(call, {"displayname": "display_name"}), order=(Order("display_name"),)
    )
    return UNITS.collection(call, settled(browse.administrative_units(call.deps, call.caller, query)))


def show(call: Call) -> Answer:
    key = _key(call)
    return UNITS.entity(call, settled(browse.administrative_unit(call.deps, call.caller, key), key))


def members(call: Call) -> Answer:
    key = _key(call)
    return people(call, settled(browse.unit_members(call.deps, call.caller, key, people_query(call)), key))


def create(call: Call) -> Answer:
    body = call.json()
    name = body.need_text("displayName", max_length=256)
    made = settled(create_unit(call.deps, call.caller, name, body.text("description", max_length=1024)))
    answer = UNITS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, UNITS.path, made.id)})


def update(call: Call) -> Answer:
    body = call.json()
    changes: dict[str, Any] = {}
    if body.has("displayName"):
        changes["display_name"] = body.need_text("displayName", max_length=256)
    if body.has("description"):
        changes["description"] = body.text("description", max_length=1024)
    if not changes:
        raise bad("The body names nothing that can be changed.")
    key = _key(call)
    settled(update_unit(call.deps, call.caller, key, changes), key)
    return NO_CONTENT


def delete(call: Call) -> Answer:
    key = _key(call)
    settled(delete_unit(call.deps, call.caller, key), key)
    return NO_CONTENT


def add_member(call: Call) -> Answer:
    who = reference(call.json())
    settled(add_unit_member(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


def remove_member(call: Call) -> Answer:
    who = call.params["member"].lower()
    settled(remove_unit_member(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


def _endpoints(path: str) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", path, index, p.UNITS_READ),
        Endpoint("POST", path, create, p.UNITS_WRITE),
        Endpoint("GET", f"{path}/{{id}}", show, p.UNITS_READ),
        Endpoint("PATCH", f"{path}/{{id}}", update, p.UNITS_WRITE),
        Endpoint("DELETE", f"{path}/{{id}}", delete, p.UNITS_WRITE),
        Endpoint("GET", f"{path}/{{id}}/members", members, p.UNITS_READ),
        Endpoint("POST", f"{path}/{{id}}/members/$ref", add_member, p.UNITS_WRITE),
        Endpoint("DELETE", f"{path}/{{id}}/members/{{member}}/$ref", remove_member, p.UNITS_WRITE),
    )


ENDPOINTS = (*_endpoints("directory/administrativeUnits"), *_endpoints("administrativeUnits"))
