"""`streams`: the audit history leaves: to syslog and OpenTelemetry receivers, as an export, and its figures to Prometheus.

Floors: the same bytes to the same receivers over bare sockets (and bare HTTP), and the bare rows out of the same database.
Receivers are processes of their own, which read and throw away.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import resource
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure, median
from bench.processes import free_port, python
from bench.sizes import Sizes
from openpim.core.audit import AuditEvent, Target, line_of
from openpim.core.caller import system
from openpim.core.directory import Tenant
from openpim.core.settings import Settings
from openpim.core.streams import Stream, StreamKind
from openpim.notify import otlp, syslog
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.deps import Deps
from openpim.ports.streams import Outgoing
from openpim.services import audit_export, audit_log, recording
from openpim.services.monitoring import Counters, Monitor
from openpim.services.sealing import Sealer
from openpim.services.streams import send
from openpim.store.database import Database
from openpim.store.migrate import upgrade

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TENANT = "00000000-0000-4000-8000-00000000000f"
SENT = 20_000  # events; a rate needs no million


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    database, deps = _history(folder / "streams.db", sizes.events)
    try:
        yield from _sending(deps, sizes)
        yield from _exporting(deps, database, sizes)
        yield from _scraping(deps, database, sizes)
    finally:
        database.close()


def _history(file: Path, events: int) -> tuple[Database, Deps]:
    """A tenant with so many events in its log."""
    upgrade(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")
    deps = Deps(
        clock=lambda: NOW + timedelta(days=400),
        new_id=lambda: str(uuid.uuid4()),
        secret=secrets.token_urlsafe,
        store=database,
        sealer=Sealer(bytes(32), secrets.token_urlsafe),
        outbound=GuardedOutbound(["127.0.0.0/8"]),
        chat=None,  # type: ignore[arg-type]
        settings=Settings(),
    )
    database.write(TENANT, lambda tx: tx.tenants.add(Tenant(TENANT, "bench", "bench.example", NOW)))
    for first in range(0, events, 5_000):
        made = [_event(number) for number in range(first, min(first + 5_000, events))]
        database.write(TENANT, lambda tx, made=made: recording.add(tx, deps, *made))
    while audit_log.grow(deps, TENANT):
        pass
    return database, deps


def _event(number: int) -> AuditEvent:
    person = f"Person {number % 997}"
    return AuditEvent(
        id=str(uuid.UUID(int=number, version=4)),
        at=NOW + timedelta(seconds=30 * number),
        activity="Add member to role completed (PIM activation)",
        category="RoleManagement",
        result="success",
        reason="change 4711: mail is slow for everybody in Oslo",
        actor_id=str(uuid.UUID(int=number % 997)),
        actor_kind="user",
        actor_name=person,
        actor_upn=f"person{number % 997}@bench.example",
        ip="192.0.2.17",
        client="pim/0.1.0",
        amr=("mfa", "pwd"),
        correlation_id=str(uuid.UUID(int=number)),
        targets=(
            Target("Role", "69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator"),
            Target("User", str(uuid.UUID(int=number % 997)), person),
            Target("Directory", TENANT, "/"),
        ),
        details=(("TicketNumber", "CHG-4711"), ("StartTime", "2026-11-02T09:00:00+00:00")),
    )


# ---------------------------------------------------------------- sending


def _sending(deps: Deps, sizes: Sizes) -> Iterator[Figure]:
    count = min(SENT, sizes.events)
    with _receiver("sink") as sink, _receiver("http") as web:
        places = {
            StreamKind.SYSLOG: f"tcp://127.0.0.1:{sink}",
            StreamKind.OTLP: f"http://127.0.0.1:{web}/v1/logs",
        }
        senders: dict[StreamKind, Any] = {
            StreamKind.SYSLOG: syslog.Syslog(deps.outbound, "pim.example.com"),
            StreamKind.OTLP: otlp.Otlp(deps.outbound),
        }
        for kind, name in ((StreamKind.SYSLOG, "syslog"), (StreamKind.OTLP, "OTLP")):
            ours = [_timed(lambda kind=kind: _send_all(deps, senders, kind, places[kind], count)) for _ in range(sizes.rounds)]  # fmt: skip
            batches = _batches(deps, kind, count)
            bare = _bare_socket if kind is StreamKind.SYSLOG else _bare_http
            port = sink if kind is StreamKind.SYSLOG else web
            floor = [_timed(lambda bare=bare, port=port, batches=batches: bare(port, batches)) for _ in range(sizes.rounds)]  # fmt: skip
            each = 1e6 / count
            yield Figure(
                f"stream, {name}",
                "µs/event",
                median(ours) * each,
                median(floor) * each,
                "the same bytes, bare",
                more={"events/s": count / median(ours)},
            )


def _send_all(deps: Deps, senders: Any, kind: StreamKind, address: str, count: int) -> None:
    stream = Stream(deps.new_id(), deps.new_id(), kind, address, NOW, "", NOW)
    deps.store.write(TENANT, lambda tx: tx.streams.put(stream))
    sent = 0
    while sent < count:
        done = send.send(deps, senders, TENANT, stream.id)
        if not done:
            found = deps.store.read(TENANT, lambda tx: tx.streams.get(stream.id))
            raise RuntimeError(f"nothing was sent: {found.error if found else 'the stream is gone'}")
        sent += done
    deps.store.write(TENANT, lambda tx: tx.streams.remove(stream.id))


def _batches(deps: Deps, kind: StreamKind, count: int) -> list[bytes]:
    """What ours sends, made beforehand."""
    import gzip
    import json

    found = []
    for first in range(0, count, send.BATCH):
        leaves = deps.store.read(TENANT, lambda tx, first=first: tx.audit_log.since(first, send.BATCH))
        batch = [Outgoing(TENANT, leaf.position, leaf.event) for leaf in leaves]
        if kind is StreamKind.SYSLOG:
            found.append(b"".join(syslog.frame(syslog.message(one, "h", 13)) for one in batch))
        else:
            found.append(gzip.compress(json.dumps(otlp.request(batch)).encode(), 5))
    return found


def _bare_socket(port: int, batches: list[bytes]) -> None:
    for data in batches:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)


def _bare_http(port: int, batches: list[bytes]) -> None:
    for data in batches:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/v1/logs", data, {"Content-Type": "application/json"})
        connection.getresponse().read()
        connection.close()


@contextlib.contextmanager
def _receiver(what: str) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([*python("bench.streams", what, str(port))], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
    finally:
        process.kill()
        process.wait()


# ---------------------------------------------------------------- export and figures


def _exporting(deps: Deps, database: Database, sizes: Sizes) -> Iterator[Figure]:
    count = sizes.events
    by = system(TENANT)

    def ours() -> None:
        at, seen = "", 0
        while True:
            found: Any = audit_export.portion(deps, by, None, at)
            seen += len([line_of(one, one.position, TENANT) for one in found.events])
            at = found.next
            if at is None:
                break
        if seen != count:
            raise RuntimeError(f"{seen} events, not {count}")

    def floor() -> None:
        with database.reading_engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM audit_events ORDER BY sequence")
            while rows.fetchmany(5_000):
                pass

    ours_first = _timed(lambda: audit_export.portion(deps, by, None, ""))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = _timed(ours)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield Figure(
        f"export, {count} events",
        "µs/event",
        seconds * 1e6 / count,
        _timed(floor) * 1e6 / count,
        "the bare rows",
        more={"s in all": seconds, "MB grown": grown, "s first portion": ours_first},
    )


def _scraping(deps: Deps, database: Database, sizes: Sizes) -> Iterator[Figure]:
    now = [NOW + timedelta(days=400)]
    monitor = Monitor(replace(deps, clock=lambda: now[0]), Counters(), pools=database.pools)

    def fresh() -> None:
        now[0] += timedelta(minutes=1)
        monitor.text()

    counted = median([_timed(fresh) for _ in range(10 * sizes.rounds)]) * 1e3
    kept = median([_timed(monitor.text) for _ in range(10 * sizes.rounds)]) * 1e3
    yield Figure("metrics, a scrape that counts", "ms", counted, kept, "one that does not count")
    answered = Counters().answered
    rounds = 20_000
    seconds = _timed(lambda: [answered("graph", 200, 0.003) for _ in range(rounds)])
    counts: dict[tuple[str, str], int] = {}
    bare = _timed(lambda: [counts.update({("graph", "200"): one}) for one in range(rounds)])
    each = 1e6 / rounds
    yield Figure("metrics, counting a request", "µs", seconds * each, bare * each, "a bare dict")


def _timed(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


# ---------------------------------------------------------------- the receivers


class _Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _sink(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                while connection.recv(1 << 20):
                    pass


def _web(port: int) -> None:
    server = http.server.HTTPServer(("127.0.0.1", port), _Web)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    {"sink": _sink, "http": _web}[sys.argv[1]](int(sys.argv[2]))
