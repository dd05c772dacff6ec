"""`roleAssignmentScheduleRequests` and `roleEligibilityScheduleRequests`: asking for a grant, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from openpim.core.ask import Ask
from openpim.core.grants import Action, Duration, ExpirationType, Kind, Request, Ticket, Window
from openpim.core.lifecycle import AWAITING_DECISION
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import RefusedError, Style, settled
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services import requests
from openpim.services.cancel import cancel as cancel_request
from openpim.services.resources import asking, listing
from openpim.services.submit import submit
from openpim.wire.ids import is_guid
from openpim.wire.jsonbody import Body

PROPERTIES = (
    "principalId", "roleDefinitionId", "requestorId", "status", "requestType", "scope", "createdOn", "approvalId",
    "principalType", "name", "id",
)  # fmt: skip
_ENDING = frozenset({Action.ADMIN_REMOVE, Action.SELF_DEACTIVATE})
_EXTENDING = frozenset({Action.SELF_EXTEND, Action.SELF_RENEW})


def row(names: grants.Names, one: Request, linked: str | None) -> Row:
    """linked: the eligibility that the activation rests on."""
    noun = grants.noun(one.kind)
    prefix = names.path(one.scope)
    properties: Row = {
        "scope": prefix or ROOT,
        "roleDefinitionId": names.role_id(one.role_id, one.scope),
        "principalId": one.principal_id,
        "principalType": names.principal_type(one.principal_id),
        "requestType": grants.capital(one.action.value),
        "status": one.status.value,
        "scheduleInfo": _info(one),
        "ticketInfo": {"ticketNumber": one.ticket.number, "ticketSystem": one.ticket.system},
        "justification": one.justification,
        "requestorId": one.created_by,
        "createdOn": grants.when(one.created_at),
        "isValidationOnly": True if one.validation_only else None,
        "expandedProperties": names.expanded(one.principal_id, one.role_id, one.scope),
    }
    target = _target(one)
    if target is not None:
        properties[f"targetRole{noun}ScheduleId"] = grants.resource_id(prefix, f"role{noun}Schedules", target)
    if one.approval_id is not None:
        properties["approvalId"] = grants.resource_id("", "roleAssignmentApprovals", one.approval_id)
    if linked is not None:
        found = names.facts.eligibilities.get(linked)
        at = names.path(found.scope) if found is not None else prefix
        properties["linkedRoleEligibilityScheduleId"] = grants.resource_id(
            at, "roleEligibilitySchedules", linked
        )
    return grants.entity(prefix, f"role{noun}ScheduleRequests", one.id, properties)


def _target(one: Request) -> str | None:
    """The schedule it made; while it waits, the one it would make. Not for removals."""
    if one.action in _ENDING:
        return None
    if one.schedule_id is None and one.status in AWAITING_DECISION and one.action not in _EXTENDING:
        return one.id
    return one.schedule_id


def _info(one: Request) -> Row | None:
    """What was asked for; the start is the real one where it was left to us, or lay in the past."""
    window = one.window
    if one.action in _ENDING and window == Window():
        return None
    start = window.start
    if start is None or start < one.created_at:
        start = one.completed_at or one.created_at
    expiration: Row = {
        "type": grants.capital(window.type.value)
        if window.type is not ExpirationType.NOT_SPECIFIED
        else None,
        "endDateTime": grants.when(window.end) if window.type is ExpirationType.AFTER_DATE_TIME else None,
        "duration": window.duration.iso if window.duration is not None else None,
    }
    return {"startDateTime": _offset(grants.when(start)), "expiration": expiration}


def _offset(text: str | None) -> str | None:
    """The resource manager writes starts with a numeric offset."""
    return text.removesuffix("Z") + "+00:00" if text is not None else None


def rows(call: Call, found: Sequence[Request]) -> list[Row]:
    linked = asking.linked(call.deps, call.caller, found)
    names = grants.names_for(call, found, linked.values())
    return [row(names, one, linked.get(one.id)) for one in found]


# ---------------------------------------------------------------- reading


def index(call: Call, kind: Kind) -> Answer:
    asked = filters.read(call, PROPERTIES)
    page = settled(listing.asked_for(call.deps, call.caller, asked.asked(call, kind)))
    return grants.listed(call, [one for one in rows(call, page.items) if asked.keeps(one)], page.next)


def _find(call: Call, kind: Kind) -> Request:
    key = call.params["name"].lower()
    found = settled(requests.get(call.deps, call.caller, grants.PROVIDER, kind, key))
    if call.scope not in {ROOT, found.scope}:
        raise RefusedError(Refusal(Code.REQUEST_MISSING, f"There is no request {key[:100]} here."))
    return found


def show(call: Call, kind: Kind) -> Answer:
    return Answer(200, rows(call, (_find(call, kind),))[0])


# ---------------------------------------------------------------- asking


def create(call: Call, kind: Kind) -> Answer:
    ask = _read(call, kind)
    settled(asking.check(call.deps, call.caller, ask))
    made = settled(submit(call.deps, call.caller, replace(ask, schedule_id=_meant(ask))))
    return Answer(201, rows(call, (made,))[0])


def validate(call: Call, kind: Kind) -> Answer:
    ask = replace(_read(call, kind), validation_only=True)
    settled(asking.check(call.deps, call.caller, ask))
    made = settled(submit(call.deps, call.caller, replace(ask, request_id=None, schedule_id=_meant(ask))))
    shown = replace(made, id=call.params["name"].lower(), schedule_id=call.params["name"].lower())
    return Answer(200, rows(call, (shown,))[0])


def _meant(ask: Ask) -> str | None:
    """For an activation it named the eligibility, which has been checked; else the schedule meant."""
    return None if ask.action is Action.SELF_ACTIVATE else ask.schedule_id


def cancel(call: Call, kind: Kind) -> Answer:
    key = _find(call, kind).id
    settled(cancel_request(call.deps, call.caller, grants.PROVIDER, kind, key))
    return Answer(200)


def _read(call: Call, kind: Kind) -> Ask:
    """What the body asks for. Raises BodyError, which names the member at fault."""
    name = call.params["name"]
    if not is_guid(name):
        message = f"The name of a request is a GUID that you choose, not {name[:100]!r}."
        raise RefusedError(Refusal(Code.INVALID, message, member="name"))
    body = call.properties()
    if body.text("condition"):
        raise body.fail("condition", "is not supported: nothing would look at it")
    info = body.object("scheduleInfo")
    noun = grants.noun(kind)
    link = body.text("linkedRoleEligibilityScheduleId")
    target = body.text(f"targetRole{noun}ScheduleId") or body.text(f"targetRole{noun}ScheduleInstanceId")
    action = body.need_choice("requestType", Action)
    meant = link if action is Action.SELF_ACTIVATE else target
    if meant and grants.guid_of(meant) is None:
        raise body.fail("linkedRoleEligibilityScheduleId" if meant is link else "target", "is not an id")
    role = grants.guid_of(body.need_text("roleDefinitionId", max_length=1_000))
    if role is None:
        raise body.fail("roleDefinitionId", "does not end in a GUID")
    return Ask(
        kind=kind,
        provider=grants.PROVIDER,
        action=action,
        principal_id=body.need_guid("principalId"),
        role_id=role,
        scope=call.scope,
        justification=body.text("justification"),
        ticket=_ticket(body.object("ticketInfo")),
        window=_window(info),
        validation_only=_true(body, "isValidationOnly"),
        schedule_id=grants.guid_of(meant),
        request_id=name.lower(),
    )


def _true(body: Body, name: str) -> bool:
    value = body.get(name)
    return value.strip().lower() == "true" if isinstance(value, str) else bool(body.boolean(name))


def _ticket(ticket: Body | None) -> Ticket:
    return Ticket() if ticket is None else Ticket(ticket.text("ticketNumber"), ticket.text("ticketSystem"))


def _window(info: Body | None) -> Window:
    if info is None:
        return Window()
    start = info.datetime("startDateTime") if info.text("startDateTime") else None
    expiration = info.object("expiration")
    if expiration is None:
        return Window(start)
    kind = expiration.choice("type", ExpirationType) if expiration.text("type") else None
    end = expiration.datetime("endDateTime") if expiration.text("endDateTime") else None
    given = expiration.duration("duration") if expiration.text("duration") else None
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


def _endpoints() -> list[Endpoint]:
    found = []
    for kind in (Kind.ASSIGNMENT, Kind.ELIGIBILITY):
        path = f"{SCOPE}/providers/Microsoft.Authorization/role{grants.noun(kind)}ScheduleRequests"
        read = f"Microsoft.Authorization/role{grants.noun(kind)}ScheduleRequests/read"
        write = "Microsoft.Authorization/roleAssignments/write"
        found += [
            Endpoint("GET", path, partial(index, kind=kind), read, Style.LIST),
            Endpoint("GET", f"{path}/{{name}}", partial(show, kind=kind), read, Style.PIM),
            Endpoint("PUT", f"{path}/{{name}}", partial(create, kind=kind), write, Style.PIM),
            Endpoint("POST", f"{path}/{{name}}/cancel", partial(cancel, kind=kind), write, Style.PIM),
            Endpoint("POST", f"{path}/{{name}}/validate", partial(validate, kind=kind), write, Style.PIM),
        ]
    return found


ENDPOINTS = tuple(_endpoints())
