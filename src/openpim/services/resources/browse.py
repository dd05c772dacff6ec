"""Reading the tree: one place, what is directly in it, and the subscriptions somebody can see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Principal, User
from openpim.core.grants import Schedule
from openpim.core.permissions import ResourceRole
from openpim.core.query import All, Compare, Page, Query
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT, Resource, ResourceKind, read_path, subscription_of
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.resource_access import allowed, assigned_at, scopes_of
from openpim.services.resources.rights import missing, reads

UPPER = (ResourceKind.MANAGEMENT_GROUP, ResourceKind.SUBSCRIPTION)
READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
READ_MANAGEMENT_GROUP = "Microsoft.Management/managementGroups/read"
_EVERY = Query(limit=10_000)


@dataclass(frozen=True, slots=True)
class Facts:
    """What grants refer to, by id: places, roles, and who holds them (with the mail of people).

    above: what contains the place that was asked about."""

    places: dict[str, Resource]
    roles: dict[str, ResourceRole]
    principals: dict[str, Principal]
    users: dict[str, User]
    eligibilities: dict[str, Schedule]
    above: frozenset[str]


def read_action(resource: Resource) -> str:
    match resource.kind:
        case ResourceKind.MANAGEMENT_GROUP:
            return READ_MANAGEMENT_GROUP
        case ResourceKind.SUBSCRIPTION:
            return READ_SUBSCRIPTION
        case ResourceKind.RESOURCE_GROUP:
            return READ_GROUP
        case ResourceKind.RESOURCE:
            return f"{resource.type}/read"


def facts(
    deps: Deps,
    caller: Caller,
    *,
    scopes: Collection[str] = (),
    roles: Collection[str] = (),
    principals: Collection[str] = (),
    eligibilities: Collection[str] = (),
    place: str = ROOT,
) -> Facts:
    """What rows that the caller may see refer to; so it is not limited again."""

    def work(tx: Transaction) -> Facts:
        found = tx.principals.many(list(principals))
        linked = tx.schedules.many(eligibilities)
        everywhere = {*scopes, *(one.scope for one in linked.values())} - {ROOT}
        people = [one.id for one in found.values() if one.kind.value == "user"]
        return Facts(
            places=tx.resources.many(everywhere),
            roles=tx.resource_roles.many(set(roles)),
            principals=found,
            users=tx.users.many(people) if people else {},
            eligibilities=linked,
            above=frozenset(tx.resources.chain(place)) - {place} if place != ROOT else frozenset(),
        )

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, scope: str) -> Resource | Refusal:
    """One place; who is eligible for something there sees the subscription too."""
    now = deps.clock()

    def work(tx: Transaction) -> Resource | Refusal:
        found = tx.resources.get(scope)
        if found is not None and found.kind in UPPER and found.id in _visible_ids(tx, caller, now, found.id):
            return found
        place = read_path(scope)
        action = read_action(found) if found is not None else f"{place.type}/read" if place else "*/read"
        refusal = reads(tx, caller, action, scope, now)
        if refusal is not None:
            return refusal
        return found or missing(scope)

    return deps.store.read(caller.tenant_id, work)


def children(
    deps: Deps,
    caller: Caller,
    scope: str,
    kinds: Collection[ResourceKind],
    query: Query,
) -> Page[Resource] | Refusal:
    """What is directly in a place, as far as the caller may read it."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Resource] | Refusal:
        if not tx.resources.chain(scope):
            return missing(scope)
        inside = Compare("parent_id", "eq", scope)
        where = inside if query.where is None else All((inside, query.where))
        page = tx.resources.page(replace(query, where=where), kinds)
        return replace(page, items=tuple(readable(tx, caller, page.items, scope, now)))

    return deps.store.read(caller.tenant_id, work)


