"""Every road on which somebody comes to hold something, or ceases to: the events of the road lead the index to what changed.

Each act is done once, and then the index that followed must say what one says that was read anew. What was planted and found:
an event that does not name what it changed (the service principal of a deleted application).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.activities import ACTIVITIES
from openpim.core.caller import Caller
from openpim.core.decisions import FOR_GOOD, Facts, micros
from openpim.core.grants import Action, Provider
from openpim.core.permissions import READER, DenyAssignment, Permission, ResourceRole
from openpim.services import submit
from openpim.services.decisions import following as follow
from openpim.services.decisions.following import Following
from openpim.services.decisions.index import Index
from openpim.services.directory import (
    administrative_units,
    applications,
    create_group,
    create_user,
    custom_roles,
    delete_group,
    delete_user,
    group_members,
    group_owners,
    service_principals,
    update_group,
    update_user,
)
from openpim.services.resources import custom_roles as resource_roles
from openpim.services.resources import denials, elevate, importing, shaping
from openpim.services.resources.importing import Line
from openpim.services.resources.shaping import Wanted
from tests.services.groups import GroupWorld
from tests.world import ASSIGNMENT, TEAMS, World, ok

CREATE = "microsoft.directory/groups/create"


class Scene:
    """A tenant with something of everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deps, self.system = world.deps, world.system
        world.policy(activation_requires=frozenset())
        self.team = world.group("team", [world.ann])
        self.inner = world.group("inner", [world.bob])
        world.write(lambda tx: tx.groups.add_member(self.team, tx.principals.get(self.inner)))
        world.assigned(self.team)
        world.eligible(world.ann, world.custom_role("own"))
        self.groups = GroupWorld(world)
        ok(self.groups.give(self.team, world.cyd, kind=ASSIGNMENT, days=5))
        self.unit = world.unit("north")
        self.in_unit = self.unit.rpartition("/")[2]
        world.assigned(world.ann, scope=self.unit)
        ok(administrative_units.add_unit_member(self.deps, self.system, self.in_unit, world.dan))
        self.a, self.b = self.place("a"), self.place("b")
        self.subscription = ok(shaping.put(self.deps, self.system, f"/subscriptions/{world.new_id()}", Wanted(parent_id=self.a))).resource.id  # fmt: skip
        self.web = ok(shaping.put(self.deps, self.system, f"{self.subscription}/resourceGroups/web", Wanted(location="x"))).resource.id  # fmt: skip
        self.give(world.ann, READER, self.a)
        self.give(self.team, READER, self.web)
        self.role = self.resource_role(world.new_id(), "mine", "*/read").id
        self.denial = world.new_id()
        self.deny("*/write")
        self.application = ok(applications.create_application(self.deps, world.caller(world.ga), applications.NewApplication("app")))  # fmt: skip
        self.face = world.read(lambda tx: tx.service_principals.by_app_id(self.application.app_id)) or ok(
            service_principals.create_service_principal(self.deps, self.system, self.application.app_id)
        )
        ok(group_members.add_member(self.deps, self.system, self.team, self.face.id))
        world.eligible(world.dan)
        world.forward(minutes=10)

    def place(self, name: str) -> str:
        path = f"/providers/Microsoft.Management/managementGroups/{name}"
        return str(ok(shaping.put(self.deps, self.system, path, Wanted())).resource.id)

    def give(self, principal: str, role: str, scope: str, action: Action = Action.ADMIN_ASSIGN) -> Any:
        ask = self.world.ask(action, principal, role, scope, kind=ASSIGNMENT, permanent=True)
        return ok(self.world.submit(replace(ask, provider=Provider.RESOURCE), self.system))

    def resource_role(self, id: str, name: str, action: str) -> ResourceRole:
        places = (shaping.root_group(self.world.tenant_id),)
        role = ResourceRole(id, name, (Permission((action,)),), built_in=False, assignable_scopes=places)
        return ok(resource_roles.put(self.deps, self.system, role))

    def deny(self, action: str) -> None:
        wanted = DenyAssignment(self.denial, "no", self.web, (Permission((action,)),), (self.world.ann,))
        ok(denials.put(self.deps, self.system, wanted))

    @property
    def admin(self) -> Caller:
        return self.world.caller(self.world.ga)


def _activate_and_expire(at: Scene) -> None:
    ok(at.world.activate(at.world.dan, hours=1))
    at.world.forward(hours=2)
    at.world.work()


def _import_less(at: Scene) -> None:
    places = at.world.write(lambda tx: [(one.path, one) for one in tx.resources.every()])
    lines = [
        Line(path, Wanted(parent_id=at.b if one.id == at.subscription else one.parent_id), number)
        for number, (path, one) in enumerate(places)
        if one.id.startswith(("/subscriptions", "/providers")) and one.id not in {at.web, shaping.root_group(at.world.tenant_id)}
    ]  # fmt: skip
    outcome = importing.import_tree(at.deps, at.system, lines)
    assert isinstance(outcome, importing.Imported), outcome


