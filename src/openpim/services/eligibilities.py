"""Everything a person may activate, of all three providers, in one unit of work and a fixed number of questions:
what it is called, through which group it comes, what its policy demands, and whether it is active or waiting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from openpim.core.caller import Caller, CallerKind
from openpim.core.deciding import best_eligibility
from openpim.core.grants import Action, Kind, Provider, Request, Schedule
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import Policy
from openpim.core.resources import ROOT
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.keeping import while_unchanged
from openpim.services.providers import PROVIDERS

Key = tuple[Provider, str, str]


class State(StrEnum):
    """ACTIVE: held now. SCHEDULED: will be, at a later start. WAITING: somebody must decide first."""

    ELIGIBLE = "eligible"
    ACTIVE = "active"
    SCHEDULED = "scheduled"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Activatable:
    """A role at a scope that the caller may activate.

    eligibility: of several that give it, the one that lasts longest. through: the groups it comes through, as
    (id, name), empty where it is held directly too. held: assignments in force that give it, or rest on it further
    down the tree. requests: activations that are not decided yet or wait for their start.
    """

    eligibility: Schedule
    role_name: str
    scope_name: str
    scope_path: str
    through: tuple[tuple[str, str], ...]
    policy: Policy
    held: tuple[Schedule, ...] = ()
    requests: tuple[Request, ...] = ()

    @property
    def state(self) -> State:
        """Of the role at this very scope."""
        here = self.eligibility.scope
        if any(one.scope == here for one in self.held):
            return State.ACTIVE
        asked = [one.status for one in self.requests if one.scope == here]
        if not asked:
            return State.ELIGIBLE
        return State.SCHEDULED if RequestStatus.GRANTED in asked else State.WAITING


class Outline(NamedTuple):
    """A role at a scope that the caller may activate, by its names alone: what long lists are searched and sorted by."""

    key: Key
    role_name: str
    scope_name: str
    scope_path: str
    ids: tuple[str, ...]


def mine(
    deps: Deps, caller: Caller, providers: Collection[Provider] = tuple(Provider)
) -> tuple[Activatable, ...]:
    """By name of the role, then of the scope. Applications may activate nothing."""
    return chosen(deps, caller, lambda found: found, providers)


def chosen(
    deps: Deps,
    caller: Caller,
    choose: Callable[[Sequence[Outline]], Sequence[Outline]],
    providers: Collection[Provider] = tuple(Provider),
    ids: Collection[str] | None = None,
) -> tuple[Activatable, ...]:
    """Those that `choose` takes from all of them (by name), in its order. Only of these are the policies and the rest
    read: a page shows a few of hundreds. ids: choose among those alone that one of these eligibilities gives."""
    now = deps.clock()
    if caller.kind is not CallerKind.USER:
        return ()
    wanted = frozenset(providers)
    among = frozenset(ids) if ids is not None else None

    def work(tx: Transaction) -> tuple[Activatable, ...]:
        me = identities(tx, caller.principal_id, now)
        ids = while_unchanged(deps, tx, ("eligible", me), now, lambda: _ids(tx, me, now))
        return _details(tx, caller, me, choose(_outlines(tx, ids, wanted, among)), now)

    return deps.store.read(caller.tenant_id, work)


def by_id(deps: Deps, caller: Caller, ids: Collection[str]) -> dict[str, Activatable]:
    """Those with these eligibilities, by the id that was asked for."""
    asked = frozenset(ids)
    by_key: dict[Key, frozenset[str]] = {}

    def choose(outlines: Sequence[Outline]) -> Sequence[Outline]:
        by_key.update({one.key: asked.intersection(one.ids) for one in outlines})
        return [one for one in outlines if by_key[one.key]]

    found = chosen(deps, caller, choose, ids=asked)
    return {schedule_id: one for one in found for schedule_id in by_key[_key(one.eligibility)]}


def _ids(tx: Transaction, me: frozenset[str], now: datetime) -> dict[Key, tuple[str, ...]]:
    """The eligibilities in force, by what they make him eligible for."""
    found: dict[Key, tuple[str, ...]] = {}
    for schedule_id, provider, role_id, scope in tx.schedules.eligible(me, now):
        key = provider, role_id, scope
        found[key] = (*found.get(key, ()), schedule_id)
    return found


def _outlines(
    tx: Transaction,
    ids: Mapping[Key, tuple[str, ...]],
    providers: frozenset[Provider],
    among: frozenset[str] | None,
) -> list[Outline]:
    by_key = ids
    if len(providers) < len(Provider):
        by_key = {key: several for key, several in by_key.items() if key[0] in providers}
    if among is not None:
        by_key = {key: several for key, several in by_key.items() if not among.isdisjoint(several)}
    named = Names(tx, by_key.keys())
    return [
        Outline(key, named.roles[key], named.scopes[key], named.paths.get(key[2], key[2]), by_key[key])
        for key in named.in_order()
    ]


def _details(
    tx: Transaction, caller: Caller, me: frozenset[str], outlines: Sequence[Outline], now: datetime
) -> tuple[Activatable, ...]:
    if not outlines:
        return ()
    schedules = tx.schedules.many({one for outline in outlines for one in outline.ids})
    policies = policies_of(tx, [one.key for one in outlines])
    groups = tx.groups.many({one.principal_id for one in schedules.values()} - {caller.principal_id})
    requests: dict[Key, list[Request]] = defaultdict(list)
    for request in tx.requests.open_of(caller.principal_id):
        if request.action is Action.SELF_ACTIVATE:
            requests[request.provider, request.role_id, request.scope].append(request)
    held: dict[Key | str, dict[str, Schedule]] = defaultdict(dict)
    for one in tx.schedules.of(me, kind=Kind.ASSIGNMENT, live_at=now):
        if one.in_force(now):
            held[_key(one)][one.id] = held[one.linked_id or ""][one.id] = one
    found: list[Activatable] = []
    for outline in outlines:
        eligibilities = [schedules[one] for one in outline.ids if one in schedules]
        best = best_eligibility(eligibilities, now)
        if best is None:
            continue
        given = dict(held.get(outline.key, {}))
        for one in eligibilities:
            given |= held.get(one.id, {})
        direct = any(one.principal_id == caller.principal_id for one in eligibilities)
        via = () if direct else sorted({one.principal_id for one in eligibilities})
        found.append(
            Activatable(
                eligibility=best,
                role_name=outline.role_name,
                scope_name=outline.scope_name,
                scope_path=outline.scope_path,
                through=tuple((one, groups[one].display_name) for one in via if one in groups),
                policy=policies[outline.key],
                held=tuple(sorted(given.values(), key=lambda one: (one.starts_at, one.id))),
                requests=tuple(requests.get(outline.key, ())),
            )
        )
    return tuple(found)


def names(deps: Deps, caller: Caller, keys: Collection[Key]) -> Names:
    """What the roles and scopes of rows are called that the caller may see."""
    return deps.store.read(caller.tenant_id, lambda tx: Names(tx, keys))


def _key(schedule: Schedule) -> Key:
    return schedule.provider, schedule.role_id, schedule.scope


def policies_of(tx: Transaction, keys: Iterable[Key]) -> dict[Key, Policy]:
    """Of roles at scopes, those that nobody has changed too. The ids of policies are known before anybody has stored them, so one question finds all that are."""
    ids = {key: PROVIDERS[key[0]].policy_id(tx.tenant_id, key[1], key[2]) for key in keys}
    stored = tx.policies.many(set(ids.values()))
    return {
        key: stored.get(one) or PROVIDERS[key[0]].default_policy(tx.tenant_id, key[1], key[2])
        for key, one in ids.items()
    }


class Names:
    """What roles and scopes are called. A key that is in none of these names something that is gone."""

    def __init__(self, tx: Transaction, keys: Collection[Key]) -> None:
        self.roles: dict[Key, str] = {}
        self.scopes: dict[Key, str] = {}
        self.paths: dict[str, str] = {}
        self.add(tx, keys)

    def add(self, tx: Transaction, keys: Collection[Key]) -> None:
        of: dict[Provider, list[Key]] = defaultdict(list)
        for key in keys:
            of[key[0]].append(key)
        self._directory(tx, of[Provider.DIRECTORY])
        self._groups(tx, of[Provider.GROUP])
        self._resources(tx, of[Provider.RESOURCE])

    def in_order(self) -> list[Key]:
        """The keys that have names: by name of the role, then of the scope. Hundreds of keys have a few dozen names, so these
        are compared and not the keys'."""
        names = {*self.roles.values(), *self.scopes.values()}
        ordered = sorted(names, key=lambda name: (name.casefold(), name))
        rank = {name: number for number, name in enumerate(ordered)}
        scopes = self.scopes
        return [
            key
            for _, _, key in sorted((rank[name], rank[scopes[key]], key) for key, name in self.roles.items())
        ]

    def _directory(self, tx: Transaction, keys: list[Key]) -> None:
        if not keys:
            return
        roles = tx.roles.many({key[1] for key in keys})
        tenant = tx.tenants.current()
        below = {key[2] for key in keys} - {TENANT}
        units = {
            one.removeprefix(ADMINISTRATIVE_UNITS) for one in below if one.startswith(ADMINISTRATIVE_UNITS)
        }
        objects = {one[1:] for one in below if not one.startswith(ADMINISTRATIVE_UNITS)}
        places = {TENANT: tenant.name if tenant is not None else TENANT}
        if units:
            places |= {
                ADMINISTRATIVE_UNITS + one: unit.display_name
                for one, unit in tx.administrative_units.many(units).items()
            }
        if objects:
            places |= {
                f"/{one}": found.display_name for one, found in tx.principals.many(sorted(objects)).items()
            }
        known = {role.id: role.display_name for role in roles.values() if role.enabled}
        for key in keys:
            _, role_id, scope = key
            if role_id in known:
                self.roles[key] = known[role_id]
                self.scopes[key] = places.get(scope, scope)

    def _groups(self, tx: Transaction, keys: list[Key]) -> None:
        groups = tx.groups.many({key[2] for key in keys}) if keys else {}
        for key in keys:
            group = groups.get(key[2])
            if group is not None and not group.dynamic and not group.synced:
                self.roles[key] = key[1].capitalize()
                self.scopes[key] = group.display_name

    def _resources(self, tx: Transaction, keys: list[Key]) -> None:
        if not keys:
            return
        roles = tx.resource_roles.many({key[1] for key in keys})
        places = tx.resources.names({key[2] for key in keys})
        for key in keys:
            role, place = roles.get(key[1]), places.get(key[2])
            if role is None or (place is None and key[2] != ROOT):
                continue
            self.roles[key] = role.name
            self.scopes[key], self.paths[key[2]] = place or (ROOT, ROOT)
