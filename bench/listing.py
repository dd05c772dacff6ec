"""`listing`: what `pim list` asks for, in organisations of growing size: one list, and the batch of three.

The floor issues the same statements through the plain driver. The time of one list must not grow with the organisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.figures import Figure
from bench.load import Task, expecting, prepared
from bench.measuring import Side, take_turns
from bench.organisation import config_in, make_organisation, person
from bench.processes import free_port, python, running
from bench.recording import Recorder, save
from bench.sizes import Sizes
from openpim.client.roles import active_path, eligible_path, pending_path

ROLES = 5  # that each person may activate, besides one by a group
ASKING = 20  # different people
FLAT = 1.25


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    smallest = 0.0
    for people in sizes.people:
        one, batch, floor = _in_one(sizes, folder / f"list-{people}", people)
        yield Figure(
            f"list, {people:,} people", "ms CPU", one.cpu, floor.cpu, "the same statements by the plain driver",
            aim="≤ 2 ms", more={"requests/s": one.rate, "ms CPU of the batch of three": batch.cpu},
        )  # fmt: skip
        smallest = smallest or one.cpu
        if people != sizes.people[0]:
            yield Figure(
                f"list, {people:,} against {sizes.people[0]:,}", "ms CPU", one.cpu, smallest,
                "the same in the smallest organisation", FLAT,
            )  # fmt: skip


def _in_one(sizes: Sizes, data: Path, people: int) -> tuple[Side, Side, Side]:
    # A million people with five roles each take minutes to write; one each says the same.
    made = make_organisation(config_in(data), people, each=ROLES if people <= 10_000 else 1)
    numbers = [number * (people // ASKING) for number in range(ASKING)]
    tokens = [made.token(number) for number in numbers]
    recorder = Recorder(made)
    for _ in range(3):  # the third finds caches warm
        scene, _ = recorder.scene(
            "list", "GET", f"/v1.0{eligible_path()}", tokens[0], None, person=person(numbers[0]), role=""
        )
    recording = data / "recording.json"
    save([scene], recording)
    made.system.database.close()
    paths = [eligible_path(), active_path(), pending_path()]
    together = {"requests": [{"id": str(at), "method": "GET", "url": path} for at, path in enumerate(paths)]}

    def repeated(tasks: list[Task]) -> list[Task]:
        return (tasks * (sizes.lists // len(tasks) + 1))[: sizes.lists]

    one = repeated([expecting(200, prepared("GET", f"/v1.0{eligible_path()}", token)) for token in tokens])
    batch = repeated([expecting(200, prepared("POST", "/v1.0/$batch", token, together)) for token in tokens])
    bare = repeated([expecting(200, prepared("GET", "/list/x", token)) for token in tokens])
    with ExitStack() as stack:
        port, floor_port = free_port(), free_port()
        pid = stack.enter_context(running(python("bench.servers", "ours", str(data), "", str(port)), port))
        floor_pid = stack.enter_context(
            running(
                python("bench.servers", "floor", str(data), "", str(floor_port), str(recording)), floor_port
            )
        )
        sides = (
            Side("ours", pid, port, lambda _round: one),
            Side("batch", pid, port, lambda _round: batch),
            Side("floor", floor_pid, floor_port, lambda _round: bare),
        )
        take_turns(sides, sizes.rounds)
    return sides
