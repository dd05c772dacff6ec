"""`roleAssignmentSchedules` and `roleEligibilitySchedules`, and their instances: what is given, and what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import RefusedError, Style, settled
from openpim.faces.arm.filters import Filter
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services import schedules
from openpim.services.reading import Whose
from openpim.services.resources import listing

PROPERTIES = (
    "principalId", "roleDefinitionId", "status", "scope", "assignmentType", "memberType", "principalType",
    "startDateTime", "endDateTime", "createdOn", "name", "id",
)  # fmt: skip


def row(names: grants.Names, one: Schedule, *, instance: bool, member: str) -> Row:
    """member: Direct, Group or Inherited, seen from where the list was asked for."""
    noun = grants.noun(one.kind)
    low = noun.lower()
    prefix = names.path(one.scope)
    properties: Row = {
        "scope": prefix or ROOT,
        "roleDefinitionId": names.role_id(one.role_id, one.scope),
        "principalId": one.principal_id,
        "principalType": names.principal_type(one.principal_id),
        "status": one.status.value,
        "startDateTime": grants.when(one.starts_at),
        "endDateTime": grants.when(one.ends_at),
        "memberType": member,
        "createdOn": grants.when(one.created_at),
    }
    if instance:
        properties[f"role{noun}ScheduleId"] = grants.resource_id(prefix, f"role{noun}Schedules", one.id)
    elif one.request_id is not None:
        asked = grants.resource_id(prefix, f"role{noun}ScheduleRequests", one.request_id)
        properties[f"role{noun}ScheduleRequestId"] = asked
    if not instance:
        properties["updatedOn"] = grants.when(one.modified_at or one.created_at)
    if one.kind is Kind.ASSIGNMENT:
        properties |= _assignment(names, one, prefix, instance=instance)
    properties["expandedProperties"] = names.expanded(one.principal_id, one.role_id, one.scope)
    word = "ScheduleInstances" if instance else "Schedules"
    return grants.entity(prefix, f"role{low.capitalize()}{word}", one.id, properties)


def _assignment(names: grants.Names, one: Schedule, prefix: str, *, instance: bool) -> Row:
    found: Row = {"assignmentType": (one.assignment_type or AssignmentType.ASSIGNED).value}
    if instance:
        found["originRoleAssignmentId"] = grants.resource_id(prefix, "roleAssignments", one.id)
    linked = names.facts.eligibilities.get(one.linked_id or "")
    if one.linked_id is not None:
        at = names.path(linked.scope) if linked is not None else prefix
        found["linkedRoleEligibilityScheduleId"] = grants.resource_id(
            at, "roleEligibilitySchedules", one.linked_id
        )
        if instance:
            found["linkedRoleEligibilityScheduleInstanceId"] = grants.resource_id(
                at, "roleEligibilityScheduleInstances", one.linked_id
            )
    return found


def member_type(call: Call, one: Schedule, names: grants.Names, through: Filter | None) -> str:
    """Group: what somebody holds through a group (or activated from what a group is eligible for). Inherited: given
    above the place that was asked about."""
    linked = names.facts.eligibilities.get(one.linked_id or "")
    if linked is not None and linked.principal_id != one.principal_id:
        return "Group"
    if through is not None:
        person = call.caller.principal_id if through.whose is Whose.PRINCIPAL else through.assigned_to
        if person is not None and person != one.principal_id:
            return "Group"
    return "Inherited" if one.scope in names.facts.above else "Direct"


def rows(call: Call, found: Sequence[Schedule], through: Filter | None, *, instance: bool) -> list[Row]:
    linked = [one.linked_id for one in found if one.linked_id]
    names = grants.names_for(call, found, linked)
    return [
        row(names, one, instance=instance, member=member_type(call, one, names, through)) for one in found
    ]


def index(call: Call, kind: Kind, *, instance: bool) -> Answer:
    asked = filters.read(call, PROPERTIES)
    if asked.whose not in {Whose.ANYONE, Whose.PRINCIPAL}:
        asked_for = "asTarget()"
        raise RefusedError(
            Refusal(Code.INVALID, f"Schedules are filtered by {asked_for} or by their principal.")
        )
    page = settled(listing.schedules(call.deps, call.caller, asked.asked(call, kind), instances=instance))
    shown = [one for one in rows(call, page.items, asked, instance=instance) if asked.keeps(one)]
    return grants.listed(call, shown, page.next)


def show(call: Call, kind: Kind, *, instance: bool) -> Answer:
    key = call.params["name"].lower()
    found = settled(schedules.get(call.deps, call.caller, grants.PROVIDER, kind, key))
    if (instance and not found.in_force(call.now)) or call.scope not in {ROOT, found.scope}:
        raise RefusedError(Refusal(Code.NOT_FOUND, f"There is no schedule {key[:100]} here."))
    return Answer(200, rows(call, (found,), None, instance=instance)[0])


def _endpoints() -> list[Endpoint]:
    found = []
    for kind in (Kind.ASSIGNMENT, Kind.ELIGIBILITY):
        for instance in (False, True):
            word = "ScheduleInstances" if instance else "Schedules"
            path = f"{SCOPE}/providers/Microsoft.Authorization/role{grants.noun(kind)}{word}"
            action = f"Microsoft.Authorization/role{grants.noun(kind)}{word}/read"
            found += [
                Endpoint("GET", path, partial(index, kind=kind, instance=instance), action, Style.LIST),
                Endpoint("GET", f"{path}/{{name}}", partial(show, kind=kind, instance=instance), action),
            ]
    return found


ENDPOINTS = tuple(_endpoints())
