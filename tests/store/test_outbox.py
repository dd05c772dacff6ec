"""The outbox: leases that one worker holds at a time, and a number that fences who finishes late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from openpim.store.outbox import outbox
from tests.world import World

TOPIC, KEY = "test", "k"


@pytest.fixture
def full(own_world: World) -> World:
    world = own_world
    for number in range(5):
        world.write(
            lambda tx, number=number: tx.outbox.put(world.new_id(), TOPIC, KEY, str(number), world.now)
        )
    return world


def claim(world: World, limit: int = 10, seconds: int = 60):
    until = world.now + timedelta(seconds=seconds)
    return world.write(lambda tx: tx.outbox.claim(TOPIC, KEY, world.now, until, limit))


def row(world: World, entry):
    return world.read(
        lambda tx: tx.connection.execute(outbox.select().where(outbox.c.id == entry.id)).mappings().one()
    )


def test_one_holder_at_a_time(full: World) -> None:
    first = claim(full, 3)
    second = claim(full, 3)
    assert (len(first), len(second)) == (3, 2)
    assert not {entry.id for entry in first} & {entry.id for entry in second}
    assert {entry.attempt for entry in first} == {1}
    assert {entry.tenant_id for entry in first} == {full.tenant_id}
    assert claim(full) == []


def test_not_before_it_is_due(full: World) -> None:
    claim(full)
    full.write(lambda tx: tx.outbox.put(full.new_id(), TOPIC, KEY, "later", full.now + timedelta(hours=1)))
    full.forward(hours=1, microseconds=-1)
    assert "later" not in {entry.payload for entry in claim(full)}
    full.forward(microseconds=1)
    assert "later" in {entry.payload for entry in claim(full)}


def test_other_topics_keys_and_tenants_are_left_alone(full: World) -> None:
    stranger = World(full.database)
    full.write(lambda tx: tx.outbox.put(full.new_id(), "other", KEY, "{}", full.now))
    full.write(lambda tx: tx.outbox.put(full.new_id(), TOPIC, "another", "{}", full.now))
    stranger.write(lambda tx: tx.outbox.put(stranger.new_id(), TOPIC, KEY, "{}", full.now))
    keys = full.read(lambda tx: tx.outbox.due_keys(TOPIC, full.now, 10))
    assert set(keys) == {(full.tenant_id, KEY), (full.tenant_id, "another"), (stranger.tenant_id, KEY)}
    assert {(one.topic, one.key, one.tenant_id) for one in claim(full)} == {(TOPIC, KEY, full.tenant_id)}
    left = full.read(lambda tx: tx.outbox.due_keys(TOPIC, full.now, 10))
    assert (full.tenant_id, KEY) not in left


def test_what_is_done_is_forgotten_after_a_while(full: World) -> None:
    (entry,) = claim(full, 1)
    full.write(lambda tx: tx.outbox.done(entry, full.now))
    full.forward(days=1)
    assert full.write(lambda tx: tx.outbox.forget(full.now - timedelta(days=2), (TOPIC,))) == 0
    assert full.write(lambda tx: tx.outbox.forget(full.now, (TOPIC,))) == 1


def test_a_lease_that_ran_out_goes_to_the_next(full: World) -> None:
    (entry,) = claim(full, 1)
    full.forward(seconds=60)
    again = next(one for one in claim(full) if one.id == entry.id)
    assert again.attempt == 2


@pytest.mark.parametrize("finish", ["done", "retry"])
def test_who_finishes_late_changes_nothing(full: World, finish: str) -> None:
    (late,) = claim(full, 1)
    full.forward(seconds=60)
    current = next(one for one in claim(full) if one.id == late.id)
    before = row(full, late)

    def end(entry):
        if finish == "done":
            return full.write(lambda tx: tx.outbox.done(entry, full.now))
        return full.write(lambda tx: tx.outbox.retry(entry, full.now, "no"))

    assert end(late) is False
    assert row(full, late) == before
    assert end(current) is True
    assert row(full, late) != before
    assert end(replace(current, attempt=3)) is False


def test_done_is_done(full: World) -> None:
    (entry,) = claim(full, 1)
    assert full.write(lambda tx: tx.outbox.done(entry, full.now))
    assert full.write(lambda tx: tx.outbox.done(entry, full.now)) is False
    assert full.write(lambda tx: tx.outbox.retry(entry, full.now, "no")) is False
    full.forward(days=1)
    assert entry.id not in {one.id for one in claim(full)}


def test_a_retry_waits_and_keeps_its_error(full: World) -> None:
    (entry,) = claim(full, 1)
    full.write(lambda tx: tx.outbox.retry(entry, full.now + timedelta(minutes=5), "e" * 900))
    assert row(full, entry)["error"] == "e" * 500
    full.forward(minutes=4)
    assert entry.id not in {one.id for one in claim(full, seconds=1)}
    full.forward(minutes=1)
    assert entry.id in {one.id for one in claim(full)}


def test_many_workers_share_the_work(full: World) -> None:
    for number in range(45):
        full.write(lambda tx, number=number: tx.outbox.put(full.new_id(), TOPIC, KEY, str(number), full.now))
    barrier = Barrier(5)

    def work(_: int) -> list[str]:
        barrier.wait()
        mine = []
        while entries := claim(full, 3):
            mine += [entry.id for entry in entries]
            for entry in entries:
                assert full.write(lambda tx, entry=entry: tx.outbox.done(entry, full.now))
        return mine

    with ThreadPoolExecutor(5) as pool:
        taken = [id for mine in pool.map(work, range(5)) for id in mine]
    # SKIP LOCKED may leave an entry to nobody for a moment; the next look finds it.
    while entries := claim(full):
        taken += [entry.id for entry in entries]
    assert len(taken) == len(set(taken)) == 50
