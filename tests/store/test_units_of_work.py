"""Units of work: all or nothing, run again when the database asks for it, and an honest error when it is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from openpim.core.grants import Kind, Provider
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.ports.store import StoreUnavailableError
from openpim.store.database import Database
from tests.plans import noted
from tests.world import World


def test_all_or_nothing(world: World) -> None:
    class StopError(Exception):
        pass

    def work(tx):
        tx.users.remove(world.ann, world.now)
        raise StopError

    with pytest.raises(StopError):
        world.write(work)
    assert world.read(lambda tx: tx.users.get(world.ann)) is not None


def test_a_part_can_be_undone(world: World) -> None:
    def work(tx):
        tx.users.remove(world.ann, world.now)
        with tx.savepoint() as point:
            tx.users.remove(world.bob, world.now)
            with tx.savepoint() as inner:
                tx.users.remove(world.cyd, world.now)
            assert not inner.rolled_back
            point.roll_back()
        assert point.rolled_back
        with tx.savepoint():
            tx.users.remove(world.dan, world.now)

    world.write(work)
    left = [name for name, id in world.people.items() if world.read(lambda tx, id=id: tx.users.get(id))]
    assert left == ["bob", "cyd"]


def test_an_error_in_a_part_undoes_all(world: World) -> None:
    def work(tx):
        tx.users.remove(world.ann, world.now)
        with tx.savepoint():
            raise KeyError

    with pytest.raises(KeyError):
        world.write(work)
    assert world.read(lambda tx: tx.users.get(world.ann)) is not None


SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@SQLITE
def test_readers_cannot_write_on_sqlite(world: World) -> None:
    with pytest.raises(StoreUnavailableError):
        world.read(lambda tx: tx.users.remove(world.ann, world.now))


def test_the_same_row_twice_is_an_error_not_an_endless_loop(world: World) -> None:
    tenant = world.read(lambda tx: tx.tenants.current())
    runs = []

    def work(tx):
        runs.append(1)
        tx.tenants.add(tenant)

    with pytest.raises(IntegrityError):
        world.write(work)
    assert len(runs) <= 4


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_who_runs_into_a_deadlock_is_run_again(world: World) -> None:
    barrier = Barrier(2, timeout=60)
    runs: list[str] = []

    def locking(first: str, second: str):
        def work(tx):
            runs.append(first)
            tx.lock_principal(first)
            if len(runs) <= 2:
                barrier.wait()
            tx.lock_principal(second)
            return first

        return world.write(work)

    with ThreadPoolExecutor(2) as pool:
        found = [
            pool.submit(locking, world.ann, world.bob),
            pool.submit(locking, world.bob, world.ann),
        ]
        assert {future.result() for future in found} == {world.ann, world.bob}
    assert len(runs) >= 3, (
        "who was run again may be quicker than who waited for him, and then it is done once more"
    )


def test_many_are_locked_in_one_order(world: World) -> None:
    everybody = list(world.people.values())

    def work(ids):
        for _ in range(5):
            world.write(lambda tx: tx.lock_principals(ids))
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, (everybody, list(reversed(everybody)))))


def test_a_database_that_is_away() -> None:
    for url in ("sqlite:////nowhere/at/all.db", "postgresql://nobody@/nothing?host=/nowhere"):
        database = Database(url)
        for ask in (database.read, database.write):
            with pytest.raises(StoreUnavailableError):
                ask("t", lambda tx: tx.tenants.all())
        database.close()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_connection_that_was_cut_is_opened_again(own_world: World) -> None:
    """The server was restarted while nobody asked anything."""
    world = own_world

    def others(tx) -> None:
        tx.connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        ).all()

    world.read(lambda tx: tx.users.get(world.ann))
    killer = Database(world.database.url.render_as_string(hide_password=False))
    killer.write("", others)
    killer.close()
    assert world.read(lambda tx: tx.users.get(world.ann)) is not None
    assert world.eligible(world.ann).schedule_id


@SQLITE
def test_sqlite_is_safe_after_a_crash(world: World) -> None:
    def pragma(name: str):
        return world.write(lambda tx: tx.connection.execute(text(f"PRAGMA {name}")).scalar())

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL


def test_who_only_reads_is_told_once(world: World) -> None:
    def ask(tx):
        me = frozenset({world.ann}) | tx.groups.groups_of(world.ann, world.now)
        found = tx.schedules.of(me, live_at=world.now)
        found.clear()  # what one gets is one's own
        return tx.tenants.current(), len(tx.schedules.of(me, live_at=world.now))

    world.eligible(world.ann)
    with noted(world.database) as first:
        world.read(ask)
    with noted(world.database) as twice:
        tenant, count = world.read(lambda tx: (ask(tx), ask(tx))[1])
    assert len(twice) == len(first) == 3
    assert tenant is not None
    assert count == 1


def test_acts_that_are_gathered_are_told_nothing_twice(world: World) -> None:
    """And what is said of one tenant, one moment or one kind of grant is not said of another."""
    watch = world.group("Watch", [world.ann])
    may_be = world.eligible(world.ann)
    held = world.assigned(world.ann, days=30)
    who, now = {world.ann, watch}, world.now

    def ask(tx):
        return (
            tx.users.get(world.ann),
            tx.groups.get(watch),
            tx.principals.get(world.ann),
            tx.groups.groups_of(world.ann, now),
            [one.id for one in tx.schedules.of(who, kind=Kind.ASSIGNMENT, live_at=now)],
        )

    gathered = world.database.gathered()
    with noted(world.database) as first:
        told = gathered.read(world.tenant_id, ask)
    with noted(world.database) as twice:
        assert gathered.read(world.tenant_id, ask) == told
        narrower = gathered.read(
            world.tenant_id,
            lambda tx: [
                tx.schedules.of(who, kind=Kind.ASSIGNMENT, live_at=now, **part)
                for part in (
                    {"provider": Provider.DIRECTORY},
                    {"role_id": held.role_id, "scopes": [held.scope]},
                    {"provider": Provider.GROUP},
                    {"role_id": GLOBAL_ADMINISTRATOR},
                    {"scopes": ["/elsewhere"]},
                )
            ],
        )
    assert told[-1] == [held.schedule_id]
    assert [[one.id for one in found] for found in narrower] == [
        [held.schedule_id],
        [held.schedule_id],
        [],
        [],
        [],
    ]
    assert len(first) == 5
    assert not twice

    elsewhere = gathered.read("another tenant", ask)
    assert elsewhere == (None, None, None, frozenset(), [])
    may = gathered.read(world.tenant_id, lambda tx: tx.schedules.of(who, kind=Kind.ELIGIBILITY, live_at=now))
    assert [one.id for one in may] == [may_be.schedule_id]
    ended = now + timedelta(days=400)
    assert not gathered.read(
        world.tenant_id, lambda tx: tx.schedules.of(who, kind=Kind.ASSIGNMENT, live_at=ended)
    )


def test_a_write_ends_what_was_told(world: World) -> None:
    gathered = world.database.gathered()
    assert gathered.read(world.tenant_id, lambda tx: tx.users.get(world.ann)) is not None
    gathered.write(world.tenant_id, lambda tx: tx.users.remove(world.ann, world.now))
    assert gathered.read(world.tenant_id, lambda tx: tx.users.get(world.ann)) is None
    assert gathered.read(world.tenant_id, lambda tx: tx.principals.get(world.ann)) is None


def test_who_writes_sees_what_he_has_written(world: World) -> None:
    group = world.group("Watch")

    def work(tx):
        before = tx.groups.groups_of(world.ann, world.now)
        tx.groups.add_member(group, tx.principals.get(world.ann))
        return before, tx.groups.groups_of(world.ann, world.now)

    before, after = world.write(work)
    assert group not in before
    assert group in after
