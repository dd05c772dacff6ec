"""A server's workers that fill the audit logs and send them to their destinations, until they are killed. Run by
test_streams.py. Their clock goes a hundred times as fast, so that leases of the dead and pauses end soon."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from openpim.core.streams import StreamKind
from openpim.notify.outbound import GuardedOutbound
from openpim.notify.syslog import Syslog
from openpim.services.streams import send
from openpim.workers.audit_log import GrowingLogs
from openpim.workers.loop import Loop
from openpim.workers.streams import Streaming
from tests.world import START, World

SPEED = 100


def main() -> None:
    url, tenant_id, authority, overlap, begun = sys.argv[1:]
    send.OVERLAP = int(overlap)  # type: ignore[misc]
    send.BATCH = 7  # type: ignore[misc]
    world = World(url, tenant_id=tenant_id)
    since = float(begun)
    deps = replace(
        world.deps,
        clock=lambda: START + timedelta(days=1) + timedelta(seconds=(time.time() - since) * SPEED),
        outbound=GuardedOutbound(["127.0.0.0/8", "localhost"]),
    )
    syslog = Syslog(deps.outbound, "pim.example.com", Path(authority), seconds=5)
    for loop in (
        Loop("audit-log", GrowingLogs(deps), 0.02),
        Loop("streams", Streaming(deps, dict.fromkeys(StreamKind, syslog)), 0.02),
    ):
        loop.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
