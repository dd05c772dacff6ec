"""Groups' `assignmentSchedules` and `eligibilitySchedules`: who is, or will be, member or owner (or may become it)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph import privileged_access_group as pag
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services import schedules
from openpim.services.reading import Whose
from openpim.wire.enums import RequestStatus
from openpim.wire.odata import QueryOptions


def held(call: Call, schedule: Schedule, through: Whose) -> Row:
    """Who holds what: the members that schedules and instances share."""
    found: Row = {
        "principalId": schedule.principal_id,
        "accessId": schedule.role_id,
        "groupId": schedule.scope,
        "memberType": grants.member_type(call, schedule, through),
    }
    if schedule.kind is Kind.ASSIGNMENT:
        found["assignmentType"] = (schedule.assignment_type or AssignmentType.ASSIGNED).value
    return found


def row(call: Call, schedule: Schedule, through: Whose = Whose.ANYONE) -> Row:
    return {
        "id": pag.schedule_id(schedule),
        "scheduleInfo": grants.schedule_info(schedule),
        "createdDateTime": grants.when(schedule.created_at),
        "modifiedDateTime": grants.when(schedule.modified_at),
        "createdUsing": schedule.request_id,
        "status": schedule.status.value,
        **held(call, schedule, through),
    }


def expand_activated_using(call: Call, items: Sequence[Schedule], options: QueryOptions) -> list[Any]:
    """The eligibility that an activation rests on."""
    ids = {one.linked_id for one in items if one.linked_id}
    found = pag.schedules_by_id(call, Kind.ELIGIBILITY, ids, items)
    resource = resource_for(Kind.ELIGIBILITY)
    rows = {key: resource.rows(call, (one,), options)[0] for key, one in found.items()}
    return [rows.get(one.linked_id or "") for one in items]


def expanders(kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = {"group": pag.expand_group, "principal": grants.expand_principal}
    if kind is Kind.ASSIGNMENT:
        found["activatedUsing"] = expand_activated_using
    return found


def properties(kind: Kind) -> dict[str, filters.Property]:
    """What schedules and instances can be asked about."""
    found = {**pag.properties(), "id": pag.key_property()}
    if kind is Kind.ASSIGNMENT:
        found["assignmenttype"] = filters.word("assignment_type", AssignmentType)
    return found


@cache
def resource_for(kind: Kind, through: Whose = Whose.ANYONE) -> Resource[Schedule]:
    return Resource(
        path=f"{pag.PATH}/{pag.word(kind)}Schedules",
        type=f"privilegedAccessGroup{pag.type_word(kind)}Schedule",
        render=partial(row, through=through),
        properties={
            **properties(kind),
            "createdusing": filters.guid("request_id"),
            "status": filters.word("status", RequestStatus),
            "createddatetime": filters.instant("created_at"),
            "modifieddatetime": filters.instant("modified_at"),
            "scheduleinfo/startdatetime": filters.instant("starts_at"),
            "scheduleinfo/expiration/enddatetime": filters.instant("ends_at"),
        },
        expanders=expanders(kind),
    )


def index(call: Call, kind: Kind, through: Whose = Whose.ANYONE) -> Answer:
    resource = resource_for(kind, through)
    if through is Whose.ANYONE:
        pag.check_pinned(call)
    known = {**resource.properties, "membertype": grants.member_type_property(call, through)}
    query = resource.query(call, properties=known)
    page = settled(schedules.page(call.deps, call.caller, pag.GROUP, kind, through, query))
    if through is Whose.ANYONE:
        return resource.collection(call, page)
    return resource.collection(call, page, typed=True, path=f"Collection({resource.type})")


def mine(call: Call, kind: Kind) -> Answer:
    return index(call, kind, grants.whose(call))


def show(call: Call, kind: Kind) -> Answer:
    return resource_for(kind).entity(call, pag.find(call, kind, call.params["id"]))


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
