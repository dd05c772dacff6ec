"""The whole way, from an activation to a real directory and back: given, proved, taken away, proved again, with the directory
killed in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from openpim.connectors import KINDS
from openpim.core.connecting import EffectState
from openpim.core.grants import Provider
from openpim.services.connecting import manage
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.reconcile import Held, look
from tests.connectors.ldap.conftest import PAYROLL
from tests.connectors.ldap.slapd import ACCOUNT, PASSWORD, PEOPLE
from tests.signin_helper import OUTBOUND
from tests.world import TEAMS, World, ok


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def world(database_url) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.close()


@pytest.fixture
def target(world: World, slapd, groups):
    """An LDAP target whose people are looked up by the local part of their name; ann is one of them."""
    world.deps = replace(world.deps, connectors=KINDS, outbound=OUTBOUND)
    desired = Desired(
        name="directory",
        subject="{localPart}",
        managed=(PAYROLL.upper().replace("CN=", "CN= "),),
        settings=groups.settings,
        secrets={"password": PASSWORD},
    )
    target_id = ok(manage.create(world.deps, world.caller(world.ga), "ldap", desired)).target.id
    ok(
        manage.add_rule(
            world.deps, world.caller(world.ga), target_id, Provider.DIRECTORY, TEAMS, "/", PAYROLL
        )
    )
    uid = world.name_in_target(world.ann)
    slapd.person(uid)
    yield target_id, uid
    slapd.change(f"dn: uid={uid},{PEOPLE}\nchangetype: delete\n")


def test_what_the_directory_does_not_show_has_not_ended(world: World, slapd, groups, target):
    """Its members are hidden from us: nothing is proved until they are shown again."""
    target_id, uid = target
    held = Held()
    where = "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\n"
    hidden = f'olcAccess: {{0}}to dn.exact="{PAYROLL}" attrs=member by dn.exact="{ACCOUNT}" =w by * break'

    def effect():
        found = world.read(lambda tx: tx.effects.of_target(target_id, over=True))
        return next(one for one in found if one.principal_id == world.ann)

    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    look(world.deps, held, world.tenant_id, target_id)
    assert effect().state is EffectState.EFFECTIVE
    slapd.configure(f"{where}add: olcAccess\n{hidden}\n")
    try:
        world.forward(hours=1)
        look(world.deps, held, world.tenant_id, target_id)
        assert effect().state is EffectState.ENDING
        assert "not shown" in effect().error
    finally:
        slapd.configure(f"{where}delete: olcAccess\nolcAccess: {{0}}\n")
    world.forward(minutes=5)
    look(world.deps, held, world.tenant_id, target_id, now_in_full=True)
    assert effect().state is EffectState.ENDED
    assert not slapd.writes(uid, "February")
    held.drop()


def test_an_activation_takes_effect_in_the_directory_and_ends_there(world: World, slapd, target):
    target_id, uid = target
    held = Held()

    def looked() -> str:
        found = look(world.deps, held, world.tenant_id, target_id)
        assert found is not None
        return found.fault

    def state() -> EffectState | None:
        found = world.read(lambda tx: tx.effects.of_target(target_id, over=True))
        return next((one.state for one in found if one.principal_id == world.ann), None)

    world.eligible(world.ann)
    assert looked() == ""
    assert not slapd.writes(uid, "February")
    ok(world.activate(world.ann, hours=1))
    assert looked() == ""
    assert state() is EffectState.EFFECTIVE
    assert slapd.writes(uid, "February")
    slapd.kill()
    world.forward(hours=1)
    assert looked()
    assert state() is not EffectState.ENDED
    slapd.start()
    world.forward(minutes=5)  # the pause after a failure, and the lease
    assert looked() == ""
    assert state() is EffectState.ENDED
    assert not slapd.writes(uid, "February")
    held.drop()
