"""Servers and a real rsyslog killed with `kill -9` at points of chance: every event of the history arrives, in time, and a
repetition has the id and the position of the first time."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from openpim.core.streams import StreamKind
from openpim.services.streams import manage
from openpim.services.streams.manage import Wanted
from tests.crash.servers import Servers
from tests.free_ports import two_in_a_row
from tests.rsyslog import Rsyslog
from tests.world import World, ok


def happens(world: World, count: int) -> None:
    """Something to tell, while it is being sent."""
    for _ in range(count):
        world.eligible(world.user("Somebody"))


@pytest.mark.slow
@pytest.mark.parametrize(("queue", "tls", "overlap"), [("Direct", False, 0), ("LinkedList", True, 1000)])
def test_every_event_arrives_whoever_is_killed(
    own_world: World, queue: str, tls: bool, overlap: int, tmp_path: Path
) -> None:
    """Direct: without the overlap, so that only what the receiver has read to the end counts. LinkedList is a queue in
    the receiver's memory, lost with it: so some of what it had taken comes again."""
    chance = random.Random(queue)
    world = own_world
    log = Rsyslog(tmp_path, two_in_a_row(), queue=queue, tls=tls)
    url = world.database.url.render_as_string(hide_password=False)
    facts = (world.tenant_id, str(log.authority), str(overlap), str(time.time()))
    servers = Servers("streaming_victim", url, *facts)
    by = world.caller(world.ga)
    ok(
        manage.create(
            world.deps,
            by,
            StreamKind.SYSLOG,
            Wanted("siem", f"tls://siem.example.com:{log.port}"),
            from_beginning=True,
        )
    )
    address = log.address
    world.write(lambda tx: tx.connection.exec_driver_sql(f"UPDATE audit_streams SET address = '{address}'"))
    try:
        servers.start()
        servers.start()  # two at once
        log.start()
        for _ in range(2):
            happens(world, 15)
            time.sleep(chance.uniform(0, 0.3))
            log.freeze()
            happens(world, 10)
            time.sleep(0.3)
            log.kill()
            happens(world, 10)
            time.sleep(chance.uniform(0, 0.3))
            log.start()
            happens(world, 15)
            servers.kill()
            servers.start()
        happens(world, 5)
        wanted = {event.id for event in world.events()}
        ends = time.monotonic() + 60
        while {json.loads(line.text)["id"] for line in log.lines()} != wanted and time.monotonic() < ends:
            time.sleep(0.1)
    finally:
        servers.kill_all()
        log.kill()
    lines = [json.loads(line.text) for line in log.lines()]
    assert {one["id"] for one in lines} == wanted
    places = {(one["id"], one["position"]) for one in lines}
    assert len(places) == len(wanted), "a repetition is known by its id and its position"
    assert sorted(position for _, position in places) == list(range(len(wanted)))
    order = list(dict.fromkeys(one["position"] for one in lines))
    again = Counter(one["position"] for one in lines)
    assert max(again.values()) < 30, "not for ever the same"
    assert order == sorted(order), "the first time, in order"
