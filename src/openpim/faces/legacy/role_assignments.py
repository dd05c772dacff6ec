"""`roleAssignments`: eligible and active assignments of somebody, or of a group, in one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpim.core import query as q
from openpim.core.directory import User
from openpim.core.grants import AssignmentType, Kind, Provider, Schedule
from openpim.faces.graph import grants
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style, bad, settled
from openpim.faces.graph.objects import resource_of
from openpim.faces.graph.resource import Row, listed, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.faces.legacy import provider as pr
from openpim.services import browse, schedules
from openpim.services.eligibilities import Names
from openpim.services.reading import Whose
from openpim.wire.odata import QueryOptions, matches, pinned

PATH = "{provider}/roleAssignments"
MOST = 1000
_STATES = {Kind.ELIGIBILITY: "Eligible", Kind.ASSIGNMENT: "Active"}
EXPANDABLE = ("subject", "roleDefinition", "linkedEligibleRoleAssignment", "scopedResource", "resource")


def row(call: Call, schedule: Schedule, *, mine: bool = False) -> Row:
    provider = schedule.provider
    me = call.caller.principal_id
    return {
        "id": schedule.id,
        "resourceId": pr.resource_key(call, provider, schedule.scope),
        "roleDefinitionId": pr.role_key(provider, schedule.role_id, schedule.scope),
        "subjectId": pr.subject_of(schedule, me, mine=mine),
        "scopedResourceId": pr.scoped_key(provider, schedule.scope),
        "linkedEligibleRoleAssignmentId": schedule.linked_id,
        "externalId": None,
        "startDateTime": grants.when(schedule.starts_at),
        "endDateTime": grants.when(schedule.ends_at),
        "isPermanent": schedule.ends_at is None,
        "memberType": "Group" if mine and schedule.principal_id != me else "Direct",
        "assignmentState": _STATES[schedule.kind],
        "status": "Provisioned"
        if schedule.kind is Kind.ELIGIBILITY or schedule.assignment_type is AssignmentType.ASSIGNED
        else "Activated",
    }


def subject_row(value: Any, key: str) -> Row:
    """A subject as this dialect shows it."""
    if value is None:
        return {"id": key, "type": None, "displayName": None, "principalName": None, "email": None}
    name = value.user_principal_name if isinstance(value, User) else None
    return {
        "id": key,
        "type": resource_of(value).type[:1].upper() + resource_of(value).type[1:],
        "displayName": value.display_name,
        "principalName": name,
        "email": value.mail if isinstance(value, User) else None,
    }


def full(call: Call, found: Sequence[Schedule], provider: Provider, *, mine: bool) -> list[Row]:
    """Rows with everything that can be expanded, so that filters can look at it."""
    known = pr.names(call, provider, {(one.role_id, one.scope) for one in found})
    rows = [row(call, one, mine=mine) for one in found]
    people = browse.objects_by_id(call.deps, call.caller, {one["subjectId"] for one in rows})
    linked = {one["id"]: one for one in rows}
    for one, shown in zip(found, rows, strict=True):
        shown["subject"] = subject_row(people.get(shown["subjectId"]), shown["subjectId"])
        _refer(call, shown, known, provider, one.role_id, one.scope)
        eligible = linked.get(one.linked_id or "")
        shown["linkedEligibleRoleAssignment"] = (
            {name: value for name, value in eligible.items() if name not in EXPANDABLE} if eligible else None
        )
    return rows


def _refer(call: Call, shown: Row, known: Names, provider: Provider, role_id: str, scope: str) -> None:
    resource = pr.resource_row(call, provider, scope, known, role_id)
    shown["roleDefinition"] = {**pr.role_row(call, provider, role_id, scope, known), "resource": resource}
    shown["resource"] = resource
    narrower = pr.scoped_key(provider, scope)
    shown["scopedResource"] = (
        None
        if narrower is None
        else {
            "id": narrower,
            "type": "administrativeUnit",
            "displayName": known.scopes.get((provider, role_id, scope)),
        }
    )


def trimmed(rows: Sequence[Row], options: QueryOptions) -> list[Row]:
    """Without what was not expanded."""
    wanted = {item.name.lower(): item.options for item in options.expand}
    found: list[Row] = []
    for one in rows:
        kept = {
            name: value for name, value in one.items() if name not in EXPANDABLE or name.lower() in wanted
        }
        role = kept.get("roleDefinition")
        if role is not None:
            below = {item.name.lower() for item in wanted["roledefinition"].expand}
            kept["roleDefinition"] = {n: v for n, v in role.items() if n != "resource" or "resource" in below}
        found.append(kept)
    return found


def index(call: Call) -> Answer:
    provider = pr.named(call).provider
    expr = call.options.filter
    subjects = pinned(expr, "subject/id") or pinned(expr, "subjectId")
    me = call.caller.principal_id
    mine = subjects is None or subjects == {me}
    kinds = _kinds(pinned(expr, "assignmentState"))
    found: list[Schedule] = []
    groups = pinned(expr, "resourceId") if provider is Provider.GROUP else None
    if subjects is None and groups:
        mine = False
        where: q.Condition = q.AnyOf("scope", tuple(sorted(str(one) for one in groups)))
    elif not mine and subjects is not None:
        where = q.AnyOf("principal_id", tuple(sorted(str(one) for one in subjects)))
    # An activation names the eligibility it rests on, so both are read where one may be expanded.
    for kind in Kind:
        whose = Whose.PRINCIPAL if mine else Whose.ANYONE
        found += _all(call, provider, kind, whose, None if mine else where)
    rows = [
        one
        for one in full(call, found, provider, mine=mine)
        if one["assignmentState"] in kinds and (expr is None or matches(expr, one))
    ]
    page_ = plain_page(rows, call.options, default=MOST)
    return listed(
        call,
        "governanceRoleAssignments",
        trimmed(page_.items, call.options),
        page_.next,
        page_.total,
    )


def _all(
    call: Call, provider: Provider, kind: Kind, whose: Whose, where: q.Condition | None
) -> list[Schedule]:
    """Every page: this dialect's filters are applied to whole lists of one subject or one group."""
    found: list[Schedule] = []
    after: str | None = None
    while True:
        query = q.Query(where, limit=MOST, after=after)
        page = settled(schedules.instances(call.deps, call.caller, provider, kind, whose, query))
        found += page.items
        after = page.next
        if after is None:
            return found


def _kinds(pins: frozenset[str | None] | None) -> set[str]:
    if pins is None:
        return set(_STATES.values())
    found = {state for state in _STATES.values() if state.lower() in pins}
    if not found:
        raise bad("assignmentState is Eligible or Active.", "$filter")
    return found


ENDPOINTS = (Endpoint("GET", PATH, index, pr.READ, Style.PIM),)
