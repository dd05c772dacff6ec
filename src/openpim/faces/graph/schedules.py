"""`roleAssignmentSchedules` and `roleEligibilitySchedules`: what is held now and what is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.core.refusals import Refusal
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint, Handler
from openpim.services import schedules
from openpim.services.reading import Whose
from openpim.wire.enums import RequestStatus
from openpim.wire.ids import is_guid
from openpim.wire.odata import QueryOptions


def row(call: Call, schedule: Schedule, through: Whose = Whose.ANYONE) -> Row:
    inside = schedule.request_id is not None
    found: Row = {
        "id": grants.schedule_id(schedule),
        "principalId": schedule.principal_id,
        "roleDefinitionId": schedule.role_id,
        "directoryScopeId": schedule.scope,
        "appScopeId": None,
        "createdUsing": schedule.request_id,
        "createdDateTime": grants.when(schedule.created_at) if inside else None,
        "modifiedDateTime": grants.when(schedule.modified_at),
        "status": schedule.status.value,
    }
    if schedule.kind is Kind.ASSIGNMENT:
        found["assignmentType"] = (schedule.assignment_type or AssignmentType.ASSIGNED).value
    found["memberType"] = grants.member_type(call, schedule, through)
    found["scheduleInfo"] = grants.schedule_info(schedule)
    return found


def expand_activated_using(call: Call, items: Sequence[Schedule], options: QueryOptions) -> list[Any]:
    """The eligibility that an activation rests on."""
    found = grants.schedules_by_id(call, Kind.ELIGIBILITY, {one.linked_id for one in items if one.linked_id})
    resource = resource_for(Kind.ELIGIBILITY)
    rows = {key: resource.rows(call, (one,), options)[0] for key, one in found.items()}
    return [rows.get(one.linked_id or "") for one in items]


def properties(kind: Kind) -> dict[str, filters.Property]:
    """What both schedules and instances can be asked about."""
    found = {
        "principalid": filters.guid("principal_id"),
        "roledefinitionid": filters.guid("role_id"),
        "directoryscopeid": grants.scope_property(),
        "appscopeid": filters.constant(None),
    }
    if kind is Kind.ASSIGNMENT:
        found["assignmenttype"] = filters.word("assignment_type", AssignmentType)
    return found


def expanders(kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = {
        "principal": grants.expand_principal,
        "roleDefinition": grants.expand_role,
        "directoryScope": grants.expand_scope,
        "appScope": grants.expand_nothing,
    }
    if kind is Kind.ASSIGNMENT:
        found["activatedUsing"] = expand_activated_using
    return found


@cache
def resource_for(kind: Kind, through: Whose = Whose.ANYONE) -> Resource[Schedule]:
    name = "Assignment" if kind is Kind.ASSIGNMENT else "Eligibility"
    return Resource(
        path=f"{grants.BASE}/role{name}Schedules",
        type=f"unifiedRole{name}Schedule",
        render=partial(row, through=through),
        properties={
            **properties(kind),
            "id": grants.schedule_key(kind),
            "createdusing": filters.guid("request_id"),
            "status": filters.word("status", RequestStatus),
            "createddatetime": filters.instant("created_at"),
            "modifieddatetime": filters.instant("modified_at"),
            "scheduleinfo/startdatetime": filters.instant("starts_at"),
            "scheduleinfo/expiration/enddatetime": filters.instant("ends_at"),
            "startdatetime": filters.instant("starts_at"),
            "enddatetime": filters.instant("ends_at"),
        },
        expanders=expanders(kind),
    )


def index(call: Call, kind: Kind, through: Whose = Whose.ANYONE) -> Answer:
    resource = resource_for(kind, through)
    known = {**resource.properties, "membertype": grants.member_type_property(call, through)}
    query = resource.query(call, properties=known)
    page = settled(schedules.page(call.deps, call.caller, grants.DIRECTORY, kind, through, query))
    if through is Whose.ANYONE:
        return resource.collection(call, page)
    return resource.collection(call, page, typed=True, path=f"Collection({resource.type})")


def mine(call: Call, kind: Kind) -> Answer:
    return index(call, kind, grants.whose(call))


def show(call: Call, kind: Kind) -> Answer:
    return resource_for(kind).entity(call, find(call, kind, call.params["id"]))


def find(call: Call, kind: Kind, key: str) -> Schedule:
    """By guid, or by the encoded id of one that was made outside PIM."""
    if is_guid(key):
        return settled(schedules.get(call.deps, call.caller, grants.DIRECTORY, kind, key.lower()), key)
    found = grants.find_instance(call, kind, key)
    if found is None or (not isinstance(found, Refusal) and found.request_id is not None):
        raise grants.no_such("schedule", key)
    return settled(found, key)


def _of(handler: Any, kind: Kind) -> Handler:
    return partial(handler, kind=kind)


def _endpoints(kind: Kind, path: str, read: tuple[str, ...]) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", path, _of(index, kind), read, Style.PIM),
        Endpoint("GET", f"{path}/filterByCurrentUser()", _of(mine, kind), read, Style.PIM),
        Endpoint("GET", f"{path}/{{id}}", _of(show, kind), read, Style.PIM),
    )


ENDPOINTS = (
    *_endpoints(Kind.ASSIGNMENT, f"{grants.BASE}/roleAssignmentSchedules", p.ASSIGNMENT_READ),
    *_endpoints(Kind.ELIGIBILITY, f"{grants.BASE}/roleEligibilitySchedules", p.ELIGIBILITY_READ),
)
