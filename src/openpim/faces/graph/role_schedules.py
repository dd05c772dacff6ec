"""Beta's functions `roleSchedules(…)` and `roleScheduleInstances(…)`: assignments and eligibilities in one list, first the
former, then the latter, each row with its type. Any of the four arguments may be left out or null."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from openpim.core import query as q
from openpim.core.grants import Kind, Schedule
from openpim.core.query import Page
from openpim.core.refusals import Refusal
from openpim.faces.graph import grants, instances, schedules
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, listed
from openpim.faces.graph.table import Endpoint
from openpim.services import schedules as acts
from openpim.services.reading import Whose
from openpim.wire.odata import ODataError

_FIELDS = {"principalid": "principal_id", "roledefinitionid": "role_id", "directoryscopeid": "scope"}


def _where(call: Call) -> q.Condition:
    parts: list[q.Condition] = []
    for name, value in call.args.items():
        if value in {None, ""}:
            continue
        if not isinstance(value, str) or "\x00" in value:
            raise ODataError("path", f"the argument {name} must be a text")
        if name == "appscopeid":
            return q.Some(())  # nothing here is held over an application's own scope
        if name not in _FIELDS:
            raise ODataError("path", f"there is no argument {name}")
        parts.append(q.Compare(_FIELDS[name], "eq", value.lower() if name != "directoryscopeid" else value))
    return q.All(tuple(parts))


def index(call: Call, *, now_only: bool) -> Answer:
    kind = Kind.ASSIGNMENT
    token = call.options.skiptoken
    if token is not None:
        word, _, token = token.partition(".")
        if word not in {"a", "e"}:
            raise ODataError("$skiptoken", "is not one of ours")
        kind = Kind.ASSIGNMENT if word == "a" else Kind.ELIGIBILITY
    options = replace(call.options, skiptoken=token or None, count=False)
    asked = replace(call, options=options)
    resource = (instances if now_only else schedules).resource_for(kind)
    page = settled(_page(asked, resource, kind, now_only=now_only))
    rows = resource.rows(asked, page.items, options, typed=True)
    following = f"{kind.value[0]}.{page.next}" if page.next is not None else None
    if following is None and kind is Kind.ASSIGNMENT:
        following = "e."
    name = "unifiedRoleScheduleInstanceBase" if now_only else "unifiedRoleScheduleBase"
    return listed(call, f"Collection({name})", rows, following)


def _page(
    call: Call, resource: Resource[Schedule], kind: Kind, *, now_only: bool
) -> Page[Schedule] | Refusal:
    query = resource.query(call, extra=_where(call))
    act = acts.instances if now_only else acts.page
    return act(call.deps, call.caller, grants.DIRECTORY, kind, Whose.ANYONE, query)


_READ = tuple(name for name in p.ASSIGNMENT_READ if name in p.ELIGIBILITY_READ)

ENDPOINTS = (
    Endpoint("GET", f"{grants.BASE}/roleSchedules()", partial(index, now_only=False), _READ, Style.PIM),
    Endpoint(
        "GET", f"{grants.BASE}/roleScheduleInstances()", partial(index, now_only=True), _READ, Style.PIM
    ),
)
