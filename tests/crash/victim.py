"""A process that works on a database until it is killed. Run by test_kill.py; says on standard output what it has been
told is done, one line each, as soon as it has been told."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from openpim.core.refusals import Refusal
from openpim.services import due
from tests.crash.disk_twin import disk_twin
from tests.world import World


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def live(world: World, people: list[str]) -> None:
    """Activate, deactivate, let expire, look at the target, without an end."""
    say("ready")
    while True:
        for number, person in enumerate(people):
            outcome = world.activate(person, hours=1)
            if not isinstance(outcome, Refusal):
                say("active", outcome.schedule_id)
            world.forward(minutes=7)
            if number % 3 == 0:
                outcome = world.deactivate(person)
                if not isinstance(outcome, Refusal):
                    say("ended", outcome.schedule_id)
            if number % 4 == 3:
                due.expire(world.deps, world.tenant_id, limit=3)
                say("expired")
            if number % 2:
                for target in world.read(lambda tx: tx.targets.all()):
                    world.look(target.id)
                    say("looked", world.now.isoformat())


def expire(world: World) -> None:
    """A worker of several: record ends until there are none."""
    say("ready")
    sys.stdin.readline()
    while due.expire(world.deps, world.tenant_id, limit=4):
        say("expired")
    say("done")


def main() -> None:
    what, url, tenant_id, number, now, twin, *people = sys.argv[1:]
    world = World(url, tenant_id=tenant_id, number=int(number))
    if twin != ".":
        world.twins.servers["payroll"] = disk_twin(Path(twin))
    world.at(datetime.fromisoformat(now) + timedelta(0))
    if what == "live":
        live(world, people)
    else:
        expire(world)


if __name__ == "__main__":
    main()
