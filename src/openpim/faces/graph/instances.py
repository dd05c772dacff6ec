"""`roleAssignmentScheduleInstances` and `roleEligibilityScheduleInstances`: what is in force at this moment."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.schedules import expanders, properties
from openpim.faces.graph.table import Endpoint, Handler
from openpim.services import schedules
from openpim.services.reading import Whose


def row(call: Call, schedule: Schedule, through: Whose = Whose.ANYONE) -> Row:
    inside = schedule.request_id is not None
    found: Row = {
        "id": grants.instance_id(schedule),
        "principalId": schedule.principal_id,
        "roleDefinitionId": schedule.role_id,
        "directoryScopeId": schedule.scope,
        "appScopeId": None,
        "startDateTime": grants.when(schedule.starts_at) if inside else None,
        "endDateTime": grants.when(schedule.ends_at),
    }
    if schedule.kind is Kind.ASSIGNMENT:
        found["assignmentType"] = (schedule.assignment_type or AssignmentType.ASSIGNED).value
    found["memberType"] = grants.member_type(call, schedule, through)
    if schedule.kind is Kind.ASSIGNMENT:
        found["roleAssignmentOriginId"] = grants.instance_id(schedule)
        found["roleAssignmentScheduleId"] = grants.schedule_id(schedule)
    else:
        found["roleEligibilityScheduleId"] = grants.schedule_id(schedule)
    return found


@cache
def resource_for(kind: Kind, through: Whose = Whose.ANYONE) -> Resource[Schedule]:
    name = "Assignment" if kind is Kind.ASSIGNMENT else "Eligibility"
    found = {
        **properties(kind),
        "id": grants.instance_key(kind),
        "startdatetime": filters.instant("starts_at"),
        "enddatetime": filters.instant("ends_at"),
    }
    if kind is Kind.ASSIGNMENT:
        found["roleassignmentoriginid"] = grants.instance_key(kind)
        found["roleassignmentscheduleid"] = grants.schedule_key(kind)
    else:
        found["roleeligibilityscheduleid"] = grants.schedule_key(kind)
    return Resource(
        path=f"{grants.BASE}/role{name}ScheduleInstances",
        type=f"unifiedRole{name}ScheduleInstance",
        render=partial(row, through=through),
        properties=found,
        expanders=expanders(kind),
    )


def index(call: Call, kind: Kind, through: Whose = Whose.ANYONE) -> Answer:
    resource = resource_for(kind, through)
    known = {**resource.properties, "membertype": grants.member_type_property(call, through)}
    query = resource.query(call, properties=known)
    page = settled(schedules.instances(call.deps, call.caller, grants.DIRECTORY, kind, through, query))
    if through is Whose.ANYONE:
        return resource.collection(call, page)
    return resource.collection(call, page, typed=True, path=f"Collection({resource.type})")


def mine(call: Call, kind: Kind) -> Answer:
    return index(call, kind, grants.whose(call))


def show(call: Call, kind: Kind) -> Answer:
    key = call.params["id"]
    found = grants.find_instance(call, kind, key)
    if found is None:
        raise grants.no_such("instance", key)
    return resource_for(kind).entity(call, settled(found, key))


def _of(handler: Any, kind: Kind) -> Handler:
    return partial(handler, kind=kind)


def _endpoints(kind: Kind, path: str, read: tuple[str, ...]) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", path, _of(index, kind), read, Style.PIM),
        Endpoint("GET", f"{path}/filterByCurrentUser()", _of(mine, kind), read, Style.PIM),
        Endpoint("GET", f"{path}/{{id}}", _of(show, kind), read, Style.PIM),
    )


ENDPOINTS = (
    *_endpoints(Kind.ASSIGNMENT, f"{grants.BASE}/roleAssignmentScheduleInstances", p.ASSIGNMENT_READ),
    *_endpoints(Kind.ELIGIBILITY, f"{grants.BASE}/roleEligibilityScheduleInstances", p.ELIGIBILITY_READ),
)
