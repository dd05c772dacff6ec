"""`/providers/Microsoft.Management`: management groups, what is in them, and moving subscriptions between them."""

from __future__ import annotations

from collections.abc import Iterable

from openpim.core.resources import MANAGEMENT_GROUPS, ROOT, Resource, ResourceKind, canonical
from openpim.faces.arm import grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import no_place, settled
from openpim.faces.arm.table import Endpoint
from openpim.services.resources import browse, shaping
from openpim.services.resources.shaping import Wanted
from openpim.wire.jsonbody import Body

_BASE = "providers/Microsoft.Management/managementGroups"
TYPE = "Microsoft.Management/managementGroups"


def _scope(call: Call) -> str:
    return canonical(MANAGEMENT_GROUPS + call.params["group"])


def _written(call: Call) -> str:
    return f"/{_BASE}/{call.params['group']}"


def _info(one: Resource) -> Row:
    return {"id": one.path, "name": one.name, "displayName": one.display_name}


def row(call: Call, one: Resource, parent: Resource | None, children: list[Row] | None) -> Row:
    details: Row = {"version": 1, "updatedTime": grants.when(one.created_at), "updatedBy": ""}
    if parent is not None:
        details["parent"] = _info(parent)
    properties: Row = {
        "tenantId": call.caller.tenant_id,
        "displayName": one.display_name,
        "details": details,
    }
    if children is not None:
        properties["children"] = children
    return {"id": one.path, "type": TYPE, "name": one.name, "properties": properties}


def index(call: Call) -> Answer:
    found = browse.management_groups(call.deps, call.caller)
    return grants.listed(
        call,
        [
            {
                "id": one.path,
                "type": TYPE,
                "name": one.name,
                "properties": {"tenantId": call.caller.tenant_id, "displayName": one.display_name},
            }
            for one in found
        ],
    )


def _flag(call: Call, name: str) -> bool:
    return (call.options.parameter(name) or "").strip().lower() == "true"


def show(call: Call) -> Answer:
    found = settled(browse.get(call.deps, call.caller, _scope(call)))
    if call.raw.method == "HEAD":
        return Answer(204)
    expands = [item.name.lower() for item in call.options.expand]
    children = None
    if "children" in expands or _flag(call, "recurse") or _flag(call, "$recurse"):
        under = browse.under(call.deps, call.caller, found.id)
        children = _tree(found.id, under, deep=_flag(call, "$recurse") or _flag(call, "recurse"))
    return Answer(200, row(call, found, _parent(call, found), children))


def _parent(call: Call, one: Resource) -> Resource | None:
    if one.parent_id == ROOT:
        return None
    facts = browse.facts(call.deps, call.caller, scopes={one.parent_id})
    return facts.places.get(one.parent_id)


def _tree(parent: str, under: Iterable[Resource], *, deep: bool) -> list[Row]:
    below: dict[str, list[Resource]] = {}
    for one in under:
        below.setdefault(one.parent_id, []).append(one)

    def rows(at: str) -> list[Row]:
        found = []
        for one in below.get(at, ()):
            is_group = one.kind is ResourceKind.MANAGEMENT_GROUP
            shown: Row = {"type": TYPE if is_group else "/subscriptions", **_info(one)}
            if deep and is_group:
                shown["children"] = rows(one.id)
            found.append(shown)
        return found

    return rows(parent)


def descendants(call: Call) -> Answer:
    found = settled(browse.get(call.deps, call.caller, _scope(call)))
    under = browse.under(call.deps, call.caller, found.id)
    parents = {one.id: one.path for one in (found, *under)}
    return grants.listed(
        call,
        [
            {
                "id": one.path,
                "type": TYPE if one.kind is ResourceKind.MANAGEMENT_GROUP else f"{TYPE}/subscriptions",
                "name": one.name,
                "properties": {
                    "displayName": one.display_name,
                    "parent": {"id": parents.get(one.parent_id, "")},
                },
            }
            for one in under
        ],
    )


def entities(call: Call) -> Answer:
    """Every management group and subscription the caller can see, with what contains it."""
    groups = browse.management_groups(call.deps, call.caller)
    found = [*groups, *browse.subscriptions(call.deps, call.caller)]
    facts = browse.facts(call.deps, call.caller, scopes={one.parent_id for one in found})
    rows = []
    for one in found:
        is_group = one.kind is ResourceKind.MANAGEMENT_GROUP
        chain = _chain(one, {each.id: each for each in groups})
        parent = facts.places.get(one.parent_id)
        properties: Row = {
            "tenantId": call.caller.tenant_id,
            "displayName": one.display_name,
            "parent": {"id": parent.path if parent else ""},
            "permissions": "view",
            "inheritedPermissions": "view",
            "parentDisplayNameChain": [each.display_name for each in chain],
            "parentNameChain": [each.name for each in chain],
        }
        rows.append(
            {
                "id": one.path,
                "type": TYPE if is_group else "/subscriptions",
                "name": one.name,
                "properties": properties,
            }
        )
    return Answer(200, {"value": rows, "count": len(rows)})


