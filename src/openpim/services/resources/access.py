"""What the caller may do at a place, and where below it he may activate something."""

from __future__ import annotations

from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider
from openpim.core.permissions import Permission
from openpim.core.query import Compare, Page, Query
from openpim.core.refusals import Refusal
from openpim.core.resources import Resource
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.resource_access import assignments_at
from openpim.services.resources.rights import missing


def permissions(deps: Deps, caller: Caller, scope: str) -> tuple[Permission, ...] | Refusal:
    """The permissions of the roles in force for the caller there, each once."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Permission, ...] | Refusal:
        chain = tx.resources.chain(scope)
        if not chain:
            return missing(scope)
        _, held = assignments_at(tx, caller.principal_id, chain, now)
        roles = tx.resource_roles.many({one.role_id for one in held})
        found = {
            permission: None
            for one in held
            if one.role_id in roles
            for permission in roles[one.role_id].permissions
        }
        return tuple(found)

    return deps.store.read(caller.tenant_id, work)


def eligible_children(deps: Deps, caller: Caller, scope: str, query: Query) -> Page[Resource] | Refusal:
    """What is directly in a place and can be chosen for an activation: all of it where the caller is eligible at the
    place or above it, else what is, or leads to, a place where he is."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Resource] | Refusal:
        chain = tx.resources.chain(scope)
        if not chain:
            return missing(scope)
        held = tx.schedules.of(
            identities(tx, caller.principal_id, now),
            provider=Provider.RESOURCE,
            kind=Kind.ELIGIBILITY,
            live_at=now,
        )
        scopes = {one.scope for one in held if one.in_force(now)}
        if scopes.intersection(chain):
            inside = Compare("parent_id", "eq", scope)
            return tx.resources.page(Query(inside, limit=query.limit, after=query.after))
        towards = set()
        for above in tx.resources.chains(scopes).values():
            if scope in above[1:]:
                towards.add(above[above.index(scope) - 1])
        found = tx.resources.many(towards)
        return Page(tuple(found[one] for one in sorted(found)))

    return deps.store.read(caller.tenant_id, work)
