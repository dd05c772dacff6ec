"""What a person's menu goes by: the roles he holds, what he may look after, and how many requests wait for his decision.

Made for every page, so it asks little: who he is in groups, what he holds, and one indexed question about requests. What
may be done is decided by the acts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from openpim.core.caller import Caller
from openpim.core.grants import Provider, Schedule
from openpim.core.resources import ROOT
from openpim.core.roles import READERS
from openpim.core.scopes import TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.approvals import waiting_for
from openpim.services.authority import decider_of, held_now, identities, keys_held
from openpim.services.providers.groups import ORDINARY, OWNER
from openpim.services.providers.resources import READ


class Right(StrEnum):
    """EVERYTHING: reads all assignments of a provider. OWN: owns a group, or reads the assignments of some place."""

    EVERYTHING = "everything"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Standing:
    """roles: directory roles in force at the tenant. waiting: requests that he can decide now."""

    roles: frozenset[str]
    rights: frozenset[Right]
    waiting: int


def standing(deps: Deps, caller: Caller) -> Standing:
    """Of a person who is signed in, and so not disabled."""
    now = deps.clock()

    def work(tx: Transaction) -> Standing:
        me = caller.principal_id
        who = identities(tx, me, now)
        held = held_now(tx, who, now)
        roles = frozenset(
            one.role_id for one in held if one.provider is Provider.DIRECTORY and one.scope == TENANT
        )
        waiting = waiting_for(tx, decider_of(tx, me, keys_held(who, held), now), now)
        return Standing(roles, _rights(tx, me, roles, held), len(waiting))

    return deps.store.read(caller.tenant_id, work)


def _rights(tx: Transaction, me: str, roles: frozenset[str], held: Collection[Schedule]) -> frozenset[Right]:
    if roles & (READERS | ORDINARY):
        return frozenset(Right)
    places = [one for one in held if one.provider is Provider.RESOURCE]
    if places:
        known = tx.resource_roles.many({one.role_id for one in places}).values()
        reading = {role.id for role in known if role.allows(READ)}
        readable = {one.scope for one in places if one.role_id in reading}
        if readable:
            return frozenset(Right) if ROOT in readable else frozenset({Right.OWN})
    owner = any(
        one.provider is Provider.GROUP and one.role_id == OWNER and one.principal_id == me for one in held
    )
    return frozenset({Right.OWN}) if owner or tx.groups.owns_any(me) else frozenset()
