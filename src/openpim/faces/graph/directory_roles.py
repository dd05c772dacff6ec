"""`/directoryRoles` and `/directoryRoleTemplates`: the older names of the built-in roles.

A directory role's id is its template's id here; every built-in role that can be given counts as activated.
"""

from __future__ import annotations

from openpim.core import query as q
from openpim.core.directory import RoleDefinition
from openpim.core.grants import Kind, Provider
from openpim.faces.graph import filters
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import missing, settled
from openpim.faces.graph.objects import expanded
from openpim.faces.graph.resource import Resource, Row, listed
from openpim.faces.graph.table import Endpoint
from openpim.services import browse, schedules
from openpim.services.reading import Whose
from openpim.wire.odata import ODataError


def template_row(_call: Call, role: RoleDefinition) -> Row:
    return {
        "id": role.id,
        "deletedDateTime": None,
        "description": role.description,
        "displayName": role.display_name,
    }


def role_row(call: Call, role: RoleDefinition) -> Row:
    return {**template_row(call, role), "roleTemplateId": role.id}


_PROPERTIES = {
    "id": filters.guid("id"),
    "displayname": filters.text("display_name"),
    "roletemplateid": filters.guid("id"),
    "description": filters.text("description"),
}
ROLES: Resource[RoleDefinition] = Resource(
    path="directoryRoles", type="directoryRole", render=role_row, properties=_PROPERTIES, page_size=999
)
TEMPLATES: Resource[RoleDefinition] = Resource(
    path="directoryRoleTemplates",
    type="directoryRoleTemplate",
    render=template_row,
    properties=_PROPERTIES,
    page_size=999,
)


def _index(call: Call, resource: Resource[RoleDefinition]) -> Answer:
    extra = q.Compare("built_in", "eq", True)
    query = resource.query(call, extra=extra, order=(q.Order("display_name"),))
    page = settled(browse.role_definitions(call.deps, call.caller, query))
    kept = tuple(role for role in page.items if role.assignable)
    return resource.collection(call, q.Page(kept, page.next, page.total))


def index(call: Call) -> Answer:
    return _index(call, ROLES)


def templates(call: Call) -> Answer:
    return _index(call, TEMPLATES)


def _role(call: Call) -> RoleDefinition:
    given = call.params.get("id", call.args.get("roletemplateid"))
    if not isinstance(given, str):
        raise ODataError("path", "the key must be an id or roleTemplateId='{id}'")
    role = settled(browse.role_definition(call.deps, call.caller, given.lower()), given)
    if not role.built_in:
        raise missing(given)
    return role


def show(call: Call) -> Answer:
    return ROLES.entity(call, _role(call))


def template(call: Call) -> Answer:
    return TEMPLATES.entity(call, _role(call))


def members(call: Call) -> Answer:
    """Who holds the role now at the tenant; groups and applications too."""
    role = _role(call)
    where = q.All((q.Compare("role_id", "eq", role.id), q.Compare("scope", "eq", "/")))
    query = filters.build(call.options, {}, extra=where)
    page = settled(
        schedules.instances(call.deps, call.caller, Provider.DIRECTORY, Kind.ASSIGNMENT, Whose.ANYONE, query)
    )
    holders = list(dict.fromkeys(one.principal_id for one in page.items))
    rows = [row for row in expanded(call, holders, call.options) if row is not None]
    return listed(call, "directoryObjects", rows, page.next, page.total)


_READ = (*p.ROLE_ASSIGNMENTS_READ,)

ENDPOINTS = (
    Endpoint("GET", "directoryRoles", index, _READ),
    Endpoint("GET", "directoryRoles/{id}", show, _READ),
    Endpoint("GET", "directoryRoles()", show, _READ),
    Endpoint("GET", "directoryRoles/{id}/members", members, _READ),
    Endpoint("GET", "directoryRoles()/members", members, _READ),
    Endpoint("GET", "directoryRoleTemplates", templates, _READ),
    Endpoint("GET", "directoryRoleTemplates/{id}", template, _READ),
)
