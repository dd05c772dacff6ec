"""Lists of what is granted and asked for in the tree: by person without looking at anybody else's, or by place.

Reach: a question at a place finds what is granted at it, above it (it holds there too) and below it, unless it says
"at scope" (at and above) or "at scope and below".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider, Request, Schedule
from openpim.core.query import All, AnyOf, Compare, Condition, Page, Query, Some
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT, subscription_of
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import requests
from openpim.services.authority import identities
from openpim.services.providers.resources import READ
from openpim.services.reading import Whose
from openpim.services.resource_access import allowed
from openpim.services.resources.browse import inside
from openpim.services.resources.rights import denied, missing

RESOURCE = Provider.RESOURCE
PAGE = 1000
_LOOKS = 50


class Reach(Enum):
    AROUND = "at, above and below"
    UPWARD = "at and above"
    DOWNWARD = "at and below"


@dataclass(frozen=True, slots=True)
class Asked:
    """whose PRINCIPAL: the caller's, through his groups too. principal_id: exactly this one's. assigned_to: this
    one's, through its groups too. Without any of them: everybody's, which needs the right to read there."""

    kind: Kind
    scope: str
    whose: Whose = Whose.ANYONE
    principal_id: str | None = None
    assigned_to: str | None = None
    role_id: str | None = None
    reach: Reach = Reach.AROUND
    limit: int = PAGE
    after: str | None = None


def schedules(deps: Deps, caller: Caller, asked: Asked, *, instances: bool) -> Page[Schedule] | Refusal:
    """Schedules that are in force or to come; instances: only in force now."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Schedule] | Refusal:
        chain = tx.resources.chain(asked.scope)
        if not chain:
            return missing(asked.scope)
        who = _who(tx, caller, asked, now)
        own = who is not None and _own(tx, caller, who, now)
        if not own and not allowed(tx, caller, READ, asked.scope, now):
            return denied(READ, asked.scope)
        if who is None:
            return _everybody(tx, asked, chain, now, instances=instances)
        held = tx.schedules.of(who, provider=RESOURCE, kind=asked.kind, role_id=asked.role_id, live_at=now)
        within = _within(tx, asked, chain, {one.scope for one in held})
        return Page(
            tuple(one for one in held if one.scope in within and (not instances or one.in_force(now)))
        )

    return deps.store.read(caller.tenant_id, work)


def asked_for(deps: Deps, caller: Caller, asked: Asked) -> Page[Request] | Refusal:
    """Requests, newest last."""
    now = deps.clock()

    where = deps.store.read(caller.tenant_id, lambda tx: _condition(tx, caller, asked, now))
    if isinstance(where, Refusal):
        return where
    query = Query(where, limit=asked.limit, after=asked.after)
    page: Page[Request] | Refusal
    if asked.whose is Whose.ANYONE:
        page = deps.store.read(caller.tenant_id, lambda tx: tx.requests.page(RESOURCE, asked.kind, query))
    else:
        page = requests.page(deps, caller, RESOURCE, asked.kind, asked.whose, query)
    if isinstance(page, Refusal) or not _by_group(asked.scope):
        return page
    items = page.items

    def inside(tx: Transaction) -> tuple[Request, ...]:
        within = _within(tx, asked, tx.resources.chain(asked.scope), {one.scope for one in items})
        return tuple(one for one in items if one.scope in within)

    return Page(deps.store.read(caller.tenant_id, inside), page.next)


def _condition(tx: Transaction, caller: Caller, asked: Asked, now: datetime) -> Condition | Refusal:
    """Which requests, as far as the store can say; or why the caller may not know."""
    chain = tx.resources.chain(asked.scope)
    if not chain:
        return missing(asked.scope)
    who = _who(tx, caller, asked, now)
    own = asked.whose is not Whose.ANYONE or (who is not None and _own(tx, caller, who, now))
    if not own and not allowed(tx, caller, READ, asked.scope, now):
        return denied(READ, asked.scope)
    parts: list[Condition] = []
    where = _where(asked, chain)
    if where is not None:
        parts.append(where)
    if asked.role_id is not None:
        parts.append(Compare("role_id", "eq", asked.role_id))
    if who is not None and (asked.whose is Whose.ANYONE or asked.principal_id or asked.assigned_to):
        parts.append(AnyOf("principal_id", tuple(sorted(who))))
    return All(tuple(parts))


# ---------------------------------------------------------------- who


def _who(tx: Transaction, caller: Caller, asked: Asked, now: datetime) -> frozenset[str] | None:
    """The principals it is about; None: all."""
    named = [frozenset({asked.principal_id})] if asked.principal_id is not None else []
    if asked.whose is Whose.PRINCIPAL:
        named.append(identities(tx, caller.principal_id, now))
    if asked.assigned_to is not None:
        named.append(identities(tx, asked.assigned_to, now))
    return frozenset.intersection(*named) if named else None


def _own(tx: Transaction, caller: Caller, who: frozenset[str], now: datetime) -> bool:
    return who <= identities(tx, caller.principal_id, now)


# ---------------------------------------------------------------- where


def _by_group(scope: str) -> bool:
    """Below a management group only the tree knows what there is; elsewhere the path tells it."""
    return scope != ROOT and subscription_of(scope) is None


def _where(asked: Asked, chain: tuple[str, ...]) -> Condition | None:
    """What an index can answer: None where the answer has to be looked through."""
    if asked.reach is Reach.UPWARD:
        return AnyOf("scope", chain)
    if asked.scope == ROOT or _by_group(asked.scope):
        return None
    # "0" is the character behind "/": everything that begins with the path and a slash.
    below = All((Compare("scope", "ge", asked.scope + "/"), Compare("scope", "lt", asked.scope + "0")))
    at = (asked.scope,) if asked.reach is Reach.DOWNWARD else chain
    return Some((AnyOf("scope", at), below))


def _within(tx: Transaction, asked: Asked, chain: tuple[str, ...], scopes: Collection[str]) -> frozenset[str]:
    """Those of the scopes that the question reaches."""
    above = frozenset(chain).intersection(scopes)
    match asked.reach:
        case Reach.UPWARD:
            return above
        case Reach.DOWNWARD:
            return inside(tx, asked.scope, scopes)
        case Reach.AROUND:
            return above | inside(tx, asked.scope, frozenset(scopes) - above)


def _everybody(
    tx: Transaction, asked: Asked, chain: tuple[str, ...], now: datetime, *, instances: bool
) -> Page[Schedule]:
    where = _where(asked, chain)
    if asked.role_id is not None:
        of_role = Compare("role_id", "eq", asked.role_id)
        where = of_role if where is None else All((of_role, where))
    found: list[Schedule] = []
    after = asked.after
    for _ in range(_LOOKS):
        page = tx.schedules.page(
            RESOURCE,
            asked.kind,
            Query(where, limit=asked.limit, after=after),
            in_force_at=now if instances else None,
            live_at=None if instances else now,
        )
        within = _within(tx, asked, chain, {one.scope for one in page.items})
        found += [one for one in page.items if one.scope in within]
        after = page.next
        if after is None or len(found) >= asked.limit or not _by_group(asked.scope):
            break
    return Page(tuple(found), after)
