"""A process that writes events and grows the audit log until it is killed. Says the id of each event that is committed."""

from __future__ import annotations

import sys
from datetime import datetime

from openpim.services import audit_log, audit_search, checkpoints, recording
from tests.world import World


def main() -> None:
    url, tenant_id, number, now = sys.argv[1:]
    world = World(url, tenant_id=tenant_id, number=int(number))
    world.at(datetime.fromisoformat(now))
    print("ready", flush=True)
    while True:
        for _ in range(5):
            event = world.write(
                lambda tx: recording.record(
                    tx, world.deps, world.system, world.now, activity="Something", category="Policy"
                )
            )
            print(event.id, flush=True)
        audit_log.grow(world.deps, tenant_id)
        audit_search.enter(world.deps, tenant_id)
        world.forward(minutes=6)
        checkpoints.sign_due(world.deps, tenant_id)


if __name__ == "__main__":
    main()
