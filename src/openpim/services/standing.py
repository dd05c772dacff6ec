"""What a person's menu goes by: the roles he holds, what he may look after, and how many requests wait for his decision.

Made for every page, so it asks little: who he is in groups, what he holds, and one indexed question about requests. What
may be done is decided by the acts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openpim.core.approval import Waiting
from openpim.core.caller import Caller
from openpim.core.grants import Provider, Schedule
from openpim.core.resources import ROOT
from openpim.core.roles import READERS, is_role_key, read_role_key
from openpim.core.scopes import TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import able_people, held_now, identities, keys_held
from openpim.services.providers.groups import ORDINARY, OWNER
from openpim.services.providers.resources import READ

MOST = 500  # rows that are counted, as the list of what waits holds at most


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
        return Standing(roles, _rights(tx, me, roles, held), _waiting(tx, me, keys_held(who, held), now))

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


def _waiting(tx: Transaction, me: str, own: frozenset[str], now: datetime) -> int:
    """As many as `approvals.mine` lists."""
    lent: dict[str, frozenset[str]] = {
        one: identities(tx, one, now) for one in able_people(tx, tx.approvals.delegators_of(me, now))
    }
    found = [
        one
        for one in tx.approvals.open_for(own.union(*lent.values()), now, MOST)
        if one.requestor_id != me
        and (one.key in own or any(one.key in keys for who, keys in lent.items() if who != one.requestor_id))
    ]
    moved = _moved_away(tx, found)
    return len({one.approval_id for one in found if one not in moved})


def _moved_away(tx: Transaction, found: Collection[Waiting]) -> frozenset[Waiting]:
    """Those whose key is a role at a place that does not contain the one they are about any more."""
    scoped = [(one, read_role_key(one.key)[1]) for one in found if is_role_key(one.key)]
    scoped = [(one, place) for one, place in scoped if place is not None]
    if not scoped:
        return frozenset()
    chains = tx.resources.chains({one.scope for one, _ in scoped})
    return frozenset(one for one, place in scoped if place not in chains[one.scope])
