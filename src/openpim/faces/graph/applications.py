"""`/servicePrincipals` and `/applications` with their owners, read only; by id or by `appId='…'`."""

from __future__ import annotations

from dataclasses import replace

from openpim.core.directory import ServicePrincipal
from openpim.core.query import Order
from openpim.faces.graph import permissions as p
from openpim.faces.graph.application_claims import role_row
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.objects import (
    APPLICATIONS,
    GROUPS,
    SERVICE_PRINCIPALS,
    object_rows,
    people,
    people_query,
    searching,
)
from openpim.faces.graph.resource import listed
from openpim.faces.graph.table import Endpoint
from openpim.services import browse
from openpim.services.directory import app_roles, application_owners
from openpim.wire.odata import ODataError

_SEARCHED = {"displayname": "display_name"}


def _app_id(call: Call) -> str:
    value = call.args.get("appid")
    if not isinstance(value, str):
        raise ODataError("path", "the key must be appId='{client id}'")
    return value.lower()


def service_principals(call: Call) -> Answer:
    query = SERVICE_PRINCIPALS.query(call, extra=searching(call, _SEARCHED), order=(Order("display_name"),))
    return SERVICE_PRINCIPALS.collection(
        call, settled(browse.service_principals(call.deps, call.caller, query))
    )


def _with_roles(call: Call, principal: ServicePrincipal) -> Answer:
    """One service principal says the roles of its application too; a list does not."""
    answer = SERVICE_PRINCIPALS.entity(call, principal)
    wanted = {one.lower() for one in call.options.select}
    if not wanted or wanted & {"*", "approles"}:
        roles = app_roles.roles_of(call.deps, call.caller, principal.app_id)
        body = answer.body if isinstance(answer.body, dict) else {}
        return replace(answer, body={**body, "appRoles": [role_row(one) for one in roles]})
    return answer


def service_principal(call: Call) -> Answer:
    key = call.params["id"].lower()
    return _with_roles(call, settled(browse.service_principal(call.deps, call.caller, key), key))


def service_principal_by_app(call: Call) -> Answer:
    key = _app_id(call)
    found = browse.service_principal(call.deps, call.caller, key, by_app_id=True)
    return _with_roles(call, settled(found, key))


def member_of(call: Call) -> Answer:
    key = call.params["id"].lower()
    page = settled(browse.memberships(call.deps, call.caller, key, GROUPS.query(call)), key)
    rows = object_rows(call, page.items, call.options)
    return listed(call, GROUPS.fragment(call.options, path="directoryObjects"), rows, page.next, page.total)


def applications(call: Call) -> Answer:
    query = APPLICATIONS.query(call, extra=searching(call, _SEARCHED), order=(Order("display_name"),))
    return APPLICATIONS.collection(call, settled(browse.applications(call.deps, call.caller, query)))


def application(call: Call) -> Answer:
    key = call.params["id"].lower()
    return APPLICATIONS.entity(call, settled(browse.application(call.deps, call.caller, key), key))


def application_by_app(call: Call) -> Answer:
    key = _app_id(call)
    found = browse.application(call.deps, call.caller, key, by_app_id=True)
    return APPLICATIONS.entity(call, settled(found, key))


def owners(call: Call) -> Answer:
    key = call.params["id"].lower()
    return people(
        call, settled(application_owners.owners(call.deps, call.caller, key, people_query(call)), key)
    )


ENDPOINTS = (
    Endpoint("GET", "servicePrincipals", service_principals, p.APPLICATIONS_READ),
    Endpoint("GET", "servicePrincipals/{id}", service_principal, p.APPLICATIONS_READ),
    Endpoint("GET", "servicePrincipals()", service_principal_by_app, p.APPLICATIONS_READ),
    Endpoint("GET", "servicePrincipals/{id}/memberOf", member_of, p.APPLICATIONS_READ),
    Endpoint("GET", "applications", applications, p.APPLICATIONS_READ),
    Endpoint("GET", "applications/{id}", application, p.APPLICATIONS_READ),
    Endpoint("GET", "applications()", application_by_app, p.APPLICATIONS_READ),
    Endpoint("GET", "applications/{id}/owners", owners, p.APPLICATIONS_READ),
)
