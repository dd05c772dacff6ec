"""What a look at a target knows before it asks the target: what is wanted, what is on record; and what follows from both and
from what is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.connecting import (
    OVER,
    Effect,
    EffectState,
    Plan,
    Rule,
    Snapshot,
    Target,
    Wanted,
    plan,
)
from openpim.core.proving import asked
from openpim.ports.connector import Capabilities
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.connecting.opening import kind_of
from openpim.services.connecting.telling import recordable
from openpim.services.connecting.wanting import Wish, wish

Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    target: Target
    wish: Wish
    effects: Mapping[Name, Effect]
    next_change: datetime | None

    @property
    def gone(self) -> list[Effect]:
        """What must not be there any more, and is not known to be away."""
        return [
            one for name, one in self.effects.items() if name not in self.wish.edges and one.state not in OVER
        ]

    def news(self) -> bool:
        """Whether something is to be done that was not tried yet: that waits for no pause. What was tried in vain does."""
        tried = (one.failing and one.state is EffectState.ENDING for one in self.gone)
        return not all(tried) or any(
            self._is_new(self.effects.get(name), one) for name, one in self.wish.edges.items()
        )

    def unasked(self, now: datetime) -> list[Effect]:
        """Records of what is to be given and was not asked for yet."""
        return [
            asked(self.target.id, one, now)
            for name, one in self.wish.edges.items()
            if (old := self.effects.get(name)) is None or old.state in OVER or old.strange
        ]

    def recorded(self, effects: Sequence[Effect]) -> Facts:
        return replace(self, effects={**self.effects, **{one.edge.name: one for one in effects}})

    def without(self, names: Collection[Name]) -> Facts:
        return replace(self, effects={name: one for name, one in self.effects.items() if name not in names})

    def _is_new(self, effect: Effect | None, one: Wanted) -> bool:
        if effect is None or effect.state in OVER or effect.state is EffectState.ENDING:
            return True
        if effect.state is EffectState.PENDING and not effect.failing and not self.target.failures:
            return True
        same = (effect.edge, effect.schedules, effect.principal_id)
        return same != (one.edge, one.schedules, one.principal_id)


def facts_of(
    tx: Transaction, deps: Deps, target_id: str, now: datetime, rules: Collection[Rule] | None = None
) -> Facts | None:
    target = tx.targets.get(target_id)
    if target is None or not target.enabled:
        return None
    wished = wish(tx, kind_of(deps, target), target, now, rules)
    effects = {one.edge.name: one for one in tx.effects.of_target(target_id)}
    missing = wished.edges.keys() - effects.keys()
    if missing:
        effects |= tx.effects.named(target_id, missing)
    return Facts(target, wished, effects, tx.targets.next_change(now))


def ours_among(tx: Transaction, facts: Facts, actual: Snapshot) -> Mapping[Name, Effect]:
    """The records of what is there and not wanted, and was asked for here once."""
    strange = {edge.name for edge in actual.edges if recordable(edge)} - facts.wish.edges.keys()
    known = {name: facts.effects[name] for name in strange & facts.effects.keys()}
    found = known | tx.effects.named(facts.target.id, strange - known.keys())
    return {name: one for name, one in found.items() if not one.strange}


def plan_for(facts: Facts, actual: Snapshot, ours: Collection[Name], capabilities: Capabilities) -> Plan:
    return plan(
        [one.edge for one in facts.wish.edges.values()],
        actual,
        ours,
        foreign=facts.target.foreign,
        bounded=capabilities.native_end != "none",
        granularity=capabilities.granularity,
    )
