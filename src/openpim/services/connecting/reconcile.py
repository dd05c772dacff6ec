"""One look at one target: what it should have, what it has, what is done about it, and the proof by reading it back.

Nothing is remembered between looks but the record of effects, and that is written *before* anything is given (so that what
is given is always known to be ours) and *after* everything is proved. Whatever dies in between, the next look finds the
same difference and closes it. What has ended is removed, its live sessions are ended, and only when both can be seen the
record says "ended"; a removal that fails is tried again for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from openpim.core.connecting import (
    LOOK,
    OVER,
    Edge,
    Effect,
    EffectState,
    Foreign,
    Op,
    OpKind,
    Plan,
    Rule,
    Snapshot,
    Target,
    Wanted,
    pause_after,
    plan,
)
from openpim.ports.connector import Capabilities, Connector, Fault, Fence, Severed, TargetError
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.connecting import telling
from openpim.services.connecting.opening import capabilities_of, kind_of, opened
from openpim.services.connecting.wanting import Wish, wish

_log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
_MARGIN = timedelta(seconds=10)  # before the end of the lease nothing is begun
_CHUNK = 500  # operations, or records, at once
_BATCH = 2000  # operations at once where the target takes them as one
_STALE = timedelta(seconds=1)
_URGENT = timedelta(milliseconds=500)  # between two tries while something that has ended is still there

T = TypeVar("T")
Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Looked:
    """next_at: when to look again, if nothing happens before. fault: why the look failed, "" when it did not. changed: how
    many edges were given, taken away or bounded."""

    next_at: datetime
    fault: str = ""
    changed: int = 0


class Held:
    """The connector of a target from one look to the next: opening one may cost a connection."""

    def __init__(self) -> None:
        self._connector: Connector | None = None
        self._version = 0

    def get(self, deps: Deps, tenant_id: str, target: Target) -> Connector:
        if self._connector is not None and self._version != target.version:
            self.drop()
        if self._connector is None:
            self._connector = opened(deps, tenant_id, target)
            self._version = target.version
        return self._connector

    def drop(self) -> None:
        connector, self._connector = self._connector, None
        if connector is not None:
            try:
                connector.close()
            except Exception:  # noqa: BLE001 - it is of no more use, whatever it says
                _log.debug("a connector did not close well", exc_info=True)


@dataclass(frozen=True, slots=True)
class _Facts:
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

    def _is_new(self, effect: Effect | None, one: Wanted) -> bool:
        if effect is None or effect.state in OVER or effect.state is EffectState.ENDING:
            return True
        if effect.state is EffectState.PENDING and not effect.failing and not self.target.failures:
            return True
        same = (effect.edge, effect.schedules, effect.principal_id)
        return same != (one.edge, one.schedules, one.principal_id)


def look(
    deps: Deps, held: Held, tenant_id: str, target_id: str, *, now_in_full: bool = False
) -> Looked | None:
    """Make one target agree. None: it is disabled, gone, or somebody else is at it.

    now_in_full: read the target even where the record says that all is well, and whatever pause it is in.
    """
    now = deps.clock()
    try:
        facts = deps.store.read(tenant_id, lambda tx: _facts(tx, deps, target_id, now))
    except TargetError as error:
        return _unknown_kind(deps, tenant_id, target_id, error.message)
    if facts is None:
        return None
    # Not for longer than ever agreed: the clock may have been put back.
    resting = facts.target.next_at is not None and now < facts.target.next_at <= now + LOOK
    if resting and not now_in_full and not facts.news():
        return Looked(_soonest(facts, facts.target.next_at, now))
    target = deps.store.write(tenant_id, lambda tx: tx.targets.lease(target_id, now, now + LEASE))
    if target is None:
        return None
    if target.epoch != facts.target.epoch + 1 or deps.clock() > now + _STALE:
        # Somebody else has looked since, or we slept: what was read then is no ground to give anything.
        now = deps.clock()
        facts = deps.store.read(tenant_id, lambda tx: _facts(tx, deps, target_id, now))
        if facts is None:
            deps.store.write(tenant_id, lambda tx: tx.targets.release(target, now, now, 0, ""))
            return None
    fault, changed = "", 0
    try:
        changed = _Look(deps, held.get(deps, tenant_id, target), tenant_id, target, facts).run()
    except TargetError as error:
        held.drop()
        fault = error.message
    except Exception as error:
        held.drop()
        _say_fault(deps, tenant_id, target, facts, f"Our side failed: {type(error).__name__}.")
        raise
    return _say_fault(deps, tenant_id, target, facts, fault, changed)


def planned(
    deps: Deps, tenant_id: str, target: Target, rules: Collection[Rule] | None = None
) -> tuple[Plan, Wish]:
    """What a look would do now; with `rules`, if these were its mappings. Nothing is changed. Raises TargetError."""
    now = deps.clock()
    connector = opened(deps, tenant_id, target)
    try:
        facts = deps.store.read(tenant_id, lambda tx: _facts(tx, deps, target.id, now, rules))
        actual = connector.read()
    finally:
        connector.close()
    if facts is None:
        return Plan(), Wish({}, {})
    capabilities = capabilities_of(kind_of(deps, target), target)
    ours = deps.store.read(tenant_id, lambda tx: _ours(tx, facts, actual))
    return _plan(facts, actual, ours, capabilities), facts.wish


def _facts(
    tx: Transaction, deps: Deps, target_id: str, now: datetime, rules: Collection[Rule] | None = None
) -> _Facts | None:
    target = tx.targets.get(target_id)
    if target is None or not target.enabled:
        return None
    wished = wish(tx, kind_of(deps, target), target, now, rules)
    effects = {one.edge.name: one for one in tx.effects.of_target(target_id)}
    missing = wished.edges.keys() - effects.keys()
    if missing:
        effects |= tx.effects.named(target_id, missing)
    return _Facts(target, wished, effects, tx.targets.next_change(now))


def _ours(tx: Transaction, facts: _Facts, actual: Snapshot) -> Mapping[Name, Effect]:
    """The records of what is there and not wanted, and was asked for here once."""
    strange = {edge.name for edge in actual.edges} - facts.wish.edges.keys()
    known = {name: facts.effects[name] for name in strange & facts.effects.keys()}
    return known | tx.effects.named(facts.target.id, strange - known.keys())


def _unknown_kind(deps: Deps, tenant_id: str, target_id: str, fault: str) -> Looked | None:
    """Nothing can be done in a target of a kind that is not here any more. That is said as of one that is down."""
    now = deps.clock()
    target = deps.store.write(tenant_id, lambda tx: tx.targets.lease(target_id, now, now + LEASE))
    if target is None:
        return None
    present = deps.store.read(tenant_id, lambda tx: tx.effects.of_target(target_id))
    lasting = {
        one.edge.name: Wanted(one.edge, one.principal_id, one.schedules)
        for one in present
        if one.state is not EffectState.ENDING and not _past(one.edge, now)
    }
    facts = _Facts(target, Wish(lasting, {}), {one.edge.name: one for one in present}, None)
    return _say_fault(deps, tenant_id, target, facts, fault)


def _plan(facts: _Facts, actual: Snapshot, ours: Collection[Name], capabilities: Capabilities) -> Plan:
    return plan(
        [one.edge for one in facts.wish.edges.values()],
        actual,
        ours,
        foreign=facts.target.foreign,
        bounded=capabilities.native_end != "none",
        granularity=capabilities.granularity,
    )


class _Look:
    """The steps of a look, under a lease."""

    def __init__(
        self, deps: Deps, connector: Connector, tenant_id: str, target: Target, facts: _Facts
    ) -> None:
        self._deps = deps
        self._connector = connector
        self._tenant = tenant_id
        self._target = target
        self._facts = facts
        self._capabilities = capabilities_of(kind_of(deps, target), target)

    def run(self) -> int:
        """Returns how many operations were done. Raises TargetError."""
        self._ask()
        actual = self._connector.read()
        ours = self._deps.store.read(self._tenant, lambda tx: _ours(tx, self._facts, actual))
        todo = _plan(self._facts, actual, ours, self._capabilities)
        errors = self._apply(todo.ops)
        removed = [op.edge for op in todo.ops if op.kind is OpKind.REVOKE]
        # What had ended and is there again is an end like any other: it fails, or is proved, on record.
        back = [ours[edge.name] for edge in removed if edge.name in ours and ours[edge.name].state in OVER]
        gone = [*self._facts.gone, *back]
        severed = self._sever(_edges_of(gone, removed))
        after = self._connector.read() if todo.ops or gone else actual
        self._record(after, gone, _unproved(after, self._facts, gone) | errors, severed)
        self._drift(todo, actual, after, back, errors, severed)
        return len(todo.ops)

    def _ask(self) -> None:
        """On record before anything is given: what is found later is known to be ours."""
        now = self._deps.clock()
        new = [
            Effect(
                self._target.id,
                one.principal_id,
                one.edge,
                EffectState.PENDING,
                now,
                now,
                schedules=one.schedules,
            )
            for name, one in self._facts.wish.edges.items()
            if name not in self._facts.effects or self._facts.effects[name].state in OVER
        ]
        for chunk in _chunks(new):
            self._write(partial(_put, some=chunk))
        self._facts = replace(
            self._facts, effects={**self._facts.effects, **{one.edge.name: one for one in new}}
        )

    def _apply(self, ops: Sequence[Op]) -> dict[Name, str]:
        """Returns what went wrong, by the edge's name."""
        errors: dict[Name, str] = {}
        for chunk in _chunks(ops, _BATCH if self._capabilities.atomic_batch else _CHUNK):
            fence = self._fence()
            now = self._deps.clock()
            # What has ended since it was planned is not given any more.
            some = [op for op in chunk if op.kind is OpKind.REVOKE or not _past(op.edge, now)]
            for receipt in self._connector.apply(some, fence) if some else ():
                if not receipt.ok:
                    errors[receipt.op.edge.name] = receipt.error
        return errors

    def _sever(self, edges: Sequence[Edge]) -> dict[Name, Severed]:
        if not edges:
            return {}
        kept = [one.edge for one in self._facts.wish.edges.values()]
        return {one.edge.name: one for one in self._connector.sever(edges, kept, self._fence())}

    def _fence(self) -> Fence:
        """Leave to write for as long as a lease; raises when somebody else has taken the target over."""
        return Fence(self._target.epoch, self._write(lambda _tx: None) - _MARGIN)

    def _write(self, work: Callable[[Transaction], None]) -> datetime:
        """On record, while the target is ours: until when it is from now on. Raises when somebody else has taken it over."""
        until = self._deps.clock() + LEASE

        def held(tx: Transaction) -> None:
            if not tx.targets.renew(self._target, until):
                raise TargetError(Fault.FENCED, "Another server has taken it over.")
            work(tx)

        self._deps.store.write(self._tenant, held)
        return until

    def _record(
        self,
        after: Snapshot,
        gone: Sequence[Effect],
        errors: Mapping[Name, str],
        severed: Mapping[Name, Severed],
    ) -> None:
        now = self._deps.clock()
        there = {edge.name: edge for edge in after.edges}
        before: list[Effect] = []
        changed: list[Effect] = []
        for name, wanted in self._facts.wish.edges.items():
            old = self._facts.effects[name]
            new = _proved(old, wanted, there.get(name), errors.get(name, ""), now)
            if new != old:
                before.append(old)
                changed.append(new)
        for old in gone:
            name = old.edge.name
            new = _ended(old, name in there, errors.get(name, ""), severed.get(name), now)
            before.append(old)
            changed.append(new)
        for olds, news in zip(_chunks(before), _chunks(changed), strict=True):
            self._write(
                partial(telling.put, deps=self._deps, target=self._target, olds=olds, news=news, now=now)
            )

    def _drift(
        self,
        todo: Plan,
        actual: Snapshot,
        after: Snapshot,
        back: Sequence[Effect],
        errors: Mapping[Name, str],
        severed: Mapping[Name, Severed],
    ) -> None:
        """Whatever others have given, or taken away, in the target."""
        effective = {name for name, one in self._facts.effects.items() if one.state is EffectState.EFFECTIVE}
        there = {edge.name for edge in after.edges}
        removed = frozenset(
            edge
            for edge in todo.foreign
            if self._target.foreign is Foreign.REMOVE
            and edge.name not in there
            and edge.entitlement not in after.unread
        )
        found = telling.Drift(
            foreign=todo.foreign - removed,
            removed=removed,
            lost=tuple(
                op.edge
                for op in todo.ops
                if op.kind is OpKind.GRANT
                and op.edge.name in effective
                and op.edge.entitlement not in actual.unread
            ),
            back=tuple(one.edge for one in back),
            errors={name: one.error for name, one in severed.items() if one.error} | dict(errors),
        )
        known = self._deps.store.read(self._tenant, lambda tx: telling.known_drift(tx, self._target.id))
        if found.anything or known:
            self._write(
                partial(
                    telling.drift, deps=self._deps, target=self._target, found=found, now=self._deps.clock()
                )
            )


