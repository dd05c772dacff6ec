"""Targets that lie, refuse, or are moved away while somebody has access there: nothing is left quietly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpim.core.connecting import EffectState, Foreign
from openpim.core.refusals import Refusal
from openpim.services.connecting import manage, telling
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.reconcile import LEASE
from tests.services.connecting.test_reconcile import ADMIN, effect, state
from tests.world import ASSIGNMENT, TEAMS, World, ok


def told(world: World, activity: str) -> list[Any]:
    return [event for event in world.events() if event.activity == activity]


def test_what_could_not_be_removed_is_not_said_to_be(world: World) -> None:
    target, server = world.target(foreign=Foreign.REMOVE)
    server.give("stranger", ADMIN)
    for _ in range(3):
        server.failures = ["refuse"]
        world.look(target)
        world.forward(minutes=1)
    assert server.may("stranger", ADMIN)
    assert not told(world, telling.REMOVED)
    (event,) = told(world, telling.FOREIGN)
    assert event.result == "failure"
    assert event.reason == "No."
    view = ok(manage.get(world.deps, world.caller(world.ga), target))
    assert view.drift == (("stranger", ADMIN),), "it is still there, and shown"
    world.look(target)
    assert not server.may("stranger", ADMIN)
    assert len(told(world, telling.REMOVED)) == 1
    assert not ok(manage.get(world.deps, world.caller(world.ga), target)).drift


def test_ended_access_that_others_gave_again_and_that_stays_is_a_failing_removal(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ann = world.name_in_target(world.ann)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    world.forward(hours=1)
    world.look(target)
    assert state(world, target, world.ann) is EffectState.ENDED
    server.give(ann, ADMIN)
    for _ in range(5):
        server.failures = ["refuse", "refuse"]
        looked = world.look(target)
        assert looked is not None
        assert (looked.next_at - world.now).total_seconds() < 1, "it is tried as often as any other removal"
        world.at(looked.next_at)
    found = effect(world, target, world.ann)
    assert (found.state, found.failing, found.error) == (EffectState.ENDING, True, "No.")
    assert len(told(world, telling.BACK)) == 1
    assert len(told(world, telling.FAILED)) == 1
    world.look(target)
    assert state(world, target, world.ann) is EffectState.ENDED
    assert not server.may(ann, ADMIN)


@pytest.mark.parametrize("rule", list(Foreign))
def test_a_target_full_of_strangers_does_not_fill_the_history(world: World, rule: Foreign) -> None:
    target, server = world.target(foreign=rule)
    for number in range(2500):
        server.give(f"stranger-{number}", ADMIN)
    for _ in range(3):
        server.failures = ["refuse"] * 9
        world.look(target)
        world.forward(minutes=1)
    assert len(told(world, telling.FOREIGN)) <= 101
    server.failures = []
    world.look(target)
    assert len(told(world, telling.REMOVED)) <= 101


def test_a_target_that_cannot_be_reached_any_more_can_be_moved(world: World) -> None:
    """Its server is gone for good, and there is another one. A fault that passes is no such thing."""
    target, server = world.target()
    world.rule(target)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, permanent=True))
    world.look(target)

    def move() -> Any:
        return manage.update(world.deps, world.caller(world.ga), target, Desired(settings={"host": "new"}))

    for _ in range(2):
        server.down = True
        for _ in range(2):
            world.look(target)
            assert isinstance(move(), Refusal)
        server.down = False
        world.look(target)
        assert isinstance(move(), Refusal)
    server.down = True
    for _ in range(3):
        world.look(target)
    assert len(told(world, telling.UNREACHABLE)) == 1
    assert not isinstance(move(), Refusal)
    changes = told(world, manage.UPDATED)[-1].targets[0].changes
    assert ("settings.host", "payroll", "new") in changes
    assert ("accessLeftBehind", None, "1") in changes, "what is still there is on record"


def test_who_comes_back_after_his_lease_records_nothing(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    ann = world.name_in_target(world.ann)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    world.forward(minutes=6)
    ok(world.deactivate(world.ann))
    reads = server.reads
    connector = type(world._held[target]._connector)
    read = connector.read

    def slept(self: Any) -> Any:
        """After the last reading: the access is gone. Meanwhile it is given again, by another server."""
        found = read(self)
        if server.reads == reads + 2:
            world.forward(seconds=LEASE.total_seconds() + 1)
            world._held.pop(target)
            ok(world.activate(world.ann, hours=1))
            world.look(target)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "read", slept)
        world.look(target)
    assert server.may(ann, ADMIN)
    assert state(world, target, world.ann) is EffectState.EFFECTIVE


def test_a_kind_that_is_no_more_is_told(world: World) -> None:
    """Its package was removed: what has ended stays there, and that must not be quiet."""
    target, _ = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    world.forward(hours=1)
    deps = world.deps
    world.deps = replace(deps, connectors=_None())
    for _ in range(4):
        looked = world.look(target)
        assert looked is not None
        assert looked.fault
        world.at(max(looked.next_at, world.now))
    assert len(told(world, telling.UNREACHABLE)) == 1
    assert effect(world, target, world.ann).state is EffectState.ENDING
    assert world.read(lambda tx: tx.targets.get(target)).failures == 4
    world.deps = deps
    world.look(target)
    assert state(world, target, world.ann) is EffectState.ENDED


class _None:
    def names(self) -> tuple[str, ...]:
        return ()

    def load(self, name: str) -> None:
        return None


@pytest.mark.parametrize("moved", [{"host": "elsewhere"}, {"each": "yes"}])
def test_a_target_in_which_somebody_has_access_is_not_moved_away(world: World, moved: dict[str, str]) -> None:
    target, server = world.target()
    rule = world.rule(target)
    ann = world.name_in_target(world.ann)
    ok(world.give(world.ann, TEAMS, ASSIGNMENT, permanent=True))
    world.look(target)
    caller = world.caller(world.ga)
    refused = manage.update(world.deps, caller, target, Desired(settings=moved))
    assert isinstance(refused, Refusal)
    assert server.may(ann, ADMIN)
    assert manage.remove_rule(world.deps, caller, target, rule) is None
    world.look(target)
    assert not server.may(ann, ADMIN)
    assert not isinstance(manage.update(world.deps, caller, target, Desired(settings=moved)), Refusal)


def test_one_privilege_of_one_server_is_one_targets(world: World) -> None:
    """Two would take what the other gives for what somebody else gave."""
    target, _ = world.target(managed=("payroll_admin", "reader"))
    caller = world.caller(world.ga)

    def second(host: str, *managed: str) -> Any:
        desired = Desired(name="second", settings={"host": host}, subject="{localPart}", managed=managed)
        return manage.create(world.deps, caller, "twin", desired)

    refused = second("PAYROLL.", "writer", "payroll_admin")
    assert isinstance(refused, Refusal)
    assert refused.member == "managed"
    assert "payroll manages payroll_admin of this server already" in refused.message
    other = ok(second("payroll", "writer")).target.id
    more = manage.update(world.deps, caller, other, Desired(managed=("writer", "reader")))
    assert isinstance(more, Refusal)
    elsewhere = ok(manage.update(world.deps, caller, other, Desired(settings={"host": "other"})))
    assert not isinstance(
        manage.update(world.deps, caller, elsewhere.target.id, Desired(managed=("reader",))), Refusal
    )
    back = manage.update(world.deps, caller, other, Desired(settings={"host": "payroll"}))
    assert isinstance(back, Refusal), "nor by being moved there"
    ok(manage.update(world.deps, caller, target, Desired(managed=("payroll_admin",))))
    ok(manage.update(world.deps, caller, other, Desired(settings={"host": "payroll"})))
