"""PostgreSQL and MariaDB as targets: how soon an activation can be used and its end is felt, through the engine, the reconciler and
the proof by reading it back; and ten thousand ends in the same second on PostgreSQL.

Beside each: the same statements alone, over one connection that does nothing else. Every change is on the disk before it is
answered. The person who tries is signed in all the time; the end is felt in a session that did SET ROLE.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from bench.figures import Figure
from bench.processes import spent
from bench.sizes import Sizes
from openpim.core.connecting import Edge, Op, OpKind
from openpim.ports.connector import Connector, Fence
from openpim.store.migrate import upgrade
from tests.connectors.following import Follower
from tests.connectors.mariadb import conftest as my
from tests.connectors.mariadb.server import PASSWORD as MY_PASSWORD
from tests.connectors.mariadb.server import Server, missing
from tests.connectors.postgresql import conftest as pg
from tests.connectors.postgresql.cluster import PASSWORD as PG_PASSWORD
from tests.connectors.postgresql.cluster import Cluster, releases
from tests.world import ASSIGNMENT, TEAMS, World, ok

GOAL = 1.5
_ROLE = pg.MANAGED[0]
_FLOOR = "floor_wall_s"


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    times, many = max(sizes.lists, 5), min(10_000, sizes.people[-1])
    figures: list[Figure] = []
    if found := releases():
        major = min(found, key=int)
        cluster = Cluster(found[major], durable=True)
        try:
            pg.set_up(cluster, int(major))
            rig = pg.Rig(cluster, "membership")
            figures += _one(_Postgres(cluster), _world(folder, "pg"), rig, "postgresql", PG_PASSWORD, times)
            alone = _many(cluster, rig, many, sizes.rounds)
            figures += [*alone, *_many_reconciled(cluster, rig, _world(folder, "many"), many, alone)]
        finally:
            cluster.remove()
    if not missing():
        server = Server(durable=True)
        try:
            my.set_up(server)
            figures += _one(
                _Maria(server), _world(folder, "my"), my.Rig(server), "mariadb", MY_PASSWORD, times
            )
        finally:
            server.remove()
    return figures


def _world(folder: Path, name: str) -> World:
    url = f"sqlite:///{folder / name}.sqlite3"
    upgrade(url)
    return World(url, start=datetime.now(UTC))


# ------------------------------------------------------------------------------------------ one at a time


class _Postgres:
    title = "PostgreSQL"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.bare = psycopg.connect(
            host=str(cluster.folder), port=cluster.port, user="postgres", dbname="postgres", autocommit=True
        )

    def person(self, name: str) -> None:
        self.cluster.sql(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{name}''s'")

    def session(self, name: str) -> Any:
        return self.cluster.sign_in(name)

    def can(self, session: Any) -> bool:
        try:
            session.execute(f'SELECT * FROM "of {_ROLE}"')
        except psycopg.Error:
            return False
        return True

    def become(self, session: Any) -> None:
        session.execute(f"SET ROLE {_ROLE}")

    def give(self, name: str) -> None:
        self.bare.execute(f'GRANT {_ROLE} TO "{name}"')

    def take(self, name: str) -> None:
        self.bare.execute(f'REVOKE {_ROLE} FROM "{name}"')
        self.bare.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (name,)
        )


class _Maria:
    title = "MariaDB"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.bare = pymysql.connect(
            unix_socket=str(server.folder / "socket"), user="pim", password=MY_PASSWORD, autocommit=True
        )

    def person(self, name: str) -> None:
        self.server.sql(f"CREATE USER `{name}`@`%` IDENTIFIED BY '{name}''s'")

    def session(self, name: str) -> Any:
        return self.server.sign_in(name)

    def can(self, session: Any) -> bool:
        try:
            self._do(session, f"SET ROLE {_ROLE}", "SELECT * FROM pay.of_0")
        except pymysql.MySQLError:
            try:
                self._do(session, "SELECT * FROM pay.of_0")
            except pymysql.MySQLError:
                return False
        return True

    def become(self, session: Any) -> None:
        self._do(session, f"SET ROLE {_ROLE}")

    def give(self, name: str) -> None:
        at = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
        body = f"BEGIN REVOKE {_ROLE} FROM `{name}`@`%`; KILL USER `{name}`; END"
        self._do(self.bare, f"CREATE OR REPLACE EVENT openpim.bare ON SCHEDULE AT '{at}' DO {body}")
        self._do(self.bare, f"GRANT {_ROLE} TO `{name}`@`%`")

    def take(self, name: str) -> None:
        self._do(
            self.bare, f"REVOKE {_ROLE} FROM `{name}`@`%`", "DROP EVENT openpim.bare", f"KILL USER `{name}`"
        )

    def _do(self, connection: Any, *statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _one(side: Any, world: World, rig: Any, kind: str, password: str, times: int) -> list[Figure]:
    """From the person's own call: the engine, the reconciler with its records, the target, and the person's own try."""
    follower = Follower(world, kind, rig.settings, {"password": password}, rig.managed)
    name = world.name_in_target(world.ann)
    side.person(name)
    world.eligible(world.ann, permanent=True)
    follower.look()
    taken: dict[str, list[float]] = {"begin": [], "end": [], "bare begin": [], "bare end": []}

    def begin() -> None:
        ok(world.activate(world.ann, hours=1))
        assert not follower.look()

    def end() -> None:
        ok(world.deactivate(world.ann))
        assert not follower.look()

    for first, last, which in (
        (begin, end, ""),
        (lambda: side.give(name), lambda: side.take(name), "bare "),
    ) * times:
        with closing(side.session(name)) as session:
            taken[f"{which}begin"].append(_until(first, lambda session=session: side.can(session)))
            side.become(session)
            world.forward(minutes=6)
            taken[f"{which}end"].append(_until(last, lambda session=session: not side.can(session)))
    follower.held.drop()
    world.close()
    side.bare.close()
    aim = {"begin": "p99 <= 250 ms", "end": "p99 <= 1 s"}
    return [
        Figure(
            f"{side.title}: {part} to {what}",
            "ms",
            statistics.median(taken[part]),
            statistics.median(taken[f"bare {part}"]),
            "the same statements alone",
            aim=aim[part],
            more={
                "p99": round(_p99(taken[part]), 3),
                "floor_p99": round(_p99(taken[f"bare {part}"]), 3),
                "times": float(times),
            },
        )
        for part, what in (("begin", "usable"), ("end", "unusable"))
    ]


def _until(act: Callable[[], None], seen: Callable[[], bool]) -> float:
    began = time.perf_counter()
    act()
    while not seen():
        pass
    return (time.perf_counter() - began) * 1000


def _p99(values: list[float]) -> float:
    return sorted(values)[max(int(len(values) * 0.99) - 1, 0)]


# -------------------------------------------------------------------------------------- ten thousand at once


def _many(cluster: Cluster, rig: pg.Rig, many: int, rounds: int) -> list[Figure]:
    """A B A B: ours with the end of sessions and the proof by reading back; the floor is one transaction of REVOKEs of a
    thousand each, and one read."""
    people = [f"many{number}" for number in range(many)]
    cluster.sql("; ".join(f"CREATE ROLE {one} LOGIN" for one in people))
    edges = [Edge(one, _ROLE) for one in people]
    grants, revokes = ([Op(kind, edge) for edge in edges] for kind in (OpKind.GRANT, OpKind.REVOKE))
    connector = rig.open()
    connector.read()
    taken: dict[str, list[tuple[float, float]]] = {"begin": [], "end": [], "bare begin": [], "bare end": []}
    with psycopg.connect(
        host=str(cluster.folder), port=cluster.port, user="postgres", dbname="postgres"
    ) as bare:
        theirs = [one for (one,) in cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'pim'")]
        for _ in range(rounds + 1):
            taken["begin"].append(spent(lambda: _apply(connector, grants), *theirs))
            assert len(connector.read().edges) == many
            taken["end"].append(spent(lambda: _end(connector, revokes), *theirs))
            alone = bare.info.backend_pid
            taken["bare begin"].append(spent(lambda: _send(bare, "GRANT {} TO {}", people), alone))
            taken["bare end"].append(spent(lambda: _send(bare, "REVOKE {} FROM {}", people), alone))
    connector.close()
    for at in range(0, many, 500):  # each takes a lock
        cluster.sql("; ".join(f"DROP ROLE {one}" for one in people[at : at + 500]))
    cpu, wall = (
        {name: statistics.median(one[which] for one in found[1:]) for name, found in taken.items()}
        for which in (0, 1)
    )
    return [
        Figure(
            f"PostgreSQL: {many:,} at once {part}",
            "s CPU",
            cpu[part],
            cpu[f"bare {part}"],
            "the same statements alone",
            GOAL if part == "end" else None,
            more={"wall_s": round(wall[part], 4), _FLOOR: round(wall[f"bare {part}"], 4)},
        )
        for part in ("begin", "end")
    ]


def _many_reconciled(
    cluster: Cluster, rig: pg.Rig, world: World, many: int, alone: list[Figure]
) -> list[Figure]:
    """A role of a group of so many ends: the look that takes it from all of them, with each one's record and proof."""
    people = [f"Many{number}" for number in range(many)]
    follower = Follower(world, "postgresql", rig.settings, {"password": PG_PASSWORD}, rig.managed)
    ids = [world.user(name) for name in people]
    cluster.sql("; ".join(f'CREATE ROLE "{world.name_in_target(one)}" LOGIN' for one in ids))
    group = world.group("many", ids)
    ok(world.give(group, TEAMS, ASSIGNMENT, hours=1))
    begin = _seconds(lambda: _fine(follower))
    world.forward(hours=1)
    gone: list[float] = []
    started = time.perf_counter()
    sever = _watched(follower, lambda: gone.append(time.perf_counter() - started))
    end = _seconds(lambda: _fine(follower))
    del sever
    follower.held.drop()
    world.close()
    given, ended = (one.more[_FLOOR] for one in alone)
    what = "the same statements alone"
    return [
        Figure(f"PostgreSQL: a look that gives {many:,}", "s", begin, given, what),
        Figure(f"PostgreSQL: a look that ends {many:,}, withdrawn", "s", gone[0], ended, what),
        Figure(f"PostgreSQL: a look that ends {many:,}, on record", "s", end, ended, what),
    ]