def _put(tx: Transaction, some: Sequence[Effect]) -> None:
    tx.effects.put(some)


def _unproved(after: Snapshot, facts: _Facts, gone: Sequence[Effect]) -> dict[Name, str]:
    """What could not be read, by the edge's name: not seen is not gone."""
    edges = [*(one.edge for one in facts.wish.edges.values()), *(one.edge for one in gone)]
    return {edge.name: after.unread[edge.entitlement] for edge in edges if edge.entitlement in after.unread}


def _past(edge: Edge, now: datetime) -> bool:
    return edge.until is not None and edge.until <= now


def _proved(old: Effect, wanted: Wanted, found: Edge | None, error: str, now: datetime) -> Effect:
    """What is wanted, after the look."""
    new = replace(old, edge=wanted.edge, schedules=wanted.schedules, principal_id=wanted.principal_id)
    if found is None:
        if _past(wanted.edge, now):
            return new  # it has ended meanwhile: the next look ends it
        said = error or "It was given, but reading the target back does not show it."
        since = old.since if old.state is EffectState.PENDING else now
        return replace(new, state=EffectState.PENDING, since=since, failures=old.failures + 1, error=said)
    if old.state is not EffectState.EFFECTIVE:
        new = replace(new, state=EffectState.EFFECTIVE, since=now, effective_at=now)
    return replace(new, failures=old.failures + 1 if error else 0, error=error)


