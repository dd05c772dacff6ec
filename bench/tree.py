"""`tree`: the resource manager with 5,000 subscriptions and 200,000 resources: what a person with 500 eligibilities may
activate anywhere (`asTarget()` at the root), an activation at one machine of what is given at its subscription, and
the memory of the process after all that.

The floor issues the same statements through the plain driver.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.databases import databases
from bench.figures import Figure
from bench.load import ARM, Task, expecting, prepared
from bench.measuring import Side, take_turns
from bench.organisation import TENANT, Organisation, config_in, make_organisation, person
from bench.processes import free_port, python, resident_megabytes, running
from bench.recording import Recorder, save
from bench.sizes import Sizes
from openpim.app import clock
from openpim.core import caller as callers
from openpim.core.permissions import READER
from openpim.services.resources import shaping
from openpim.services.resources.shaping import Made, Wanted
from openpim.store.resource_roles import built_in
from tests.big_tree import VMS, fill, grant, machine, settle, subscription

GROUP = "/providers/Microsoft.Management/managementGroups/IT"
BASE = "providers/Microsoft.Authorization"
VERSION = "api-version=2020-10-01"
LIST = f"/{BASE}/roleEligibilityScheduleInstances?{VERSION}&$filter=asTarget()"
ELIGIBILITIES, OTHERS = 500, 20_000
HOME = 7  # the subscription whose machines are activated at
LIMIT = 2.5


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    for kind, url in databases("tree"):
        yield from _on_one(sizes, kind, url, folder / f"tree-{kind}")


def _on_one(sizes: Sizes, kind: str, url: str, data: Path) -> Iterator[Figure]:
    made = _planted(sizes, data, url)
    recording = data / "recording.json"
    _record(made, recording)
    tokens = [made.token(number, arm=True) for number in range(made.people)]
    made.system.database.close()
    with ExitStack() as stack:
        port, floor_port = free_port(), free_port()
        pid = stack.enter_context(running(python("bench.servers", "ours", str(data), url, str(port)), port))
        floor_pid = stack.enter_context(
            running(
                python("bench.servers", "floor", str(data), url, str(floor_port), str(recording)), floor_port
            )
        )
        before = resident_megabytes(pid)
        lists = [
            Side(name, one, at, _same(_list(tokens[0], floor=name == "floor"), sizes))
            for name, one, at in (("ours", pid, port), ("floor", floor_pid, floor_port))
        ]  # fmt: skip
        take_turns(lists, sizes.rounds)
        beside = "the same statements by the plain driver"
        yield Figure(
            f"tree, my {ELIGIBILITIES} eligibilities, {kind}", "ms CPU", lists[0].cpu, lists[1].cpu, beside,
            aim="≤ 50 ms", more={"requests/s": lists[0].rate, "floor's requests/s": lists[1].rate},
        )  # fmt: skip
        acts = [
            Side(name, one, at, _activations(tokens, sizes, floor=name == "floor").__getitem__)
            for name, one, at in (("ours", pid, port), ("floor", floor_pid, floor_port))
        ]
        take_turns(acts, sizes.rounds)
        yield Figure(
            f"tree, activate further down, {kind}", "ms CPU", acts[0].cpu, acts[1].cpu, beside, LIMIT,
            more={"requests/s": acts[0].rate, "floor's requests/s": acts[1].rate},
        )  # fmt: skip
        yield Figure(
            f"tree, memory, {kind}", "MB", resident_megabytes(pid), before,
            "the same process before its first request", aim="≤ 80 MB idle",
        )  # fmt: skip


def _planted(sizes: Sizes, data: Path, url: str) -> Organisation:
    """Person 0 has the eligibilities, the last one is recorded, and the others activate; all at one subscription too."""
    made = make_organisation(config_in(data, url), sizes.activators * 2 + 2, each=1)
    deps, now, database = made.system.deps, clock(), made.system.database
    group = shaping.put(deps, callers.system(TENANT), GROUP, Wanted(display_name="IT"))
    assert isinstance(group, Made), group
    fill(database, TENANT, group.resource.id, range(sizes.subscriptions), now)
    roles, count = sorted(built_in()), sizes.subscriptions
    mine = [(person(0), roles[n % len(roles)], subscription(n % count)) for n in range(ELIGIBILITIES)]
    others = [
        (person(1 + n % (made.people - 1)), roles[n % len(roles)], subscription(n % count))
        for n in range(OTHERS)
    ]
    home = [(person(number), READER, subscription(HOME)) for number in range(1, made.people)]
    grant(database, TENANT, [*mine, *others, *home], now)
    settle(database)
    return made


def _record(made: Organisation, path: Path) -> None:
    recorder, number = Recorder(made), made.people - 1
    scenes = []
    for scope in range(3):  # the third finds caches warm
        listed, answer = recorder.scene(
            "list", "GET", LIST, made.token(0, arm=True), None, person=person(0), role="", host=ARM
        )
        assert len(answer["value"]) == ELIGIBILITIES
        name, where = str(uuid.uuid4()), machine(HOME, scope)
        acted, _ = recorder.scene(
            "narrow", "PUT", _request(where, name), made.token(number, arm=True), ask(number, name),
            person=person(number), role=name, request=where[1:], host=ARM,
        )  # fmt: skip
        scenes = [listed, acted]
    save(scenes, path)


def ask(number: int, name: str) -> dict[str, Any]:
    """What a client sends; and the name of the request once more, where the floor looks for it."""
    return {
        "roleDefinitionId": name,
        "properties": {
            "requestType": "SelfActivate",
            "principalId": person(number),
            "roleDefinitionId": f"/{BASE}/roleDefinitions/{READER}",
            "justification": "mail outage in Berlin",
            "ticketInfo": {"ticketSystem": "JIRA", "ticketNumber": "OPS-123"},
            "scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT1H"}},
        },
    }


def _request(scope: str, name: str) -> str:
    return f"{scope}/{BASE}/roleAssignmentScheduleRequests/{name}?{VERSION}"


def _list(token: str, *, floor: bool) -> Task:
    return expecting(200, prepared("GET", "/list/x" if floor else LIST, token, host=ARM))


def _same(task: Task, sizes: Sizes) -> Callable[[int], Sequence[Task]]:
    """Fewer than of other lists: each is half a megabyte."""
    batch = [task] * (sizes.lists // 4 + 1)
    return lambda _round: batch


def _activations(tokens: list[str], sizes: Sizes, *, floor: bool) -> list[list[Task]]:
    """One batch for each round: everybody, at his next machines. Odd people ask us, even ones the floor."""
    names = itertools.count(1)
    per_round = max(1, min(VMS, sizes.roles) // (sizes.rounds + 1))
    batches = []
    for number in range(sizes.rounds + 1):
        batch = []
        for vm in range(number * per_round, (number + 1) * per_round):
            for one in range(2 if floor else 1, sizes.activators * 2 + 1, 2):
                name = str(uuid.UUID(int=(0xACE1 + floor << 108) | 0x4000_8000_0000_0000_0000 | next(names)))
                where = machine(HOME, vm)
                path = f"/narrow{where}" if floor else _request(where, name)
                request = prepared("PUT", path, tokens[one], ask(one, name), host=ARM)
                batch.append(expecting(200 if floor else 201, request))
        batches.append(batch)
    return batches