ROADS: dict[str, Callable[[Scene], Any]] = {
    "give": lambda at: ok(at.world.assigned(at.world.bob, scope=at.unit)),
    "take": lambda at: ok(at.world.take(at.team, kind=ASSIGNMENT)),
    "shorten": lambda at: ok(at.world.give(at.team, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, hours=1)),
    "activate": lambda at: ok(at.world.activate(at.world.dan, hours=1)),
    "deactivate": lambda at: (ok(at.world.activate(at.world.dan, hours=1)), at.world.forward(minutes=6), ok(at.world.deactivate(at.world.dan))),
    "expire": _activate_and_expire,
    "start later": lambda at: (ok(at.world.activate(at.world.dan, hours=1, start=at.world.now + timedelta(hours=1))), at.world.forward(hours=1), at.world.work()),
    "become a member by schedule": lambda at: ok(at.groups.give(at.inner, at.world.dan, kind=ASSIGNMENT, days=5)),
    "become an owner by schedule": lambda at: ok(at.groups.give(at.team, at.world.dan, "owner", kind=ASSIGNMENT, days=5)),
    "leave by schedule": lambda at: ok(at.groups.take(at.team, at.world.cyd, kind=ASSIGNMENT)),
    "join": lambda at: ok(group_members.add_member(at.deps, at.system, at.inner, at.world.dan)),
    "leave": lambda at: ok(group_members.remove_member(at.deps, at.system, at.inner, at.world.bob)),
    "a group leaves": lambda at: ok(group_members.remove_member(at.deps, at.system, at.team, at.inner)),
    "own": lambda at: ok(group_owners.add_owner(at.deps, at.system, at.team, at.world.dan)),
    "own no more": lambda at: (*(ok(group_owners.add_owner(at.deps, at.system, at.team, who)) for who in (at.world.dan, at.world.cyd)), ok(group_owners.remove_owner(at.deps, at.system, at.team, at.world.dan))),
    "a group with members": lambda at: ok(create_group.create_group(at.deps, at.admin, create_group.NewGroup("new", role_assignable=True, members=(at.world.dan,), owners=(at.world.cyd,)))),
    "a group is renamed": lambda at: ok(update_group.update_group(at.deps, at.system, at.inner, {"display_name": "x"})),
    "a group goes": lambda at: ok(delete_group.delete_group(at.deps, at.system, at.team)),
    "an inner group goes": lambda at: ok(delete_group.delete_group(at.deps, at.system, at.inner)),
    "a person comes": lambda at: ok(create_user.create_user(at.deps, at.admin, create_user.NewUser("New", f"new@{at.world.read(lambda tx: tx.tenants.current()).domain}"))),
    "a person is disabled": lambda at: ok(update_user.set_enabled(at.deps, at.system, at.world.ann, enabled=False)),
    "a person is enabled": lambda at: (ok(update_user.set_enabled(at.deps, at.system, at.world.ann, enabled=False)), ok(update_user.set_enabled(at.deps, at.system, at.world.ann, enabled=True))),
    "a person goes": lambda at: ok(delete_user.delete_user(at.deps, at.system, at.world.ann)),
    "a unit's member comes": lambda at: ok(administrative_units.add_unit_member(at.deps, at.system, at.in_unit, at.world.bob)),
    "a unit's member goes": lambda at: ok(administrative_units.remove_unit_member(at.deps, at.system, at.in_unit, at.world.dan)),
    "a directory role comes": lambda at: ok(custom_roles.create_role(at.deps, at.admin, custom_roles.NewRole("another", (CREATE,)))),
    "a place moves": lambda at: ok(shaping.move(at.deps, at.system, at.subscription, at.b)),
    "a place goes": lambda at: ok(shaping.delete(at.deps, at.system, at.web)),
    "a place comes": lambda at: at.place("c"),
    "places are imported": _import_less,
    "access is elevated": lambda at: ok(elevate.elevate(at.deps, at.admin)),
    "a resource role comes": lambda at: at.resource_role(at.world.new_id(), "other", "*"),
    "a resource role changes": lambda at: at.resource_role(at.role, "mine", "*/write"),
    "a resource role goes": lambda at: ok(resource_roles.delete(at.deps, at.system, at.role)),
    "a denial changes": lambda at: at.deny("*/read"),
    "a denial goes": lambda at: ok(denials.delete(at.deps, at.system, at.denial)),
    "an application is disabled": lambda at: ok(service_principals.update_service_principal(at.deps, at.admin, at.face.id, {"enabled": False})),
    "an application's face goes": lambda at: ok(service_principals.delete_service_principal(at.deps, at.admin, at.face.id)),
    "an application goes": lambda at: ok(applications.delete_application(at.deps, at.admin, at.application.id)),
}  # fmt: skip