def _chain(one: Resource, groups: dict[str, Resource]) -> list[Resource]:
    found: list[Resource] = []
    at = groups.get(one.parent_id)
    while at is not None and at not in found:
        found.insert(0, at)
        at = groups.get(at.parent_id)
    return found


# ---------------------------------------------------------------- changing


def _wanted(body: Body) -> Wanted:
    properties = body.object("properties") or body
    details = properties.object("details")
    parent = details.object("parent") if details is not None else None
    parent_id = parent.text("id", max_length=600) if parent is not None else None
    parent_id = parent_id or body.text("parentId", max_length=600)
    return Wanted(
        display_name=properties.text("displayName", max_length=256) or None,
        parent_id=canonical(parent_id) if parent_id else None,
    )


def put(call: Call) -> Answer:
    made = settled(shaping.put(call.deps, call.caller, _written(call), _wanted(call.json(allow_empty=True))))
    shown = row(call, made.resource, _parent(call, made.resource), None)
    return Answer(200, shown)  # new or not: 201 is refused by the SDK that Azure CLI has


def patch(call: Call) -> Answer:
    settled(browse.get(call.deps, call.caller, _scope(call)))
    made = settled(shaping.put(call.deps, call.caller, _written(call), _wanted(call.json())))
    return Answer(200, row(call, made.resource, _parent(call, made.resource), None))


def delete(call: Call) -> Answer:
    settled(shaping.delete(call.deps, call.caller, _scope(call)))
    return Answer(204)


# ---------------------------------------------------------------- subscriptions in it


def _subscription(call: Call) -> str:
    return canonical(f"/subscriptions/{call.params['subscription']}")


def _subscription_row(call: Call, one: Resource, parent: Resource) -> Row:
    return {
        "id": f"{parent.path}/subscriptions/{one.name}",
        "type": f"{TYPE}/subscriptions",
        "name": one.name,
        "properties": {
            "tenant": call.caller.tenant_id,
            "displayName": one.display_name,
            "parent": {"id": parent.path},
            "state": "Active",
        },
    }


def members(call: Call) -> Answer:
    found = settled(browse.get(call.deps, call.caller, _scope(call)))
    inside = [
        one
        for one in browse.under(call.deps, call.caller, found.id)
        if one.kind is ResourceKind.SUBSCRIPTION and one.parent_id == found.id
    ]
    return grants.listed(call, [_subscription_row(call, one, found) for one in inside])


def member(call: Call) -> Answer:
    found = settled(browse.get(call.deps, call.caller, _scope(call)))
    one = settled(browse.get(call.deps, call.caller, _subscription(call)))
    if one.parent_id != found.id:
        raise no_place(_subscription(call))
    return Answer(200, _subscription_row(call, one, found))


def take_in(call: Call) -> Answer:
    group = settled(browse.get(call.deps, call.caller, _scope(call)))
    moved = settled(shaping.move(call.deps, call.caller, _subscription(call), group.id))
    return Answer(200, _subscription_row(call, moved, group))


def put_out(call: Call) -> Answer:
    """Back to the root management group."""
    settled(browse.get(call.deps, call.caller, _scope(call)))
    root = shaping.root_group(call.caller.tenant_id)
    settled(shaping.move(call.deps, call.caller, _subscription(call), root))
    return Answer(204)


_ONE = f"{_BASE}/{{group}}"
_MEMBER = f"{_ONE}/subscriptions/{{subscription}}"
ENDPOINTS = (
    Endpoint("GET", _BASE, index),
    Endpoint("GET", _ONE, show, f"{TYPE}/read"),
    Endpoint("PUT", _ONE, put, f"{TYPE}/write"),
    Endpoint("PATCH", _ONE, patch, f"{TYPE}/write"),
    Endpoint("DELETE", _ONE, delete, f"{TYPE}/delete"),
    Endpoint("GET", f"{_ONE}/descendants", descendants, f"{TYPE}/read"),
    Endpoint("GET", f"{_ONE}/subscriptions", members, f"{TYPE}/read"),
    Endpoint("GET", _MEMBER, member, f"{TYPE}/read"),
    Endpoint("PUT", _MEMBER, take_in, f"{TYPE}/subscriptions/write"),
    Endpoint("DELETE", _MEMBER, put_out, f"{TYPE}/subscriptions/delete"),
    Endpoint("POST", "providers/Microsoft.Management/getEntities", entities),
)
