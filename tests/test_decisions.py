"""The index inside another program: what the library says, and that it says no when it cannot know."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.decisions import Decisions, UnknownTenantError
from openpim.store.database import Database
from tests.world import ASSIGNMENT, TEAMS, World, ok


def test_can_t_activate_can_end_can_t(database_url: str) -> None:
    world = World(database_url)
    world.policy(activation_requires=frozenset())
    world.eligible(world.ann)
    name = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    domain = world.read(lambda tx: tx.tenants.current()).domain
    with Decisions(database_url, tenant=domain, now=lambda: world.now) as decisions:
        assert not decisions.holds(name, TEAMS)
        assert decisions.may_activate(name, "Teams Administrator")
        ok(world.activate(world.ann, hours=1))
        world.now += timedelta(milliseconds=251)
        assert decisions.holds(name, TEAMS)
        assert decisions.holds(world.ann.upper(), "teams administrator", world.unit("north"))
        assert not decisions.holds(world.bob, TEAMS)
        assert not decisions.holds("nobody", TEAMS)
        assert not decisions.holds("\x00", TEAMS)
        assert not decisions.in_group(world.ann, world.group("team"))
        assert not decisions.owns_group(world.ann, "nonsense")
        assert not decisions.allows(world.ann, "*/read", "/")
        world.forward(hours=1)
        assert not decisions.holds(name, TEAMS)
    world.close()


def test_a_database_that_is_gone_is_a_no(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpim.ports.store import StoreUnavailableError

    world = World(database_url)
    world.assigned(world.ann)
    with Decisions(database_url, tenant=world.tenant_id, now=lambda: world.now) as decisions:
        assert decisions.holds(world.ann, TEAMS)

        def gone(*_: object) -> None:
            raise StoreUnavailableError

        monkeypatch.setattr(Database, "snapshot", gone)
        monkeypatch.setattr(Database, "read", gone)
        world.now += timedelta(milliseconds=900)
        assert decisions.holds(world.ann, TEAMS), "seen within a second"
        assert not decisions.holds("ann@elsewhere", TEAMS)
        world.now += timedelta(milliseconds=101)
        assert not decisions.holds(world.ann, TEAMS)
        monkeypatch.undo()
        assert decisions.holds(world.ann, TEAMS)
        world.forward(minutes=6)
        ok(world.take(world.ann, kind=ASSIGNMENT))
        world.now += timedelta(milliseconds=251)
        assert not decisions.holds(world.ann, TEAMS)
    world.close()


def test_which_organisation(database_url: str) -> None:
    with pytest.raises(UnknownTenantError):
        Decisions(database_url, tenant="nobody.example")
