"""A place is moved or removed at the very moment when somebody is given something in it: with real threads, each of the
two stopped in the middle of its work while the other tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from openpim.core.grants import Action, Kind, Provider
from openpim.core.query import Query
from openpim.core.refusals import Code, Refusal
from openpim.services import due, review, role_assignments
from openpim.services.resources import shaping
from openpim.store.schedules import Schedules
from tests.faces.arm.client import OWNER, READER, Arm
from tests.world import APPROVE, World, ok

A_MOMENT = 0.5  # seconds in which the other could do all it wants, were it not held up


@pytest.fixture
def arm(database_url: str) -> Iterator[Arm]:
    made = Arm(World(database_url))
    made.plant()
    yield made
    made.world.close()


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, first: Callable[[], Any], other: Callable[[], Any]
) -> tuple[Any, Any]:
    """Run `first`; when it comes to this function, let `other` try for a moment, then go on. Both outcomes."""
    begun, done = Event(), Event()
    real = getattr(where, name)

    def stopping(*arguments: Any, **more: Any) -> Any:
        begun.set()
        done.wait(A_MOMENT)
        return real(*arguments, **more)

    def second() -> Any:
        assert begun.wait(30)
        outcome = other()
        done.set()
        return outcome

    monkeypatch.setattr(where, name, stopping)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.submit(first), pool.submit(second)
        outcomes = one.result(60), two.result(60)
    monkeypatch.undo()
    return outcomes


def act(
    arm: Arm, action: Action, scope: str, by: Any, *, who: str, kind: Kind = Kind.ASSIGNMENT, **more: Any
) -> Any:
    ask = replace(arm.world.ask(action, who, READER, scope, kind=kind, **more), provider=Provider.RESOURCE)
    return arm.world.submit(ask, by)


def move(arm: Arm, parent: str) -> Any:
    return shaping.move(arm.world.deps, arm.world.caller(arm.owner), arm.prod, parent)


def remove(arm: Arm) -> Any:
    return shaping.delete(arm.world.deps, arm.world.caller(arm.owner), arm.web)


def live(arm: Arm, *scopes: str) -> list[Any]:
    now = arm.world.now
    return [
        one
        for kind in Kind
        for one in arm.world.read(
            lambda tx, kind=kind: tx.schedules.page(Provider.RESOURCE, kind, Query(limit=100), live_at=now)
        ).items
        if one.scope in scopes
    ]


@pytest.mark.parametrize("place", ["prod", "web", "vm"])
def test_a_move_ends_an_activation_that_was_being_made(arm: Arm, monkeypatch, place: str) -> None:
    ann, scope = arm.world.ann, getattr(arm, place)
    arm.eligible(ann, READER, arm.it)
    made, moved = meanwhile(
        monkeypatch,
        Schedules,
        "add",
        lambda: act(arm, Action.SELF_ACTIVATE, scope, ann, who=ann, hours=1),
        lambda: move(arm, arm.hr),
    )
    ok(moved)
    assert not live(arm, scope), made
    assert arm.get(scope, ann).status_code == 403


def test_an_activation_waits_for_a_move_that_is_being_made(arm: Arm, monkeypatch) -> None:
    ann = arm.world.ann
    arm.eligible(ann, READER, arm.it)
    moved, made = meanwhile(
        monkeypatch,
        shaping,
        "resettle",
        lambda: move(arm, arm.hr),
        lambda: act(arm, Action.SELF_ACTIVATE, arm.web, ann, who=ann, hours=1),
    )
    ok(moved)
    assert isinstance(made, Refusal)
    assert made.code is Code.ASSIGNMENT_MISSING
    assert not live(arm, arm.web)


def test_an_approval_and_a_move(arm: Arm, monkeypatch) -> None:
    world, ann = arm.world, arm.world.ann
    arm.eligible(ann, READER, arm.it)
    arm.approval(READER, arm.it, world.dan)
    asked = ok(act(arm, Action.SELF_ACTIVATE, arm.web, ann, who=ann, hours=1))
    _, moved = meanwhile(
        monkeypatch,
        Schedules,
        "add",
        lambda: review.review(world.deps, world.caller(world.dan), asked.id, None, APPROVE, "fine"),
        lambda: move(arm, arm.hr),
    )
    ok(moved)
    assert not live(arm, arm.web)


def test_a_start_that_has_come_and_a_move(arm: Arm, monkeypatch) -> None:
    world, ann = arm.world, arm.world.ann
    arm.eligible(ann, READER, arm.it)
    start = world.now.replace(hour=12)
    ok(act(arm, Action.SELF_ACTIVATE, arm.web, ann, who=ann, hours=1, start=start))
    world.at(start)
    _, moved = meanwhile(
        monkeypatch,
        due,
        "tell",
        lambda: due.start(world.deps, world.tenant_id),
        lambda: move(arm, arm.hr),
    )
    ok(moved)
    assert not live(arm, arm.web)


GIVING = {
    "eligible": lambda arm, who: act(
        arm, Action.ADMIN_ASSIGN, arm.web, arm.owner, who=who, kind=Kind.ELIGIBILITY, permanent=True
    ),
    "active": lambda arm, who: act(arm, Action.ADMIN_ASSIGN, arm.web, arm.owner, who=who, hours=9),
    "outside": lambda arm, who: role_assignments.create(
        arm.world.deps, arm.world.caller(arm.owner), OWNER, who, arm.web, Provider.RESOURCE
    ),
}


@pytest.mark.parametrize("how", GIVING)
def test_nothing_that_is_being_given_outlives_the_place(arm: Arm, monkeypatch, how: str) -> None:
    """Else it would be there again with the next place of that name."""
    bob = arm.world.bob
    give = GIVING[how]
    _, gone = meanwhile(monkeypatch, Schedules, "add", lambda: give(arm, bob), lambda: remove(arm))
    ok(gone)
    assert not live(arm, arm.web)
    arm.place(f"{arm.prod}/resourceGroups/web")
    assert not live(arm, arm.web)
    assert arm.get(arm.web, bob).status_code == 403


@pytest.mark.parametrize("how", GIVING)
def test_nothing_is_given_in_a_place_that_is_going(arm: Arm, monkeypatch, how: str) -> None:
    bob = arm.world.bob
    gone, given = meanwhile(
        monkeypatch, shaping, "forget", lambda: remove(arm), lambda: GIVING[how](arm, bob)
    )
    ok(gone)
    assert isinstance(given, Refusal)
    assert given.code is Code.SCOPE_MISSING
    assert not live(arm, arm.web)
