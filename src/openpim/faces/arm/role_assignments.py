"""`roleAssignments`: what is assigned and in force at this moment, activations included; made here, outside PIM."""

from __future__ import annotations

from openpim.core.grants import Kind, Schedule
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import Fault, RefusedError, Style, settled, worded
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services import role_assignments, schedules
from openpim.services.resources import browse, listing

PROPERTIES = ("principalId", "roleDefinitionId", "scope", "principalType", "name", "id", "createdOn")
_READ = "Microsoft.Authorization/roleAssignments/read"
_WRITE = "Microsoft.Authorization/roleAssignments/write"
_DELETE = "Microsoft.Authorization/roleAssignments/delete"


def row(names: grants.Names, one: Schedule) -> Row:
    prefix = names.path(one.scope)
    changed = one.modified_at or one.created_at
    return {
        "properties": {
            "roleDefinitionId": names.role_id(one.role_id, one.scope),
            "principalId": one.principal_id,
            "principalType": names.principal_type(one.principal_id),
            "scope": prefix or ROOT,
            "condition": None,
            "conditionVersion": None,
            "createdOn": grants.when(one.created_at),
            "updatedOn": grants.when(changed),
            "createdBy": "",
            "updatedBy": "",
            "delegatedManagedIdentityResourceId": None,
            "description": None,
        },
        "id": grants.resource_id(prefix, "roleAssignments", one.id),
        "type": "Microsoft.Authorization/roleAssignments",
        "name": one.id,
    }


def _row(call: Call, one: Schedule) -> Row:
    return row(grants.names_for(call, (one,)), one)


def index(call: Call) -> Answer:
    asked = filters.read(call, PROPERTIES, ("atscope", "atscopeandbelow", "assignedto", "astarget"))
    page = settled(
        listing.schedules(call.deps, call.caller, asked.asked(call, Kind.ASSIGNMENT), instances=True)
    )
    names = grants.names_for(call, page.items)
    rows = [row(names, one) for one in page.items]
    return grants.listed(call, [one for one in rows if asked.keeps(one)], page.next)


def _find(call: Call) -> Schedule | Refusal:
    key = call.params["name"].lower()
    found = schedules.get(call.deps, call.caller, grants.PROVIDER, Kind.ASSIGNMENT, key)
    if isinstance(found, Refusal):
        return found
    if not found.in_force(call.now) or call.scope not in {ROOT, found.scope}:
        return Refusal(Code.NOT_FOUND, f"The role assignment '{key[:100]}' is not found.")
    return found


def show(call: Call) -> Answer:
    found = _find(call)
    if isinstance(found, Refusal) and found.code is Code.NOT_FOUND:
        raise Fault(
            "RoleAssignmentNotFound", f"There is no role assignment {call.params['name'][:100]} here."
        )
    return Answer(200, _row(call, settled(found)))


def _asked(call: Call) -> tuple[str, str, str]:
    """The name, the role and the principal of the assignment that is wanted."""
    name = filters.need_guid(call.params["name"], "roleAssignmentName")
    body = call.properties()
    if body.text("condition"):
        raise body.fail("condition", "is not supported: nothing would look at it")
    role = grants.guid_of(body.need_text("roleDefinitionId", max_length=1_000))
    if role is None:
        raise body.fail("roleDefinitionId", "does not end in a GUID")
    return name, role, body.need_guid("principalId")


def validate(call: Call) -> Answer:
    """Whether `put` would make it; of places that are not there, or not one's business, nothing is said."""
    name, role, principal = _asked(call)
    refusal = role_assignments.check(
        call.deps, call.caller, role, principal, call.scope, grants.PROVIDER, schedule_id=name
    )
    if refusal is None:
        return Answer(200, {"isValid": True})
    if refusal.code in {Code.FORBIDDEN, Code.SCOPE_MISSING}:
        raise RefusedError(refusal)
    fault = worded(refusal, Style.RBAC, call.caller, _WRITE, call.scope)
    return Answer(200, {"isValid": False, "errorInfo": {"code": fault.code, "message": fault.message}})


def put(call: Call) -> Answer:
    """201, and 200 for the same again under the same name."""
    name, role, principal = _asked(call)
    present = _find(call)
    if isinstance(present, Schedule):
        if (present.principal_id, present.role_id, present.scope) == (principal, role, call.scope):
            return Answer(200, _row(call, present))
        message = "A role assignment cannot be changed: delete it and make another."
        raise RefusedError(Refusal(Code.CONFLICT, message))
    made = settled(
        role_assignments.create(
            call.deps, call.caller, role, principal, call.scope, grants.PROVIDER, schedule_id=name
        )
    )
    return Answer(201, _row(call, made))


def delete(call: Call) -> Answer:
    found = _find(call)
    if isinstance(found, Refusal):
        if found.code is Code.NOT_FOUND and browse.chain(call.deps, call.caller, call.scope):
            return Answer(204)
        raise RefusedError(found)
    shown = _row(call, found)
    settled(
        role_assignments.delete(
            call.deps,
            call.caller,
            found.role_id,
            found.principal_id,
            found.scope,
            grants.PROVIDER,
            schedule_id=found.id,
        )
    )
    return Answer(200, shown)


_BASE = f"{SCOPE}/providers/Microsoft.Authorization/roleAssignments"
ENDPOINTS = (
    Endpoint("GET", _BASE, index, _READ, Style.RBAC),
    Endpoint("GET", f"{_BASE}/{{name}}", show, _READ, Style.RBAC),
    Endpoint("PUT", f"{_BASE}/{{name}}", put, _WRITE, Style.RBAC),
    Endpoint("DELETE", f"{_BASE}/{{name}}", delete, _DELETE, Style.RBAC),
    Endpoint("POST", f"{_BASE}/{{name}}/validate", validate, _WRITE, Style.RBAC),
)
