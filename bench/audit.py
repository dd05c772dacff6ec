"""`audit`: a million events: what keeping them costs an activation, a page of one person and one day, a page by words, the
export, and the check.

The floors: the activation itself, and SHA-256 over the same bytes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.databases import databases
from bench.figures import Figure, median
from bench.sizes import Sizes
from openpim.core.audit import AuditEvent, Target, leaf_bytes
from openpim.core.query import All, Compare, Condition, Query
from openpim.proof.history import History
from openpim.services import audit_proof, audit_search, audits, recording
from openpim.store.audit import queue
from openpim.store.database import Database
from openpim.store.migrate import upgrade
from openpim.store.writing import insert_rows
from tests.world import TEAMS, World, ok

_QUEUE = queue.insert()
PEOPLE = 1000
DAYS = 365
NAMES = ("Anna Berg", "Björn Dahl", "Chidi Okafor", "Dana Levi", "Eve Stone")


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    for kind, url in databases("audit"):
        yield from _on_one(sizes, kind, url or f"sqlite:///{folder}/audit.db", folder)


def _on_one(sizes: Sizes, kind: str, url: str, folder: Path) -> Iterator[Figure]:
    upgrade(url)
    database = Database(url)
    world = World(database)
    try:
        yield _append(world, sizes, kind)
        _fill(world, sizes.events)
        yield from _search(world, sizes, kind)
        yield from _verify(world, kind, folder)
    finally:
        database.close()


def _append(world: World, sizes: Sizes, kind: str) -> Figure:
    """Of one activation: the marks and the queue in its unit of work, and all that the log does afterwards."""
    count = max(10, sizes.activators * 4)
    people = [world.user(f"Person {number}") for number in range(count)]
    for one in people:
        world.eligible(one)
    _finish(world)
    whole = _cpu(lambda: [ok(world.activate(one, hours=1)) for one in people]) / count
    written = world.events()[-2 * count :]

    def marks() -> None:
        for event in written:
            world.deps.sealer.mac(recording.MAC_PURPOSE, leaf_bytes(event, world.tenant_id))

    def write(number: int, *, waits: bool) -> None:
        """A unit of work that writes anyway, with or without the rows of the queue."""

        def work(tx: Any) -> None:
            tx.checkpoints.set_fault(str(number % 2))
            rows = [{"tenant_id": "bench", "event_id": f"{number}-{waits}-{one}"} for one in range(2)]
            insert_rows(tx.connection, _QUEUE, rows if waits else [])

        world.write(work)

    def writes(*, waits: bool) -> float:
        return median([
            _cpu(lambda first=first: [write(first * count + one, waits=waits) for one in range(count)])
            for first in range(3)
        ])  # fmt: skip

    inside = (_cpu(marks) + max(0.0, writes(waits=True) - writes(waits=False))) / count
    world.write(lambda tx: tx.connection.execute(queue.delete().where(queue.c.tenant_id == "bench")))
    world.write(lambda tx: tx.checkpoints.set_fault(""))
    after = _cpu(lambda: _finish(world)) / count
    return Figure(
        f"audit, what the log costs an activation, {kind}", "ms CPU", inside * 1000, whole * 1000,
        "the whole activation", 0.1, more={"afterwards, in the background": after * 1000},
    )  # fmt: skip


def _finish(world: World) -> None:
    world.grow()
    while audit_search.enter(world.deps, world.tenant_id):
        pass


def _fill(world: World, count: int) -> None:
    """As activations write them; spread over a year, in the order of time, with a checkpoint now and then."""
    people = [(world.new_id(), f"{NAMES[number % 5]} {number}") for number in range(PEOPLE)]
    step = timedelta(days=DAYS) / count
    for first in range(0, count, 2000):
        made = []
        for number in range(first, min(first + 2000, count)):
            world.now += step
            person, name = people[number * 7919 % PEOPLE]
            request = world.new_id()
            made.append(
                AuditEvent(
                    world.new_id(), world.now, "Add member to role completed (PIM activation)", "RoleManagement", "success",
                    reason=f"investigate incident INC{number % 5000}{' zebra' * (number == count // 3)}", actor_id=person, actor_kind="user", actor_name=name,
                    actor_upn=f"{name.lower().replace(' ', '.')}@contoso.test", app_id=request, ip="192.0.2.7", client="pim/1",
                    amr=("mfa", "pwd"), correlation_id=request,
                    targets=(Target("Role", TEAMS, "Teams Administrator"), Target("Request", request),
                             Target("User", person, name), Target("Directory", world.tenant_id, "/")),
                    details=(("RoleDefinitionOriginId", TEAMS), ("TicketNumber", f"OPS-{number}")), request_id=request,
                )
            )  # fmt: skip
        world.write(lambda tx, made=made: recording.add(tx, world.deps, *made))
        world.grow()
        if first % 20_000 == 0:
            world.sign()
    _finish(world)
    world.forward(minutes=10)
    world.sign()


def _search(world: World, sizes: Sizes, kind: str) -> Iterator[Figure]:
    by = world.caller(world.ga)
    (event, *_) = world.read(lambda tx: tx.audit.page(Query(Compare("activity", "eq", "Add member to role completed (PIM activation)"), limit=1))).items  # fmt: skip
    day = event.at.replace(hour=0, minute=0, second=0, microsecond=0)
    that_day = (Compare("at", "ge", day), Compare("at", "lt", day + timedelta(days=30)))

    def page(where: Condition | None, text: str = "") -> Callable[[], object]:
        return lambda: audits.page(world.deps, by, Query(where, limit=50), text)

    for name, act in (
        ("a page of one person and one month", page(All((Compare("actor_id", "eq", event.actor_id), *that_day)))),
        ("a page about one person", page(Compare("concerns", "eq", event.actor_id))),
        ("a page by a rare word", page(None, "zebra")),
        ("a page by frequent words", page(None, "anna berg incident")),
        ("a page by words that never meet", page(None, "zebra incident OPS-1")),
    ):  # fmt: skip
        act()
        rounds = max(3, sizes.rounds * 3)
        plain = median([_cpu(page(None)) for _ in range(rounds)])
        ours = median([_cpu(act) for _ in range(rounds)])
        yield Figure(
            f"audit, {name}, {sizes.events:,} events, {kind}",
            "ms CPU",
            ours * 1000,
            plain * 1000,
            "the newest page",
            aim="≤ 5 ms",
        )


def _verify(world: World, kind: str, folder: Path) -> Iterator[Figure]:
    path = folder / f"history-{kind}.jsonl"

    def export() -> None:
        at: str | None = ""
        with path.open("wb") as file:
            while at is not None:
                portion = world.read(lambda tx, at=at: audit_proof.portion(tx, at, world.now))
                file.write(b"\n".join((*portion.lines, b"")))
                at = portion.next

    size = world.read(lambda tx: tx.audit_log.size())
    exporting = _cpu(export)

    def rows() -> None:
        for first in range(0, size, 4096):
            world.read(lambda tx, first=first: tx.audit_log.since(first, 4096))

    yield Figure(
        f"audit, export, {kind}", "µs CPU", exporting / size * 1e6, _cpu(rows) / size * 1e6, "reading the events",
        more={"events/s": size / exporting},
    )  # fmt: skip
    history = History()

    def check() -> None:
        with path.open("rb") as file:
            history.feed(file)
        assert history.finish() == []

    def hashes() -> None:
        with path.open("rb") as file:
            for line in file:
                hashlib.sha256(line).digest()

    checking, floor = _cpu(check), _cpu(hashes)
    yield Figure(
        f"audit, verify, {kind}", "µs CPU", checking / size * 1e6, floor / size * 1e6, "SHA-256 of every line",
        aim="≤ 10 µs", more={"events/s": size / checking},
    )  # fmt: skip


def _cpu(act: Callable[[], object]) -> float:
    """Seconds that this process worked."""
    begun = time.process_time()
    act()
    return time.process_time() - begun