def _watched(follower: Follower, told: Callable[[], None]) -> Any:
    """Told when the last has been taken away: the reconciler ends sessions next."""
    connector = follower.held._connector  # noqa: SLF001
    sever = connector.sever

    def first(*arguments: Any) -> Any:
        told()
        return sever(*arguments)

    connector.sever = first
    return sever


def _fine(follower: Follower) -> None:
    assert not follower.look()


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _apply(connector: Connector, ops: list[Op]) -> None:
    assert not [one for one in connector.apply(ops, _fence()) if one.error]


def _end(connector: Connector, revokes: list[Op]) -> None:
    _apply(connector, revokes)
    assert not [one for one in connector.sever([op.edge for op in revokes], [], _fence()) if one.error]
    assert not connector.read().edges


def _send(bare: psycopg.Connection[Any], statement: str, people: list[str]) -> None:
    for at in range(0, len(people), 1000):
        bare.execute(statement.format(_ROLE, ", ".join(people[at : at + 1000])))
    bare.commit()
    if statement.startswith("REVOKE"):  # is anybody signed in?
        bare.execute("SELECT pid, usename FROM pg_stat_activity WHERE usename IS NOT NULL").fetchall()
    bare.execute("SELECT member FROM pg_auth_members").fetchall()
    bare.commit()


def _fence() -> Fence:
    return Fence(1, datetime.now(UTC) + timedelta(minutes=5))
