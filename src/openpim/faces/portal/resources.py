"""Resources: the tree as far as one sees it, and one place: what is in it, and who can become what there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openpim.core.grants import Provider
from openpim.core.query import Compare, Query, Some
from openpim.core.resources import ROOT, Resource, ResourceKind, canonical
from openpim.faces.portal.call import Answer, Call, Show, settled
from openpim.faces.portal.finding import asked, here
from openpim.faces.portal.table import Page
from openpim.services.resources import browse

NAV = "resources"
A_PAGE = 50
MOST = 500
UPPER = (ResourceKind.MANAGEMENT_GROUP, ResourceKind.SUBSCRIPTION)
KINDS = {
    ResourceKind.MANAGEMENT_GROUP: "Management group",
    ResourceKind.SUBSCRIPTION: "Subscription",
    ResourceKind.RESOURCE_GROUP: "Resource group",
    ResourceKind.RESOURCE: "Resource",
}


def tree(call: Call) -> Answer:
    """All management groups and subscriptions one sees, each below what contains it."""
    found = _upper(call)
    text = call.query.get("q", "").strip()[:100]
    words = text.casefold().split()
    if words:
        rows = [(0, one) for one in found if all(word in one.display_name.casefold() for word in words)]
        rows.sort(key=lambda row: row[1].display_name.casefold())
    else:
        rows = nested(found)
    values = {"rows": rows[:MOST], "cut": len(rows) > MOST, "most": MOST, "q": text, "kinds": KINDS}
    return Show("resources.html", values, nav=NAV)


def place(call: Call) -> Answer:
    scope = canonical(call.query.get("at", "").strip()[:600])
    found = None if scope == ROOT else settled(browse.get(call.deps, call.caller, scope))
    above = [one for one in browse.chain(call.deps, call.caller, scope)[1:] if one != ROOT]
    names = browse.facts(call.deps, call.caller, scopes=above).places if found is not None else {}
    text = call.query.get("q", "").strip()[:100]
    children, following = _children(call, scope, found, text)
    values = {
        "place": found,
        "scope": scope,
        "above": [names[one] for one in reversed(above) if one in names],
        "children": children,
        "next": following,
        "q": text,
        "kinds": KINDS,
        **here(call, Provider.RESOURCE, scope),
    }
    return Show("resource.html", values, nav=NAV)


def nested(found: Iterable[Resource]) -> list[tuple[int, Resource]]:
    """(depth, place): by name, each below what contains it; whose container is not there stands on top."""
    below: dict[str, list[Resource]] = {}
    every = {one.id: one for one in found}
    for one in sorted(every.values(), key=lambda one: (one.display_name.casefold(), one.id)):
        below.setdefault(one.parent_id if one.parent_id in every else ROOT, []).append(one)
    rows: list[tuple[int, Resource]] = []
    todo = [(0, one) for one in reversed(below.get(ROOT, []))]
    while todo:
        depth, one = todo.pop()
        rows.append((depth, one))
        todo += [(depth + 1, inner) for inner in reversed(below.get(one.id, []))]
    return rows


def _children(
    call: Call, scope: str, found: Resource | None, text: str
) -> tuple[Sequence[Resource], str | None]:
    """What is directly in it. Of the upper part of the tree one sees more than one may read."""
    if found is None or found.kind is ResourceKind.MANAGEMENT_GROUP:
        inside = [one for one in _upper(call) if one.parent_id == scope]
        fitting = [one for one in inside if text.casefold() in one.display_name.casefold()]
        return sorted(fitting, key=lambda one: one.display_name.casefold())[:MOST], None
    named = Some((Compare("display_name", "contains", text), Compare("name", "contains", text)))
    query = Query(named if text else None, limit=A_PAGE, after=call.query.get("after") or None)
    page = asked(
        lambda query: browse.children(call.deps, call.caller, scope, tuple(ResourceKind), query), query
    )
    return page.items, page.next


def _upper(call: Call) -> tuple[Resource, ...]:
    return (
        *browse.management_groups(call.deps, call.caller),
        *browse.subscriptions(call.deps, call.caller),
    )


PAGES = (
    Page("GET", "/portal/resources", tree),
    Page("GET", "/portal/resources/place", place),
)
