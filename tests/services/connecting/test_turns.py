"""What fails for long: it is told once, everything has its turn, and what is not seen for a moment is not told again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from openpim.core.connecting import Edge, Effect, EffectState, Foreign, Snapshot
from openpim.services.connecting import telling
from openpim.services.connecting.reconcile import LEASE
from openpim.services.notices.happened import news_of
from tests.connectors.twin import TwinConnector
from tests.services.connecting.test_hostile_targets import told
from tests.services.connecting.test_reconcile import ADMIN
from tests.world import ASSIGNMENT, TEAMS, World, ok

if TYPE_CHECKING:
    import pytest


def test_a_removal_that_fails_is_told_also_where_its_new_end_had_failed_before(world: World) -> None:
    target, server = world.target(end="full")
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    ann = world.name_in_target(world.ann)
    edge = server.edges[ann, ADMIN, ""]
    longer = replace(edge, until=edge.until + timedelta(hours=9))

    def look(times: int) -> None:
        server.edges[edge.name] = longer
        for _ in range(times):
            server.failures = ["refuse"] * 3
            world.look(target)
            world.forward(seconds=6)

    look(4)
    world.forward(hours=1)
    look(10)
    assert server.may(ann, ADMIN)
    assert len(told(world, telling.FAILED)) == 1


def test_every_one_of_many_that_cannot_be_removed_has_its_turn(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    at = world.now
    many = [
        Effect(target, world.ann, Edge(f"p{number:04}", ADMIN), EffectState.EFFECTIVE, at, at)
        for number in range(600)
    ]
    world.write(lambda tx: tx.effects.put(many))
    server.down = True
    for _ in range(12):
        world.look(target)
        world.forward(seconds=6)
    assert {one.state for one in world.read(lambda tx: tx.effects.of_target(target))} == {EffectState.ENDING}
    assert len(told(world, telling.FAILED)) == len(many)


def test_what_was_not_seen_for_one_look_is_not_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, server = world.target()
    world.rule(target)
    server.give("stranger", ADMIN)
    read, blind = TwinConnector.read, False

    def seen(connector: TwinConnector) -> Snapshot:
        return Snapshot(frozenset(), {ADMIN: "not shown"}) if blind else read(connector)

    monkeypatch.setattr(TwinConnector, "read", seen)
    for turn in range(6):
        blind = turn % 2 == 1
        world.look(target)
        world.forward(minutes=1)
    assert len(told(world, telling.FOREIGN)) == 1


def test_who_adopts_what_others_gave_is_sent_no_alarm_however_many_it_is(world: World) -> None:
    target, server = world.target(foreign=Foreign.ADOPT)
    world.rule(target)
    for number in range(150):
        server.give(f"x{number:03}", ADMIN)
    world.look(target)
    events = told(world, telling.FOREIGN)
    assert events
    assert not [
        news for event in events for news in world.read(lambda tx, event=event: news_of(tx, event, ()))
    ]


def test_a_lease_of_a_clock_that_was_put_back_holds_up_nobody(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, hours=5))
    ahead = world.now + timedelta(hours=1)
    world.write(lambda tx: tx.targets.lease(target, ahead, ahead + LEASE))
    world.forward(minutes=30)
    world.look(target)
    assert server.may(world.name_in_target(world.ann), ADMIN)
