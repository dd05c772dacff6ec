"""Processes killed with `kill -9` at points of chance: what was said to be done is there, nothing is there by half, and
the workers that come after finish everything exactly once."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from openpim.core.lifecycle import ScheduleStatus
from openpim.services import due
from tests.connectors.twin import TwinServer
from tests.crash.disk_twin import disk_twin
from tests.crash.victims import Victim
from tests.world import ASSIGNMENT, World, ok

EXPIRED = "Remove member from role (PIM activation expired)"


def start(world: World, what: str, number: int, *people: str, twin: Path = Path()) -> Victim:
    url = world.database.url.render_as_string(hide_password=False)
    return Victim(
        "victim", what, url, world.tenant_id, str(number), world.now.isoformat(), str(twin), *people
    )


def nothing_by_half(world: World) -> None:
    """Each schedule has its request and its event; each end has one more."""
    told: Counter[str] = Counter()
    for event in world.events():
        told.update({target.id for target in event.targets if target.kind == "Request"})
    requests = {request.id: request for request in world.requests()}
    for one in world.schedules(ASSIGNMENT):
        assert requests[one.request_id].schedule_id == one.id
        ended = one.status in {ScheduleStatus.REVOKED, ScheduleStatus.EXPIRED}
        assert told[one.request_id] >= 1 + ended, one
    if world.database.dialect == "sqlite":
        with world.database.reading_engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def known_as_ours(world: World, target: str, server: TwinServer) -> None:
    """Whatever was given is on record: it was written down before it was given."""
    record = {one.edge.name for one in world.read(lambda tx: tx.effects.of_target(target, over=True))}
    assert server.edges.keys() <= record


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_while_people_activate(own_world: World, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    world = own_world
    people = [world.user(f"P{number}") for number in range(8)]
    for person in people:
        world.eligible(person)
    file = tmp_path / "twin.json"
    target, _ = world.target(end="none")
    world.rule(target)
    for round_number in range(2):
        process = start(world, "live", 5000 + 10 * seed + round_number, *people, twin=file)
        lines = chance.randint(1, 40)
        said = [process.stdout.readline().split() for _ in range(lines)]
        said += [line.split() for line in process.kill().splitlines() if line.count(" ")]

        # A new process opens the database, as after a restart.
        schedules = {one.id: one for one in world.schedules(ASSIGNMENT)}
        for words in said:
            if words[0] == "active":
                assert words[1] in schedules, "it was said to be active"
            if words[0] == "ended":
                assert schedules[words[1]].status is ScheduleStatus.REVOKED, "it was said to be ended"
        nothing_by_half(world)
        server = world.twins.servers["payroll"] = disk_twin(file)
        known_as_ours(world, target, server)
        world.forward(days=1)

    for _ in range(3):
        world.work()
        world.forward(minutes=6)
    nothing_by_half(world)
    assert not server.edges, "nothing outlives its end"
    for one in world.schedules(ASSIGNMENT):
        if one.linked_id is not None:
            assert one.status in {ScheduleStatus.EXPIRED, ScheduleStatus.REVOKED}
    expired = Counter(event.correlation_id for event in world.events(EXPIRED))
    wanted = [one.request_id for one in world.schedules(ASSIGNMENT) if one.status is ScheduleStatus.EXPIRED]
    assert expired == Counter(wanted), "each end is on record once"


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1, 2])
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_several_workers_record_each_end_once(own_world: World, killed: int) -> None:
    """Three processes; some are killed on the way; the rest, and this one, finish."""
    world = own_world
    people = [world.user(f"P{number}") for number in range(40)]
    requests = []
    for person in people:
        world.eligible(person)
        requests.append(ok(world.activate(person, hours=1)))
    world.forward(hours=1)
    workers = [start(world, "expire", 7000 + number) for number in range(3)]
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers[:killed]:
        worker.stdout.readline()
        worker.kill()
    for worker in workers[killed:]:
        worker.end()
    while due.expire(world.deps, world.tenant_id):
        pass
    expired = Counter(event.correlation_id for event in world.events(EXPIRED))
    assert expired == Counter(request.id for request in requests)
    nothing_by_half(world)
