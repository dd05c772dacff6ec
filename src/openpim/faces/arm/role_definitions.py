"""`roleDefinitions`: the built-in roles and the organisation's own."""

from __future__ import annotations

from openpim.core.permissions import Permission, ResourceRole
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT, subscription_of
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import AUTHORIZATION, Answer, Call, Row
from openpim.faces.arm.faults import Fault, Style, settled
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services.resources import custom_roles
from openpim.wire import odata
from openpim.wire.jsonbody import Body

PROPERTIES = ("roleName", "type", "name", "id", "description")
_FUNCTIONS = ("atscope", "atscopeandbelow")


def permission_row(one: Permission) -> Row:
    return {
        "actions": list(one.actions),
        "notActions": list(one.not_actions),
        "dataActions": list(one.data_actions),
        "notDataActions": list(one.not_data_actions),
    }


def row(role: ResourceRole, scope: str) -> Row:
    """scope: from where it is looked at; the id names the subscription."""
    prefix = subscription_of(scope) or ""
    return {
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole" if role.built_in else "CustomRole",
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [permission_row(one) for one in role.permissions],
            "createdOn": grants.when(role.created_at),
            "updatedOn": grants.when(role.updated_at),
            "createdBy": role.created_by,
            "updatedBy": role.updated_by,
        },
        "id": f"{prefix}{AUTHORIZATION}/roleDefinitions/{role.id}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
    }


def index(call: Call) -> Answer:
    asked = filters.read(call, PROPERTIES, _FUNCTIONS)
    found = settled(custom_roles.at(call.deps, call.caller, call.scope))
    name = _named(call)
    if name is not None:
        one = custom_roles.by_name(call.deps, call.caller, name)
        found = tuple(role for role in found if one is not None and role.id == one.id)
    rows = [row(role, call.scope) for role in found]
    return grants.listed(call, [one for one in rows if asked.keeps(one)])


def _named(call: Call) -> str | None:
    """The one name that the filter lets through: found without making a row of every role."""
    for term in odata.conjuncts(call.options.filter):
        match term:
            case odata.Compare(op="eq", left=odata.Path() as path, right=odata.Literal(value=str(value))):
                if path.name.lower() == "rolename":
                    return value
            case _:
                pass
    return None


def show(call: Call) -> Answer:
    role_id = filters.role_guid(call.params["name"])
    return Answer(200, row(settled(custom_roles.get(call.deps, call.caller, role_id)), call.scope))


def put(call: Call) -> Answer:
    role_id = filters.need_guid(call.params["name"], "roleDefinitionId")
    body = call.properties()
    places = body.texts("assignableScopes", most=custom_roles.MOST_SCOPES, max_length=600)
    if not places:
        places = [call.written] if call.scope != ROOT else []
    given = body.objects("permissions", most=50) or []
    role = ResourceRole(
        id=role_id,
        name=body.need_text("roleName", max_length=512).strip(),
        permissions=tuple(read_permission(one) for one in given),
        built_in=False,
        description=body.text("description") or "",
        assignable_scopes=tuple(dict.fromkeys(places)),
    )
    made = custom_roles.put(call.deps, call.caller, role)
    if isinstance(made, Refusal) and made.code is Code.CONFLICT and made.member == "roleName":
        raise Fault("RoleDefinitionWithSameNameExists", made.message)
    return Answer(201, row(settled(made), call.scope))


def read_permission(one: Body) -> Permission:
    def actions(name: str) -> tuple[str, ...]:
        return tuple(one.texts(name, most=custom_roles.MOST_ACTIONS, max_length=300) or ())

    return Permission(
        actions("actions"), actions("notActions"), actions("dataActions"), actions("notDataActions")
    )


def delete(call: Call) -> Answer:
    role_id = filters.role_guid(call.params["name"])
    gone = custom_roles.delete(call.deps, call.caller, role_id)
    if isinstance(gone, Refusal) and gone.code is Code.ROLE_MISSING:
        return Answer(204)
    if isinstance(gone, Refusal) and gone.code is Code.CONFLICT:
        raise Fault("RoleDefinitionHasAssignments", gone.message)
    return Answer(200, row(settled(gone), call.scope))


_BASE = f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions"
ENDPOINTS = (
    Endpoint("GET", _BASE, index, "Microsoft.Authorization/roleDefinitions/read", Style.RBAC),
    Endpoint("GET", f"{_BASE}/{{name}}", show, "Microsoft.Authorization/roleDefinitions/read", Style.RBAC),
    Endpoint("PUT", f"{_BASE}/{{name}}", put, custom_roles.WRITE, Style.RBAC),
    Endpoint("DELETE", f"{_BASE}/{{name}}", delete, custom_roles.DELETE, Style.RBAC),
)
