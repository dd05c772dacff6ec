"""What others gave in a target and is removed there: it is on record from before it is removed until no session that rests on
it lives on, so that one that could not be cut is tried again, whatever dies in between. Afterwards it is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from openpim.core.connecting import OVER, Edge, Effect
from openpim.core.proving import cutting
from openpim.services.connecting.facts import Facts, Name
from openpim.services.connecting.telling import recordable

_MOST = 1000  # on record of a target: no target fills the database


@dataclass(frozen=True, slots=True)
class Strangers:
    """What a look came to. done: names of those that are over, or there (again): both are no longer on record. cut: edges that
    are over, their sessions too."""

    done: frozenset[Name]
    cut: frozenset[Edge]


def to_cut(facts: Facts, removed: Sequence[Edge], foreign: Collection[Edge], now: datetime) -> list[Effect]:
    """Records of what others gave and is about to be removed."""
    strange = [edge for edge in removed if edge in foreign and recordable(edge)]
    new = [edge for edge in strange if edge.name not in facts.effects]
    room = max(0, _MOST - sum(one.strange for one in facts.effects.values()))
    return [cutting(facts.target.id, edge, now) for edge in new[:room]]


def left_alone(facts: Facts, removed: Sequence[Edge], foreign: Collection[Edge]) -> frozenset[Name]:
    """Names of what others gave again, and what the target's rule leaves there now: its sessions are theirs."""
    return frozenset(edge.name for edge in set(foreign).difference(removed)) & facts.effects.keys()


def come_to(facts: Facts, news: Sequence[Effect], there: Collection[Name]) -> Strangers:
    """there: names of the edges that the target has after the look."""
    after: Mapping[Name, Effect] = {one.edge.name: one for one in news if one.strange}
    known = {name: one for name, one in facts.effects.items() if one.strange and name not in facts.wish.edges}
    done = frozenset(
        name for name, old in known.items() if name in there or after.get(name, old).state in OVER
    )
    return Strangers(done, frozenset(known[name].edge for name in done if name not in there))
