"""`decisions`: does this person hold this role now? In process on a million assignments, over HTTP, and many in one request.

The floors: a plain dictionary of the same grants, asked for the same questions; a bare ASGI application that reads the body
and sends the same answer, behind the same HTTP server.
"""

from __future__ import annotations

import gc
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.figures import Figure, median
from bench.load import Task, expecting, prepared
from bench.measuring import Side, take_turns
from bench.organisation import (  # fmt: skip
    TENANT,
    Organisation,
    _eligibility,
    config_in,
    group,
    make_organisation,
    person,
    role_ids,
)
from bench.processes import free_port, python, resident_megabytes, running
from bench.sizes import Sizes
from openpim.app import clock
from openpim.core.decisions import micros
from openpim.core.directory import ServicePrincipal
from openpim.services.decisions.following import Following
from openpim.services.signin.context import issuer
from openpim.store.schedules import schedules

EACH = 4  # assignments of a person, besides what his group has
ASKED = 50_000
BATCH = 1_000
_PART = 20_000


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    data = folder / "decisions"
    made = make_organisation(config_in(data), max(50, sizes.assignments // EACH), each=0)
    _assign(made, sizes.assignments)
    token = _application(made)
    yield from _in_process(made, sizes)
    made.system.database.close()
    yield from _over_http(made, sizes, data, token)


def _assign(made: Organisation, count: int) -> None:
    """Each person has EACH roles until next year, each group one for good."""
    now = clock() - timedelta(days=1)
    roles, end = role_ids(), now + timedelta(days=365)
    rows: list[dict[str, Any]] = []

    def flush() -> None:
        with made.system.database.engine.begin() as connection:
            connection.execute(insert(schedules), rows)
        rows.clear()

    def add(principal: str, role: str, until: Any) -> None:
        row = _eligibility(principal, role, now)
        rows.append({**row, "kind": "assignment", "assignment_type": "Assigned", "ends_at": until})

    for number in range(made.people):
        for one in range(min(EACH, count)):
            add(person(number), roles[(number + one * 7) % len(roles)], end)
        if number % 50 == 0:
            add(group(number // 50), roles[number % len(roles)], None)
        if len(rows) >= _PART:
            flush()
    flush()


def _application(made: Organisation) -> str:
    """The access token of an application that may ask about everybody."""
    app, face = str(uuid.uuid4()), str(uuid.uuid4())
    principal = ServicePrincipal(face, app, "bench", enabled=True, created_at=clock(), permissions=("Decision.Evaluate.All",))  # fmt: skip
    made.system.database.write(TENANT, lambda tx: tx.service_principals.add(principal))
    signin, now = made.system.signin, int(clock().timestamp())
    origin = signin.settings.origin
    claims = {
        "iss": issuer(origin, TENANT), "aud": origin, "iat": now, "nbf": now, "exp": now + 6 * 3600, "tid": TENANT,
        "appid": app, "azp": app, "jti": str(uuid.uuid4()), "ver": "2.0", "sub": face, "oid": face, "idtyp": "app",
        "roles": ["Decision.Evaluate.All"],
    }  # fmt: skip
    return signin.tokens.sign(claims, "at+jwt")


def _questions(made: Organisation, count: int) -> list[tuple[str, str]]:
    """Half of them are answered with yes: by a grant of one's own, or by one of the group."""
    chance, roles = random.Random(7), role_ids()
    found = []
    for _ in range(count):
        number = chance.randrange(made.people)
        kind = chance.randrange(4)
        if kind == 0:
            role = roles[(number + chance.randrange(EACH) * 7) % len(roles)]
        elif kind == 1:
            role = roles[(number // 50 * 50) % len(roles)]
        else:
            role = roles[chance.randrange(len(roles))]
        found.append((person(number), role))
    return found


def _in_process(made: Organisation, sizes: Sizes) -> Iterator[Figure]:
    gc.collect()
    before, begun = resident_megabytes(_pid()), time.perf_counter()
    index = Following(made.system.database, clock).look(TENANT)
    loading, grown = time.perf_counter() - begun, resident_megabytes(_pid()) - before
    now, asked = micros(clock()), _questions(made, ASKED if sizes.assignments > ASKED else 1_000)
    root = ("/",)
    plain: dict[tuple[str, str, str], int] = {}
    for number in range(made.people):
        for role, scope, until in index.held_by("directory", person(number), now):
            plain[person(number), role, scope] = until

    def ours() -> int:
        holds = index.holds_until
        return sum(1 for who, role in asked if holds("directory", who, role, root, now))

    def floor() -> int:
        get = plain.get
        return sum(1 for who, role in asked if get((who, role, "/"), 0) > now)

    assert ours() == floor(), "the index and the dictionary disagree"
    index.change((), type(index._facts).none(), None)  # noqa: SLF001 - the walks are forgotten: each is taken anew
    cold = _seconds(ours) / len(asked)
    warm = median([_seconds(ours) for _ in range(max(3, sizes.rounds))]) / len(asked)
    beside = median([_seconds(floor) for _ in range(max(3, sizes.rounds))]) / len(asked)
    yield Figure(
        f"decision in process, {sizes.assignments:,} assignments", "µs", warm * 1e6, beside * 1e6,
        "a plain dictionary", aim="≤ 3 µs",
        more={"asked for the first time": cold * 1e6, "load, seconds": loading, "memory, MB": grown},
    )  # fmt: skip


def _over_http(made: Organisation, sizes: Sizes, data: Path, token: str) -> Iterator[Figure]:
    asked = _questions(made, sizes.lists * 20)  # so many that the looks at the store are in it, and no more
    each = [{"subject": {"type": "user", "id": who}, "action": {"name": "use"}, "resource": {"type": "role", "id": role}} for who, role in asked]  # fmt: skip
    many = _questions(made, BATCH)
    batch = {
        "action": {"name": "use"},
        "evaluations": [{"subject": {"type": "user", "id": who}, "resource": {"type": "role", "id": role}} for who, role in many],
    }  # fmt: skip
    one = [expecting(200, _json("/access/v1/evaluation", token, body)) for body in each]
    whole = [expecting(200, _json("/access/v1/evaluations", token, batch))] * max(3, sizes.lists // 10)
    with ExitStack() as stack:
        port, echo_port = free_port(), free_port()
        pid = stack.enter_context(running(python("bench.servers", "ours", str(data), "", str(port)), port))
        echo_pid = stack.enter_context(running(python("bench.servers", "echo", str(echo_port)), echo_port))
        sides = (
            Side("ours", pid, port, _always(one)),
            Side("echo", echo_pid, echo_port, _always(one)),
            Side("batch", pid, port, _always(whole)),
        )
        take_turns(sides, sizes.rounds)
    ours, echo, together = sides
    yield Figure(
        "decision over HTTP", "ms CPU", ours.cpu, echo.cpu, "a bare ASGI echo", 1.5,
        more={"requests/s": ours.rate, "echoes/s": echo.rate},
    )  # fmt: skip
    yield Figure(
        f"{BATCH:,} decisions in one request", "ms CPU", together.cpu, echo.cpu, "a bare ASGI echo of one",
        aim="≥ 100,000/s", more={"decisions per second of CPU": BATCH / together.cpu * 1000},
    )  # fmt: skip


def _json(path: str, token: str, body: Any) -> bytes:
    return prepared("POST", path, token, json.loads(json.dumps(body)))


def _always(tasks: list[Task]) -> Callable[[int], list[Task]]:
    return lambda _round: tasks


def _seconds(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def _pid() -> int:
    import os

    return os.getpid()
