"""`roleAssignments`: the plain list of who holds what now, and assignments made and removed outside PIM.

Each row is an assignment instance in force; `transitiveRoleAssignments` adds what somebody holds through groups.
"""

from __future__ import annotations

from dataclasses import replace

from openpim.core import query as q
from openpim.core.grants import Kind, Schedule
from openpim.core.refusals import Refusal
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import Style, bad, missing, settled, unsupported
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services import browse, role_assignments, schedules
from openpim.services.reading import Whose
from openpim.wire.ids import IdError, decode_instance_id
from openpim.wire.odata import pinned

PATH = f"{grants.BASE}/roleAssignments"
TRANSITIVE = f"{grants.BASE}/transitiveRoleAssignments"


def row(call: Call, schedule: Schedule) -> Row:
    return {
        "id": grants.instance_id(schedule),
        "principalId": schedule.principal_id,
        "principalOrganizationId": call.caller.tenant_id,
        "resourceScope": schedule.scope,
        "directoryScopeId": schedule.scope,
        "roleDefinitionId": schedule.role_id,
    }


ASSIGNMENTS: Resource[Schedule] = Resource(
    path=PATH,
    type="unifiedRoleAssignment",
    render=row,
    properties={
        "id": grants.instance_key(Kind.ASSIGNMENT),
        "principalid": filters.guid("principal_id"),
        "roledefinitionid": filters.guid("role_id"),
        "directoryscopeid": grants.scope_property(),
        "resourcescope": grants.scope_property(),
        "appscopeid": filters.constant(None),
    },
    expanders={
        "principal": grants.expand_principal,
        "roleDefinition": grants.expand_role,
        "directoryScope": grants.expand_scope,
        "appScope": grants.expand_nothing,
    },
)


def _once(page: q.Page[Schedule]) -> q.Page[Schedule]:
    """An assignment held and activated at once is one assignment here."""
    found: dict[str, Schedule] = {}
    for one in page.items:
        found.setdefault(grants.instance_id(one), one)
    return replace(page, items=tuple(found.values()))


def index(call: Call) -> Answer:
    query = ASSIGNMENTS.query(call)
    page = schedules.instances(call.deps, call.caller, grants.DIRECTORY, Kind.ASSIGNMENT, Whose.ANYONE, query)
    return ASSIGNMENTS.collection(call, _once(settled(page)))


def transitive(call: Call) -> Answer:
    if not call.eventual:
        raise unsupported(
            "transitiveRoleAssignments needs the header 'ConsistencyLevel: eventual' and $count=true."
        )
    holders = pinned(call.options.filter, "principalId")
    if holders is None or len(holders) != 1 or None in holders:
        raise bad("transitiveRoleAssignments needs $filter=principalId eq '{id}'.", "$filter")
    holder = str(next(iter(holders)))
    if holder == call.caller.principal_id:
        known = {**ASSIGNMENTS.properties, "principalid": filters.decided(lambda _: filters.EVERY)}
        through = Whose.PRINCIPAL
    else:
        groups = settled(
            browse.memberships(call.deps, call.caller, holder, q.Query(limit=1000), transitive=True), holder
        )
        ids = (holder, *(group.id for group in groups.items))
        known = {
            **ASSIGNMENTS.properties,
            "principalid": filters.decided(lambda _: q.AnyOf("principal_id", ids)),
        }
        through = Whose.ANYONE
    query = ASSIGNMENTS.query(call, properties=known)
    page = schedules.instances(call.deps, call.caller, grants.DIRECTORY, Kind.ASSIGNMENT, through, query)
    return ASSIGNMENTS.collection(call, _once(settled(page)), path=TRANSITIVE)


def show(call: Call) -> Answer:
    key = call.params["id"]
    found = grants.find_instance(call, Kind.ASSIGNMENT, key)
    if found is None:
        raise missing(key)
    return ASSIGNMENTS.entity(call, settled(found, key))


def create(call: Call) -> Answer:
    body = call.json()
    if body.text("appScopeId"):
        raise body.fail("appScopeId", "is not supported; use directoryScopeId")
    scope = grants.scope_of(body.need_text("directoryScopeId", max_length=512))
    principal = body.need_guid("principalId")
    made = settled(
        role_assignments.create(call.deps, call.caller, body.need_guid("roleDefinitionId"), principal, scope),
        principal,
    )
    answer = ASSIGNMENTS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, PATH, grants.instance_id(made))})


def delete(call: Call) -> Answer:
    key = call.params["id"]
    try:
        decoded = decode_instance_id(key)
    except IdError:
        raise missing(key) from None
    if decoded.eligible:
        raise missing(key)
    outcome: Schedule | Refusal = role_assignments.delete(
        call.deps, call.caller, decoded.role_id, decoded.principal_id, decoded.directory_scope_id
    )
    settled(outcome, key)
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.ROLE_ASSIGNMENTS_READ, Style.PIM),
    Endpoint("POST", PATH, create, p.ROLE_ASSIGNMENTS_WRITE, Style.PIM),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.ROLE_ASSIGNMENTS_READ, Style.PIM),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.ROLE_ASSIGNMENTS_WRITE, Style.PIM),
    Endpoint("GET", TRANSITIVE, transitive, p.ROLE_ASSIGNMENTS_READ, Style.PIM),
)
