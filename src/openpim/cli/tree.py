"""Places in the tree of Azure resources as an administrator names them, and the roles that can be given there."""

from __future__ import annotations

from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line
from openpim.cli.places import read_place
from openpim.client.arm import GROUPS_VERSION, RESOURCES_VERSION, ROLES_VERSION, at, versioned
from openpim.client.errors import PimError
from openpim.client.resources import GROUP, MANAGEMENT_GROUPS, RESOURCE_GROUP, SUBSCRIPTION, kind_of, last
from openpim.client.roles import named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from openpim.cli.places import Place
    from openpim.client.pim import Pim

    Row = dict[str, Any]
    Spot = tuple[str, str]  # path, name

__all__ = ["is_resource_path", "resource_role", "spots", "tops"]

_MANY = 50  # subscriptions to look into for a resource group named without its subscription


class _Tree:
    """What the account can see of the upper tree, read once."""

    def __init__(self, pim: Pim) -> None:
        self.arm = pim.need_arm()
        address = versioned("/providers/Microsoft.Management/getEntities", GROUPS_VERSION)
        answer = self.arm.request("POST", address)
        value = answer.get("value") if isinstance(answer, dict) else None
        self.rows: list[Row] = (
            [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        )

    def upper(self, kind: str = "", inside: str = "") -> list[Spot]:
        """Management groups and subscriptions, of one kind, or somewhere in one management group."""
        found = []
        for row in self.rows:
            path, given = text(row.get("id")), named(row, "properties")
            chain = given.get("parentNameChain")
            around = [str(one).lower() for one in chain] if isinstance(chain, list) else []
            if (not kind or kind_of(path) == kind) and (not inside or last(inside).lower() in around):
                found.append((path, text(given.get("displayName")) or last(path)))
        return found

    def groups(self, subscriptions: Sequence[str]) -> list[Spot]:
        """The resource groups of the subscriptions."""
        paths = [versioned(f"{path}/resourcegroups", RESOURCES_VERSION) for path in subscriptions]
        found = []
        for answer in self.arm.lists(*paths):
            if not isinstance(answer, list):
                raise answer
            found += [(text(row.get("id")), text(row.get("name"))) for row in answer]
        return found

    def inside(self, path: str) -> list[Spot]:
        """What can be named after a place and a slash."""
        kind = kind_of(path)
        if kind == GROUP:
            return self.upper(inside=path)
        if kind == SUBSCRIPTION:
            return self.groups([path])
        rows = (
            self.arm.rows(versioned(f"{path}/resources", RESOURCES_VERSION)) if kind == RESOURCE_GROUP else []
        )
        return [(text(row.get("id")), text(row.get("name"))) for row in rows]


def _fitting(part: str, candidates: Sequence[Spot]) -> list[Spot]:
    return fits(part, candidates, lambda spot: (spot[1], last(spot[0]), spot[0]))


def spots(pim: Pim, given: str) -> list[Spot]:
    """The places that the words fit best; none, one or several."""
    place = read_place(given)
    if place.path == "/":
        return [("/", "/")]
    if place.path and kind_of(place.path) not in {GROUP, SUBSCRIPTION}:
        return [(place.path, last(place.path))]
    tree = _Tree(pim)
    if place.path:
        found = [spot for spot in tree.upper() if spot[0].lower() == place.path.lower()]
        return found or [(place.path, last(place.path))]
    first, *rest = place.parts
    found = _first(tree, first, place, alone=not rest)
    for part in rest:
        if len(found) != 1:
            break
        found = _fitting(part, tree.inside(found[0][0]))
    if rest and place.kind:
        found = [spot for spot in found if kind_of(spot[0]) == place.kind]
    return found


def _first(tree: _Tree, part: str, place: Place, *, alone: bool) -> list[Spot]:
    kind = place.kind if alone else ""
    found = [] if kind == RESOURCE_GROUP else _fitting(part, tree.upper(kind))
    if found or kind in {GROUP, SUBSCRIPTION}:
        return found
    subscriptions = tree.upper(SUBSCRIPTION)
    if len(subscriptions) > _MANY:
        if kind != RESOURCE_GROUP:
            return []
        text = f"there are {len(subscriptions)} subscriptions to look for {part!r} in"
        raise PimError("usage", text, f"name the subscription too: SUBSCRIPTION/{part}")
    return _fitting(part, tree.groups([path for path, _ in subscriptions]))


def tops(pim: Pim) -> list[str]:
    """The uppermost places that the account can see."""
    rows = _Tree(pim).rows
    seen = {text(row.get("id")).lower() for row in rows}
    parents = {text(row.get("id")): text(named(named(row, "properties"), "parent").get("id")) for row in rows}
    return [path for path, parent in parents.items() if parent.lower() not in seen]


def resource_role(pim: Pim, wanted: str, scope: str) -> tuple[str, str]:
    """`(id, name)` of the role called `wanted` that can be given at the place."""
    arm = pim.need_arm()
    quoted = wanted.replace("'", "''")
    rows = arm.rows(at(scope, "roleDefinitions", f"roleName eq '{quoted}'", version=ROLES_VERSION))
    if not rows:
        rows = arm.rows(at(scope, "roleDefinitions", version=ROLES_VERSION))
    roles = [(text(row.get("name")).lower(), text(named(row, "properties").get("roleName"))) for row in rows]
    found = fits(wanted, roles, lambda role: role)
    if not found:
        raise missing(
            wanted, (name for _, name in roles), "there is no role on resources", "type more of the name"
        )
    if len(found) > 1:
        raise ambiguous(
            wanted, [f"{one_line(name)}   ({key})" for key, name in found], "type more of the name, or its id"
        )
    return found[0][0], one_line(found[0][1])


def is_resource_path(path: str) -> bool:
    """Whether a path is one of the tree, and not an administrative unit's or an object's."""
    low = path.lower()
    return low.startswith(
        ("/subscriptions/", MANAGEMENT_GROUPS.lower(), "/providers/microsoft.subscription/")
    )
