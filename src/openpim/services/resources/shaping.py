"""Making, moving and deleting management groups, subscriptions, resource groups and resources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Category, Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.permissions import GIVE_ROLES, OWNER
from openpim.core.refusals import Code, Refusal
from openpim.core.resource_plan import MOST_DEEP, is_upper
from openpim.core.resources import (
    MANAGEMENT_GROUPS,
    ROOT,
    Place,
    Resource,
    ResourceKind,
    read_path,
    written_path,
)
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, perform
from openpim.services.recording import storable
from openpim.services.resource_access import allowed
from openpim.services.resources.consequences import forget, resettle
from openpim.services.resources.direct import give
from openpim.services.resources.rights import may, may_shape, missing

CREATED = "Create resource"
UPDATED = "Update resource"
MOVED = "Move resource"
DELETED = "Delete resource"
OWNED = "Add member to role outside of PIM (permanent)"
CATEGORY: Category = "ResourceManagement"
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a place is to be like; None: as it is, or nothing in particular."""

    display_name: str | None = None
    location: str | None = None
    tags: tuple[tuple[str, str], ...] | None = None
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    resource: Resource
    new: bool


def root_group(tenant_id: str) -> str:
    """The id of the management group that contains all others."""
    return MANAGEMENT_GROUPS + tenant_id


def ensure_root(tx: Transaction, now: datetime) -> str:
    """The root management group, made when it is first needed."""
    root = root_group(tx.tenant_id)
    if tx.resources.get(root) is None:
        tx.resources.add(
            Resource(
                id=root,
                path=f"/providers/Microsoft.Management/managementGroups/{tx.tenant_id}",
                parent_id=ROOT,
                kind=ResourceKind.MANAGEMENT_GROUP,
                type="Microsoft.Management/managementGroups",
                name=tx.tenant_id,
                display_name="Tenant Root Group",
                created_at=now,
            )
        )
    return root


def put(deps: Deps, caller: Caller, scope: str, wanted: Wanted) -> Made | Refusal:
    """Make a place, or change it. A change of parent_id moves a management group or subscription."""
    place = read_path(scope)
    fault = fault_of(place, wanted)
    if place is None or fault is not None:
        return fault or Refusal(Code.INVALID, f"{scope[:200]} is not the path of a resource.", member="id")

    def work(tx: Transaction, now: datetime) -> Done[Made] | Refusal:
        tx.lock_tenant()
        made = put_in(tx, deps, caller, place, wanted, now)
        if isinstance(made, Refusal):
            return made
        return Done(made, (Target("Resource", made.resource.id, made.resource.display_name),))

    return perform(deps, caller, CREATED, CATEGORY, work, targets=(Target("Resource", place.id),))


def put_in(
    tx: Transaction, deps: Deps, caller: Caller, place: Place, wanted: Wanted, now: datetime
) -> Made | Refusal:
    """The same inside a unit of work that is already open (imports, seeding)."""
    if place.id == root_group(tx.tenant_id):
        ensure_root(tx, now)
    old = tx.resources.get(place.id)
    upper = is_upper(place.kind)
    check = may_shape if upper else may
    if old is not None:
        return _change(tx, deps, caller, old, wanted, now)
    parent = place.parent_id or wanted.parent_id or ROOT
    if parent == ROOT:  # nothing is beside the root management group
        parent = ensure_root(tx, now)
    refusal = check(tx, caller, write_action(place.kind, place.type), parent, now)
    if refusal is not None:
        return refusal
    above = tx.resources.chain(parent)
    if not above:
        return missing(parent)
    fault = _depth_fault(place.kind, above)
    if fault is not None:
        return fault
    made = Resource(
        id=place.id,
        path=written_path(place, _path_of(tx, place.parent_id)),
        parent_id=parent,
        kind=place.kind,
        type=place.type,
        name=place.name,
        display_name=wanted.display_name or place.name,
        created_at=now,
        location=wanted.location,
        tags=wanted.tags or (),
    )
    tx.resources.add(made)
    if upper and caller.kind is not CallerKind.SYSTEM and not allowed(tx, caller, GIVE_ROLES, made.id, now):
        give(tx, deps, caller, OWNER, made.id, OWNED, now)  # who makes it where he manages nothing owns it
    return Made(made, new=True)


