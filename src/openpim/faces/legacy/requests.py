"""`roleAssignmentRequests`: activating (`UserAdd`), giving back (`UserRemove`), and what became of it.

`?evaluateOnly=true` is a dry run. `schedule.type` is Once: a start, and an end or a duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from openpim.core import query as q
from openpim.core.ask import Ask
from openpim.core.grants import Action, Duration, ExpirationType, Kind, Provider, Request, Ticket, Window
from openpim.core.lifecycle import OPEN
from openpim.core.refusals import Refusal
from openpim.core.resources import canonical
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.faces.graph import grants
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Fault, Style, settled
from openpim.faces.graph.resource import Row, listed, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.faces.legacy import provider as pr
from openpim.faces.legacy.role_assignments import MOST, subject_row, trimmed
from openpim.services import browse, eligibilities, requests, schedules
from openpim.services.reading import Whose
from openpim.services.submit import submit
from openpim.wire.jsonbody import Body
from openpim.wire.odata import matches, pinned

PATH = "{provider}/roleAssignmentRequests"
TYPES = {
    "userAdd": Action.SELF_ACTIVATE,
    "userRemove": Action.SELF_DEACTIVATE,
    "userExtend": Action.SELF_EXTEND,
    "userRenew": Action.SELF_RENEW,
    "adminAdd": Action.ADMIN_ASSIGN,
    "adminUpdate": Action.ADMIN_UPDATE,
    "adminRemove": Action.ADMIN_REMOVE,
    "adminExtend": Action.ADMIN_EXTEND,
    "adminRenew": Action.ADMIN_RENEW,
}
_WORDS = {action: word[:1].upper() + word[1:] for word, action in TYPES.items()}
_BY_WORD = {word.lower(): action for word, action in TYPES.items()}


def row(call: Call, request: Request) -> Row:
    window = request.window
    provider = request.provider
    return {
        "id": request.id,
        "resourceId": pr.resource_key(call, provider, request.scope),
        "roleDefinitionId": pr.role_key(provider, request.role_id, request.scope),
        "subjectId": request.principal_id,
        "scopedResourceId": pr.scoped_key(provider, request.scope),
        "linkedEligibleRoleAssignmentId": None,
        "type": _WORDS[request.action],
        "assignmentState": "Eligible" if request.kind is Kind.ELIGIBILITY else "Active",
        "requestedDateTime": grants.when(request.created_at),
        "roleAssignmentStartDateTime": grants.when(window.start or request.created_at),
        "roleAssignmentEndDateTime": grants.when(window.end),
        "reason": request.justification,
        "ticketNumber": request.ticket.number,
        "ticketSystem": request.ticket.system,
        "status": {
            "status": "InProgress" if request.status in OPEN else "Closed",
            "subStatus": request.status.value,
            "statusDetails": [],
        },
        "schedule": {
            "type": "Once",
            "startDateTime": grants.when(window.start or request.created_at),
            "endDateTime": grants.when(window.end),
            "duration": window.duration.iso if window.duration is not None else None,
        },
    }


def full(call: Call, found: Sequence[Request], provider: Provider) -> list[Row]:
    known = pr.names(call, provider, {(one.role_id, one.scope) for one in found})
    people = browse.objects_by_id(call.deps, call.caller, {one.principal_id for one in found})
    rows = []
    for one in found:
        shown = row(call, one)
        resource = pr.resource_row(call, provider, one.scope, known, one.role_id)
        role = pr.role_row(call, provider, one.role_id, one.scope, known)
        shown["subject"] = subject_row(people.get(one.principal_id), one.principal_id)
        shown["roleDefinition"] = {**role, "resource": resource}
        shown["resource"] = resource
        rows.append(shown)
    return rows


def index(call: Call) -> Answer:
    """Somebody's, where the filter names him; else one's own, and those that wait for one's decision."""
    provider = pr.named(call).provider
    expr = call.options.filter
    subjects = pinned(expr, "subject/id") or pinned(expr, "subjectId")
    others = subjects is not None and subjects != {call.caller.principal_id}
    whose = (Whose.ANYONE,) if others else (Whose.PRINCIPAL, Whose.APPROVER)
    where = q.AnyOf("principal_id", tuple(sorted(str(one) for one in subjects or ()))) if others else None
    order = (q.Order("created_at", descending=True),)
    found: dict[str, Request] = {}
    for kind in Kind:
        for each in whose:
            query = q.Query(where, order=order, limit=MOST)
            page = settled(requests.page(call.deps, call.caller, provider, kind, each, query))
            found |= {one.id: one for one in page.items}
    newest = sorted(found.values(), key=lambda one: (one.created_at, one.id), reverse=True)
    rows = [one for one in full(call, newest, provider) if expr is None or matches(expr, one)]
    shown = plain_page(rows, call.options, default=MOST)
    kept = trimmed(shown.items, call.options)
    return listed(call, "governanceRoleAssignmentRequests", kept, shown.next, shown.total)


