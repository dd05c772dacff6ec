"""An exception after every statement, at the commit, and after the commit of every act: the state is the old one or the
new one, never half of it; and doing it again leads where one undisturbed act leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from openpim.core.grants import Action, Provider
from openpim.core.refusals import Refusal
from openpim.services import due, role_assignments, timeouts
from openpim.services.directory.delete_group import delete_group
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.group_members import remove_member
from openpim.services.resources import shaping
from openpim.store.database import Database
from tests.faces.arm.client import READER as READER_THERE
from tests.faces.arm.client import Arm
from tests.services.groups import GroupWorld
from tests.world import ASSIGNMENT, DENY, ELIGIBILITY, READER, World, ok


class CrashError(Exception):
    """The process is gone, as far as the unit of work is concerned."""


@contextmanager
def crashing(database: Database, statement: int) -> Iterator[list[int]]:
    """Fail after this many statements of the writing connection; the commit counts as one. Yields the count."""
    count = [0]

    def tick(*_: Any) -> None:
        count[0] += 1
        if count[0] == statement:
            raise CrashError

    event.listen(database.engine, "after_cursor_execute", tick)
    event.listen(database.engine, "commit", tick)
    try:
        yield count
    finally:
        event.remove(database.engine, "after_cursor_execute", tick)
        event.remove(database.engine, "commit", tick)


@dataclass(frozen=True)
class Story:
    """prepare makes a world ready; act is the one act under test."""

    name: str
    prepare: Callable[[World], Any]
    act: Callable[[World, Any], Any]


def active(world: World) -> Any:
    world.eligible(world.ann, hours=9)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)
    return request


def asked(world: World) -> Any:
    world.approval(world.bob, timeout_minutes=60)
    world.eligible(world.ann)
    return ok(world.activate(world.ann, hours=1))


def waiting(world: World) -> Any:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=1))
    world.forward(hours=1)
    return request


def over(world: World) -> Any:
    request = active(world)
    world.forward(hours=1)
    return request


def late(world: World) -> Any:
    request = asked(world)
    world.forward(hours=1)
    return request


def team(world: World) -> Any:
    inner = world.group("inner", [world.ann])
    world.eligible(inner)
    ok(world.activate(world.ann, hours=1))
    return inner


def orphaned(world: World) -> Any:
    request = asked(world)
    world.disable(world.bob)
    return request


def member(world: World) -> Any:
    """In a group for a while, and what that carries active: a role of the directory."""
    groups, group = GroupWorld(world), world.group("crew")
    ok(groups.give(group, world.ann, kind=ASSIGNMENT, hours=9))
    world.eligible(group)
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)
    return groups, group


def may_join(world: World) -> Any:
    groups, group = GroupWorld(world), world.group("crew")
    ok(groups.give(group, world.ann))
    return groups, group


def asked_to_join(world: World) -> Any:
    groups, group = may_join(world)
    groups.approval(group, world.bob)
    return ok(groups.activate(group, world.ann, hours=1))


def tree(world: World) -> Arm:
    arm = Arm(world)
    arm.plant()
    arm.eligible(world.ann, READER_THERE, arm.it)
    return arm


def ask_there(arm: Arm, action: Action, scope: str, **more: Any) -> Any:
    ask = arm.world.ask(action, arm.world.ann, READER_THERE, scope, **more)
    return arm.world.submit(replace(ask, provider=Provider.RESOURCE), arm.world.ann)


def busy(world: World) -> Arm:
    """Active at one place, waiting for a decision about another, and eligible at both."""
    arm = tree(world)
    arm.eligible(world.ann, READER_THERE, arm.web)
    arm.approval(READER_THERE, arm.web, world.bob)
    ok(ask_there(arm, Action.SELF_ACTIVATE, arm.data, hours=1))
    arm.asked = ok(ask_there(arm, Action.SELF_ACTIVATE, arm.web, hours=1))  # type: ignore[attr-defined]
    world.forward(minutes=6)
    return arm


def system_of(arm: Arm) -> tuple[Any, Any]:
    return arm.world.deps, arm.world.system


NOTHING = lambda world: None  # noqa: E731
OTHER_PROVIDERS = [
    Story("join for a while", may_join, lambda w, made: made[0].activate(made[1], w.ann, hours=1)),
    Story("end a membership", member, lambda w, made: made[0].take(made[1], w.ann, kind=ASSIGNMENT)),
    Story("approve a membership", asked_to_join, lambda w, request: w.review(request, w.bob)),
    Story(
        "a group's settings",
        may_join,
        lambda _, made: made[0].policy(made[1], activation_requires=frozenset()),
    ),
    Story(
        "activate further down", tree, lambda _, arm: ask_there(arm, Action.SELF_ACTIVATE, arm.vm, hours=1)
    ),
    Story("give it back", busy, lambda _, arm: ask_there(arm, Action.SELF_DEACTIVATE, arm.data)),
    Story("approve in the tree", busy, lambda w, arm: w.review(arm.asked, w.bob)),
    Story("move a place", busy, lambda _, arm: shaping.move(*system_of(arm), arm.prod, arm.hr)),
    Story("remove a place", busy, lambda _, arm: shaping.delete(*system_of(arm), arm.prod)),
]
STORIES = [
    Story("assign", NOTHING, lambda w, _: w.give(w.ann, permanent=True)),
    Story("assign actively", NOTHING, lambda w, _: w.give(w.ann, kind=ASSIGNMENT, hours=1)),
    Story(
        "assign for later",
        NOTHING,
        lambda w, _: w.give(w.ann, start=w.now + timedelta(days=1), permanent=True),
    ),
    Story("update", active, lambda w, _: w.give(w.ann, action=Action.ADMIN_UPDATE, minutes=20)),
    Story("extend", active, lambda w, _: w.give(w.ann, action=Action.ADMIN_EXTEND, days=9)),
    Story("remove", active, lambda w, _: w.take(w.ann)),
    Story("remove actively", active, lambda w, _: w.take(w.ann, kind=ASSIGNMENT)),
    Story("activate", lambda w: w.eligible(w.ann), lambda w, _: w.activate(w.ann, hours=1)),
    Story(
        "activate later",
        lambda w: w.eligible(w.ann),
        lambda w, _: w.activate(w.ann, start=w.now + timedelta(hours=1), hours=1),
    ),
    Story(
        "ask",
        lambda w: (w.approval(w.bob), w.eligible(w.ann)),
        lambda w, _: w.activate(w.ann, hours=1),
    ),
    Story("deactivate", active, lambda w, _: w.deactivate(w.ann)),
    Story("prolong", active, lambda w, _: w.extend(w.ann, hours=2)),
    Story(
        "ask for an extension",
        lambda w: w.eligible(w.ann, days=3),
        lambda w, _: w.extend(w.ann, kind=ELIGIBILITY, days=9),
    ),
    Story("approve", asked, lambda w, request: w.review(request, w.bob)),
    Story("deny", asked, lambda w, request: w.review(request, w.bob, DENY)),
    Story("cancel", asked, lambda w, request: w.cancel(request, w.ann)),
    Story("refuse", NOTHING, lambda w, _: w.activate(w.ann, hours=1)),
    Story("expire", over, lambda w, _: due.expire(w.deps, w.tenant_id)),
    Story("start", waiting, lambda w, _: due.start(w.deps, w.tenant_id)),
    Story("time out", late, lambda w, _: timeouts.settle_approvals(w.deps, w.tenant_id)),
    Story("approve too late", late, lambda w, request: w.review(request, w.bob)),
    Story("fall back", orphaned, lambda w, _: timeouts.check_reviewers(w.deps, w.tenant_id)),
    Story("settings", NOTHING, lambda w, _: w.policy(activation_requires=frozenset())),
    Story(
        "outside", NOTHING, lambda w, _: role_assignments.create(w.deps, w.caller(w.ga), READER, w.ann, "/")
    ),
    Story("leave a group", team, lambda w, inner: remove_member(w.deps, w.system, inner, w.ann)),
    Story("delete a group", team, lambda w, inner: delete_group(w.deps, w.system, inner)),
    Story("delete a person", active, lambda w, _: delete_user(w.deps, w.system, w.ann)),
    *OTHER_PROVIDERS,
]


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_old_or_new_never_half(shared_database: Database, story: Story) -> None:
    world = World(shared_database)
    prepared = story.prepare(world)
    old = world.snapshot()
    held = world.holds(world.ann)
    statement = 0
    while True:
        statement += 1
        with crashing(world.database, statement) as count:
            try:
                outcome = story.act(world, prepared)
            except CrashError:
                assert world.snapshot() == old, f"half of it is there after statement {statement}"
                assert world.holds(world.ann) is held
                continue
        assert count[0] < statement, "the failure did not come through"
        break
    assert statement > 3
    assert world.snapshot() != old
    if story.name not in {"refuse", "approve too late"}:
        ok(outcome)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_answer_is_lost_after_the_commit(shared_database: Database, story: Story) -> None:
    """The client asks again: nothing is done twice, and what it is told is true."""
    world = World(shared_database)
    prepared = story.prepare(world)
    write = world.database.write
    lost = []

    class Losing:
        read = world.database.read

        @staticmethod
        def write(tenant_id: str, work: Any) -> Any:
            lost.append(write(tenant_id, work))
            raise CrashError

    whole = world.deps
    world.deps = replace(whole, store=Losing)
    with pytest.raises(CrashError):
        story.act(world, prepared)
    assert len(lost) == 1
    world.deps = whole
    new = world.everything("schedules")
    outcome = story.act(world, prepared)
    again = story.name in {"settings", "a group's settings", "update", "extend", "move a place"}
    assert again or isinstance(outcome, Refusal) or outcome in {0, None}, outcome
    if story.name not in {"update", "extend"}:
        assert world.everything("schedules") == new


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["", "before", "after"])
def test_a_look_at_a_target_at_every_statement(own_world: World, failure: str) -> None:
    """Whatever fails, the target agrees in the end: for the grant, and for its end."""
    world = own_world
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ann = world.name_in_target(world.ann)
    for wanted in (True, False):
        ok(world.activate(world.ann, hours=8)) if wanted else ok(world.deactivate(world.ann))
        server.failures = [failure] if failure else []
        statement = 0
        done = False
        while not done:
            statement += 1
            with crashing(world.database, statement):
                try:
                    world.look(target)
                    done = server.may(ann, "payroll_admin") is wanted and not server.failures
                except CrashError:
                    pass
            record = {one.edge.name for one in world.read(lambda tx: tx.effects.of_target(target, over=True))}
            assert server.edges.keys() <= record, "what is given is on record before"
            world.forward(minutes=2)
            assert statement < 100
        world.look(target)
        assert server.may(ann, "payroll_admin") is wanted
        (effect,) = world.read(lambda tx: tx.effects.of_target(target, over=True))
        assert effect.state.value == ("effective" if wanted else "ended")
