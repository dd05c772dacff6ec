"""App role assignments: who has which role of which application. The same rows from three sides: of a user, a group or an
application (`appRoleAssignments`), and of the application whose roles they are (`appRoleAssignedTo`)."""

from __future__ import annotations

from openpim.core import query as q
from openpim.core.directory import PrincipalKind
from openpim.faces.graph import filters
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint, Handler
from openpim.services.directory import app_roles as acts
from openpim.services.directory.app_roles import AppRoleView
from openpim.wire.instants import render_datetime

_KINDS = {
    PrincipalKind.USER: "User",
    PrincipalKind.GROUP: "Group",
    PrincipalKind.SERVICE_PRINCIPAL: "ServicePrincipal",
}


def row(_call: Call, view: AppRoleView) -> Row:
    one = view.assignment
    return {
        "id": one.id,
        "deletedDateTime": None,
        "appRoleId": one.app_role_id,
        "createdDateTime": render_datetime(one.created_at),
        "principalDisplayName": view.principal.display_name if view.principal is not None else None,
        "principalId": one.principal_id,
        "principalType": _KINDS[view.principal.kind] if view.principal is not None else None,
        "resourceDisplayName": view.resource.display_name if view.resource is not None else None,
        "resourceId": one.resource_id,
    }


ASSIGNMENTS: Resource[AppRoleView] = Resource(
    path="appRoleAssignments",
    type="appRoleAssignment",
    render=row,
    properties={
        "id": filters.guid("id"),
        "principalid": filters.guid("principal_id"),
        "resourceid": filters.guid("resource_id"),
        "approleid": filters.guid("app_role_id"),
    },
)


def _listed(call: Call, field: str, key: str) -> Answer:
    query = ASSIGNMENTS.query(call, extra=q.Compare(field, "eq", key))
    return ASSIGNMENTS.collection(call, acts.page(call.deps, call.caller, query))


def of_principal(call: Call) -> Answer:
    return _listed(call, "principal_id", call.params["id"].lower())


def of_me(call: Call) -> Answer:
    return _listed(call, "principal_id", call.caller.principal_id)


def of_resource(call: Call) -> Answer:
    return _listed(call, "resource_id", call.params["id"].lower())


def show(call: Call) -> Answer:
    key = call.params["assignment"].lower()
    return ASSIGNMENTS.entity(call, settled(acts.get(call.deps, call.caller, key), key))


def assign(call: Call) -> Answer:
    """The path names one side and the body all of it: they must agree."""
    body, side = call.json(), call.params["id"].lower()
    principal, resource = body.need_guid("principalId"), body.need_guid("resourceId")
    if side not in {principal, resource}:
        raise body.fail("principalId", "must be the object of the address, or resourceId must")
    made = settled(
        acts.assign(call.deps, call.caller, principal, resource, body.need_guid("appRoleId")), resource
    )
    answer = ASSIGNMENTS.entity(call, made, status=201)
    where = location(call, f"servicePrincipals/{resource}/appRoleAssignedTo", made.assignment.id)
    return Answer(201, answer.body, {"Location": where})


def unassign(call: Call) -> Answer:
    key = call.params["assignment"].lower()
    settled(acts.unassign(call.deps, call.caller, key, of=call.params["id"].lower()), key)
    return NO_CONTENT


def _side(address: str, listing: Handler) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", address, listing, p.APP_ROLES_READ),
        Endpoint("POST", address, assign, p.APP_ROLES_WRITE),
        Endpoint("DELETE", f"{address}/{{assignment}}", unassign, p.APP_ROLES_WRITE),
    )


ENDPOINTS = (
    *_side("servicePrincipals/{id}/appRoleAssignedTo", of_resource),
    Endpoint("GET", "servicePrincipals/{id}/appRoleAssignedTo/{assignment}", show, p.APP_ROLES_READ),
    *_side("servicePrincipals/{id}/appRoleAssignments", of_principal),
    *_side("groups/{id}/appRoleAssignments", of_principal),
    *_side("users/{id}/appRoleAssignments", of_principal),
    Endpoint("GET", "me/appRoleAssignments", of_me, p.APP_ROLES_READ, people_only=True),
)
