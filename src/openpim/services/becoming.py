"""Who can become what: everything a person, application or group holds or may activate, whatever way it comes; and
everybody who holds or may activate something at a place. Readers see all of it; others what is theirs and what they
manage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from openpim.core.caller import Caller
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.query import AnyOf, Query
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT
from openpim.ports.deps import Deps
from openpim.ports.schedules import Brief
from openpim.ports.store import Transaction
from openpim.services import browse
from openpim.services.authority import identities
from openpim.services.eligibilities import Names
from openpim.services.keeping import while_unchanged
from openpim.services.providers import PROVIDERS

A_PAGE = 50
RIGHTS = 25  # of one principal on a page
MEMBERS = 12  # of a group that are named
_STEPS = 4  # memberships that are activated one after the other
_GROUPS = 200
_LOOKS = 40  # places at which the right to read is looked up one by one
_MEMBER = "member"
Ways = dict[str, tuple[tuple[str, bool], ...]]
AnySchedule = TypeVar("AnySchedule", Schedule, Brief)


@dataclass(frozen=True, slots=True)
class Right:
    """A schedule with names. holder: None where it is gone.

    steps: by which groups it comes to somebody, (id, name, whether the membership must be activated first), from the
    person to the holder. members: for a holder that is a group, who enjoys it; more: and others. inherited: it is given
    above the place that was asked about.
    """

    schedule: Schedule
    role_name: str
    scope_name: str
    scope_path: str
    holder: Principal | None
    steps: tuple[tuple[str, str, bool], ...] = ()
    members: tuple[Principal, ...] = ()
    more: bool = False
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One page of several. number: from 1. count: how many there are on all of them."""

    rights: tuple[Right, ...]
    number: int
    pages: int
    count: int


@dataclass(frozen=True, slots=True)
class Becoming:
    """active: what is held; eligible: what takes an activation, of itself or of a membership; by name. everything: False
    where the caller may read a part only."""

    eligible: Part
    active: Part
    everything: bool


@dataclass(frozen=True, slots=True)
class Here:
    """everything: False where the caller sees only what is his own. next: the cursor of the following page."""

    rights: tuple[Right, ...]
    everything: bool
    next: str | None = None


def of_principal(
    deps: Deps, caller: Caller, principal_id: str, *, eligible: int = 1, active: int = 1
) -> Becoming | Refusal:
    """What it holds and may activate, now or later, itself and through its groups: these pages of it, or the last ones."""
    now = deps.clock()

    def work(tx: Transaction) -> Becoming | Refusal:
        refusal = browse.unseen(tx, caller, principal_id, now)
        if refusal is not None:
            return refusal
        ways = _ways(tx, principal_id, now)
        who = frozenset(ways)
        found = while_unchanged(deps, tx, ("live", who), now, lambda: tx.schedules.live(who, now))
        own = identities(tx, caller.principal_id, now)
        mine = who if principal_id == caller.principal_id else own
        shown, everything = readable(tx, caller, found, mine, now)
        free = _without_activation(ways)
        may: list[Brief] = []
        held: list[Brief] = []
        for one in shown:
            (held if one.kind is Kind.ASSIGNMENT and one.principal_id in free else may).append(one)
        to_activate, in_force = _parts(tx, ((may, eligible), (held, active)), ways)
        return Becoming(to_activate, in_force, everything)

    return deps.store.read(caller.tenant_id, work)


def at_place(
    deps: Deps, caller: Caller, provider: Provider, scope: str, kind: Kind, after: str | None = None
) -> Here | Refusal:
    """Who holds (or may activate) something at this scope, or above it: that counts here too. A page of it.

    Whether the place itself may be seen is for whoever shows it to ask. Raises UnknownFieldError for a cursor that is
    not one of ours.
    """
    now = deps.clock()

    def work(tx: Transaction) -> Here | Refusal:
        chain = PROVIDERS[provider].chain(tx, scope)
        everything = PROVIDERS[provider].may_read(tx, caller, scope, now)
        mine = None if everything else identities(tx, caller.principal_id, now)
        page = tx.schedules.page(
            provider,
            kind,
            Query(AnyOf("scope", chain), limit=A_PAGE, after=after),
            live_at=now,
            principal_ids=mine,
        )
        names = Names(tx, {_key(one) for one in page.items})
        rights = sorted(
            _dressed(tx, page.items, {}, names, at=scope), key=lambda one: (one.inherited, *_by_name(one))
        )
        shown = [_with_members(tx, caller, one, now) if everything else one for one in rights]
        return Here(tuple(shown), everything, page.next)

    return deps.store.read(caller.tenant_id, work)


# ---------------------------------------------------------------- the ways to a right


def _ways(tx: Transaction, principal_id: str, now: datetime) -> Ways:
    """Every principal whose rights this one has or can get, with the groups on the way to it: (group, whether its
    membership must be activated first). The shortest way counts."""
    ways: Ways = {principal_id: ()}
    ways |= {one: ((one, False),) for one in sorted(tx.groups.groups_of(principal_id, now))}
    fresh = set(ways)
    for _ in range(_STEPS):
        doors = tx.schedules.of(
            fresh, provider=Provider.GROUP, kind=Kind.ELIGIBILITY, role_id=_MEMBER, live_at=now
        )
        fresh = set()
        for door in doors:
            if door.scope in ways or len(ways) >= _GROUPS:
                continue
            ways[door.scope] = (*ways[door.principal_id], (door.scope, True))
            fresh.add(door.scope)
            for outer in sorted(tx.groups.groups_of(door.scope, now) - ways.keys()):
                ways[outer] = (*ways[door.scope], (outer, False))
                fresh.add(outer)
        if not fresh:
            break
    return ways


