"""Deny assignments: what nobody may do at a place, whatever roles say, save those who are excluded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.audit import Category, Target
from openpim.core.caller import Caller
from openpim.core.permissions import DenyAssignment
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities, roles_of
from openpim.services.directory.performing import Done, perform
from openpim.services.recording import storable
from openpim.services.resource_access import allowed
from openpim.services.resources.browse import inside
from openpim.services.resources.listing import Reach
from openpim.services.resources.rights import may, missing, reads

READ = "Microsoft.Authorization/denyAssignments/read"
WRITE = "Microsoft.Authorization/denyAssignments/write"
DELETE = "Microsoft.Authorization/denyAssignments/delete"
CATEGORY: Category = "ResourceManagement"


def page(
    deps: Deps, caller: Caller, scope: str, *, about: str | None = None, reach: Reach = Reach.AROUND
) -> tuple[DenyAssignment, ...] | Refusal:
    """What holds at a place and, unless only what holds there is asked for, below it. about: only those about this
    principal (and its groups, and everybody)."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[DenyAssignment, ...] | Refusal:
        refusal = reads(tx, caller, READ, scope, now)
        if refusal is not None and not _over(tx, caller, READ, scope, now):
            return refusal
        chain = tx.resources.chain(scope)
        if not chain:
            return missing(scope)
        if reach is Reach.UPWARD:
            found = list(tx.deny_assignments.at(chain))
        else:
            every = tx.deny_assignments.every()
            above = frozenset(chain) if reach is Reach.AROUND else frozenset()
            near = above | inside(tx, scope, {one.scope for one in every})
            found = [one for one in every if one.scope in near]
        found = [one for one in found if one.below or one.scope not in chain or one.scope == scope]
        if about is not None:
            who = identities(tx, about, now)
            found = [one for one in found if "*" in one.principals or who & set(one.principals)]
        return tuple(found)

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, deny_id: str) -> DenyAssignment | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> DenyAssignment | Refusal:
        found = tx.deny_assignments.get(deny_id)
        if found is None:
            return Refusal(Code.NOT_FOUND, f"There is no deny assignment {deny_id:.100}.")
        if _over(tx, caller, READ, found.scope, now):
            return found
        return reads(tx, caller, READ, found.scope, now) or found

    return deps.store.read(caller.tenant_id, work)


def put(deps: Deps, caller: Caller, wanted: DenyAssignment) -> tuple[DenyAssignment, bool] | Refusal:
    """The deny assignment, and whether it is new."""

    def work(tx: Transaction, now: datetime) -> Done[tuple[DenyAssignment, bool]] | Refusal:
        tx.lock_tenant()
        old = tx.deny_assignments.get(wanted.id)
        if old is not None and old.scope != wanted.scope:
            return Refusal(Code.CONFLICT, f"The id {wanted.id} is taken. Choose a new one.", member="id")
        refusal = may(tx, caller, WRITE, wanted.scope, now)
        if refusal is not None:
            return refusal
        if not tx.resources.chain(wanted.scope):
            return missing(wanted.scope)
        fault = _fault(tx, wanted)
        if fault is not None:
            return fault
        deny = replace(
            wanted,
            created_at=old.created_at if old else now,
            created_by=old.created_by if old else caller.principal_id,
        )
        tx.deny_assignments.put(deny)
        return Done(
            (deny, old is None), (Target("Other", deny.id, deny.name), Target("Directory", deny.scope))
        )

    targets = (Target("Other", wanted.id, wanted.name[:256]), Target("Directory", wanted.scope))
    return perform(deps, caller, "Create or update deny assignment", CATEGORY, work, targets=targets)


def delete(deps: Deps, caller: Caller, deny_id: str) -> DenyAssignment | Refusal:
    def work(tx: Transaction, now: datetime) -> Done[DenyAssignment] | Refusal:
        found = tx.deny_assignments.get(deny_id)
        if found is None:
            return Refusal(Code.NOT_FOUND, f"There is no deny assignment {deny_id:.100}.")
        refusal = may(tx, caller, DELETE, found.scope, now)
        if refusal is not None and not _over(tx, caller, DELETE, found.scope, now):
            return refusal
        tx.deny_assignments.remove(deny_id)
        return Done(found, (Target("Other", found.id, found.name), Target("Directory", found.scope)))

    return perform(
        deps, caller, "Delete deny assignment", CATEGORY, work, targets=(Target("Other", deny_id),)
    )


def _over(tx: Transaction, caller: Caller, action: str, scope: str, now: datetime) -> bool:
    """Whoever may do it at the place above, and a Global Administrator: nobody can lock out those above him for good."""
    if GLOBAL_ADMINISTRATOR in roles_of(tx, caller, now):
        return True
    above = tx.resources.chain(scope)[1:2]
    return bool(above) and allowed(tx, caller, action, above[0], now)


def _fault(tx: Transaction, deny: DenyAssignment) -> Refusal | None:
    if not deny.name.strip() or len(deny.name) > 512 or not storable(deny.name + deny.description):
        return Refusal(Code.INVALID, "A name of 1 to 512 characters is needed.", member="denyAssignmentName")
    if not deny.principals or len(deny.principals) > 500 or len(deny.excluded) > 500:
        return Refusal(Code.INVALID, "Name between 1 and 500 principals.", member="principals")
    named = [one for one in (*deny.principals, *deny.excluded) if one != "*"]
    unknown = sorted(set(named) - set(tx.principals.many(named)))
    if unknown:
        return Refusal(Code.SUBJECT_MISSING, f"There is no principal {unknown[0]}.", member="principals")
    if not any(one.actions or one.data_actions for one in deny.permissions):
        return Refusal(Code.INVALID, "Say what is denied.", member="permissions")
    return None
