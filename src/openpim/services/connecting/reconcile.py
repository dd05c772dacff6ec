"""One look at one target: what it should have, what it has, what is done about it, and the proof by reading it back.

Nothing is remembered between looks but the record of effects, and that is written *before* anything is given (so that what
is given is always known to be ours) and *after* everything is proved. Whatever dies in between, the next look finds the
same difference and closes it. What has ended is removed, its live sessions are ended, and only when both can be seen the
record says "ended"; a removal that fails is tried again for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
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
)
from openpim.core.proving import ended, over, proved
from openpim.ports.connector import Connector, Fault, Fence, Severed, TargetError
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.connecting import strangers, telling
from openpim.services.connecting.facts import Facts, Name, facts_of, ours_among, plan_for
from openpim.services.connecting.opening import capabilities_of, kind_of, opened
from openpim.services.connecting.wanting import Wish

_log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
_MARGIN = timedelta(seconds=10)  # before the end of the lease nothing is begun
_CHUNK = 500  # operations, or records, at once
_BATCH = 2000  # operations at once where the target takes them as one
_STALE = timedelta(seconds=1)
_URGENT = timedelta(milliseconds=500)  # between two tries while something that has ended is still there

T = TypeVar("T")


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


def look(
    deps: Deps, held: Held, tenant_id: str, target_id: str, *, now_in_full: bool = False
) -> Looked | None:
    """Make one target agree. None: it is disabled, gone, or somebody else is at it.

    now_in_full: read the target even where the record says that all is well, and whatever pause it is in.
    """
    now = deps.clock()
    try:
        facts = deps.store.read(tenant_id, lambda tx: facts_of(tx, deps, target_id, now))
    except TargetError as error:
        return _unknown_kind(deps, tenant_id, target_id, error.message)
    if facts is None:
        return None
    # Not for longer than ever agreed: the clock may have been put back.
    resting = facts.target.next_at is not None and now < facts.target.next_at <= now + LOOK
    if resting and not now_in_full and not facts.news():
        return Looked(_soonest(facts, facts.target.next_at, now))
    taken = deps.store.write(tenant_id, lambda tx: _take(tx, deps, facts, now))
    if taken is None:
        return None
    target, asked = taken
    known = asked or deps.store.read(tenant_id, lambda tx: facts_of(tx, deps, target_id, deps.clock()))
    if known is None:
        at = deps.clock()
        deps.store.write(tenant_id, lambda tx: tx.targets.release(target, at, at, 0, ""))
        return None
    try:
        return _Look(deps, held.get(deps, tenant_id, target), tenant_id, target, known, now).run()
    except TargetError as error:
        held.drop()
        return _say_fault(deps, tenant_id, target, known, error.message)
    except Exception as error:
        held.drop()
        _say_fault(deps, tenant_id, target, known, f"Our side failed: {type(error).__name__}.")
        raise


def _take(tx: Transaction, deps: Deps, facts: Facts, now: datetime) -> tuple[Target, Facts | None] | None:
    """The lease, and in the same commit on record what is to be given. None: somebody else has it. Facts of None: somebody
    else has looked since, or we slept: what was read then is no ground to give anything."""
    target = tx.targets.lease(facts.target.id, now, now + LEASE)
    if target is None:
        return None
    if target.epoch != facts.target.epoch + 1 or deps.clock() > now + _STALE:
        return target, None
    new = facts.unasked(now)
    if len(new) > _CHUNK:
        return target, facts  # not before what has ended is removed
    tx.effects.put(new)
    return target, facts.recorded(new)


def planned(
    deps: Deps, tenant_id: str, target: Target, rules: Collection[Rule] | None = None
) -> tuple[Plan, Wish]:
    """What a look would do now; with `rules`, if these were its mappings. Nothing is changed. Raises TargetError."""
    now = deps.clock()
    connector = opened(deps, tenant_id, target)
    try:
        facts = deps.store.read(tenant_id, lambda tx: facts_of(tx, deps, target.id, now, rules))
        actual = connector.read()
    finally:
        connector.close()
    if facts is None:
        return Plan(), Wish({}, {})
    capabilities = capabilities_of(kind_of(deps, target), target)
    ours = deps.store.read(tenant_id, lambda tx: ours_among(tx, facts, actual))
    return plan_for(facts, actual, ours, capabilities), facts.wish


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
        if one.state is not EffectState.ENDING and not over(one.edge, now)
    }
    facts = Facts(target, Wish(lasting, {}), {one.edge.name: one for one in present}, None)
    return _say_fault(deps, tenant_id, target, facts, fault)


class _Look:
    """The steps of a look, under a lease."""

    def __init__(
        self,
        deps: Deps,
        connector: Connector,
        tenant_id: str,
        target: Target,
        facts: Facts,
        held_at: datetime,
    ) -> None:
        """held_at: when the lease was taken."""
        self._deps = deps
        self._connector = connector
        self._tenant = tenant_id
        self._target = target
        self._facts = facts
        self._held_at = held_at
        self._capabilities = capabilities_of(kind_of(deps, target), target)

    def run(self) -> Looked:
        """Raises TargetError."""
        actual = self._connector.read()
        ours = self._deps.store.read(self._tenant, lambda tx: ours_among(tx, self._facts, actual))
        todo = plan_for(self._facts, actual, ours, self._capabilities)
        removals = [op for op in todo.ops if op.kind is OpKind.REVOKE]
        removed = [op.edge for op in removals]
        self._record(strangers.to_cut(self._facts, removed, todo.foreign, self._deps.clock()))
        errors = self._apply(removals)
        self._record(self._facts.unasked(self._deps.clock()))
        errors |= self._apply(todo.ops[len(removals) :])
        # What had ended and is there again is an end like any other: it fails, or is proved, on record.
        back = [ours[edge.name] for edge in removed if edge.name in ours and ours[edge.name].state in OVER]
        left = strangers.left_alone(self._facts, removed, todo.foreign)
        gone = [*(one for one in self._facts.gone if one.edge.name not in left), *back]
        severed = self._sever(_edges_of(gone, removed))
        after = self._connector.read() if todo.ops or gone else actual
        errors = _unproved(after, self._facts, gone) | errors
        errors |= {name: one.error for name, one in severed.items() if one.error and name not in errors}
        olds, news = self._results(after, gone, errors, severed)
        strange = strangers.come_to(self._facts, news, {edge.name for edge in after.edges})
        drift = self._drift(todo, actual, after, back, strange, errors)
        return self._end(olds, news, strange.done, drift, len(todo.ops))

    def _record(self, new: Sequence[Effect]) -> None:
        """Before anything is done: what is found later is known to be ours, and what others gave is seen to its end."""
        for chunk in _chunks(new):
            self._write(partial(_put, some=chunk))
        self._facts = self._facts.recorded(new)

    def _apply(self, ops: Sequence[Op]) -> dict[Name, str]:
        """Returns what went wrong, by the edge's name."""
        errors: dict[Name, str] = {}
        for chunk in _chunks(ops, _BATCH if self._capabilities.atomic_batch else _CHUNK):
            fence = self._fence()
            now = self._deps.clock()
            # What has ended since it was planned is not given any more.
            some = [op for op in chunk if op.kind is OpKind.REVOKE or not over(op.edge, now)]
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
        """Leave to write for nearly as long as a lease; raises when somebody else has taken the target over."""
        if not self._held_at <= self._deps.clock() <= self._held_at + _STALE:
            self._write(lambda _tx: None)
        return Fence(self._target.epoch, self._held_at + LEASE - _MARGIN)

    def _write(self, work: Callable[[Transaction], None]) -> None:
        """On record, while the target is ours, which it is for as long as a lease from now on. Raises when somebody else has
        taken it over."""
        now = self._deps.clock()

        def held(tx: Transaction) -> None:
            if not tx.targets.renew(self._target, now + LEASE):
                raise _taken_over()
            work(tx)

        self._deps.store.write(self._tenant, held)
        self._held_at = now

    def _results(
        self,
        after: Snapshot,
        gone: Sequence[Effect],
        errors: Mapping[Name, str],
        severed: Mapping[Name, Severed],
    ) -> tuple[list[Effect], list[Effect]]:
        """The records that change: as they were, and as they are now."""
        now = self._deps.clock()
        there = {edge.name: edge for edge in after.edges}
        wanted = [(self._facts.effects[name], one) for name, one in self._facts.wish.edges.items()]
        found = [
            (old, proved(old, one, there.get(one.edge.name), errors.get(one.edge.name, ""), now))
            for old, one in wanted
        ]
        for old in gone:
            name = old.edge.name
            residue = severed[name].residue_until if name in severed else None
            new = ended(old, there=name in there, error=errors.get(name, ""), now=now, residue_until=residue)
            found.append((old, new))
        changed = [(old, new) for old, new in found if new != old]
        return [old for old, _ in changed], [new for _, new in changed]

    def _end(
        self,
        olds: Sequence[Effect],
        news: Sequence[Effect],
        done: Collection[Name],
        drift: telling.Drift,
        changed: int,
    ) -> Looked:
        """On record what the look came to; the target is given back in the last of these commits. done: what needs no record
        any more."""
        deps, target, now = self._deps, self._target, self._deps.clock()
        olds = [one for one in olds if one.edge.name not in done]
        news = [one for one in news if one.edge.name not in done]

        def put(tx: Transaction, some: slice) -> None:
            telling.put(tx, deps, target, olds[some], news[some], now)

        def last(tx: Transaction, some: slice) -> None:
            if not tx.targets.release(target, now, next_at, 0, ""):
                raise _taken_over()
            put(tx, some)
            tx.effects.drop(target.id, done)
            telling.drift(tx, deps, target, drift, now)

        known = self._facts.recorded(news).without(done)
        next_at = _next_at(known.effects.values(), open_ends=_any_ours(known.gone), failures=0, now=now)
        *most, rest = [slice(at, at + _CHUNK) for at in range(0, len(news) or 1, _CHUNK)]
        for some in most:
            self._write(partial(put, some=some))
        deps.store.write(self._tenant, partial(last, some=rest))
        return Looked(_soonest(known, next_at, now), changed=changed)

    def _drift(
        self,
        todo: Plan,
        actual: Snapshot,
        after: Snapshot,
        back: Sequence[Effect],
        strange: strangers.Strangers,
        errors: Mapping[Name, str],
    ) -> telling.Drift:
        """Whatever others have given, or taken away, in the target."""
        there = {edge.name for edge in after.edges}
        removed = frozenset(
            edge
            for edge in todo.foreign
            if self._target.foreign is Foreign.REMOVE
            and edge.name not in there
            and edge.entitlement not in after.unread
        )
        return telling.Drift(
            foreign=todo.foreign - removed,
            removed=removed | strange.cut,
            lost=tuple(
                op.edge
                for op in todo.ops
                if op.kind is OpKind.GRANT
                and self._facts.effects[op.edge.name].state is EffectState.EFFECTIVE
                and op.edge.entitlement not in actual.unread
            ),
            back=tuple(one.edge for one in back),
            errors=errors,
            unread=frozenset(actual.unread),
        )