def resources_in(deps: Deps, caller: Caller, scope: str, query: Query) -> Page[Resource] | Refusal:
    """Every resource of a subscription, however deep, as far as the caller may read it."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Resource] | Refusal:
        if not tx.resources.chain(scope):
            return missing(scope)
        # "0" is the character behind "/": everything that begins with the path and a slash.
        inside = All((Compare("id", "ge", scope + "/"), Compare("id", "lt", scope + "0")))
        page = tx.resources.page(replace(query, where=inside), [ResourceKind.RESOURCE])
        return replace(page, items=tuple(readable(tx, caller, page.items, scope, now)))

    return deps.store.read(caller.tenant_id, work)


def readable(
    tx: Transaction, caller: Caller, found: Collection[Resource], scope: str, now: datetime
) -> list[Resource]:
    """Those the caller may read. One look at the container answers for most of them."""
    known: dict[str, bool] = {}

    def throughout(action: str) -> bool:
        if action not in known:
            known[action] = allowed(tx, caller, action, scope, now)
        return known[action]

    denied_below = bool(tx.deny_assignments.at([one.id for one in found])) if found else False
    own = scopes_of(tx, caller, now)
    held = assigned_at(tx, caller, now) if own else frozenset()
    chains = tx.resources.chains([one.id for one in found]) if held else {}

    def at(one: Resource, action: str) -> bool:
        """Looked up only where something is held that could allow it: each look takes several questions."""
        concerned = held.intersection(chains.get(one.id, ())) or caller.kind is CallerKind.SYSTEM
        return bool(concerned) and allowed(tx, caller, action, one.id, now)

    kept = []
    for one in found:
        action = read_action(one)
        if (throughout(action) and not denied_below) or at(one, action):
            kept.append(one)
        elif any(scope_.startswith(one.id + "/") for scope_ in own):
            kept.append(one)  # he holds something inside it
    return kept


def subscriptions(deps: Deps, caller: Caller) -> tuple[Resource, ...]:
    """Those where the caller holds, or is eligible for, anything: at them, above or below."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Resource, ...]:
        ids = _visible_ids(tx, caller, now)
        if ROOT in ids:
            return tx.resources.page(_EVERY, [ResourceKind.SUBSCRIPTION]).items
        found = tx.resources.many(ids).values()
        return tuple(
            sorted((one for one in found if one.kind is ResourceKind.SUBSCRIPTION), key=lambda one: one.id)
        )

    return deps.store.read(caller.tenant_id, work)


def management_groups(deps: Deps, caller: Caller) -> tuple[Resource, ...]:
    """The management groups the caller can see, with those above them."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Resource, ...]:
        ids = _visible_ids(tx, caller, now)
        every = tx.resources.page(_EVERY, [ResourceKind.MANAGEMENT_GROUP]).items
        return tuple(one for one in every if ROOT in ids or one.id in ids)

    return deps.store.read(caller.tenant_id, work)


def under(
    deps: Deps, caller: Caller, scope: str, kinds: Collection[ResourceKind] = UPPER
) -> tuple[Resource, ...]:
    """What of these kinds the caller can see below a place."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Resource, ...]:
        ids = _visible_ids(tx, caller, now)
        return tuple(one for one in tx.resources.below(scope, 10_000, kinds) if ROOT in ids or one.id in ids)

    return deps.store.read(caller.tenant_id, work)


def chain(deps: Deps, caller: Caller, scope: str) -> tuple[str, ...]:
    return deps.store.read(caller.tenant_id, lambda tx: tx.resources.chain(scope))


def inside(tx: Transaction, scope: str, places: Collection[str]) -> frozenset[str]:
    """Those of the places that are this one or in it. Below a management group only the tree knows what there is;
    elsewhere the path tells it, of places that are gone too."""
    if scope == ROOT:
        return frozenset(places)
    found = {one for one in places if one == scope or one.startswith(scope + "/")}
    if subscription_of(scope) is None:
        containers = {one: subscription_of(one) or one for one in set(places) - found}
        above = tx.resources.chains(set(containers.values()))
        found.update(one for one, container in containers.items() if scope in above[container])
    return frozenset(found)


def _visible_ids(tx: Transaction, caller: Caller, now: datetime, only: str | None = None) -> frozenset[str]:
    """Management groups and subscriptions the caller can see; "/" when it is all. only: whether just this one is."""
    scopes = scopes_of(tx, caller, now)
    if ROOT in scopes:
        return frozenset({ROOT} | ({only} if only else set()))
    if only is not None:
        chain_ = tx.resources.chain(only)
        inside = any(subscription_of(scope) == only for scope in scopes)
        inside = inside or any(only in above for above in tx.resources.chains(scopes).values())
        return frozenset({only}) if inside or scopes.intersection(chain_) else frozenset()
    found = {subscription_of(scope) or scope for scope in scopes}
    above = tx.resources.chains(found)
    for scope in scopes:
        if subscription_of(scope) is None:
            found.update(one.id for one in tx.resources.below(scope, 10_000, UPPER))
    return frozenset(found.union(*above.values()) - {ROOT})
