"""Groups' `assignmentScheduleInstances` and `eligibilityScheduleInstances`: what is in force at this moment."""

from __future__ import annotations

from functools import cache, partial

from openpim.core.grants import Kind, Schedule
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph import privileged_access_group as pag
from openpim.faces.graph import privileged_access_group_schedules as schedule_face
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services import schedules
from openpim.services.reading import Whose


def row(call: Call, schedule: Schedule, through: Whose = Whose.ANYONE) -> Row:
    """An instance has the id of its schedule."""
    key = pag.schedule_id(schedule)
    return {
        "id": key,
        "startDateTime": grants.when(schedule.starts_at),
        "endDateTime": grants.when(schedule.ends_at),
        **schedule_face.held(call, schedule, through),
        f"{pag.word(schedule.kind)}ScheduleId": key,
    }


@cache
def resource_for(kind: Kind, through: Whose = Whose.ANYONE) -> Resource[Schedule]:
    return Resource(
        path=f"{pag.PATH}/{pag.word(kind)}ScheduleInstances",
        type=f"privilegedAccessGroup{pag.type_word(kind)}ScheduleInstance",
        render=partial(row, through=through),
        properties={
            **schedule_face.properties(kind),
            f"{pag.word(kind)}scheduleid": pag.key_property(),
            "startdatetime": filters.instant("starts_at"),
            "enddatetime": filters.instant("ends_at"),
        },
        expanders=schedule_face.expanders(kind),
    )


def index(call: Call, kind: Kind, through: Whose = Whose.ANYONE) -> Answer:
    resource = resource_for(kind, through)
    if through is Whose.ANYONE:
        pag.check_pinned(call)
    known = {**resource.properties, "membertype": grants.member_type_property(call, through)}
    query = resource.query(call, properties=known)
    page = settled(schedules.instances(call.deps, call.caller, pag.GROUP, kind, through, query))
    if through is Whose.ANYONE:
        return resource.collection(call, page)
    return resource.collection(call, page, typed=True, path=f"Collection({resource.type})")


def mine(call: Call, kind: Kind) -> Answer:
    return index(call, kind, grants.whose(call))


def show(call: Call, kind: Kind) -> Answer:
    key = call.params["id"]
    found = pag.find(call, kind, key)
    if not found.in_force(call.now):
        raise grants.no_such("instance", key)
    return resource_for(kind).entity(call, found)


def _endpoints(kind: Kind, read: tuple[str, ...]) -> tuple[Endpoint, ...]:
    path = resource_for(kind).path
    return (
        Endpoint("GET", path, partial(index, kind=kind), read, Style.PIM),
        Endpoint("GET", f"{path}/filterByCurrentUser()", partial(mine, kind=kind), read, Style.PIM),
        Endpoint("GET", f"{path}/{{id}}", partial(show, kind=kind), read, Style.PIM),
    )


ENDPOINTS = (
    *_endpoints(Kind.ASSIGNMENT, p.GROUP_ASSIGNMENT_READ),
    *_endpoints(Kind.ELIGIBILITY, p.GROUP_ELIGIBILITY_READ),
)