def _without_activation(ways: Ways) -> frozenset[str]:
    """Those of them whose rights one has as they are, without a membership being activated first."""
    return frozenset(one for one, steps in ways.items() if not any(activated for _, activated in steps))


def _parts(tx: Transaction, asked: Sequence[tuple[Sequence[Brief], int]], ways: Ways) -> list[Part]:
    """That page of each, or its last one; by name, those without one first."""
    elsewhere = {_key(one) for found, _ in asked for one in found if one.provider is not Provider.DIRECTORY}
    names = Names(tx, elsewhere)
    roles = tx.roles.many(
        {one.role_id for found, _ in asked for one in found if one.provider is Provider.DIRECTORY}
    )
    called = {one.id: one.display_name for one in roles.values() if one.enabled}
    places = []
    for found, page in asked:
        pages = max(1, -(-len(found) // RIGHTS))
        number = min(max(1, page), pages)
        first = (number - 1) * RIGHTS
        places.append((number, pages, first, *_around(found, called, names, first)))
    names.add(tx, {_key(one) for *_, near in places for one in near} - elsewhere)
    rank = {key: number for number, key in enumerate(names.in_order())}
    shown = [
        sorted(near, key=lambda one: (rank.get(_key(one), -1), one.id))[first - before :][:RIGHTS]
        for _, _, first, before, near in places
    ]
    schedules = tx.schedules.many([one.id for part in shown for one in part])
    rights = _dressed(tx, list(schedules.values()), ways, names)
    by_id = {one.schedule.id: one for one in rights}
    return [
        Part(tuple(by_id[one.id] for one in part if one.id in by_id), number, pages, len(found))
        for (number, pages, *_), part, (found, _) in zip(places, shown, asked, strict=True)
    ]


def _around(
    found: Sequence[Brief], called: Mapping[str, str], names: Names, first: int
) -> tuple[int, list[Brief]]:
    """Those of the roles by whose names the page begins and ends, and how many come before these: only they need names of
    places. called: roles of the directory; names: what is elsewhere."""
    of: dict[str | None, list[Brief]] = defaultdict(list)
    for one in found:
        here = one.provider is Provider.DIRECTORY
        of[called.get(one.role_id) if here else names.roles.get(_key(one))].append(one)
    before = 0
    near: list[Brief] = []
    for name in sorted(of, key=lambda name: (name is not None, (name or "").casefold(), name or "")):
        if not near and before + len(of[name]) <= first:
            before += len(of[name])
        elif before + len(near) < first + RIGHTS:
            near += of[name]
    return before, near


def readable(
    tx: Transaction, caller: Caller, found: Sequence[AnySchedule], own: frozenset[str], now: datetime
) -> tuple[list[AnySchedule], bool]:
    """Those the caller may read, and whether that is all of them whatever there may be."""
    wide = {Provider.DIRECTORY: None, Provider.GROUP: None, Provider.RESOURCE: ROOT}
    known: dict[tuple[Provider, str], bool] = {}
    whole = {one: PROVIDERS[one].may_read(tx, caller, wide[one], now) for one in Provider}
    if all(whole.values()):
        return list(found), True

    def may(one: Schedule | Brief) -> bool:
        if whole[one.provider] or one.principal_id in own:
            return True
        key = one.provider, one.scope
        if key not in known:
            known[key] = len(known) < _LOOKS and PROVIDERS[one.provider].may_read(tx, caller, one.scope, now)
        return known[key]

    return [one for one in found if may(one)], False


# ---------------------------------------------------------------- names


def _dressed(
    tx: Transaction,
    schedules: Sequence[Schedule],
    ways: Ways,
    names: Names,
    at: str = "",
) -> list[Right]:
    """at: the place that was asked about, if it was one."""
    groups = {group for one in schedules for group, _ in ways.get(one.principal_id, ())}
    holders = tx.principals.many([*{one.principal_id for one in schedules}, *groups])
    return [
        Right(
            one,
            names.roles.get(_key(one), one.role_id),
            names.scopes.get(_key(one), one.scope),
            names.paths.get(one.scope, one.scope),
            holders.get(one.principal_id),
            steps=tuple(
                (group, holders[group].display_name, activated)
                for group, activated in ways.get(one.principal_id, ())
                if group in holders
            ),
            inherited=bool(at) and one.scope != at,
        )
        for one in schedules
    ]


def _with_members(tx: Transaction, caller: Caller, right: Right, now: datetime) -> Right:
    """Who is in a group is for those to know who may see the group."""
    if right.holder is None or right.holder.kind is not PrincipalKind.GROUP:
        return right
    if browse.unseen(tx, caller, right.holder.id, now) is not None:
        return right
    page = tx.groups.members(right.holder.id, now, Query(limit=MEMBERS))
    return replace(right, members=page.items, more=page.next is not None)


def _key(one: Schedule | Brief) -> tuple[Provider, str, str]:
    return one.provider, one.role_id, one.scope


def _by_name(one: Right) -> tuple[str, str, str]:
    return one.role_name.casefold(), one.scope_name.casefold(), one.schedule.id
