"""What happened in targets, on record: in the same commit as the record of the effect itself.

A grant's effect and its end are proved facts, so they are told with when they were seen. What others did in a target is told
once, not at each look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openpim.core import caller as callers
from openpim.core.audit import Target as AuditTarget
from openpim.core.connecting import Edge, Effect, EffectState, Target
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record

EFFECTIVE = "Access took effect in target"
ENDED = "Access ended in target"
FAILED = "Removal of access failed"
DENIED = "Giving of access failed"
FOREIGN = "Access from elsewhere found in target"
REMOVED = "Access from elsewhere removed from target"
LOST = "Access was taken away in target by others"
BACK = "Ended access was given again in target by others"
UNREACHABLE = "Target cannot be reached"
DRIFT = "drift"
SAID_AT = 3  # the try whose failure is said aloud: some seconds after the first
_MOST = 1000  # of what others gave, kept to be told once


@dataclass(frozen=True, slots=True)
class Drift:
    """foreign: given by others; removed: and taken away by this look. lost: ours, taken away by others, given again. back:
    ours, ended, given again by others, removed again."""

    foreign: frozenset[Edge]
    removed: bool
    lost: tuple[Edge, ...]
    back: tuple[Edge, ...]

    @property
    def anything(self) -> bool:
        return bool(self.foreign or self.lost or self.back)


def put(
    tx: Transaction, deps: Deps, target: Target, olds: Sequence[Effect], news: Sequence[Effect], now: datetime
) -> None:
    """Write effects, and tell of those that have come to something."""
    tx.effects.put(news)
    for old, new in zip(olds, news, strict=True):
        if new.state is EffectState.EFFECTIVE and old.state is not EffectState.EFFECTIVE:
            _say(tx, deps, target, new, EFFECTIVE, now)
        elif new.state in {EffectState.ENDED, EffectState.RESIDUE} and old.state is not new.state:
            residue = (
                f"Something that cannot be cut off lives on until {new.residue_until.isoformat()} at the latest."
                if new.residue_until is not None
                else ""
            )
            _say(tx, deps, target, new, ENDED, now, reason=residue)
        elif old.failures < SAID_AT <= new.failures:
            _say(
                tx,
                deps,
                target,
                new,
                FAILED if new.state is EffectState.ENDING else DENIED,
                now,
                reason=new.error,
                failed=True,
            )


def known_drift(tx: Transaction, target_id: str) -> list[tuple[str, str, str]]:
    """Names of edges that others gave, as far as they were told."""
    text = tx.targets.memory(target_id, DRIFT)
    return [(one[0], one[1], one[2]) for one in json.loads(text)] if text else []


def drift(tx: Transaction, deps: Deps, target: Target, found: Drift, now: datetime) -> None:
    known = set(known_drift(tx, target.id))
    for edge in sorted(found.foreign, key=lambda one: one.name):
        if found.removed:
            _say_edge(tx, deps, target, edge, REMOVED, now)
        elif edge.name not in known:
            _say_edge(tx, deps, target, edge, FOREIGN, now)
    for edge in found.lost:
        _say_edge(tx, deps, target, edge, LOST, now)
    for edge in found.back:
        _say_edge(tx, deps, target, edge, BACK, now)
    left = [] if found.removed else sorted(edge.name for edge in found.foreign)[:_MOST]
    tx.targets.remember(target.id, DRIFT, json.dumps(left) if left else "")


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


def _say(
    tx: Transaction,
    deps: Deps,
    target: Target,
    effect: Effect,
    happened: str,
    now: datetime,
    *,
    reason: str = "",
    failed: bool = False,
) -> None:
    principal = tx.principals.get(effect.principal_id, deleted=True)
    name = principal.display_name if principal is not None else ""
    schedule = next(iter(tx.schedules.many(effect.schedules).values()), None) if effect.schedules else None
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=happened,
        category="ApplicationManagement",
        targets=(_target(target), AuditTarget("User", effect.principal_id, name)),
        result="failure" if failed else "success",
        reason=reason,
        details=_details(effect.edge, schedules=effect.schedules),
        correlation_id=(schedule.request_id or schedule.id) if schedule is not None else None,
    )


def _say_edge(tx: Transaction, deps: Deps, target: Target, edge: Edge, happened: str, now: datetime) -> None:
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=happened,
        category="ApplicationManagement",
        targets=(_target(target),),
        details=_details(edge),
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
