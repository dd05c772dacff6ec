"""`signals`: how long it takes until a receiver of shared signals has heard of it: from the answer to an act, and from the end
of an activation that nobody ends but time. The whole server runs, on the real clock.

Floor: the same token posted to the same receiver over the same guarded road, without a database or a queue.
"""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.databases import databases
from bench.figures import Figure, median
from bench.organisation import TENANT, config_in, make_organisation, person, role_ids
from bench.sizes import Sizes
from openpim.app import System, clock, make_system
from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.directory import ServicePrincipal
from openpim.core.grants import Action, ExpirationType, Kind, Provider, Window
from openpim.core.refusals import Refusal
from openpim.core.signals import PERMISSIONS, SESSION_REVOKED, TOKEN_CLAIMS_CHANGE, Method
from openpim.services.signals import streams
from openpim.services.signals.streams import Wanted
from openpim.services.submit import submit

_APART = 0.07  # seconds between two acts: each is a case of its own, none waits for the one before


class Receiver:
    """Notes when it was told of whom."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at = time.time()
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                receiver.heard[body] = at

            def log_message(self, *_: object) -> None:
                """Quietly."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/events"

    def told_of(self, people: list[str], seconds: float) -> dict[str, float]:
        """When each of them was first told of; waits so long at most."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = {subject_in(body): at for body, at in reversed(list(self.heard.items()))}
            if found.keys() >= set(people):
                return found
            time.sleep(0.05)
        raise TimeoutError(f"{len(found)} of {len(people)} arrived")


def subject_in(token: str) -> str:
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return str(claims["sub_id"]["sub"])


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    count = sizes.activators
    for kind, url in databases("bench_signals"):
        receiver = Receiver()
        config = replace(config_in(folder / f"signals-{kind}", url), outbound_allow=("127.0.0.0/8",))
        config = replace(config, settings=replace(config.settings, minimum_minutes=0))
        made = make_organisation(config, count + 1, each=1)
        made.system.database.close()
        running = make_system(config)
        stream(running, receiver.address)
        running.loops.start()
        try:
            yield from _told(running, receiver, count, kind)
        finally:
            running.loops.stop()
            running.database.close()
            receiver.server.shutdown()
            receiver.server.server_close()


def stream(running: System, address: str) -> None:
    """A receiver of the beginnings and ends of access."""
    face = ServicePrincipal(
        running.deps.new_id(),
        running.deps.new_id(),
        "Receiver",
        enabled=True,
        created_at=clock(),
        permissions=PERMISSIONS,
    )
    running.database.write(TENANT, lambda tx: tx.service_principals.add(face))
    caller = Caller(
        TENANT,
        face.id,
        CallerKind.SERVICE_PRINCIPAL,
        app_id=face.app_id,
        permissions=frozenset(PERMISSIONS),
    )
    wanted = Wanted(Method.PUSH, address, requested=(TOKEN_CLAIMS_CHANGE, SESSION_REVOKED))
    done = streams.create(running.deps, caller, wanted)
    assert not isinstance(done, Refusal), done


def _told(running: System, receiver: Receiver, count: int, kind: str) -> Iterator[Figure]:
    people = [person(number) for number in range(count)]
    first = clock() + timedelta(seconds=_APART * count + 3)
    ends = {one: first + timedelta(seconds=0.1 * place) for place, one in enumerate(people)}
    answered: dict[str, float] = {}
    for one in people:
        done = submit(running.deps, system(TENANT), _ask(one, ends[one]))
        assert not isinstance(done, Refusal), done
        answered[one] = time.time()
        time.sleep(_APART)
    heard = receiver.told_of(people, 30)
    waits = [1000 * (heard[one] - answered[one]) for one in people]
    body = next(iter(receiver.heard))
    receiver.heard.clear()
    late = receiver.told_of(people, 60 + 0.1 * count)
    lateness = [1000 * (late[one] - ends[one].timestamp()) for one in people]
    floor = _floor(running, receiver, body, count)
    beside = "the bare push of the same token"
    yield _figure(f"signals, told of an act, {kind}", waits, floor, beside)
    yield _figure(f"signals, told of an end by time, {kind}", lateness, floor, beside)


def _figure(name: str, values: list[float], floor: float, beside: str) -> Figure:
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Figure(name, "ms", median(values), floor, beside, aim="about a second", more={"p99": p99})


def _ask(user_id: str, until: Any) -> Ask:
    return Ask(
        kind=Kind.ASSIGNMENT,
        provider=Provider.DIRECTORY,
        action=Action.ADMIN_ASSIGN,
        principal_id=user_id,
        role_id=role_ids()[50],
        scope="/",
        justification="measured",
        window=Window(None, ExpirationType.AFTER_DATE_TIME, end=until),
    )


def _floor(running: System, receiver: Receiver, body: str, count: int) -> float:
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        running.deps.outbound.request(
            "POST",
            receiver.address,
            headers={"Content-Type": "application/secevent+jwt", "X-Once": secrets.token_hex(4)},
            body=body.encode(),
        )
        times.append(1000 * (time.perf_counter() - begin))
    return median(times)
