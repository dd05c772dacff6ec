"""A server's workers that fill the audit logs and push signals to their receivers, until they are killed. Run by
test_signals.py. Their clock goes a hundred times as fast, so that leases of the dead and pauses end soon."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

from openpim.notify.outbound import GuardedOutbound
from openpim.workers.audit_log import GrowingLogs
from openpim.workers.loop import Loop
from openpim.workers.signals import Signalling
from tests.signin_helper import fast_sign_in
from tests.world import START, World

SPEED = 100


def main() -> None:
    url, tenant_id, begun = sys.argv[1:]
    world = World(url, tenant_id=tenant_id)
    since = float(begun)
    # Ids of its own: those of the world count, and two servers would give the same.
    deps = replace(
        world.deps,
        clock=lambda: START + timedelta(days=1) + timedelta(seconds=(time.time() - since) * SPEED),
        new_id=lambda: f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}",
        secret=secrets.token_urlsafe,
        outbound=GuardedOutbound(["127.0.0.0/8"]),
    )
    for loop in (
        Loop("audit-log", GrowingLogs(deps), 0.02),
        Loop("signals", Signalling(fast_sign_in(deps)), 0.02),
    ):
        loop.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