def show(call: Call) -> Answer:
    provider = pr.named(call).provider
    key = call.params["id"].lower()
    for kind in Kind:
        found = requests.get(call.deps, call.caller, provider, kind, key)
        if not isinstance(found, Refusal):
            return Answer(200, trimmed(full(call, [found], provider), call.options)[0])
    raise Fault("ResourceNotFound", f"There is no request with the id {key[:100]}.")


# ---------------------------------------------------------------- asking


def create(call: Call) -> Answer:
    named = pr.named(call)
    body = call.json()
    pr.allow(call, named, _kind(body))
    ask = _ask(call, body, named.provider)
    made = settled(submit(call.deps, call.caller, ask), ask.principal_id)
    return Answer(201, row(call, made))


def _ask(call: Call, body: Body, provider: Provider) -> Ask:
    text = body.need_text("type", max_length=50)
    action = _BY_WORD.get(text.lower())
    if action is None:
        raise body.fail("type", f"is none of {', '.join(_WORDS.values())}")
    role_id, scope = _place(call, body, provider)
    return Ask(
        kind=_kind(body),
        provider=provider,
        action=action,
        principal_id=body.need_guid("subjectId"),
        role_id=role_id,
        scope=scope,
        justification=body.text("reason"),
        ticket=Ticket(body.text("ticketNumber"), body.text("ticketSystem")),
        window=_window(body.object("schedule")),
        validation_only=_evaluate_only(call),
    )


def _kind(body: Body) -> Kind:
    state = (body.text("assignmentState", max_length=50) or "Active").lower()
    if state not in {"active", "eligible"}:
        raise body.fail("assignmentState", "is neither Active nor Eligible")
    return Kind.ELIGIBILITY if state == "eligible" else Kind.ASSIGNMENT


def _evaluate_only(call: Call) -> bool:
    asked = parse_qs(call.raw.query.decode("latin-1"))
    return any(
        name.lower().lstrip("$") == "evaluateonly" and values[-1].strip().lower() == "true"
        for name, values in asked.items()
    )


def _place(call: Call, body: Body, provider: Provider) -> tuple[str, str]:
    """Which role, and where. The eligibility that is linked says both; else the ids do."""
    role = body.need_text("roleDefinitionId", max_length=200).lower()
    resource = body.need_text("resourceId", max_length=600)
    linked = body.text("linkedEligibleRoleAssignmentId", max_length=200)
    if linked and provider is Provider.RESOURCE and not resource.startswith("/"):
        held = schedules.get(call.deps, call.caller, provider, Kind.ELIGIBILITY, linked.lower())
        if not isinstance(held, Refusal):
            return held.role_id, held.scope
    if provider is Provider.GROUP:
        group = body.need_guid("resourceId")
        access = next((one for one in pr.ACCESS if role in {one, pr.role_key(provider, one, group)}), None)
        if access is None:
            raise body.fail("roleDefinitionId", "is no role of this group")
        return access, group
    if provider is Provider.DIRECTORY:
        narrower = body.text("scopedResourceId", max_length=200)
        if narrower and narrower.lower() != call.caller.tenant_id:
            unit = narrower.lower().rsplit("/", 1)[-1]
            return role, ADMINISTRATIVE_UNITS + unit
        return role, TENANT
    return role, _scope(call, body, resource)


def _scope(call: Call, body: Body, resource: str) -> str:
    """An Azure resource by its path, or by the id that this dialect gave it in the caller's own list."""
    if resource.startswith("/"):
        return canonical(resource)
    mine: tuple[Any, ...] = eligibilities.mine(call.deps, call.caller, (Provider.RESOURCE,))
    for one in mine:
        if pr.resource_key(call, Provider.RESOURCE, one.eligibility.scope) == resource.lower():
            return str(one.eligibility.scope)
    raise body.fail("resourceId", "is neither the path of a resource nor the id of one you are eligible at")


def _window(schedule: Body | None) -> Window:
    if schedule is None:
        return Window()
    kind = schedule.text("type", max_length=50) or "Once"
    if kind.lower() != "once":
        raise schedule.fail("type", "must be Once")
    start, end = schedule.datetime("startDateTime"), schedule.datetime("endDateTime")
    given = schedule.duration("duration")
    if given is not None and (given.months or given.seconds):
        return Window(
            start,
            ExpirationType.AFTER_DURATION,
            duration=Duration(given.iso, given.months, given.seconds),
        )
    if end is not None:
        return Window(start, ExpirationType.AFTER_DATE_TIME, end)
    return Window(start)


ENDPOINTS = (
    Endpoint("GET", PATH, index, pr.READ, Style.PIM),
    Endpoint("POST", PATH, create, pr.WRITE, Style.PIM),
    Endpoint("GET", f"{PATH}/{{id}}", show, pr.READ, Style.PIM),
)