def told(index: Index) -> dict[str, Any]:
    """All that the index holds, but for edges that lead to what is gone: they count for nothing."""
    facts, rules = index._facts, index._rules
    unable = facts.unable

    def living(flat: tuple[Any, ...]) -> frozenset[tuple[Any, ...]]:
        return frozenset(flat[at : at + 3] for at in range(0, len(flat), 3) if flat[at] not in unable)

    return {
        "held": {name: {one: frozenset(held) for one, held in of.items() if one not in unable} for name, of in facts.held.items()},
        "eligible": {name: {one: frozenset(held) for one, held in of.items() if one not in unable} for name, of in facts.eligible.items()},
        "members": {one: living(flat) for one, flat in facts.member_of.items() if one not in unable and living(flat)},
        "owners": {one: living(flat) for one, flat in facts.owner_of.items() if one not in unable and living(flat)},
        "unable": unable,
        "units": facts.units,
        "rules": rules,
    }  # fmt: skip


@pytest.mark.parametrize("road", ROADS)
def test_the_index_that_follows_knows_what_a_new_one_knows(world: World, road: str) -> None:
    at = Scene(world)
    beside, elsewhere = (
        Following(world.database, world.deps.clock),
        Following(world.database, world.deps.clock),
    )
    world.database.observers.append(beside.committed)
    try:
        for one in (beside, elsewhere):
            one.look(world.tenant_id)
        ROADS[road](at)
        assert beside.ready(world.tenant_id, world.now) is None, "this process has committed something"
        for grown in (False, True):  # the events wait for the log; they are in it
            if grown:
                world.grow()
            world.forward(seconds=1)
            fresh = told(Following(world.database, world.deps.clock).look(world.tenant_id))
            for one in (beside, elsewhere):
                assert told(one.look(world.tenant_id)) == fresh
    finally:
        world.database.observers.remove(beside.committed)


def test_what_is_read_again_is_named_as_it_is_written() -> None:
    for named in (follow.RULES, follow.MEMBERS, follow.EVERYTHING):
        assert named <= ACTIVITIES.keys()


def test_far_behind_everything_is_read_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Following(world.database, world.deps.clock)
    before = one.look(world.tenant_id)
    monkeypatch.setattr(follow, "MOST", 1)
    world.assigned(world.ann)
    world.assigned(world.bob)
    world.forward(seconds=2)
    after = one.look(world.tenant_id)
    assert after is not before
    assert after.holds_until("directory", world.bob, TEAMS, ("/",), int(world.now.timestamp() * 1e6))


def test_an_event_that_cannot_be_read_concerns_everything(world: World) -> None:
    one = Following(world.database, world.deps.clock)
    before = one.look(world.tenant_id)
    world.assigned(world.ann)

    def spoil(tx: Any) -> None:
        tx.connection.exec_driver_sql(
            "UPDATE audit_events SET targets = '{' WHERE tenant_id = '" + world.tenant_id + "'"
        )

    world.write(spoil)
    world.forward(seconds=2)
    assert one.look(world.tenant_id) is not before


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_what_commits_late_is_not_missed(world: World) -> None:
    """The first to write is the last to commit: its events have lower numbers than what was seen meanwhile."""
    one = Following(world.database, world.deps.clock)
    one.look(world.tenant_id)
    written, go = threading.Event(), threading.Event()
    ask = world.ask(Action.ADMIN_ASSIGN, world.ann, kind=ASSIGNMENT, permanent=True)

    def slowly(tx: Any) -> None:
        ok(submit.in_transaction(tx, world.deps, world.caller(world.pra), ask, world.now))
        written.set()
        assert go.wait(30)

    late = threading.Thread(target=world.write, args=(slowly,))
    late.start()
    assert written.wait(30)
    world.assigned(world.bob)
    world.grow()

    def holds(who: str) -> bool:
        world.forward(seconds=1)
        index, now = one.look(world.tenant_id), micros(world.now)
        return index.holds_until("directory", who, TEAMS, ("/",), now) > 0

    assert holds(world.bob)
    assert not holds(world.ann)
    go.set()
    late.join(30)
    assert holds(world.ann)
    world.grow()
    assert holds(world.ann)


def test_readers_and_a_writer_at_once(world: World) -> None:
    """Ann has it by one of two groups at every moment, never by none: a reader that meets a change asks again."""
    groups = [world.group(name) for name in ("one", "two")]
    index = Following(world.database, world.deps.clock).look(world.tenant_id)
    states = []
    for group in groups:
        facts = Facts.none()
        facts.member_of[world.ann] = (group, 0, FOR_GOOD)
        facts.held["directory"][group] = (TEAMS, "/", 0, FOR_GOOD)
        states.append(facts)
    index.change([world.ann, *groups], states[0], None)
    wrong: list[int] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            if not index.holds_until("directory", world.ann, TEAMS, ("/",), 5):
                wrong.append(1)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(3000):
        index.change([world.ann, *groups], states[number % 2], None)
    over.set()
    for reader in readers:
        reader.join()
    assert not wrong
