"""Servers killed with `kill -9` while they push signals to a receiver that fails as it likes: every event arrives, in its
order, and a repetition is the same event."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.signals import PERMISSIONS, SUPPORTED, Method
from openpim.services.signals import streams
from openpim.services.signals.streams import Wanted
from tests.crash.servers import Servers
from tests.world import World, ok


class Receiver:
    """Takes events over HTTP and writes them down; now and then it says no, or takes one and hangs up without a word."""

    def __init__(self, chance: random.Random) -> None:
        self.got: list[dict[str, Any]] = []
        self.away = False
        gate = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                token = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with gate:
                    fate = chance.random()
                    if receiver.away or fate < 0.1:
                        self.send_response(503)
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                        return
                    receiver.got.append(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))
                    if fate < 0.2:
                        self.close_connection = True
                        return
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/events"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(database_kind: str) -> Iterator[Receiver]:
    made = Receiver(random.Random(database_kind))
    yield made
    made.close()


def add_stream(world: World, address: str) -> None:
    app_id = world.app("Receiver")
    face = replace(world.read(lambda tx: tx.service_principals.get(app_id)), permissions=PERMISSIONS)
    world.write(lambda tx: tx.service_principals.save(face))
    caller = Caller(
        world.tenant_id,
        face.id,
        CallerKind.SERVICE_PRINCIPAL,
        app_id=face.app_id,
        permissions=frozenset(PERMISSIONS),
    )
    ok(streams.create(world.deps, caller, Wanted(Method.PUSH, address, requested=SUPPORTED)))


@pytest.mark.slow
def test_every_signal_arrives_whoever_is_killed(
    own_world: World, receiver: Receiver, database_kind: str
) -> None:
    world, chance = own_world, random.Random(database_kind)
    add_stream(world, receiver.address)
    url = world.database.url.render_as_string(hide_password=False)
    servers = Servers("signalling_victim", url, world.tenant_id, str(time.time()))
    wanted: list[str] = []

    def happens(count: int) -> None:
        for _ in range(count):
            person = world.user("Somebody")
            world.assigned(person)
            wanted.append(person)

    try:
        servers.start()
        servers.start()  # two at once
        for _ in range(3):
            happens(8)
            time.sleep(chance.uniform(0, 0.3))
            servers.kill()
            servers.start()
            receiver.away = True
            happens(4)
            time.sleep(chance.uniform(0, 0.3))
            receiver.away = False
        ends = time.monotonic() + 180  # only a failure takes it
        while {one["sub_id"]["sub"] for one in receiver.got} != set(wanted) and time.monotonic() < ends:
            time.sleep(0.1)
    finally:
        servers.kill_all()
    told = {one["jti"]: one for one in receiver.got}
    assert all(one == told[one["jti"]] for one in receiver.got), "a repetition is the same event"
    assert [one["sub_id"]["sub"] for one in told.values()] == wanted, "each once, in order"
    assert len(receiver.got) < 3 * len(wanted), "not for ever the same"
