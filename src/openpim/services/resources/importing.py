"""A whole tree from a file: places in any order, made or brought up to date in one commit, or none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import Place, Resource, ResourceKind, canonical, read_path
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, perform
from openpim.services.resources.shaping import CATEGORY, Wanted, ensure_root, fault_of, put_in

MOST = 20_000
_ORDER = list(ResourceKind)


@dataclass(frozen=True, slots=True)
class Line:
    """One place of the file. path: as a client would write its id."""

    path: str
    wanted: Wanted


def import_tree(deps: Deps, caller: Caller, lines: Sequence[Line]) -> tuple[Resource, ...] | Refusal:
    """Everything the file names; what it does not name stays as it is. The caller needs the rights for each place."""
    if len(lines) > MOST:
        return Refusal(Code.INVALID, f"At most {MOST} places at once.", member="resources")
    places: list[tuple[Place, Wanted]] = []
    for line in lines:
        place = read_path(line.path)
        fault = fault_of(place, line.wanted)
        if place is None or fault is not None:
            return fault or Refusal(
                Code.INVALID, f"{line.path[:200]} is not the path of a resource.", member="id"
            )
        places.append((place, line.wanted))

    def work(tx: Transaction, now: datetime) -> Done[tuple[Resource, ...]] | Refusal:
        tx.lock_tenant()
        ensure_root(tx, now)
        made: list[Resource] = []
        for place, wanted in _ordered(places):
            one = put_in(tx, deps, caller, place, wanted, now)
            if isinstance(one, Refusal):
                return one
            made.append(one.resource)
        return Done(tuple(made), (Target("Directory", tx.tenant_id, f"{len(made)} resources"),))

    return perform(deps, caller, "Import resources", CATEGORY, work)


def _ordered(places: Sequence[tuple[Place, Wanted]]) -> list[tuple[Place, Wanted]]:
    """What contains comes before what is in it."""
    parents = {
        place.id: canonical(wanted.parent_id) if wanted.parent_id else ""
        for place, wanted in places
        if place.kind is ResourceKind.MANAGEMENT_GROUP
    }

    def depth(id: str) -> int:
        count, at = 0, id
        while parents.get(at) and count <= len(parents):
            at, count = parents[at], count + 1
        return count

    return sorted(
        places,
        key=lambda one: (_ORDER.index(one[0].kind), depth(one[0].id), one[0].id.count("/")),
    )
