"""`roleAssignmentScheduleRequests` and `roleEligibilityScheduleRequests`: asking for a grant, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from openpim.core.ask import Ask
from openpim.core.caller import CallerKind
from openpim.core.grants import Action, Duration, ExpirationType, Kind, Request, Schedule, Ticket, Window
from openpim.core.lifecycle import AWAITING_DECISION
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph import schedules as schedule_face
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import Fault, Style, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import BETA, Endpoint, Handler
from openpim.services import requests
from openpim.services.cancel import cancel as cancel_request
from openpim.services.reading import Whose
from openpim.services.submit import submit
from openpim.wire.enums import RequestStatus
from openpim.wire.graph_errors import missing_scope_message
from openpim.wire.ids import IdError, decode_instance_id, is_guid
from openpim.wire.jsonbody import Body
from openpim.wire.odata import QueryOptions

_ENDING = frozenset({Action.ADMIN_REMOVE, Action.SELF_DEACTIVATE})
_EXTENDING = frozenset({Action.SELF_EXTEND, Action.SELF_RENEW})


def row(_call: Call, request: Request) -> Row:
    by_app = request.created_by_kind == "servicePrincipal"
    author = {"displayName": None, "id": request.created_by}
    ours = {"@openpim.failure": request.failure} if request.failure else {}
    return {
        "id": request.id,
        "status": request.status.value,
        "createdDateTime": grants.when(request.created_at),
        "completedDateTime": None if request.action in _ENDING else grants.when(request.completed_at),
        "approvalId": request.approval_id,
        "customData": request.custom_data,
        "action": request.action.value,
        "principalId": request.principal_id,
        "roleDefinitionId": request.role_id,
        "directoryScopeId": request.scope,
        "appScopeId": None,
        "isValidationOnly": request.validation_only,
        "targetScheduleId": _target(request),
        "justification": request.justification,
        "createdBy": {
            "application": author if by_app else None,
            "device": None,
            "user": None if by_app else author,
        },
        "scheduleInfo": grants.asked_info(request),
        "ticketInfo": {"ticketNumber": request.ticket.number, "ticketSystem": request.ticket.system},
        **ours,
    }


def _target(request: Request) -> str | None:
    """The schedule it made; while it waits, the one it would make (Graph names it at once). Null for removals."""
    if request.action in _ENDING:
        return None
    if (
        request.schedule_id is None
        and request.status in AWAITING_DECISION
        and request.action not in _EXTENDING
    ):
        return request.id
    return request.schedule_id


def _expand_target(call: Call, items: Sequence[Request], options: QueryOptions) -> list[Any]:
    found = _targets(call, items)
    rows = {
        key: schedule_face.resource_for(one.kind).rows(call, (one,), options)[0] for key, one in found.items()
    }
    return [rows.get(one.schedule_id or "") for one in items]


def _targets(call: Call, items: Sequence[Request]) -> dict[str, Schedule]:
    if not items:
        return {}
    return grants.schedules_by_id(call, items[0].kind, {one.schedule_id for one in items if one.schedule_id})


def _expand_activated_using(call: Call, items: Sequence[Request], options: QueryOptions) -> list[Any]:
    """The eligibility behind the schedule that an activation made."""
    made = _targets(call, items)
    present = list(made.values())
    rows = schedule_face.expand_activated_using(call, present, options)
    by_id = {one.id: found for one, found in zip(present, rows, strict=True)}
    return [by_id.get(one.schedule_id or "") for one in items]


@cache
def resource_for(kind: Kind) -> Resource[Request]:
    name = "Assignment" if kind is Kind.ASSIGNMENT else "Eligibility"
    expanders: dict[str, Any] = {
        "principal": grants.expand_principal,
        "roleDefinition": grants.expand_role,
        "directoryScope": grants.expand_scope,
        "appScope": grants.expand_nothing,
        "targetSchedule": _expand_target,
    }
    if kind is Kind.ASSIGNMENT:
        expanders["activatedUsing"] = _expand_activated_using
    return Resource(
        path=f"{grants.BASE}/role{name}ScheduleRequests",
        type=f"unifiedRole{name}ScheduleRequest",
        render=row,
        properties={
            "id": filters.guid("id"),
            "status": filters.word("status", RequestStatus),
            "action": filters.word("action", Action, strict=True),
            "principalid": filters.guid("principal_id"),
            "roledefinitionid": filters.guid("role_id"),
            "directoryscopeid": grants.scope_property(),
            "appscopeid": filters.constant(None),
            "targetscheduleid": filters.guid("schedule_id"),
            "approvalid": filters.guid("approval_id"),
            "createddatetime": filters.instant("created_at"),
            "completeddatetime": filters.instant("completed_at"),
            "isvalidationonly": filters.constant(False),
            "createdby/user/id": filters.guid("created_by"),
            "createdby/application/id": filters.guid("created_by"),
        },
        expanders=expanders,
    )


def index(call: Call, kind: Kind) -> Answer:
    resource = resource_for(kind)
    page = requests.page(call.deps, call.caller, grants.DIRECTORY, kind, Whose.ANYONE, resource.query(call))
    return resource.collection(call, settled(page))


def mine(call: Call, kind: Kind) -> Answer:
    resource = resource_for(kind)
    page = settled(
        requests.page(
            call.deps, call.caller, grants.DIRECTORY, kind, grants.whose(call), resource.query(call)
        )
    )
    # As the documented answers have it: the two kinds and the two versions differ.
    if kind is Kind.ASSIGNMENT and call.version != BETA:
        return resource.collection(call, page)
    typed = kind is Kind.ELIGIBILITY
    return resource.collection(call, page, typed=typed, path=f"Collection({resource.type})")


def show(call: Call, kind: Kind) -> Answer:
    key = call.params["id"].lower()
    found = requests.get(call.deps, call.caller, grants.DIRECTORY, kind, key)
    return resource_for(kind).entity(call, settled(found, key))


def cancel(call: Call, kind: Kind) -> Answer:
    key = call.params["id"].lower()
    settled(cancel_request(call.deps, call.caller, grants.DIRECTORY, kind, key), key)
    return NO_CONTENT


def create(call: Call, kind: Kind) -> Answer:
    ask = read_ask(call.json(), kind)
    only_removing(call, p.ASSIGNMENT_WRITE if kind is Kind.ASSIGNMENT else p.ELIGIBILITY_WRITE, ask.action)
    made = settled(submit(call.deps, call.caller, ask), ask.principal_id)
    resource = resource_for(kind)
    answer = resource.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, resource.path, made.id)})


def only_removing(call: Call, wanted: Sequence[str], action: Action) -> None:
    """A token that may only remove may only remove. wanted: the permissions that let in here."""
    held = call.caller.scopes if call.caller.kind is CallerKind.USER else call.caller.permissions
    matching = held.intersection(wanted)
    if matching and matching <= p.REMOVE_ONLY and action not in _ENDING:
        needed = [one for one in wanted if one not in p.REMOVE_ONLY]
        raise Fault("PermissionScopeNotGranted", missing_scope_message(needed))


# ---------------------------------------------------------------- reading a body


def read_ask(body: Body, kind: Kind) -> Ask:
    """What the body of a POST asks for. Raises BodyError, which names the member at fault."""
    return Ask(
        kind=kind,
        provider=grants.DIRECTORY,
        action=body.need_choice("action", Action),
        principal_id=body.need_guid("principalId"),
        role_id=body.need_guid("roleDefinitionId"),
        scope=_scope(body),
        justification=body.text("justification"),
        ticket=read_ticket(body.object("ticketInfo")),
        window=read_window(body.object("scheduleInfo")),
        validation_only=bool(body.boolean("isValidationOnly")),
        custom_data=body.text("customData"),
        schedule_id=_schedule(body),
    )


def _scope(body: Body) -> str:
    if body.text("appScopeId"):
        raise body.fail("appScopeId", "is not supported; use directoryScopeId")
    text = body.need_text("directoryScopeId", max_length=512)
    if not text.strip().startswith("/"):
        raise body.fail("directoryScopeId", "must be /, /administrativeUnits/{id} or /{objectId}")
    return grants.scope_of(text)


def read_ticket(ticket: Body | None) -> Ticket:
    if ticket is None:
        return Ticket()
    return Ticket(ticket.text("ticketNumber"), ticket.text("ticketSystem"))


def _schedule(body: Body) -> str | None:
    text = body.text("targetScheduleId")
    if not text:
        return None
    if is_guid(text):
        return text.lower()
    try:
        decode_instance_id(text)
    except IdError as error:
        raise body.fail("targetScheduleId", str(error)) from None
    return None  # made outside PIM: role, principal and scope say which one


def read_window(info: Body | None) -> Window:
    if info is None:
        return Window()
    if info.get("recurrence") is not None:
        raise info.fail("recurrence", "is not supported")
    start = info.datetime("startDateTime")
    expiration = info.object("expiration")
    if expiration is None:
        return Window(start)
    kind = expiration.choice("type", ExpirationType)
    end = expiration.datetime("endDateTime")
    given = expiration.duration("duration")
    duration = Duration(given.iso, given.months, given.seconds) if given is not None else None
    if kind is None:
        kind = ExpirationType.NOT_SPECIFIED
        if duration is not None or end is not None:
            kind = ExpirationType.AFTER_DURATION if duration is not None else ExpirationType.AFTER_DATE_TIME
    if kind is ExpirationType.AFTER_DATE_TIME:
        return Window(start, kind, expiration.need("endDateTime", end))
    if kind is ExpirationType.AFTER_DURATION:
        return Window(start, kind, duration=expiration.need("duration", duration))
    return Window(start, kind)


def _of(handler: Any, kind: Kind) -> Handler:
    return partial(handler, kind=kind)


def _endpoints(kind: Kind, path: str, read: tuple[str, ...], write: tuple[str, ...]) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", path, _of(index, kind), read, Style.PIM),
        Endpoint("POST", path, _of(create, kind), write, Style.PIM),
        Endpoint("GET", f"{path}/filterByCurrentUser()", _of(mine, kind), read, Style.PIM),
        Endpoint("GET", f"{path}/{{id}}", _of(show, kind), read, Style.PIM),
        Endpoint("POST", f"{path}/{{id}}/cancel", _of(cancel, kind), write, Style.PIM),
    )


ENDPOINTS = (
    *_endpoints(
        Kind.ASSIGNMENT,
        f"{grants.BASE}/roleAssignmentScheduleRequests",
        p.ASSIGNMENT_READ,
        p.ASSIGNMENT_WRITE,
    ),
    *_endpoints(
        Kind.ELIGIBILITY,
        f"{grants.BASE}/roleEligibilityScheduleRequests",
        p.ELIGIBILITY_READ,
        p.ELIGIBILITY_WRITE,
    ),
)
