"""What a look at a target makes of the record of an edge: pure functions of what was recorded, what was read back and what went
wrong. Only what was seen is said to be so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.connecting import Edge, Effect, EffectState, Wanted


def over(edge: Edge, now: datetime) -> bool:
    """Whether its own end has come."""
    return edge.until is not None and edge.until <= now


def asked(target_id: str, wanted: Wanted, now: datetime) -> Effect:
    """Of an edge that is to be given, and was not asked for or is over."""
    return Effect(
        target_id,
        wanted.principal_id,
        wanted.edge,
        EffectState.PENDING,
        now,
        now,
        schedules=wanted.schedules,
    )


def cutting(target_id: str, edge: Edge, now: datetime) -> Effect:
    """Of an edge that others gave and that is to be removed: until its sessions are known to be cut."""
    return Effect(target_id, "", edge, EffectState.ENDING, now, now)


def proved(old: Effect, wanted: Wanted, found: Edge | None, error: str, now: datetime) -> Effect:
    """Of an edge that is wanted. found: as read back; None: it is not there."""
    new = old
    if (old.edge, old.schedules, old.principal_id) != (wanted.edge, wanted.schedules, wanted.principal_id):
        new = replace(old, edge=wanted.edge, schedules=wanted.schedules, principal_id=wanted.principal_id)
    if found is None:
        if over(wanted.edge, now):
            return new  # it has ended meanwhile: the next look ends it
        said = error or "It was given, but reading the target back does not show it."
        since = old.since if old.state is EffectState.PENDING else now
        failures = _tried(old, EffectState.PENDING)
        return replace(new, state=EffectState.PENDING, since=since, failures=failures, error=said)
    if old.state is not EffectState.EFFECTIVE:
        new = replace(new, state=EffectState.EFFECTIVE, since=now, effective_at=now)
    failures = _tried(old, EffectState.EFFECTIVE) if error else 0
    return (
        new
        if (new.failures, new.error) == (failures, error)
        else replace(new, failures=failures, error=error)
    )


def _tried(old: Effect, state: EffectState) -> int:
    """How often in vain by now. What failed to be given is not yet a removal that failed: that is counted, and told, anew."""
    return old.failures + 1 if old.state is state else 1


def ended(
    old: Effect, *, there: bool, error: str, now: datetime, residue_until: datetime | None = None
) -> Effect:
    """Of an edge that is not wanted any more. there: reading back still shows it. error: why it, or a session that rests on
    it, could not be ended. residue_until: something that cannot be cut off lives on until then."""
    if there or error:
        said = error or "It was removed, but reading the target back still shows it."
        since = old.since if old.state is EffectState.ENDING else now
        failures = _tried(old, EffectState.ENDING)
        return replace(old, state=EffectState.ENDING, since=since, failures=failures, error=said)
    residue = residue_until if residue_until is not None and residue_until > now else None
    return replace(
        old,
        state=EffectState.RESIDUE if residue is not None else EffectState.ENDED,
        since=now,
        ended_at=now,
        residue_until=residue,
        failures=0,
        error="",
    )