def _ended(old: Effect, there: bool, error: str, cut: Severed | None, now: datetime) -> Effect:
    said = error or (cut.error if cut is not None else "")
    if there or said:
        said = said or "It was removed, but reading the target back still shows it."
        since = old.since if old.state is EffectState.ENDING else now
        return replace(old, state=EffectState.ENDING, since=since, failures=old.failures + 1, error=said)
    residue = cut.residue_until if cut is not None else None
    if residue is not None and residue <= now:
        residue = None
    return replace(
        old,
        state=EffectState.RESIDUE if residue is not None else EffectState.ENDED,
        since=now,
        ended_at=now,
        residue_until=residue,
        failures=0,
        error="",
    )


def _edges_of(gone: Sequence[Effect], removed: Sequence[Edge]) -> list[Edge]:
    return list(({edge.name: edge for edge in removed} | {one.edge.name: one.edge for one in gone}).values())


def _chunks(items: Sequence[T], size: int = _CHUNK) -> list[Sequence[T]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _soonest(facts: _Facts, look_at: datetime | None, now: datetime) -> datetime:
    """The next look: as agreed, or when something that was given ends, or something starts."""
    moments = [one.edge.until for one in facts.wish.edges.values() if one.edge.until is not None]
    if facts.next_change is not None:
        moments.append(facts.next_change)
    moments.append(look_at or now + LOOK)
    return min(moments)


def _say_fault(
    deps: Deps, tenant_id: str, target: Target, facts: _Facts, fault: str, changed: int = 0
) -> Looked:
    """Give the target back, with what the look came to."""
    now = deps.clock()
    failures = target.failures + 1 if fault else 0

    def work(tx: Transaction) -> tuple[datetime, str]:
        effects = tx.effects.of_target(target.id)
        open_ends = [one for one in effects if one.edge.name not in facts.wish.edges]
        failing = [one for one in effects if one.failing]
        if open_ends:
            next_at = now + _URGENT
        elif fault or failing:
            next_at = now + pause_after(max([failures, *(one.failures for one in failing)]))
        else:
            next_at = now + LOOK
        if not tx.targets.release(target, now, next_at, failures, fault):
            return next_at, fault  # somebody else has it, and knows better
        if fault and open_ends:
            some = open_ends[:_CHUNK]
            news = [_ended(one, there=True, error=fault, cut=None, now=now) for one in some]
            telling.put(tx, deps, target, some, news, now)
        if fault and not target.fault:
            telling.unreachable(tx, deps, target, fault, now)
        return next_at, fault

    next_at, said = deps.store.write(tenant_id, work)
    return Looked(_soonest(facts, next_at, now) if not fault else next_at, said, changed)
