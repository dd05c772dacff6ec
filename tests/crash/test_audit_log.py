"""The audit log under processes that are killed, and under acts whose record cannot be written: each event that was said to
be there is in the log once, the history is proved, and nothing happens that is not on record."""

from __future__ import annotations

import random
from typing import Any

import pytest

from openpim.proof.history import History
from openpim.services import audit_check, audit_log, checkpoints, recording
from openpim.store.audit import Audit
from openpim.store.database import Database
from tests.crash.test_failing_statements import STORIES, CrashError, Story, crashing
from tests.crash.victims import Victim
from tests.world import World


def start(world: World, number: int) -> Victim:
    url = world.database.url.render_as_string(hide_password=False)
    return Victim("growing", url, world.tenant_id, str(number), world.now.isoformat())


def proved(world: World) -> History:
    keys = world.read(lambda tx: tx.checkpoints.log_keys())
    history = audit_check.check(
        world.deps, world.tenant_id, History(trusted=keys[0].key if keys else "", slack=10**9)
    )
    assert history.findings == []
    return history


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_growers_that_are_killed(own_world: World, seed: int) -> None:
    """Two at once; each is killed somewhere; another one goes on."""
    chance, world = random.Random(seed), own_world
    said: set[str] = set()
    for round_number in range(2):
        processes = [start(world, 9000 + 10 * seed + 2 * round_number + one) for one in range(2)]
        for process in processes:
            for _ in range(chance.randint(1, 60)):
                said.add(process.stdout.readline().strip())
            said |= {line.strip() for line in process.kill().splitlines() if len(line.strip()) == 36}
        world.forward(days=30)
    world.grow()
    kept = [leaf.event.id for leaf in world.read(lambda tx: tx.audit_log.since(0, 100_000))]
    assert len(kept) == len(set(kept)) == proved(world).size
    assert said <= set(kept)


@pytest.mark.slow
def test_growing_and_signing_fail_at_every_statement(own_world: World) -> None:
    world = own_world
    for number in range(300):
        world.write(
            lambda tx, number=number: recording.record(
                tx, world.deps, world.system, world.now, activity=f"Event {number}", category="Policy"
            )
        )
    for act in (audit_log.grow, checkpoints.sign_due):
        statement = 0
        while True:
            statement += 1
            before = world.read(
                lambda tx: (tx.audit_log.size(), tx.checkpoints.last(), len(tx.audit_log.waiting(9999)))
            )
            with crashing(world.database, statement) as count:
                try:
                    act(world.deps, world.tenant_id)
                except CrashError:
                    after = world.read(
                        lambda tx: (
                            tx.audit_log.size(),
                            tx.checkpoints.last(),
                            len(tx.audit_log.waiting(9999)),
                        )
                    )
                    assert after == before, f"half of it is there after statement {statement}"
                    continue
            assert count[0] < statement
            break
        assert statement > 3
        world.forward(minutes=10)
    world.grow()
    assert proved(world).size == len(world.events())


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_record_no_effect(shared_database: Database, story: Story, monkeypatch: Any) -> None:
    """The record cannot be written, whichever road: the act fails, and nothing has changed."""
    world = World(shared_database)
    prepared = story.prepare(world)
    old, held = world.snapshot(), world.holds(world.ann)

    class FullError(Exception):
        pass

    def full(*_: Any) -> None:
        raise FullError

    monkeypatch.setattr(Audit, "add", full)
    with pytest.raises(FullError):
        story.act(world, prepared)
    monkeypatch.undo()
    assert world.snapshot() == old
    assert world.holds(world.ann) is held


def test_with_every_worker_dead_everything_is_on_record_and_follows_later(own_world: World) -> None:
    world = own_world
    world.eligible(world.ann)
    for _ in range(3):
        world.activate(world.ann, minutes=10)
        world.forward(minutes=20)
    waiting = world.read(lambda tx: len(tx.audit_log.waiting(9999)))
    assert waiting == len(world.events()) > 3
    world.forward(days=3)
    world.work()
    assert world.sign() is not None
    world.grow()
    assert proved(world).size == len(world.events())
