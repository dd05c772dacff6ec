"""The index of one tenant in memory: does this principal hold this role at this place now, in a few microseconds.

Time is an argument of every question, so an end that was written down needs no update. Readers take no lock: whoever
changes the index makes its version odd while he does, and a reader that met an odd or another version asks again.

What counts is what counts in the live answers (services/authority.py, services/resource_access.py): the union of one's own
grants and those of one's groups, at the place or above it; nothing for who is disabled or deleted; deny assignments win.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeAlias, TypeVar

from openpim.core.decisions import FOR_GOOD, Facts, Flat, Held, Rules, grants, until
from openpim.core.directory import RoleDefinition
from openpim.core.permissions import matches
from openpim.core.resources import ROOT, canonical, read_path
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT

T = TypeVar("T")
_MOST_KNOWN: Final = 100_000  # chains, and walks through groups, that are remembered
_LONGEST: Final = 500
DIRECTORY, RESOURCE, GROUP = "directory", "resource", "group"

# Whose grants somebody enjoys besides his own, and between which instants that is so.
Walk: TypeAlias = tuple[int, int, tuple[str, ...]]


class Index:
    """at_home: whether a guest's account in his home tenant can still be used. top: the tenant's root group, where what
    holds for all of one's own resources is given. Instants: microseconds since 1970.

    The questions that end in `until` answer 0 for no, and else an instant until which, as far as is known, it stays so.
    """

    def __init__(
        self, facts: Facts, rules: Rules, at_home: Callable[[str, str], bool], top: str = ROOT
    ) -> None:
        self._facts = facts
        self._rules = rules
        self._at_home = at_home
        self._top = top
        self._changing = threading.Lock()
        self._version = 0
        self._walks: dict[str, Walk] = {}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, tuple[Rules, dict[str, str]]] = {}
        self.people: dict[str, str] = {}  # ids by sign-in name, "" where there is nobody; see forget_people

    # -- questions
    def holds_until(self, provider: str, principal: str, role: str, places: Collection[str], now: int) -> int:
        """A directory or resource role, assigned or activated, at one of these places."""
        while True:
            version = self._version
            if not version & 1:
                found = self._held(self._facts.held[provider], principal, role, places, now)
                if version == self._version:
                    return found
            self._wait()

    def eligible_until(
        self, provider: str, principal: str, role: str, places: Collection[str], now: int
    ) -> int:
        """The same for what could be activated; of a group: role member or owner, place its id."""
        while True:
            version = self._version
            if not version & 1:
                found = self._held(self._facts.eligible[provider], principal, role, places, now)
                if version == self._version:
                    return found
            self._wait()

    def member_until(self, principal: str, group: str, now: int) -> int:
        """Directly or through other groups."""

        def look() -> int:
            if not self._able(principal):
                return 0
            _, end, groups = self._walk(principal, now)
            return end if group in groups else 0

        return self._steady(look)

    def owner_until(self, principal: str, group: str, now: int) -> int:
        def look() -> int:
            if not self._able(principal) or group in self._facts.unable:
                return 0
            return _edge_until(self._facts.owner_of.get(principal, ()), group, now)

        return self._steady(look)

    def allowed_until(
        self, provider: str, principal: str, action: str, places: tuple[str, ...], now: int, *, data: bool
    ) -> int:
        """Whether a role in force at one of the places allows the action, and nothing denies it. places: the nearest
        first."""
        return self._steady(lambda: self._allowed(provider, principal, action, places, now, data=data))

    def curing(
        self, provider: str, principal: str, action: str, places: tuple[str, ...], now: int, *, data: bool
    ) -> str | None:
        """The role that somebody could activate at the first place to be allowed the action: the one that allows least,
        as far as its number of actions tells. None when there is none, or when it is denied to him anyway."""

        def look() -> str | None:
            found = self._all(self._facts.eligible[provider], principal, now)
            roles = {
                role: self._weight(provider, role)
                for role, scope, _ in found
                if scope in places and self._gives(provider, role, action, data=data)
            }
            if not roles or self._denied(provider, principal, action, places, now, data=data):
                return None
            return min(roles, key=lambda role: (roles[role], role))

        return self._steady(look)

    def roles_giving(self, provider: str, action: str, *, data: bool) -> list[str]:
        roles = self._rules.directory_roles if provider == DIRECTORY else self._rules.resource_roles
        return [role for role in roles if self._gives(provider, role, action, data=data)]

    def role_names(self, provider: str) -> Mapping[str, str]:
        """Ids by name, in lower case; a name or id that several roles go by is none's."""
        rules = self._rules
        known = self._names.get(provider)
        if known is None or known[0] is not rules:
            roles = rules.directory_roles if provider == DIRECTORY else rules.resource_roles
            names: dict[str, str] = {}
            for role in roles.values():
                name = role.display_name if isinstance(role, RoleDefinition) else role.name
                names[name.lower()] = "" if name.lower() in names else role.id
            found = {name: role for name, role in names.items() if role} | {one.lower(): one for one in roles}
            known = self._names[provider] = (rules, found)
        return known[1]

    def able(self, principal: str) -> bool:
        """Not disabled or deleted, as far as is known: who holds nothing need not be known at all."""
        return self._able(principal)

    def groups_of(self, principal: str, now: int) -> tuple[str, ...]:
        return self._steady(lambda: self._walk(principal, now)[2])

    def held_by(self, provider: str, principal: str, now: int) -> list[tuple[str, str, int]]:
        """(role, scope, until) of all that is in force for somebody."""
        return self._steady(lambda: self._all(self._facts.held[provider], principal, now))

    def eligible_for(self, provider: str, principal: str, now: int) -> list[tuple[str, str, int]]:
        return self._steady(lambda: self._all(self._facts.eligible[provider], principal, now))

    def owned_by(self, principal: str, now: int) -> list[str]:
        def look() -> list[str]:
            flat = self._facts.owner_of.get(principal, ()) if self._able(principal) else ()
            return [str(flat[at]) for at in range(0, len(flat), 3) if flat[at + 1] <= now < flat[at + 2]]

        return self._steady(look)

    @property
    def rules(self) -> Rules:
        return self._rules

    # -- places
    @property
    def top(self) -> str:
        """The root group, or the root while there is none."""
        return self._top if self._top in self._rules.above else ROOT

    def resource_places(self, scope: str) -> tuple[str, ...]:
        """The place and all that contain it, nearest first; () when its management group or subscription is not there.

        Below a subscription the path tells what contains what: a resource that was never registered here is decided
        by what holds above it, as in the resource manager.
        """
        chains = self._chains  # before anything is read: who changes the tree puts an empty one in its place
        known = chains.get(scope)
        if known is None:
            known = self._steady(lambda: _chain(scope, self._rules.above))
            if len(chains) < _MOST_KNOWN:
                chains[scope] = known
        return known

    def directory_places(self, scope: str) -> tuple[str, ...]:
        """ "/", "/administrativeUnits/{id}", or "/{object id}", which the object's administrative units contain too."""
        if scope == TENANT:
            return _TENANT
        if scope.lower().startswith(_UNITS):
            return (ADMINISTRATIVE_UNITS + scope[len(_UNITS) :].lower(), TENANT)
        object_id = scope[1:].lower()
        return ("/" + object_id, *self._facts.units.get(object_id, ()), TENANT)

    # -- changes
    def remember_people(self, known: Mapping[str, str]) -> None:
        people = self.people  # before: whoever learns of a change puts an empty one in its place
        if len(people) < _MOST_KNOWN:
            people.update(known)

    def forget_people(self) -> None:
        self.people = {}

    def change(self, principals: Collection[str], facts: Facts, rules: Rules | None) -> None:
        """What is known of these principals is what `facts` says now; rules: when they changed."""
        with self._changing:
            self._version += 1
            try:
                self._facts.replace(principals, facts)
                if rules is not None:
                    self._rules = rules
                    self._chains = {}
                self._walks = {}
            finally:
                self._version += 1

    @property
    def foreign(self) -> bool:
        """Whether it has guests whose accounts are another tenant's."""
        return bool(self._facts.homes)

    @property
    def homes(self) -> frozenset[str]:
        """Those tenants."""
        return frozenset(tenant for tenant, _ in list(self._facts.homes.values()))

    def size(self) -> int:
        """How many principals hold anything."""
        return len(self._facts.held[DIRECTORY]) + len(self._facts.held[RESOURCE])

    # -- how
    def _steady(self, look: Callable[[], T]) -> T:
        while True:
            version = self._version
            if not version & 1:
                found = look()
                if version == self._version:
                    return found
            self._wait()

    def _wait(self) -> None:
        with self._changing:
            pass

    def _able(self, principal: str) -> bool:
        facts = self._facts
        if principal in facts.unable:
            return False
        if facts.homes:
            home = facts.homes.get(principal)
            return home is None or self._at_home(*home)
        return True

    def _held(
        self, table: dict[str, Held], principal: str, role: str, places: Collection[str], now: int
    ) -> int:
        facts = self._facts
        if principal in facts.unable or (facts.homes and not self._able(principal)):
            return 0
        mine = table.get(principal)
        found = until(mine, role, places, now) if mine is not None else 0
        if found == FOR_GOOD or principal not in facts.member_of:
            return found
        walks = self._walks
        walk = walks.get(principal)
        if walk is None or not walk[0] <= now < walk[1]:
            walk = self._walk(principal, now)
        for group in walk[2]:
            theirs = table.get(group)
            if theirs is not None:
                through = until(theirs, role, places, now)
                if through:
                    found = max(found, min(through, walk[1]))
        return found

    def _walk(self, principal: str, now: int) -> Walk:
        """The groups somebody is in, directly or through others; each is met once, so a circle ends too."""
        walks = self._walks  # before anything is read: see resource_places
        known = walks.get(principal)
        if known is not None and known[0] <= now < known[1]:
            return known
        member_of, unable = self._facts.member_of, self._facts.unable
        since, end = 0, FOR_GOOD
        met: dict[str, None] = {}
        queue = [principal]
        while queue:
            flat = member_of.get(queue.pop(), ())
            for at in range(0, len(flat), 3):
                group, start, stop = flat[at : at + 3]
                if now < start:
                    end = min(end, start)
                elif now >= stop:
                    since = max(since, stop)
                else:
                    since, end = max(since, start), min(end, stop)
                    if group not in met and group not in unable and group != principal:
                        met[group] = None
                        queue.append(group)
        found = (since, end, tuple(met))
        if len(walks) < _MOST_KNOWN:
            walks[principal] = found
        return found

    def _all(self, table: dict[str, Held], principal: str, now: int) -> list[tuple[str, str, int]]:
        if not self._able(principal):
            return []
        _, end, groups = self._walk(principal, now)
        found = []
        for who in (principal, *groups):
            held = table.get(who)
            for role, scope, since, stop in grants(held) if held is not None else ():
                if since <= now < stop:
                    found.append((role, scope, stop if who == principal else min(stop, end)))
        return found

    def _allowed(
        self, provider: str, principal: str, action: str, places: tuple[str, ...], now: int, *, data: bool
    ) -> int:
        best = 0
        for role_id, scope, stop in self._all(self._facts.held[provider], principal, now):
            if stop <= best or scope not in places:
                continue
            if self._gives(provider, role_id, action, data=data):
                best = stop
        return 0 if best and self._denied(provider, principal, action, places, now, data=data) else best

    def _gives(self, provider: str, role_id: str, action: str, *, data: bool) -> bool:
        if provider == RESOURCE:
            role = self._rules.resource_roles.get(role_id)
            return role is not None and role.allows(action, data=data)
        definition = self._rules.directory_roles.get(role_id)
        return (
            definition is not None
            and not data
            and matches(definition.actions, action)
            and not matches(definition.excluded_actions, action)
        )

    def _weight(self, provider: str, role_id: str) -> int:
        """More for what allows more."""
        if provider != RESOURCE:
            definition = self._rules.directory_roles.get(role_id)
            return len(definition.actions) if definition is not None else 0
        role = self._rules.resource_roles.get(role_id)
        parts = role.permissions if role is not None else ()
        actions = [action for part in parts for action in (*part.actions, *part.data_actions)]
        return sum(100_000 if action == "*" else 1_000 if "*" in action else 1 for action in actions)

    def _denied(
        self, provider: str, principal: str, action: str, places: tuple[str, ...], now: int, *, data: bool
    ) -> bool:
        if provider != RESOURCE or not self._rules.denials:
            return False
        who = frozenset((principal, *self._walk(principal, now)[2]))
        return any(
            (denial.below or place == places[0]) and denial.denies(action, who, data=data)
            for place in places
            for denial in self._rules.denials.get(place, ())
        )


_TENANT = (TENANT,)
_UNITS = ADMINISTRATIVE_UNITS.lower()


def _edge_until(flat: Flat, group: str, now: int) -> int:
    ends = [
        flat[at + 2]
        for at in range(0, len(flat), 3)
        if flat[at] == group and flat[at + 1] <= now < flat[at + 2]
    ]
    return max(ends, default=0)


def _chain(scope: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    at = canonical(scope) if len(scope) <= _LONGEST else ""
    if at == ROOT:
        return (ROOT,)
    found = list(_path(at))
    if not found:
        return ()
    at = found[-1]
    if at not in parents:
        return ()
    while at in parents and parents[at] not in found:
        at = parents[at]
        if at != ROOT:
            found.append(at)
    return (*found, ROOT)


def _path(scope: str) -> Iterator[str]:
    """The place and what contains it by its path alone; nothing for what is no path."""
    at: str | None = scope
    while at is not None:
        place = read_path(at) if at else None
        if place is None:
            return
        yield place.id
        at = place.parent_id
