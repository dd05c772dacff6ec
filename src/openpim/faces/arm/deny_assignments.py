"""`denyAssignments`: what nobody may do at a place, whatever his roles say."""

from __future__ import annotations

from openpim.core.permissions import DenyAssignment
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import Fault, RefusedError, Style, settled
from openpim.faces.arm.role_definitions import permission_row, read_permission
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services.resources import browse, denials
from openpim.services.resources.browse import Facts
from openpim.wire.jsonbody import Body

EVERYONE = "00000000-0000-0000-0000-000000000000"
PROPERTIES = ("denyAssignmentName", "name", "id", "principalId", "gdprExportPrincipalId")


def row(names: grants.Names, one: DenyAssignment) -> Row:
    prefix = names.path(one.scope)
    properties: Row = {
        "denyAssignmentName": one.name,
        "description": one.description,
        "permissions": [permission_row(each) for each in one.permissions],
        "scope": prefix or ROOT,
        "doNotApplyToChildScopes": not one.below,
        "denyAssignmentEffect": "audit" if one.audit_only else "enforced",
        "principals": [_principal(names, each) for each in one.principals],
        "excludePrincipals": [_principal(names, each) for each in one.excluded],
        "isSystemProtected": False,
        "createdOn": grants.when(one.created_at),
        "createdBy": one.created_by,
    }
    return grants.entity(prefix, "denyAssignments", one.id, properties)


def _principal(names: grants.Names, key: str) -> Row:
    if key == "*":
        return {"id": EVERYONE, "type": "SystemDefined", "displayName": "Everyone"}
    found = names.facts.principals.get(key)
    return grants.bare(
        {"id": key, "type": names.principal_type(key), "displayName": found.display_name if found else None}
    )


def _names(call: Call, found: tuple[DenyAssignment, ...]) -> grants.Names:
    people = {key for one in found for key in (*one.principals, *one.excluded) if key != "*"}
    facts: Facts = browse.facts(
        call.deps, call.caller, scopes={one.scope for one in found}, principals=people
    )
    return grants.Names(facts)


def index(call: Call) -> Answer:
    asked = filters.read(call, PROPERTIES, ("atscope", "atscopeandbelow", "assignedto"))
    found = settled(
        denials.page(
            call.deps,
            call.caller,
            call.scope,
            about=asked.assigned_to or asked.principal_id,
            reach=asked.reach,
        )
    )
    names = _names(call, found)
    rows = [row(names, one) for one in found]
    return grants.listed(call, [one for one in rows if asked.keeps(one)])


def _find(call: Call) -> DenyAssignment:
    key = call.params["name"].lower()
    found = denials.get(call.deps, call.caller, key)
    if isinstance(found, Refusal) and found.code is not Code.NOT_FOUND:
        raise RefusedError(found)
    if isinstance(found, Refusal) or call.scope not in {ROOT, found.scope}:
        raise Fault("DenyAssignmentNotFound", f"There is no deny assignment {key[:100]} here.")
    return found


def show(call: Call) -> Answer:
    found = _find(call)
    return Answer(200, row(_names(call, (found,)), found))


def put(call: Call) -> Answer:
    body = call.properties()
    effect = (body.text("denyAssignmentEffect") or "enforced").lower()
    if effect not in {"enforced", "audit"}:
        raise body.fail("denyAssignmentEffect", "is neither enforced nor audit")
    if body.text("condition"):
        raise body.fail("condition", "is not supported: nothing would look at it")
    wanted = DenyAssignment(
        id=filters.need_guid(call.params["name"], "denyAssignmentId"),
        name=body.need_text("denyAssignmentName", max_length=512),
        scope=call.scope,
        permissions=tuple(read_permission(one) for one in body.objects("permissions", most=50) or []),
        principals=_principals(body, "principals"),
        excluded=_principals(body, "excludePrincipals"),
        description=body.text("description") or "",
        below=not body.boolean("doNotApplyToChildScopes"),
        audit_only=effect == "audit",
    )
    deny, new = settled(denials.put(call.deps, call.caller, wanted))
    return Answer(201 if new else 200, row(_names(call, (deny,)), deny))


def _principals(body: Body, name: str) -> tuple[str, ...]:
    ids = [one.need_guid("id") for one in body.objects(name, most=500) or []]
    return tuple(dict.fromkeys("*" if one == EVERYONE else one for one in ids))


def delete(call: Call) -> Answer:
    found = denials.get(call.deps, call.caller, call.params["name"].lower())
    if isinstance(found, Refusal) and found.code is Code.NOT_FOUND:
        return Answer(204)
    found = _find(call)
    shown = row(_names(call, (found,)), found)
    settled(denials.delete(call.deps, call.caller, found.id))
    return Answer(200, shown)


_BASE = f"{SCOPE}/providers/Microsoft.Authorization/denyAssignments"
ENDPOINTS = (
    Endpoint("GET", _BASE, index, denials.READ, Style.RBAC),
    Endpoint("GET", f"{_BASE}/{{name}}", show, denials.READ, Style.RBAC),
    Endpoint("PUT", f"{_BASE}/{{name}}", put, denials.WRITE, Style.RBAC),
    Endpoint("DELETE", f"{_BASE}/{{name}}", delete, denials.DELETE, Style.RBAC),
)
