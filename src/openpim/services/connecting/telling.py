"""What happened in targets, on record: in the same commit as the record of the effect itself.

A grant's effect and its end are proved facts, so they are told with when they were seen. What others did in a target is told
once, not at each look."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from openpim.core import caller as callers
from openpim.core.audit import Target as AuditTarget
from openpim.core.connecting import OVER, Edge, Effect, EffectState, Foreign, Target
from openpim.core.directory import Principal
from openpim.core.grants import Schedule
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import Happened, record, record_all, storable

EFFECTIVE = "Access took effect in target"
ENDED = "Access ended in target"
FAILED = "Removal of access failed"
DENIED = "Giving of access failed"
FOREIGN = "Access from elsewhere found in target"
REMOVED = "Access from elsewhere removed from target"
LOST = "Access was taken away in target by others"
BACK = "Ended access was given again in target by others"
UNREACHABLE = "Target cannot be reached"
ALL = frozenset({EFFECTIVE, ENDED, FAILED, DENIED, FOREIGN, REMOVED, LOST, BACK, UNREACHABLE})
DRIFT, MORE_DRIFT = "drift", "more drift"
SAID_AT = 3  # the try whose failure is said aloud: some seconds after the first
_MOST = 1000  # of what others gave, kept to be told once
_TOLD = 100  # of one sort by themselves in a look, of the others how many: no target fills the history
_LONGEST = (512, 512, 36)  # characters of the parts of a name on record (store/effects.py)
_LONGEST_BYTES = 2000  # of all of it: an index takes no more


@dataclass(frozen=True, slots=True)
class Drift:
    """foreign: given by others, and there. removed: given by others, and seen to be away. lost: ours, taken away by others,
    given again. back: ours, ended, given again by others. errors: by the edge's name, why it, or a session that rests on
    it, could not be ended. unread: entitlements of which nothing was seen: what was told of them is not told again."""

    foreign: frozenset[Edge]
    removed: frozenset[Edge]
    lost: tuple[Edge, ...]
    back: tuple[Edge, ...]
    errors: Mapping[tuple[str, str, str], str]
    unread: Collection[str] = ()

    @property
    def anything(self) -> bool:
        return bool(self.foreign or self.removed or self.lost or self.back)


def put(
    tx: Transaction, deps: Deps, target: Target, olds: Sequence[Effect], news: Sequence[Effect], now: datetime
) -> None:
    """Write effects, and tell of those that have come to something. A few statements, however many there are."""
    tx.effects.put(news)
    told = [(new, said) for old, new in zip(olds, news, strict=True) if (said := _come_to(old, new))]
    people = tx.principals.many({new.principal_id for new, _ in told}, deleted=True)
    schedules = tx.schedules.many({one.schedules[0] for one, _ in told if one.schedules})
    uncut = [new for old, new in zip(olds, news, strict=True) if new.strange and _said_now(old, new)]
    record_all(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        [
            *(
                _happened(target, new, said, people.get(new.principal_id), _first(schedules, new))
                for new, said in told
            ),
            *_edges(target, FAILED, [one.edge for one in uncut], {one.edge.name: one.error for one in uncut}),
        ],
    )


def _come_to(old: Effect, new: Effect) -> str:
    """What is to be told of it; "": nothing. What others gave is told as drift, and where its sessions are not cut, by itself."""
    if new.strange:
        return ""
    if new.state is EffectState.EFFECTIVE and old.state is not EffectState.EFFECTIVE:
        return EFFECTIVE
    if new.state in OVER and old.state is not new.state:
        return ENDED
    if _said_now(old, new):
        return FAILED if new.state is EffectState.ENDING else DENIED
    return ""


def _said_now(old: Effect, new: Effect) -> bool:
    return old.failures < SAID_AT <= new.failures


def _first(schedules: Mapping[str, Schedule], effect: Effect) -> Schedule | None:
    return schedules.get(effect.schedules[0]) if effect.schedules else None


def _happened(
    target: Target, effect: Effect, activity: str, person: Principal | None, schedule: Schedule | None
) -> Happened:
    failed = activity in {FAILED, DENIED}
    reason = effect.error if failed else ""
    if activity == ENDED and effect.residue_until is not None:
        until = effect.residue_until.isoformat()
        reason = f"Something that cannot be cut off lives on until {until} at the latest."
    return Happened(
        activity,
        "ApplicationManagement",
        (_target(target), AuditTarget("User", effect.principal_id, person.display_name if person else "")),
        "failure" if failed else "success",
        reason,
        _details(effect.edge, schedules=effect.schedules),
        (schedule.request_id or schedule.id) if schedule is not None else None,
    )


def recordable(edge: Edge) -> bool:
    """Whether an edge can be on record by its name. What others give may be called anything; what cannot be on record is removed
    as all else, and counted where the others are named."""
    return (
        all(len(part) <= most and storable(part) for part, most in zip(edge.name, _LONGEST, strict=True))
        and len("".join(edge.name).encode()) <= _LONGEST_BYTES
    )


def known_drift(tx: Transaction, target_id: str) -> list[tuple[str, str, str]]:
    """Names of edges that others gave, as far as they were told."""
    text = tx.targets.memory(target_id, DRIFT)
    return [(one[0], one[1], one[2]) for one in json.loads(text)] if text else []


def drift(tx: Transaction, deps: Deps, target: Target, found: Drift, now: datetime) -> None:
    known = set(known_drift(tx, target.id))
    if not known and not found.anything:
        return
    kept = set(sorted(edge.name for edge in found.foreign if recordable(edge))[:_MOST])
    more = len(found.foreign) - len(kept)
    unseen = {name for name in known if name[1] in found.unread}
    new = [edge for edge in found.foreign if edge.name in kept - known]
    untold = more if not tx.targets.memory(target.id, MORE_DRIFT) else 0
    told = [
        *_edges(target, REMOVED, found.removed, found.errors),
        *_edges(target, FOREIGN, new, found.errors, untold),
        *_edges(target, LOST, found.lost),
        *_edges(target, BACK, found.back),  # one that stays is told as a removal that fails
    ]
    record_all(tx, deps, callers.system(tx.tenant_id), now, told)
    left = sorted(kept | unseen)
    tx.targets.remember(target.id, DRIFT, json.dumps(left) if left else "")
    if more or not found.unread:
        tx.targets.remember(target.id, MORE_DRIFT, str(more) if more else "")


def _edges(
    target: Target,
    activity: str,
    edges: Collection[Edge],
    errors: Mapping[tuple[str, str, str], str] = MappingProxyType({}),
    others: int = 0,
) -> list[Happened]:
    """others: so many besides the edges."""
    shown = sorted(filter(recordable, edges), key=lambda one: one.name)[:_TOLD]
    left = len(edges) - len(shown) + others
    said = [(_details(one), errors.get(one.name, "")) for one in shown]
    said += [((("Others", str(left)),), "")] if left else []
    if activity == FOREIGN and target.foreign is Foreign.ADOPT:
        said = [((*details, ("Foreign", Foreign.ADOPT.value)), error) for details, error in said]
    return [
        Happened(
            activity,
            "ApplicationManagement",
            (_target(target),),
            "failure" if error else "success",
            error,
            details,
        )
        for details, error in said
    ]


def unreachable(tx: Transaction, deps: Deps, target: Target, fault: str, now: datetime) -> None:
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=UNREACHABLE,
        category="ApplicationManagement",
        targets=(_target(target),),
        result="failure",
        reason=fault,
    )


def _target(target: Target) -> AuditTarget:
    return AuditTarget("Other", target.id, target.name)


def _details(edge: Edge, schedules: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    details = [("Subject", edge.subject), ("Entitlement", edge.entitlement)]
    if edge.until is not None:
        details.append(("ExpirationTime", edge.until.isoformat()))
    if schedules:
        details.append(("Schedules", ",".join(schedules)))
    return tuple(details)