def _taken_over() -> TargetError:
    return TargetError(Fault.FENCED, "Another server has taken it over.")


def _put(tx: Transaction, some: Sequence[Effect]) -> None:
    tx.effects.put(some)


def _unproved(after: Snapshot, facts: Facts, gone: Sequence[Effect]) -> dict[Name, str]:
    """What could not be read, by the edge's name: not seen is not gone."""
    edges = [*(one.edge for one in facts.wish.edges.values()), *(one.edge for one in gone)]
    return {edge.name: after.unread[edge.entitlement] for edge in edges if edge.entitlement in after.unread}


def _edges_of(gone: Sequence[Effect], removed: Sequence[Edge]) -> list[Edge]:
    return list(({edge.name: edge for edge in removed} | {one.edge.name: one.edge for one in gone}).values())


def _chunks(items: Sequence[T], size: int = _CHUNK) -> list[Sequence[T]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _soonest(facts: Facts, look_at: datetime | None, now: datetime) -> datetime:
    """The next look: as agreed, or when something that was given ends, or something starts."""
    moments = [one.edge.until for one in facts.wish.edges.values() if one.edge.until is not None]
    if facts.next_change is not None:
        moments.append(facts.next_change)
    moments.append(look_at or now + LOOK)
    return min(moments)


def _next_at(effects: Collection[Effect], *, open_ends: bool, failures: int, now: datetime) -> datetime:
    """failures: looks in a row that came to nothing."""
    if open_ends:
        return now + _URGENT
    worst = max([failures, *(one.failures for one in effects)])
    return now + (pause_after(worst) if worst else LOOK)


def _turn(effects: Collection[Effect]) -> list[Effect]:
    """As many as are written at once; each has its turn."""
    return sorted(effects, key=lambda one: one.failures)[:_CHUNK]


def _any_ours(ends: Collection[Effect]) -> bool:
    return not all(one.strange for one in ends)


def _say_fault(deps: Deps, tenant_id: str, target: Target, facts: Facts, fault: str) -> Looked:
    """Give the target back after a look that failed."""
    now = deps.clock()
    failures = target.failures + 1

    def work(tx: Transaction) -> datetime:
        effects = tx.effects.of_target(target.id)
        open_ends = [one for one in effects if one.edge.name not in facts.wish.edges]
        next_at = _next_at(effects, open_ends=_any_ours(open_ends), failures=failures, now=now)
        if not tx.targets.release(target, now, next_at, failures, fault):
            return next_at  # somebody else has it, and knows better
        waiting = [
            one for one in effects if one.edge.name in facts.wish.edges and one.state is EffectState.PENDING
        ]
        ends, begins = _turn(open_ends), _turn(waiting)
        news = [ended(one, there=True, error=fault, now=now) for one in ends]
        news += [proved(one, facts.wish.edges[one.edge.name], None, fault, now) for one in begins]
        telling.put(tx, deps, target, [*ends, *begins], news, now)
        if failures == telling.SAID_AT:
            telling.unreachable(tx, deps, target, fault, now)
        return next_at

    return Looked(deps.store.write(tenant_id, work), fault)
