"""What the rules of the stateful test act on: one world with people, two groups, a unit and a small tree, and short ways
to ask for a role of any provider by its name.

    / > root group > a, b        a (or b, after a move) > subscription > web (which is deleted and made again)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from openpim.core.caller import Caller
from openpim.core.decisions import micros
from openpim.core.grants import Action, Kind, Provider, Request, Schedule
from openpim.core.permissions import CONTRIBUTOR, OWNER, READER
from openpim.core.policy import ApprovalSettings, Expiry, Policy, Reviewers, Stage, hours
from openpim.core.query import Query
from openpim.core.refusals import Refusal
from openpim.services import authority, eligibilities, policies
from openpim.services.decisions.following import Following
from openpim.services.resource_access import allowed
from openpim.services.resources import shaping
from openpim.services.resources.shaping import Wanted
from openpim.store.database import Database
from tests.machine.model import MEMBER, Model, Settings
from tests.machine.model import OWNER as GROUP_OWNER
from tests.world import ASSIGNMENT, ELIGIBILITY, HELPDESK, TEAMS, World, ok

DIRECTORY, GROUP, RESOURCE = Provider.DIRECTORY, Provider.GROUP, Provider.RESOURCE
TREE_ROLES = frozenset({READER, CONTRIBUTOR})
NEEDS = {READER: "Microsoft.Compute/disks/read", CONTRIBUTOR: "Microsoft.Compute/disks/write"}
GROUPS = "/providers/Microsoft.Management/managementGroups"
ALL = Query(limit=10_000)


def provider_of(role: str) -> Provider:
    return RESOURCE if role in TREE_ROLES else GROUP if role in {MEMBER, GROUP_OWNER} else DIRECTORY


class Acts:
    def __init__(self, database: Database) -> None:
        self.world = world = World(database, people=("ann", "bob", "dan", "olga"))
        self.beside, self.elsewhere = Following(database, world.deps.clock), Following(database, self._later)
        database.observers[:] = [self.beside.committed]
        self._looks = 0
        self.unit = world.unit("north")
        self.team, self.crew = world.group("team"), world.group("crew")
        self.a, self.b = self.place(f"{GROUPS}/a"), self.place(f"{GROUPS}/b")
        self.subscription = self.place(f"/subscriptions/{world.new_id()}", parent_id=self.a)
        self.web = f"{self.subscription}/resourcegroups/web"
        self.make_web()
        root = shaping.root_group(world.tenant_id)
        ok(self.submit(Action.ADMIN_ASSIGN, world.olga, OWNER, root, by=world.system, permanent=True))
        world.forward(minutes=10)
        stage = Stage(primary=Reviewers((world.dan,)))
        approval = ApprovalSettings(required=True, stages=(stage,))
        none: frozenset[Any] = frozenset()
        for role in (TEAMS, HELPDESK):
            world.policy(role, activation_requires=none)
        world.approval(world.dan, role=HELPDESK)
        for role, scope in ((MEMBER, self.team), (MEMBER, self.crew), (GROUP_OWNER, self.team)):
            self.set(role, scope, activation_requires=none)
        self.set(GROUP_OWNER, self.team, approval=approval)
        self.set(CONTRIBUTOR, self.subscription, approval=approval)
        self.set(READER, self.a, activation=Expiry(required=True, maximum=hours(2)))
        self.model = Model(
            groups=(self.team, self.crew),
            tree_roles=TREE_ROLES,
            parents={
                root: "/",
                self.a: root,
                self.b: root,
                self.subscription: self.a,
                self.web: self.subscription,
            },
            settings={
                (TEAMS, "/"): Settings(),
                (HELPDESK, "/"): Settings(approval=True),
                (GROUP_OWNER, self.team): Settings(approval=True),
                (CONTRIBUTOR, self.subscription): Settings(approval=True),
                (READER, self.a): Settings(longest=timedelta(hours=2)),
            },
        )

    def _later(self) -> datetime:
        """Another machine's clock: never the same instant twice."""
        self._looks += 1
        return self.world.now + timedelta(microseconds=self._looks)

    # -- the tree
    def place(self, path: str, **wanted: Any) -> str:
        return ok(shaping.put(self.world.deps, self.world.system, path, Wanted(**wanted))).resource.id

    def make_web(self) -> None:
        self.place(f"{self.subscription}/resourceGroups/Web", location="x")

    # -- names
    def id(self, name: str) -> str:
        return str({"team": self.team, "crew": self.crew}.get(name) or getattr(self.world, name))

    def what(self, name: str) -> tuple[str, str]:
        """(role, scope): "teams", "helpdesk north", "member team", "reader web", …"""
        role, _, scope = name.partition(" ")
        roles = {"teams": TEAMS, "helpdesk": HELPDESK, "reader": READER, "contributor": CONTRIBUTOR}
        places = {"": "/", "north": self.unit, "a": self.a, "sub": self.subscription, "web": self.web}
        return roles.get(role, role), places.get(scope) or self.id(scope)

    # -- settings
    def set(self, role: str, scope: str, **changes: Any) -> Policy:
        deps, provider = self.world.deps, provider_of(role)
        present = ok(policies.get(deps, self.world.system, provider, role, scope))
        return ok(
            policies.update(
                deps,
                self.by(role),
                present.id,
                lambda policy: (
                    replace(policy, activation_requires=frozenset(), **changes)
                    if "activation_requires" not in changes
                    else replace(policy, **changes)
                ),
                provider,
                scope,
            )
        )

    def by(self, role: str) -> Caller:
        """Who administers it."""
        return self.world.caller(self.world.olga if role in TREE_ROLES else self.world.pra)

    # -- asking
    def submit(
        self, action: Action, principal: str, role: str, scope: str, *, by: Any = None, **more: Any
    ) -> Request | Refusal:
        ask = self.world.ask(action, principal, role, scope, **more)
        ask = replace(ask, provider=RESOURCE if role == OWNER else provider_of(role))
        return self.world.submit(ask, by or (principal if action.by_self else self.by(role)))

    # -- what is so, as every reading act says it
    def told(self, person: str, at: datetime) -> set[tuple[str, str]]:
        """(role, scope) that the person holds there, or above it."""
        world, caller = self.world, self.world.caller(person)
        groups = (self.team, self.crew)

        def work(tx: Any) -> set[tuple[str, str]]:
            found: set[tuple[str, str]] = set()
            for scope in ("/", self.unit):
                found |= {(role, scope) for role in authority.roles_at(tx, caller, scope, at)}
            inside = tx.groups.groups_of(person, at)
            found |= {(MEMBER, group) for group in groups if group in inside}
            for group in groups:
                down = person in tx.groups.transitive_member_ids(group, at)
                assert down is (group in inside), "up and down the groups are told differently"
            if tx.groups.is_owner(self.team, person, at):
                found.add((GROUP_OWNER, self.team))
            return found

        return world.read(work)

    def decided(self, person: str, at: datetime) -> list[tuple[set[tuple[str, str]], set[tuple[str, str]]]]:
        """The same, and what the person can do in the tree, by the index that follows in this process, and by that of
        another one, which hears of nothing but what the database says."""
        roles = [(role, scope) for role in (TEAMS, HELPDESK) for scope in ("/", self.unit)]
        places = [(role, place) for role in (READER, CONTRIBUTOR) for place in (self.subscription, self.web)]
        found = []
        for following in (self.beside, self.elsewhere):
            index, now = following.look(self.world.tenant_id), micros(at)
            told = {
                (role, scope)
                for role, scope in roles
                if index.holds_until("directory", person, role, index.directory_places(scope), now) > now
            }
            told |= {
                (MEMBER, group) for group in (self.team, self.crew) if index.member_until(person, group, now)
            }
            if index.owner_until(person, self.team, now):
                told.add((GROUP_OWNER, self.team))
            can = {
                (role, place)
                for role, place in places
                if index.allowed_until(
                    "resource", person, NEEDS[role], index.resource_places(place), now, data=False
                )
            }
            found.append((told, can))
        return found

    def can(self, person: str, role: str, scope: str, at: datetime) -> bool:
        caller = self.world.caller(person)
        return bool(self.world.read(lambda tx: allowed(tx, caller, NEEDS[role], scope, at)))

    def mine(self, person: str) -> dict[tuple[str, str], str]:
        """What a person may activate, of all providers, and whether he has."""
        found = eligibilities.mine(self.world.deps, self.world.caller(person))
        return {(one.eligibility.role_id, one.eligibility.scope): one.state.value for one in found}

    def schedules(self) -> Iterator[Schedule]:
        for provider in Provider:
            for kind in (ELIGIBILITY, ASSIGNMENT):
                yield from self._page("schedules", provider, kind)

    def requests(self) -> Iterator[Request]:
        for provider in Provider:
            for kind in (ELIGIBILITY, ASSIGNMENT):
                yield from self._page("requests", provider, kind)

    def _page(self, noun: str, provider: Provider, kind: Kind) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.world.read(lambda tx: getattr(tx, noun).page(provider, kind, ALL)).items
        return found
