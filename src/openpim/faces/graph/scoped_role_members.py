"""`directory/administrativeUnits/{id}/scopedRoleMembers`: who holds a role over one unit. The same assignments as in
`roleManagement/directory/roleAssignments`, in the older shape; they are made and removed outside PIM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from openpim.core import query as q
from openpim.core.grants import Kind, Schedule
from openpim.core.scopes import ADMINISTRATIVE_UNITS
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import missing, settled
from openpim.faces.graph.resource import Row, listed
from openpim.faces.graph.table import Endpoint
from openpim.services import browse, role_assignments, schedules
from openpim.services.reading import Whose

_FRAGMENT = "scopedRoleMemberships"


def _unit(call: Call) -> str:
    """The scope of the unit the address names; 404 where there is none."""
    key = call.params["id"].lower()
    settled(browse.administrative_unit(call.deps, call.caller, key), key)
    return ADMINISTRATIVE_UNITS + key


def _rows(call: Call, held: Sequence[Schedule]) -> list[Row]:
    people = browse.objects_by_id(call.deps, call.caller, {one.principal_id for one in held})
    return [
        {
            "id": grants.instance_id(one),
            "roleId": one.role_id,
            "administrativeUnitId": one.scope.rpartition("/")[2],
            "roleMemberInfo": {
                "id": one.principal_id,
                "displayName": people[one.principal_id].display_name if one.principal_id in people else None,
            },
        }
        for one in held
    ]


def index(call: Call) -> Answer:
    where = q.Compare("scope", "eq", _unit(call))
    query = filters.build(call.options, {"roleid": filters.guid("role_id")}, extra=where)
    page = settled(
        schedules.instances(call.deps, call.caller, grants.DIRECTORY, Kind.ASSIGNMENT, Whose.ANYONE, query)
    )
    return listed(call, _FRAGMENT, _rows(call, page.items), page.next, page.total)


def _found(call: Call) -> Schedule:
    scope, key = _unit(call), call.params["member"]
    found = grants.find_instance(call, Kind.ASSIGNMENT, key)
    if found is None:
        raise missing(key)
    held = settled(found, key)
    if held.scope != scope:
        raise missing(key)
    return held


def show(call: Call) -> Answer:
    row = _rows(call, (_found(call),))[0]
    return Answer(200, {"@odata.context": call.context(f"{_FRAGMENT}/$entity"), **row})


def create(call: Call, path: str) -> Answer:
    body = call.json()
    role = body.need_guid("roleId")
    member = body.object("roleMemberInfo")
    if member is None:
        raise body.fail("roleMemberInfo", "is required")
    made = settled(role_assignments.create(call.deps, call.caller, role, member.need_guid("id"), _unit(call)))
    row = _rows(call, (made,))[0]
    where = location(call, f"{path}/{call.params['id']}/scopedRoleMembers", row["id"])
    return Answer(201, {"@odata.context": call.context(f"{_FRAGMENT}/$entity"), **row}, {"Location": where})


def delete(call: Call) -> Answer:
    held = _found(call)
    gone = role_assignments.delete(call.deps, call.caller, held.role_id, held.principal_id, held.scope)
    settled(gone, call.params["member"])
    return NO_CONTENT


def _endpoints(path: str) -> tuple[Endpoint, ...]:
    read = (*p.ROLE_ASSIGNMENTS_READ, *p.UNITS_READ)
    below = f"{path}/{{id}}/scopedRoleMembers"
    return (
        Endpoint("GET", below, index, read),
        Endpoint("POST", below, partial(create, path=path), p.ROLE_ASSIGNMENTS_WRITE),
        Endpoint("GET", f"{below}/{{member}}", show, read),
        Endpoint("DELETE", f"{below}/{{member}}", delete, p.ROLE_ASSIGNMENTS_WRITE),
    )


ENDPOINTS = (*_endpoints("directory/administrativeUnits"), *_endpoints("administrativeUnits"))
