"""Where a role can be activated further down than it is held: administrative units below the tenant, places below a
place of the tree. For the offer of a reduced scope; whether it holds is decided when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from openpim.core.caller import Caller
from openpim.core.grants import Provider
from openpim.core.query import Order, Query
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction

MOST = 100


@dataclass(frozen=True, slots=True)
class Below:
    scope: str
    name: str


def scopes_below(deps: Deps, caller: Caller, provider: Provider, scope: str) -> tuple[Below, ...]:
    """At most MOST, by name. Who is eligible at a scope may know what is in it."""

    def work(tx: Transaction) -> tuple[Below, ...]:
        if provider is Provider.RESOURCE:
            found = tx.resources.below(scope, MOST)
            return tuple(Below(one.id, one.display_name) for one in found)
        if provider is Provider.DIRECTORY and scope == TENANT:
            query = Query(order=(Order("display_name"),), limit=MOST)
            units = tx.administrative_units.page(query).items
            return tuple(Below(ADMINISTRATIVE_UNITS + one.id, one.display_name) for one in units)
        return ()

    return deps.store.read(caller.tenant_id, work)
