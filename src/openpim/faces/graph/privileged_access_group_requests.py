"""Groups' `assignmentScheduleRequests` and `eligibilityScheduleRequests`: asking, and what became of it.

Only the eleven documented statuses go out, because clients refuse others: what timed out has failed, and what waits
for an approval and a later start waits for an approval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from openpim.core import query as q
from openpim.core.ask import Ask
from openpim.core.grants import Action, Kind, Request, Schedule
from openpim.core.lifecycle import RequestStatus
from openpim.core.refusals import Code, Refusal
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph import privileged_access_group as pag
from openpim.faces.graph import privileged_access_group_schedules as schedule_face
from openpim.faces.graph import schedule_requests as role_requests
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services import requests
from openpim.services.cancel import cancel as cancel_request
from openpim.services.reading import Whose
from openpim.services.submit import submit
from openpim.wire.enums import AccessId
from openpim.wire.ids import IdError, group_schedule_id, is_guid, parse_group_schedule_id
from openpim.wire.jsonbody import Body
from openpim.wire.odata import QueryOptions

_SAID = {
    RequestStatus.TIMED_OUT: RequestStatus.FAILED,
    RequestStatus.PENDING_APPROVAL_PROVISIONING: RequestStatus.PENDING_APPROVAL,
}
_ROLE_WORDS = frozenset({"roleDefinitionId", "directoryScopeId", "appScopeId"})


def status_of(request: Request) -> str:
    return _SAID.get(request.status, request.status).value


def row(call: Call, request: Request) -> Row:
    common = role_requests.row(call, request).items()
    return {name: value for name, value in common if name not in _ROLE_WORDS} | {
        "status": status_of(request),
        "accessId": request.role_id,
        "groupId": request.scope,
        "targetScheduleId": _target(request),
    }


def _target(request: Request) -> str | None:
    """The schedule it is about; while it waits, the one it would make. Removals name the one they ended, so that
    the newest request with a targetScheduleId tells what became of it."""
    key = request.schedule_id or (request.id if request.approval_id else None)
    return group_schedule_id(request.scope, request.role_id, key) if key is not None else None


def status_property() -> filters.Property:
    plain = filters.word("status", RequestStatus)

    def compare(op: q.Operator, literal: Any) -> q.Condition:
        found = plain.compare(op, literal)
        if not isinstance(found, q.Compare) or not isinstance(found.value, str) or op not in {"eq", "ne"}:
            return found
        meant = [one.value for one in RequestStatus if _SAID.get(one, one).value == found.value]
        same = q.AnyOf("status", tuple(meant)) if meant else filters.NONE
        return same if op == "eq" else q.Not(same)

    return filters.Property(compare, "status")


def _targets(call: Call, items: Sequence[Request]) -> dict[str, Schedule]:
    if not items:
        return {}
    ids = {one.schedule_id for one in items if one.schedule_id}
    return pag.schedules_by_id(call, items[0].kind, ids, items)


def _expand_target(call: Call, items: Sequence[Request], options: QueryOptions) -> list[Any]:
    rows = {
        key: schedule_face.resource_for(one.kind).rows(call, (one,), options)[0]
        for key, one in _targets(call, items).items()
    }
    return [rows.get(one.schedule_id or "") for one in items]


def _expand_activated_using(call: Call, items: Sequence[Request], options: QueryOptions) -> list[Any]:
    """The eligibility behind the schedule that an activation made."""
    present = list(_targets(call, items).values())
    rows = schedule_face.expand_activated_using(call, present, options)
    by_id = {one.id: found for one, found in zip(present, rows, strict=True)}
    return [by_id.get(one.schedule_id or "") for one in items]


@cache
def resource_for(kind: Kind) -> Resource[Request]:
    expanders: dict[str, Any] = {
        "group": pag.expand_group,
        "principal": grants.expand_principal,
        "targetSchedule": _expand_target,
    }
    if kind is Kind.ASSIGNMENT:
        expanders["activatedUsing"] = _expand_activated_using
    return Resource(
        path=f"{pag.PATH}/{pag.word(kind)}ScheduleRequests",
        type=f"privilegedAccessGroup{pag.type_word(kind)}ScheduleRequest",
        render=row,
        properties={
            **{
                name: found
                for name, found in role_requests.resource_for(kind).properties.items()
                if name not in {"roledefinitionid", "directoryscopeid", "appscopeid"}
            },
            **pag.properties(),
            "status": status_property(),
            "targetscheduleid": pag.key_property("schedule_id"),
        },
        expanders=expanders,
    )


def index(call: Call, kind: Kind) -> Answer:
    pag.check_pinned(call)
    return _page(call, kind, Whose.ANYONE)


def mine(call: Call, kind: Kind) -> Answer:
    return _page(call, kind, grants.whose(call))


def _page(call: Call, kind: Kind, through: Whose) -> Answer:
    resource = resource_for(kind)
    page = requests.page(call.deps, call.caller, pag.GROUP, kind, through, resource.query(call))
    return resource.collection(call, settled(page))


def show(call: Call, kind: Kind) -> Answer:
    key = call.params["id"].lower()
    found = requests.get(call.deps, call.caller, pag.GROUP, kind, key)
    return resource_for(kind).entity(call, settled(found, key))


def cancel(call: Call, kind: Kind) -> Answer:
    key = call.params["id"].lower()
    settled(cancel_request(call.deps, call.caller, pag.GROUP, kind, key), key)
    return NO_CONTENT


def create(call: Call, kind: Kind) -> Answer:
    ask = read_ask(call.json(), kind)
    wanted = p.GROUP_ASSIGNMENT_WRITE if kind is Kind.ASSIGNMENT else p.GROUP_ELIGIBILITY_WRITE
    role_requests.only_removing(call, wanted, ask.action)
    outcome = submit(call.deps, call.caller, ask)
    if isinstance(outcome, Refusal) and outcome.code is Code.SCOPE_MISSING:
        outcome = replace(
            outcome, code=Code.NOT_FOUND
        )  # 404: a client that has just made the group asks again
    made = settled(outcome, ask.principal_id)
    resource = resource_for(kind)
    answer = resource.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, resource.path, made.id)})


def read_ask(body: Body, kind: Kind) -> Ask:
    """What the body of a POST asks for. Raises BodyError, which names the member at fault."""
    group_id, access = body.need_guid("groupId"), body.need_choice("accessId", AccessId)
    return Ask(
        kind=kind,
        provider=pag.GROUP,
        action=body.need_choice("action", Action),
        principal_id=body.need_guid("principalId"),
        role_id=access.value,
        scope=group_id,
        justification=body.text("justification"),
        ticket=role_requests.read_ticket(body.object("ticketInfo")),
        window=role_requests.read_window(body.object("scheduleInfo")),
        validation_only=bool(body.boolean("isValidationOnly")),
        custom_data=body.text("customData"),
        schedule_id=_schedule(body, group_id, access),
    )


def _schedule(body: Body, group_id: str, access: str) -> str | None:
    text = body.text("targetScheduleId")
    if not text:
        return None
    if is_guid(text):
        return text.lower()
    try:
        parsed = parse_group_schedule_id(text)
    except IdError as error:
        raise body.fail("targetScheduleId", str(error)) from None
    if (parsed.group_id, parsed.access) != (group_id, access):
        raise body.fail("targetScheduleId", "is not of this groupId and accessId")
    return parsed.guid


def _endpoints(kind: Kind, read: tuple[str, ...], write: tuple[str, ...]) -> tuple[Endpoint, ...]:
    path = resource_for(kind).path
    return (
        Endpoint("GET", path, partial(index, kind=kind), read, Style.PIM),
        Endpoint("POST", path, partial(create, kind=kind), write, Style.PIM),
        Endpoint("GET", f"{path}/filterByCurrentUser()", partial(mine, kind=kind), read, Style.PIM),
        Endpoint("GET", f"{path}/{{id}}", partial(show, kind=kind), read, Style.PIM),
        Endpoint("POST", f"{path}/{{id}}/cancel", partial(cancel, kind=kind), write, Style.PIM),
    )


ENDPOINTS = (
    *_endpoints(Kind.ASSIGNMENT, p.GROUP_ASSIGNMENT_READ, p.GROUP_ASSIGNMENT_WRITE),
    *_endpoints(Kind.ELIGIBILITY, p.GROUP_ELIGIBILITY_READ, p.GROUP_ELIGIBILITY_WRITE),
)
