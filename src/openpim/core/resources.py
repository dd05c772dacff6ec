"""The tree of resources: tenant root > management groups > subscriptions > resource groups > resources.

A resource is known by its path; paths compare without regard to case, so `id` is the path in lower case and `path`
is how it was first written. The root is "/" and is not stored. A management group's or subscription's place in the
tree is its parent; below a subscription the path itself tells it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ROOT = "/"
MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
_LONG_FORM = "/providers/microsoft.subscription"
_NAME = re.compile(r"(?!\.+\Z)[^/?#%<>*&:\\\x00-\x1f]{1,260}\Z")


class ResourceKind(StrEnum):
    MANAGEMENT_GROUP = "managementgroup"
    SUBSCRIPTION = "subscription"
    RESOURCE_GROUP = "resourcegroup"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class Resource:
    """type: the resource type as clients write it, e.g. "Microsoft.Compute/virtualMachines"."""

    id: str
    path: str
    parent_id: str
    kind: ResourceKind
    type: str
    name: str
    display_name: str
    created_at: datetime
    location: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A path, read: its canonical id, kind, type, name, and the parent that the path itself tells (None for
    management groups and subscriptions, whose parent the tree knows)."""

    id: str
    path: str
    kind: ResourceKind
    type: str
    name: str
    parent_id: str | None


def canonical(scope: str) -> str:
    """The id of a scope: lower case, one leading slash, no trailing one, without the long subscription prefix."""
    text = "/" + "/".join(part for part in scope.lower().split("/") if part)
    if text.startswith(_LONG_FORM + "/subscriptions/"):
        text = text.removeprefix(_LONG_FORM)
    return text


def read_path(scope: str) -> Place | None:
    """What a path names; None when it is not the path of anything (the root included)."""
    lowered = canonical(scope)
    parts = lowered.split("/")[1:]
    written = ["", *[part for part in scope.split("/") if part]]
    path = "/".join(written[-len(parts) :]) if parts else ""
    path = "/" + path.lstrip("/")
    if lowered == ROOT or len(lowered) > 500 or not all(_NAME.match(part) for part in parts):
        return None
    names = path.split("/")[1:]
    if len(parts) == 4 and lowered.startswith(MANAGEMENT_GROUPS):
        kind_type = "Microsoft.Management/managementGroups"
        return Place(lowered, path, ResourceKind.MANAGEMENT_GROUP, kind_type, names[-1], None)
    if parts[0] != "subscriptions" or len(parts) < 2:
        return None
    if len(parts) == 2:
        return Place(
            lowered, path, ResourceKind.SUBSCRIPTION, "Microsoft.Resources/subscriptions", names[1], None
        )
    subscription = "/" + "/".join(parts[:2])
    if parts[2] == "resourcegroups":
        if len(parts) == 4:
            group_type = "Microsoft.Resources/resourceGroups"
            return Place(lowered, path, ResourceKind.RESOURCE_GROUP, group_type, names[3], subscription)
        parent, rest = "/" + "/".join(parts[:4]), (parts[4:], names[4:])
    else:
        parent, rest = subscription, (parts[2:], names[2:])
    return _read_resource(lowered, path, parent, *rest)


def _read_resource(lowered: str, path: str, parent: str, parts: list[str], names: list[str]) -> Place | None:
    """…/providers/{namespace}/{type}/{name}[/{type}/{name}…]"""
    if len(parts) < 4 or parts[0] != "providers" or len(parts) % 2:
        return None
    if len(parts) > 4:
        parent = lowered.rsplit("/", 2)[0]
    type_name = "/".join([names[1], *names[2::2]])
    return Place(lowered, path, ResourceKind.RESOURCE, type_name, names[-1], parent)


def contains(outer: str, inner: str) -> bool:
    """Whether one path lies at or below another by its text alone (management groups: only the tree knows)."""
    return outer in {ROOT, inner} or inner.startswith(outer + "/")


def written_path(place: Place, above: str | None) -> str:
    """How a new place is written: the names as given, the words between them as documented. above: the path of what
    it lies in, where its own path tells that."""
    match place.kind:
        case ResourceKind.MANAGEMENT_GROUP:
            return f"/providers/Microsoft.Management/managementGroups/{place.name}"
        case ResourceKind.SUBSCRIPTION:
            return f"/subscriptions/{place.name.lower()}"
        case _:
            pass
    above = above or place.parent_id or ""
    if place.kind is ResourceKind.RESOURCE_GROUP:
        return f"{above}/resourceGroups/{place.name}"
    if "/providers/" in (place.parent_id or ""):
        return "/".join([above, *place.path.split("/")[-2:]])
    return f"{above}/providers/{place.type}/{place.name}"


def subscription_of(scope: str) -> str | None:
    """The subscription that a place is in, as its path tells it."""
    parts = scope.split("/")
    return "/".join(parts[:3]) if len(parts) > 2 and parts[1] == "subscriptions" else None
