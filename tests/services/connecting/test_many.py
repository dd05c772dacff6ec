"""A look at many at once: what has ended goes first, and what is written costs a few statements, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from openpim.core.connecting import EffectState, OpKind
from openpim.services.connecting import reconcile, telling
from tests.connectors.twin import TwinConnector
from tests.services.connecting.test_reconcile import state
from tests.world import ASSIGNMENT, TEAMS, World, ok


class Commits:
    """A store that counts."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.made = 0

    def write(self, tenant_id: str, work: Callable[[Any], Any]) -> Any:
        self.made += 1
        return self._store.write(tenant_id, work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    engines = (world.database.engine, world.database.reading_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield found
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_one_privilege_costs_two_commits(world: World) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    world.look(target)
    commits = Commits(world.deps.store)
    world.deps = replace(world.deps, store=commits)
    ok(world.activate(world.ann, hours=1))
    commits.made = 0
    world.look(target)
    assert server.may(world.name_in_target(world.ann), "payroll_admin")
    assert commits.made == 2, "the lease with what is to be given; and the proof"
    world.forward(hours=1)
    commits.made = 0
    world.look(target)
    assert state(world, target, world.ann) is EffectState.ENDED
    assert commits.made == 2


def test_many_that_end_cost_no_more_statements_than_few(world: World) -> None:
    spent = []
    for many in (3, 60):
        target, server = world.target(f"host{many}")
        world.rule(target)
        group = world.group(f"of {many}", [world.user(f"P{many}x{number}") for number in range(many)])
        ok(world.give(group, TEAMS, ASSIGNMENT, hours=1))
        world.look(target)
        assert len(server.edges) == many
        world.forward(hours=1)
        with statements(world) as found:
            world.look(target)
        assert not server.edges
        spent.append(len(found))
        told = [one for one in world.events() if one.activity == telling.ENDED]
        assert len([one for one in told if one.targets[0].id == target]) == many
    assert spent[1] <= spent[0] + 2


def test_what_has_ended_goes_before_anything_is_written_of_what_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "_CHUNK", 1)
    target, server = world.target()
    world.rule(target)
    for person in (world.ann, world.bob, world.cyd):
        world.eligible(person)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    world.forward(hours=1)
    ok(world.activate(world.bob, hours=1))
    ok(world.activate(world.cyd, hours=1))
    seen: list[tuple[OpKind, EffectState | None]] = []
    apply = TwinConnector.apply

    def watched(self: TwinConnector, ops: Any, fence: Any) -> Any:
        seen.append((ops[0].kind, state(world, target, world.bob)))
        return apply(self, ops, fence)

    monkeypatch.setattr(TwinConnector, "apply", watched)
    world.look(target)
    assert seen == [
        (OpKind.REVOKE, None),
        (OpKind.GRANT, EffectState.PENDING),
        (OpKind.GRANT, EffectState.PENDING),
    ]
    assert len(server.edges) == 2