def _path_of(tx: Transaction, id: str | None) -> str | None:
    found = tx.resources.get(id) if id is not None else None
    return found.path if found is not None else None


def _change(
    tx: Transaction, deps: Deps, caller: Caller, old: Resource, wanted: Wanted, now: datetime
) -> Made | Refusal:
    upper = is_upper(old.kind)
    check = may_shape if upper else may
    refusal = check(tx, caller, write_action(old.kind, old.type), old.id, now)
    if refusal is not None:
        return refusal
    if wanted.location and old.location and wanted.location.lower() != old.location.lower():
        return Refusal(Code.CONFLICT, f"{old.name} is in {old.location} and stays there.", member="location")
    new = replace(
        old,
        display_name=wanted.display_name or old.display_name,
        location=wanted.location or old.location,
        tags=old.tags if wanted.tags is None else wanted.tags,
    )
    if new != old:
        tx.resources.save(new)
    parent_id = ensure_root(tx, now) if wanted.parent_id == ROOT else wanted.parent_id
    if parent_id is not None and parent_id not in {old.parent_id, old.id}:
        return move_in(tx, deps, caller, new, parent_id, now)
    return Made(new, new=False)


def move(deps: Deps, caller: Caller, scope: str, parent_id: str) -> Resource | Refusal:
    """Hang a management group or subscription elsewhere. What is in it goes with it; what it inherited, does not."""

    def work(tx: Transaction, now: datetime) -> Done[Resource] | Refusal:
        tx.lock_tenant()
        old = tx.resources.get(scope)
        if old is None:
            return missing(scope)
        moved = move_in(tx, deps, caller, old, parent_id, now)
        if isinstance(moved, Refusal):
            return moved
        change = ("parent", old.parent_id, moved.resource.parent_id)
        return Done(moved.resource, (Target("Resource", scope, old.display_name, (change,)),))

    return perform(deps, caller, MOVED, CATEGORY, work, targets=(Target("Resource", scope),))


def move_in(
    tx: Transaction, deps: Deps, caller: Caller, old: Resource, parent_id: str, now: datetime
) -> Made | Refusal:
    if not is_upper(old.kind):
        return Refusal(Code.INVALID, "Only management groups and subscriptions are moved.", member="parent")
    if old.id == root_group(tx.tenant_id):
        return Refusal(Code.INVALID, "The root management group stays where it is.", member="parent")
    for wanted, scope in needed_to_move(tx.tenant_id, old, parent_id):
        refusal = may_shape(tx, caller, wanted, scope, now)
        if refusal is not None:
            return refusal
    above = tx.resources.chain(parent_id)
    if not above:
        return missing(parent_id)
    if old.id in above:
        return Refusal(Code.INVALID, f"{old.name} cannot be put into itself.", member="parent")
    fault = _depth_fault(old.kind, above)
    if fault is not None:
        return fault
    before = tx.resources.chain(old.id)
    moved = replace(old, parent_id=parent_id)
    tx.resources.save(moved)
    return resettle(tx, deps, caller, {old.id: before}, now) or Made(moved, new=False)


def delete(deps: Deps, caller: Caller, scope: str) -> Resource | Refusal:
    """A place with everything in it; a management group only when it is empty."""

    def work(tx: Transaction, now: datetime) -> Done[Resource] | Refusal:
        tx.lock_tenant()
        old = tx.resources.get(scope)
        place = read_path(scope)
        kind, type_ = (old.kind, old.type) if old else (place.kind, place.type) if place else (None, "*")
        upper = kind is not None and is_upper(kind)
        for wanted in needed_to_delete(kind, type_):
            refusal = (may_shape if upper else may)(tx, caller, wanted, scope, now)
            if refusal is not None:
                return refusal
        if old is None:
            return missing(scope)
        if old.id == root_group(tx.tenant_id):
            return Refusal(Code.CONFLICT, "The root management group cannot be deleted.", member="id")
        if old.kind is ResourceKind.MANAGEMENT_GROUP and tx.resources.below(old.id, 1):
            return Refusal(Code.CONFLICT, f"{old.name} is not empty: move what is in it first.", member="id")
        tx.resources.lock(old.id)  # what is being given in it at this moment is seen below
        ids = (*tx.resources.ids_below(old.id), old.id)
        forget(tx, deps, caller, ids, now)
        tx.resources.remove(ids)
        return Done(old, (Target("Resource", old.id, old.display_name),))

    return perform(deps, caller, DELETED, CATEGORY, work, targets=(Target("Resource", scope),))


