"""From the activation to the real system and back, for the kinds that speak HTTP: cannot, activate, can, end, cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from openpim.connectors import KINDS
from openpim.core.connecting import EffectState
from openpim.services.connecting import manage
from openpim.services.connecting.checking import Desired
from tests.connectors.scim.rigs import MANAGED, OtherRig
from tests.connectors.webhook.rigs import KEY, WebhookRig
from tests.faces.scim.client import USER
from tests.world import DIRECTORY, TEAMS, World, ok


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    found = World(database_url)
    found.deps = replace(
        found.deps, connectors=KINDS, secret=lambda size: (found.new_id() * 3)[-max(size, 36) :]
    )
    yield found
    found.close()


def set_up(world: World, kind: str, rig: Any, secrets: dict[str, str]) -> str:
    """A target whose first managed entitlement goes with the role."""
    desired = Desired(
        name=kind, settings=rig.settings, secrets=secrets, managed=rig.managed, subject="{userPrincipalName}"
    )
    made = ok(manage.create(world.deps, world.caller(world.ga), kind, desired))
    ok(
        manage.add_rule(
            world.deps, world.caller(world.ga), made.target.id, DIRECTORY, TEAMS, "/", rig.managed[0]
        )
    )
    return str(made.target.id)


def told(world: World, target: str) -> EffectState:
    (found,) = world.read(lambda tx: tx.effects.of_target(target, over=True))
    return EffectState(found.state)


def story(world: World, target: str, has: Any, down: Any, up: Any) -> None:
    world.eligible(world.ann)
    world.look(target)
    assert not has()
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    assert has()
    assert told(world, target) is EffectState.EFFECTIVE
    down()  # the end comes while the target is away
    world.forward(hours=1)
    world.look(target)
    assert told(world, target) is EffectState.ENDING
    up()
    assert has()
    world.forward(minutes=1)
    world.look(target)
    assert not has()
    assert told(world, target) is EffectState.ENDED


def test_a_group_of_an_application(world: World) -> None:
    rig = OtherRig()
    try:
        upn = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
        rig.users[upn] = rig.make("Users", {"schemas": [USER], "userName": upn.upper()})
        target = set_up(world, "scim", rig, {"token": rig.token})
        rig.give("bob", MANAGED[1])  # somebody else's: it stays
        story(world, target, lambda: rig.has(upn, MANAGED[0]), rig.down, rig.up)
        assert rig.has("bob", MANAGED[1])
    finally:
        rig.close()


def test_a_service_of_ones_own(world: World) -> None:
    rig = WebhookRig(sever="yes")
    rig.service.clock = lambda: world.now.timestamp()  # noqa: PLW0108 - the time moves
    try:
        upn = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
        rig.service.sessions = {upn}
        target = set_up(world, "webhook", rig, {"secret": KEY})
        story(world, target, lambda: rig.has(upn, "payroll"), rig.down, rig.up)
        assert rig.service.sessions == set()
    finally:
        rig.close()
