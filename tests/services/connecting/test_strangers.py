"""What others gave and is removed: a session that rests on it is cut too, however often that fails first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from openpim.core.connecting import Edge, Effect, EffectState, Foreign
from openpim.core.proving import cutting
from openpim.services.connecting import manage, telling
from openpim.services.connecting.checking import Desired
from tests.connectors.twin import TwinServer
from tests.services.connecting.test_reconcile import ADMIN
from tests.world import ASSIGNMENT, TEAMS, World, ok

STRANGER = ("stranger", ADMIN)


def told(world: World, activity: str) -> list[Any]:
    return [event for event in world.events() if event.activity == activity]


def records(world: World, target: str) -> list[Effect]:
    found: list[Effect] = world.read(lambda tx: tx.effects.of_target(target, over=True))
    return found


def intruded(world: World) -> tuple[str, TwinServer]:
    """A target that removes what others give, somebody else's access in it, and a session that rests on it."""
    target, server = world.target(foreign=Foreign.REMOVE)
    server.give(*STRANGER)
    server.sessions.add(STRANGER)
    return target, server


def failing(world: World) -> Any:
    return world.database.read("", lambda tx: tx.effects.failing())


def test_a_strangers_session_that_cannot_be_cut_is_tried_until_it_is(world: World) -> None:
    others = failing(world)
    target, server = intruded(world)
    server.failures = ["", "refuse"]
    world.look(target)
    assert not server.edges
    assert server.sessions == {STRANGER}, "removed, and still in it"
    for _ in range(5):  # the first comes too early
        server.failures = ["refuse"]
        looked = world.look(target, now_in_full=False)
        assert looked is not None
        assert timedelta(seconds=1) <= looked.next_at - world.now <= timedelta(seconds=5), "the usual pause"
        world.at(looked.next_at)
    (record,) = records(world, target)
    assert (record.state, record.failures, record.error) == (EffectState.ENDING, 5, "No.")
    view = ok(manage.get(world.deps, world.caller(world.ga), target))
    assert view.counts == {EffectState.ENDING: 1}
    assert failing(world) == others + 1
    assert [one.result for one in told(world, telling.REMOVED)] == ["failure"]
    (event,) = told(world, telling.FAILED)
    assert ("Subject", "stranger") in event.details
    world.look(target, now_in_full=False)
    assert not server.sessions
    assert not records(world, target), "what is over is forgotten: it was never ours"
    assert [one.result for one in told(world, telling.REMOVED)] == ["failure", "success"]
    assert failing(world) == others


@pytest.mark.parametrize("dies", ["before", "after"])
def test_who_dies_between_removing_and_cutting_cuts_at_the_next_look(world: World, dies: str) -> None:
    target, server = intruded(world)
    server.failures = ["after"] if dies == "after" else ["", "before"]
    world.look(target)
    assert not server.edges
    assert server.sessions == {STRANGER}
    world.forward(seconds=5)
    world.look(target, now_in_full=False)
    assert not server.sessions
    assert not records(world, target)


def test_who_is_killed_between_removing_and_cutting_leaves_no_gap_in_the_history(world: World) -> None:
    """Nobody was left to say that the look had failed."""
    target, server = world.target(foreign=Foreign.REMOVE)
    server.sessions.add(STRANGER)
    left = cutting(target, Edge(*STRANGER), world.now)
    world.write(lambda tx: tx.effects.put([left]))
    world.look(target)
    assert not server.sessions
    assert not records(world, target)
    (event,) = told(world, telling.REMOVED)
    assert event.result == "success"
    assert ("Subject", "stranger") in event.details


def test_a_session_that_outlives_an_outage_is_told(world: World) -> None:
    """The third try, after which it is said, is one in which the target is down."""
    target, server = intruded(world)
    server.failures = ["", "refuse"]
    world.look(target)
    server.down = True
    for _ in range(2):
        world.look(target)
    server.down = False
    for _ in range(3):
        server.failures = ["refuse"]
        world.look(target)
    assert server.sessions == {STRANGER}
    assert [("Subject", "stranger") in one.details for one in told(world, telling.FAILED)] == [True], "once"


def test_who_is_called_as_he_was_on_another_server_keeps_his_session(world: World) -> None:
    """The target was moved, because its server is gone for good."""
    target, server = intruded(world)
    server.failures = ["", "refuse"]
    world.look(target)
    server.down = True
    for _ in range(3):
        world.look(target)
    ok(manage.update(world.deps, world.caller(world.ga), target, Desired(settings={"host": "new"})))
    new = world.twins.at("new")
    new.sessions.add(STRANGER)
    world.look(target)
    assert new.reads
    assert new.sessions == {STRANGER}
    assert not records(world, target)


def test_what_others_give_again_where_it_may_stay_is_let_live(world: World) -> None:
    target, server = intruded(world)
    server.failures = ["", "refuse"]
    world.look(target)
    ok(manage.update(world.deps, world.caller(world.ga), target, Desired(foreign=Foreign.ALERT)))
    server.give(*STRANGER)
    world.look(target)
    assert server.may(*STRANGER)
    assert server.sessions == {STRANGER}, "it is his again"
    assert not records(world, target)


def test_who_gets_from_here_what_others_gave_him_has_it_as_ours(world: World) -> None:
    target, server = world.target(foreign=Foreign.REMOVE)
    world.rule(target)
    ann = world.name_in_target(world.ann)
    server.give(ann, ADMIN)
    server.sessions.add((ann, ADMIN))
    server.failures = ["", "refuse"]
    world.look(target)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, permanent=True))
    server.failures = ["after"]
    world.look(target)
    assert server.may(ann, ADMIN)
    (record,) = records(world, target)
    assert record.principal_id == world.ann, "on record as ours before it is given"
    world.look(target)
    (record,) = records(world, target)
    assert (record.principal_id, record.state) == (world.ann, EffectState.EFFECTIVE)
    assert server.may(ann, ADMIN)


@pytest.mark.parametrize("foreign", [Foreign.REMOVE, Foreign.ALERT])
@pytest.mark.parametrize("name", ["x" * 513, "\U0001f600" * 512, "nul\x00", "half\ud800"])
def test_a_stranger_whose_name_cannot_be_kept_holds_up_nobody(
    world: World, name: str, foreign: Foreign
) -> None:
    """He is called so by the target, or by himself."""
    target, server = world.target(foreign=foreign)
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    server.give(name, ADMIN)
    world.forward(hours=1)
    for _ in range(2):
        world.look(target)
    assert not server.may(world.name_in_target(world.ann), ADMIN)
    assert server.may(name, ADMIN) is (foreign is Foreign.ALERT)
    (event,) = told(world, telling.REMOVED if foreign is Foreign.REMOVE else telling.FOREIGN)
    assert dict(event.details) == {"Others": "1"}


def test_no_target_fills_the_records(world: World) -> None:
    target, server = world.target(foreign=Foreign.REMOVE)
    for number in range(1200):
        server.give(f"stranger-{number}", ADMIN)
    server.failures = ["", "", "", "refuse"]
    world.look(target)
    assert not server.edges
    assert len(records(world, target)) == 1000
    world.look(target)
    assert not records(world, target)