# ---------------------------------------------------------------- rules


def write_action(kind: ResourceKind, type_: str) -> str:
    return _ACTIONS[kind] + "/write" if kind in _ACTIONS else f"{type_}/write"


def delete_action(kind: ResourceKind | None, type_: str) -> str:
    return _ACTIONS[kind] + "/delete" if kind in _ACTIONS else f"{type_}/delete"


def needed_to_move(tenant_id: str, old: Resource, parent_id: str) -> tuple[tuple[str, str], ...]:
    """(action, scope): what holds in the old place ceases to hold in it (deny assignments too), what holds in the new
    one begins to: so whoever moves it decides who has access to it. At the root group everything begins, so leaving
    that is free."""
    action = write_action(old.kind, old.type)
    left = () if old.parent_id == root_group(tenant_id) else ((action, old.parent_id),)
    return ((action, old.id), (GIVE_ROLES, old.id), (action, parent_id), *left)


def needed_to_delete(kind: ResourceKind | None, type_: str) -> tuple[str, ...]:
    """Who may make a subscription anew owns it then: so that nobody comes by an old one like that, it takes the right
    to decide about its access to delete it."""
    action = delete_action(kind, type_)
    return (action, GIVE_ROLES) if kind is not None and is_upper(kind) else (action,)


_ACTIONS: Mapping[ResourceKind | None, str] = {
    ResourceKind.MANAGEMENT_GROUP: "Microsoft.Management/managementGroups",
    ResourceKind.SUBSCRIPTION: "Microsoft.Management/managementGroups/subscriptions",
    ResourceKind.RESOURCE_GROUP: "Microsoft.Resources/subscriptions/resourceGroups",
}


def _depth_fault(kind: ResourceKind, above: tuple[str, ...]) -> Refusal | None:
    groups = [one for one in above if one.startswith(MANAGEMENT_GROUPS)]
    if is_upper(kind) and len(groups) + 1 != len(above):
        return Refusal(Code.INVALID, "It can only be put into a management group.", member="parent")
    if kind is ResourceKind.MANAGEMENT_GROUP and len(groups) > MOST_DEEP:
        return Refusal(Code.INVALID, f"Management groups go {MOST_DEEP} levels deep.", member="parent")
    return None


def fault_of(place: Place | None, wanted: Wanted) -> Refusal | None:
    if place is None:
        return None
    texts = [
        ("id", place.path, 500),
        ("displayName", wanted.display_name, 256),
        ("location", wanted.location, 64),
    ]
    for name, value in wanted.tags or ():
        texts += [("tags", name, 512), ("tags", value, 256)]
    if len(wanted.tags or ()) > 50:
        return Refusal(Code.INVALID, "At most 50 tags.", member="tags")
    for member, text, longest in texts:
        if text is not None and (len(text) > longest or not storable(text)):
            return Refusal(Code.INVALID, f"{member} is too long, or cannot be stored.", member=member)
    if place.kind is ResourceKind.SUBSCRIPTION and not _GUID.fullmatch(place.id.rsplit("/", 1)[1]):
        return Refusal(Code.INVALID, "The id of a subscription is a GUID.", member="subscriptionId")
    if place.kind is ResourceKind.RESOURCE and place.type.lower().startswith("microsoft.authorization/"):
        return Refusal(Code.INVALID, f"{place.type} is not a type of resource here.", member="type")
    return None
