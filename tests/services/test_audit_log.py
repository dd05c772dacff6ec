"""The log follows what was committed: every event once, in one order, whoever grows it and whenever it commits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import delete, update

from openpim.core.audit import AuditEvent, leaf_bytes
from openpim.core.caller import system
from openpim.proof.merkle import Tree, leaf_hash, root_of
from openpim.services import audit_log, recording
from openpim.store.audit import events, queue
from tests.world import World, ok


def tell(world: World, *activities: str) -> list[str]:
    """Events of one unit of work."""

    def work(tx: Any) -> list[str]:
        return [
            recording.record(tx, world.deps, world.system, world.now, activity=activity, category="Policy").id
            for activity in activities
        ]

    return world.write(work)


def leaves(world: World) -> list[Any]:
    return world.read(lambda tx: tx.audit_log.since(0, 100_000))


def tree(world: World) -> Tree:
    size = world.read(lambda tx: tx.audit_log.size())
    return Tree(size, lambda level, number: world.read(lambda tx: tx.audit_log.tile(level, number)))


def whole(world: World) -> None:
    """Each event has one position, without gaps, and the tree is over just these leaves."""
    found = leaves(world)
    assert [leaf.position for leaf in found] == list(range(len(found)))
    assert sorted(leaf.event.id for leaf in found) == sorted(event.id for event in world.events())
    hashes = [leaf_hash(leaf_bytes(leaf.event, world.tenant_id)) for leaf in found]
    assert tree(world).root() == root_of(hashes)


def test_it_takes_in_all_that_was_committed(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert world.tenant_id in audit_log.behind(world.deps)
    assert world.grow() == len(world.events())
    assert world.tenant_id not in audit_log.behind(world.deps)
    whole(world)
    tell(world, *(f"Event {number}" for number in range(700)))
    assert audit_log.grow(world.deps, world.tenant_id) == audit_log.BATCH
    world.grow()
    whole(world)
    last = leaves(world)[-700:]
    assert [leaf.event.activity for leaf in last] == [f"Event {number}" for number in range(700)]


def test_followers_read_on_where_they_were(world: World) -> None:
    tell(world, "a", "b", "c")
    size = world.grow()
    read = world.read(lambda tx: tx.audit_log.since(size - 3, 2))
    assert [leaf.event.activity for leaf in read] == ["a", "b"]
    rest = world.read(lambda tx: tx.audit_log.since(read[-1].position + 1, 2))
    assert [leaf.event.activity for leaf in rest] == ["c"]
    assert world.read(lambda tx: tx.audit_log.since(size, 2)) == []


def test_the_history_tells_the_position(world: World) -> None:
    (event_id,) = tell(world, "a")
    assert world.read(lambda tx: tx.audit.get(event_id)).position is None
    assert world.read(lambda tx: tx.audit_log.position_of(event_id)) is None
    size = world.grow()
    assert world.read(lambda tx: tx.audit.get(event_id)).position == size - 1
    assert world.read(lambda tx: tx.audit_log.position_of(event_id)) == size - 1


def test_tenants_have_logs_of_their_own(world: World) -> None:
    other = World(world.database)
    before = other.grow()
    tell(world, "a")
    world.grow()
    assert other.read(lambda tx: tx.audit_log.size()) == before
    assert not {leaf.event.id for leaf in leaves(world)} & {leaf.event.id for leaf in leaves(other)}


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_what_commits_late_is_not_missed(own_world: World) -> None:
    """An event that was written first and committed last comes last, and comes."""
    world = own_world
    world.grow()
    written, committing = Event(), Event()

    def late(tx: Any) -> None:
        recording.record(tx, world.deps, world.system, world.now, activity="late", category="Policy")
        written.set()
        assert committing.wait(20)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(world.write, late)
        assert written.wait(20)
        tell(world, "early")
        world.grow()
        assert leaves(world)[-1].event.activity == "early"
        committing.set()
        writing.result()
    world.grow()
    assert [leaf.event.activity for leaf in leaves(world)[-2:]] == ["early", "late"]
    assert leaves(world)[-1].event.sequence < leaves(world)[-2].event.sequence
    whole(world)


def test_several_grow_at_once(own_world: World) -> None:
    world = own_world
    tell(world, *(f"Event {number}" for number in range(1200)))
    start = Barrier(4)

    def one() -> int:
        start.wait()
        done = 0
        while grown := audit_log.grow(world.deps, world.tenant_id):
            done += grown
        return done

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(one) for _ in range(4)]
        assert sum(each.result() for each in done) == len(world.events())
    whole(world)


def test_what_rolled_back_is_not_there(world: World) -> None:
    world.grow()
    before = len(leaves(world))

    def work(tx: Any) -> None:
        recording.record(tx, world.deps, world.system, world.now, activity="never", category="Policy")
        raise LookupError

    with pytest.raises(LookupError):
        world.write(work)
    world.grow()
    assert len(leaves(world)) == before
    whole(world)


# ---------------------------------------------------------------- what somebody else wrote


def alarms(world: World, activity: str) -> list[str]:
    return [event.targets[0].id for event in world.events(activity)]


def test_an_event_that_was_changed_before_it_is_in_the_log_raises_an_alarm(world: World) -> None:
    event_id, other = tell(world, "a", "b")
    world.write(
        lambda tx: tx.connection.execute(
            update(events).where(events.c.id == event_id).values(actor_name="somebody else")
        )
    )
    world.grow()
    assert alarms(world, audit_log.FORGED) == [event_id]
    assert world.read(lambda tx: tx.audit_log.position_of(other)) is not None
    whole(world)


def test_an_event_that_somebody_else_wrote_raises_an_alarm(world: World) -> None:
    forged = AuditEvent(world.new_id(), world.now, "Sign in", "Authentication", "success")
    world.write(lambda tx: tx.audit.add(forged))
    of_another_tenant = replace(forged, id=world.new_id())
    mac = world.deps.sealer.mac(recording.MAC_PURPOSE, leaf_bytes(of_another_tenant, "another"))
    world.write(lambda tx: tx.audit.add(replace(of_another_tenant, mac=mac)))
    world.grow()
    assert alarms(world, audit_log.FORGED) == [forged.id, of_another_tenant.id]
    whole(world)


def test_an_event_that_is_gone_before_it_is_in_the_log_raises_an_alarm(world: World) -> None:
    (event_id,) = tell(world, "a")
    world.write(lambda tx: tx.connection.execute(delete(events).where(events.c.id == event_id)))
    world.grow()
    assert alarms(world, audit_log.GONE) == [event_id]
    whole(world)


def test_an_event_that_waits_again_is_not_taken_twice(world: World) -> None:
    (event_id,) = tell(world, "a")
    size = world.grow()
    row = {"tenant_id": world.tenant_id, "event_id": event_id}
    world.write(lambda tx: tx.connection.execute(queue.insert().values(row)))
    assert world.grow() == size
    whole(world)


@pytest.mark.parametrize("column", ["targets", "details", "amr"])
@pytest.mark.parametrize(
    "nonsense", ["", "nonsense", "5", '[["a"]]', "[[1, 2, 3, [[]]]]", '{"a": "b"}', "[5]"]
)
def test_nonsense_in_a_record_does_not_stop_the_log(world: World, column: str, nonsense: str) -> None:
    (event_id,) = tell(world, "a")
    world.write(
        lambda tx: tx.connection.execute(
            update(events).where(events.c.id == event_id).values({column: nonsense})
        )
    )
    world.grow()
    assert alarms(world, audit_log.FORGED) == [event_id]
    whole(world)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "column", [one.name for one in events.c if one.name not in {"sequence", "tenant_id", "id"}]
)
@pytest.mark.parametrize("value", [b"\xff", 2**62, -(2**62), "9"])
def test_nor_do_values_of_another_type(world: World, column: str, value: Any) -> None:
    """SQLite takes anything in any column."""
    (event_id,) = tell(world, "a")
    world.write(
        lambda tx: tx.connection.exec_driver_sql(
            f"UPDATE audit_events SET {column} = ? WHERE id = ?", (value, event_id)
        )
    )
    world.grow()
    assert alarms(world, audit_log.FORGED) == [event_id]


def test_marks_are_made_by_the_key_file(world: World) -> None:
    (event_id,) = tell(world, "a")
    event = world.read(lambda tx: tx.audit.get(event_id))
    assert len(event.mac) == 32
    assert event.mac == world.deps.sealer.mac(recording.MAC_PURPOSE, leaf_bytes(event, world.tenant_id))
    assert system(world.tenant_id).principal_id == ""


# ---------------------------------------------------------------- cursors


def test_a_cursor_moves_for_one_only(world: World) -> None:
    def move(before: int, after: int) -> bool:
        return world.write(lambda tx: tx.cursors.move("follower", before, after, world.now))

    position = lambda: world.read(lambda tx: tx.cursors.position("follower"))  # noqa: E731
    assert position() == 0
    assert move(0, 3)
    assert not move(0, 4)
    assert position() == 3
    assert move(3, 9)
    assert not move(3, 5)
    assert position() == 9
    assert World(world.database).read(lambda tx: tx.cursors.position("follower")) == 0
    world.write(lambda tx: tx.cursors.drop("follower"))
    assert position() == 0
