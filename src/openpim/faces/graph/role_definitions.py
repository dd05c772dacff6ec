"""`roleManagement/directory/roleDefinitions`: the built-in roles and the tenant's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpim.core.directory import RoleDefinition
from openpim.core.query import Order
from openpim.core.refusals import Refusal
from openpim.faces.graph import filters
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import bad, settled
from openpim.faces.graph.resource import Resource, Row, listed
from openpim.faces.graph.table import BETA, Endpoint
from openpim.services import browse
from openpim.services.directory.custom_roles import NewRole, create_role, delete_role, update_role
from openpim.wire.jsonbody import Body
from openpim.wire.odata import QueryOptions

PATH = "roleManagement/directory/roleDefinitions"
_OLD_READ = "/basic/read"
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"


def row(call: Call, role: RoleDefinition) -> Row:
    privileged = {"isPrivileged": role.privileged} if call.version == BETA else {}
    return {
        "id": role.id,
        "description": role.description,
        "displayName": role.display_name,
        "isBuiltIn": role.built_in,
        "isEnabled": role.enabled,
        **privileged,
        "resourceScopes": list(role.resource_scopes),
        "templateId": role.template_id or role.id,
        "version": role.version,
        "rolePermissions": [_permissions(role)],
        "inheritsPermissionsFrom": inherits(role),
    }


def _permissions(role: RoleDefinition) -> Row:
    found: Row = {"allowedResourceActions": list(role.actions), "condition": None}
    if role.excluded_actions:
        found["excludedResourceActions"] = list(role.excluded_actions)
    return found


def inherits(role: RoleDefinition) -> list[Row]:
    """What a built-in role builds on, as Entra shows it. It says all it allows itself, so nothing rests on this."""
    if not role.built_in or not role.assignable or role.id == DIRECTORY_READERS:
        return []
    return [{"id": DIRECTORY_READERS}]


def _inherited(call: Call, roles: Sequence[RoleDefinition], options: QueryOptions) -> list[Any]:
    base = browse.role_definition(call.deps, call.caller, DIRECTORY_READERS)
    shown = [] if isinstance(base, Refusal) else ROLES.rows(call, (base,), options)
    return [shown if inherits(role) else [] for role in roles]


def inherited(call: Call) -> Answer:
    key = call.params["id"].lower()
    role = settled(browse.role_definition(call.deps, call.caller, key), key)
    rows = _inherited(call, (role,), call.options)[0]
    return listed(call, f"{PATH}('{role.id}')/inheritsPermissionsFrom", rows)


ROLES: Resource[RoleDefinition] = Resource(
    path=PATH,
    type="unifiedRoleDefinition",
    render=row,
    properties={
        "id": filters.guid("id"),
        "displayname": filters.text("display_name"),
        "description": filters.text("description"),
        "isbuiltin": filters.boolean("built_in"),
        "isenabled": filters.boolean("enabled"),
        "isprivileged": filters.boolean("privileged"),
        "templateid": filters.guid("template_id"),
        "version": filters.text("version"),
    },
    expanders={"inheritsPermissionsFrom": _inherited},
    page_size=999,
)


def index(call: Call) -> Answer:
    page = settled(
        browse.role_definitions(call.deps, call.caller, ROLES.query(call, order=(Order("display_name"),)))
    )
    return ROLES.collection(call, page)


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    return ROLES.entity(call, settled(browse.role_definition(call.deps, call.caller, key), key))


def create(call: Call) -> Answer:
    body = call.json()
    members = _members(body)
    name = body.need_text("displayName", max_length=256)
    if "actions" not in members:
        raise body.fail("rolePermissions", "is required")
    template = body.guid("templateId")
    new = NewRole(**{"display_name": name, **members, **({"template_id": template} if template else {})})
    return ROLES.entity(call, settled(create_role(call.deps, call.caller, new)), status=201)


def update(call: Call) -> Answer:
    body = call.json()
    members = _members(body)
    for name, same in (("isBuiltIn", False), ("id", call.params["id"])):
        if body.has(name) and body.get(name) not in {same, None}:
            raise body.fail(name, "cannot be changed")
    if not members:
        raise bad("The body names nothing that can be changed.")
    key = call.params["id"].lower()
    settled(update_role(call.deps, call.caller, key, members), key)
    return NO_CONTENT


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(delete_role(call.deps, call.caller, key), key)
    return NO_CONTENT


def _members(body: Body) -> dict[str, Any]:
    """The members of the body that the model knows, in its words."""
    found: dict[str, Any] = {}
    if body.has("displayName"):
        found["display_name"] = body.need_text("displayName", max_length=256)
    if body.has("description"):
        found["description"] = body.text("description", max_length=1024)
    if body.has("isEnabled"):
        found["enabled"] = body.need("isEnabled", _truth(body, "isEnabled"))
    if body.has("version"):
        found["version"] = body.text("version", max_length=32)
    if body.has("resourceScopes"):
        found["resource_scopes"] = tuple(body.texts("resourceScopes", most=100) or ("/",))
    groups = body.objects("rolePermissions", most=100)
    if groups is not None:
        allowed = (one for group in groups for one in group.texts("allowedResourceActions") or ())
        found["actions"] = tuple(dict.fromkeys(_action(one) for one in allowed))
        found["excluded_actions"] = tuple(
            one for group in groups for one in group.texts("excludedResourceActions") or ()
        )
    return found


def _truth(body: Body, name: str) -> bool | None:
    """A boolean; the documented example of beta sends them as texts."""
    value = body.get(name)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return body.boolean(name)


def _action(name: str) -> str:
    """The documented examples still send the old name of an action."""
    return f"{name[: -len(_OLD_READ)]}/standard/read" if name.endswith(_OLD_READ) else name


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.ROLE_DEFINITIONS_READ),
    Endpoint("POST", PATH, create, p.ROLE_DEFINITIONS_WRITE),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.ROLE_DEFINITIONS_READ),
    Endpoint("GET", f"{PATH}/{{id}}/inheritsPermissionsFrom", inherited, p.ROLE_DEFINITIONS_READ),
    Endpoint("PATCH", f"{PATH}/{{id}}", update, p.ROLE_DEFINITIONS_WRITE),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.ROLE_DEFINITIONS_WRITE),
)
