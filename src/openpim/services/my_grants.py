"""What a person holds, waits for, and held, of all three providers, with names: what `eligibilities` is for what he may
activate. Only his own, and what comes to him through his groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openpim.core.caller import Caller
from openpim.core.grants import Action, AssignmentType, Kind, Provider, Request, Schedule
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import held_now, identities
from openpim.services.connecting.acting import late
from openpim.services.eligibilities import Names

MOST = 200
_LOOK_BACK = 100  # requests of one's own among which reasons are found


@dataclass(frozen=True, slots=True)
class Held:
    """A schedule and what it is called. through: the group it comes through, "" where it is one's own.

    extendable, renewable: its holder may ask for it now. asked: it is being asked for already. waits_in: names of real
    systems in which it is not in effect yet.
    """

    schedule: Schedule
    role_name: str
    scope_name: str
    scope_path: str
    through: str = ""
    extendable: bool = False
    renewable: bool = False
    asked: Request | None = None
    waits_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request of one's own that is not decided yet, or waits for its start."""

    request: Request
    role_name: str
    scope_name: str
    scope_path: str


def active(deps: Deps, caller: Caller) -> tuple[Held, ...]:
    """Assignments in force, those that end first in front."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Held, ...]:
        held = held_now(tx, identities(tx, caller.principal_id, now), now)
        waits = late(tx, caller.principal_id, now)
        found = _dressed(tx, deps, caller, sorted(held, key=_end_first), now)
        return (
            tuple(replace(one, waits_in=waits.get(one.schedule.id, ())) for one in found) if waits else found
        )

    return deps.store.read(caller.tenant_id, work)


def one(deps: Deps, caller: Caller, schedule_id: str) -> Held | None:
    """One of one's live eligibilities or assignments, by its id."""
    now = deps.clock()

    def work(tx: Transaction) -> Held | None:
        found = tx.schedules.get(schedule_id)
        if found is None or found.principal_id not in identities(tx, caller.principal_id, now):
            return None
        return next(iter(_dressed(tx, deps, caller, [found], now)), None)

    return deps.store.read(caller.tenant_id, work)


def pending(deps: Deps, caller: Caller) -> tuple[Waiting, ...]:
    """Open requests about oneself, newest first."""

    def work(tx: Transaction) -> tuple[Waiting, ...]:
        found = tx.requests.open_of(caller.principal_id)
        named = Names(tx, {(one.provider, one.role_id, one.scope) for one in found})
        return tuple(
            _waiting(one, named)
            for one in sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:MOST]
        )

    return deps.store.read(caller.tenant_id, work)


def expired(deps: Deps, caller: Caller) -> tuple[Held, ...]:
    """One's own eligibilities and assignments that have ended, the last one first; activations are history, not
    listed here."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Held, ...]:
        return _dressed(tx, deps, caller, tx.schedules.ended(caller.principal_id, now, MOST), now)

    return deps.store.read(caller.tenant_id, work)


def recent_reasons(deps: Deps, caller: Caller, most: int = 6) -> tuple[str, ...]:
    """What one gave as the reason of one's last activations, the last one first."""
    found = deps.store.read(caller.tenant_id, lambda tx: tx.requests.reasons(caller.principal_id, _LOOK_BACK))
    return tuple(dict.fromkeys(one.strip() for one in found if one.strip()))[:most]


# ---------------------------------------------------------------- putting names on rows


def _dressed(
    tx: Transaction, deps: Deps, caller: Caller, schedules: Sequence[Schedule], now: datetime
) -> tuple[Held, ...]:
    named = Names(tx, {(one.provider, one.role_id, one.scope) for one in schedules})
    groups = tx.groups.many({one.principal_id for one in schedules} - {caller.principal_id})
    asked = _being_asked(tx.requests.open_of(caller.principal_id))
    ended = any(not one.live(now) for one in schedules)
    lasting = tx.schedules.of([caller.principal_id], live_at=now) if ended else []
    covered = {_tuple(one) for one in lasting if one.assignment_type is not AssignmentType.ACTIVATED}
    found = []
    for one in schedules:
        key = (one.provider, one.role_id, one.scope)
        request = asked.get(_tuple(one))
        own = one.principal_id == caller.principal_id and request is None
        group = groups.get(one.principal_id)
        found.append(
            Held(
                schedule=one,
                role_name=named.roles.get(key, one.role_id),
                scope_name=named.scopes.get(key, one.scope),
                scope_path=named.paths.get(one.scope, one.scope),
                through=group.display_name if group is not None else "",
                extendable=own and _extendable(one, deps.settings.extend_window_days, now),
                renewable=own
                and _tuple(one) not in covered
                and _renewable(one, deps.settings.renew_window_days, now),
                asked=request,
            )
        )
    return tuple(found)


def _waiting(request: Request, named: Names) -> Waiting:
    key = (request.provider, request.role_id, request.scope)
    return Waiting(
        request,
        named.roles.get(key, request.role_id),
        named.scopes.get(key, request.scope),
        named.paths.get(request.scope, request.scope),
    )


def _tuple(one: Schedule | Request) -> tuple[Kind, Provider, str, str]:
    return one.kind, one.provider, one.role_id, one.scope


def _being_asked(requests: Iterable[Request]) -> dict[tuple[Kind, Provider, str, str], Request]:
    return {_tuple(one): one for one in requests if one.action in {Action.SELF_EXTEND, Action.SELF_RENEW}}


def _extendable(one: Schedule, window_days: int, now: datetime) -> bool:
    """As `core.deciding` has it: a running activation always, what an administrator gave near its end."""
    if one.ends_at is None or not one.in_force(now):
        return False
    if one.assignment_type is AssignmentType.ACTIVATED:
        return True
    return one.ends_at - now <= timedelta(days=window_days)


def _renewable(one: Schedule, window_days: int, now: datetime) -> bool:
    if one.live(now) or one.ends_at is None or one.assignment_type is AssignmentType.ACTIVATED:
        return False
    return one.ends_at <= now and now - one.ends_at <= timedelta(days=window_days)


def _end_first(one: Schedule) -> tuple[bool, float, str]:
    return one.ends_at is None, one.ends_at.timestamp() if one.ends_at else 0.0, one.id
