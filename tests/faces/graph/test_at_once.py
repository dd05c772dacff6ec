"""Two at once: one outcome, and both are told the truth."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from openpim.faces.graph.call import Answer, Raw
from openpim.faces.graph.dispatch import Dispatcher
from openpim.faces.graph.endpoints import ENDPOINTS
from openpim.faces.graph.table import Table
from tests.faces.graph.client import Graph
from tests.faces.graph.test_life import REQUESTS, activation


def ready(graph: Graph, method: str, path: str, who: str, body: Any) -> Callable[[], Answer]:
    """A request that waits to be sent."""
    face = Dispatcher(graph.world.deps, graph.authenticate, Table(ENDPOINTS))
    headers = {name.lower(): value for name, value in graph.headers(who).items()}
    headers["content-type"] = "application/json"
    raw = Raw(method, f"/v1.0{path}".encode(), b"", headers, json.dumps(body).encode())
    return lambda: face.run(raw)


def together(*sends: Callable[[], Answer]) -> list[Answer]:
    barrier = threading.Barrier(len(sends))
    answers: dict[int, Answer] = {}

    def run(number: int, send: Callable[[], Answer]) -> None:
        barrier.wait()
        answers[number] = send()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(sends)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(sends))]


def code(answer: Answer) -> str:
    return answer.body["error"]["code"] if isinstance(answer.body, dict) and "error" in answer.body else ""


def test_one_person_activates_six_times(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    sends = [ready(graph, "POST", REQUESTS, world.ann, activation(world.ann)) for _ in range(6)]
    answers = together(*sends)
    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400, 400, 400]
    assert {code(answer) for answer in answers} == {"", "RoleAssignmentExists"}
    assert len(graph.rows(f"{REQUESTS}/filterByCurrentUser(on='principal')", world.ann)) == 1


def test_two_decide(graph: Graph) -> None:
    world = graph.world
    world.approval(world.bob, world.cyd)
    for other in ("Approve", "Deny"):
        person = world.user(f"Asks {other}")
        world.eligible(person)
        request = graph.post(REQUESTS, person, activation(person)).json()
        path = f"/roleManagement/directory/roleAssignmentApprovals/{request['id']}/steps/{request['id']}"
        verdicts = ("Approve", other)
        answers = together(
            *(
                ready(graph, "PATCH", path, who, {"reviewResult": verdict, "justification": "x"})
                for who, verdict in zip((world.bob, world.cyd), verdicts, strict=True)
            )
        )
        assert sorted(answer.status for answer in answers) == [204, 400]
        assert {code(answer) for answer in answers} == {"", "RoleAssignmentRequestAlreadyApproved"}
        winner = verdicts[[answer.status for answer in answers].index(204)]
        status = graph.ok(f"{REQUESTS}/{request['id']}", person)["status"]
        assert status == ("Provisioned" if winner == "Approve" else "Denied")


def test_cancel_and_approve(graph: Graph) -> None:
    world = graph.world
    world.approval(world.bob)
    world.eligible(world.ann)
    request = graph.post(REQUESTS, world.ann, activation(world.ann)).json()
    step = f"/roleManagement/directory/roleAssignmentApprovals/{request['id']}/steps/{request['id']}"
    cancelled, approved = together(
        ready(graph, "POST", f"{REQUESTS}/{request['id']}/cancel", world.ann, {}),
        ready(graph, "PATCH", step, world.bob, {"reviewResult": "Approve", "justification": "x"}),
    )
    assert sorted((cancelled.status, approved.status)) == [204, 400]
    status = graph.ok(f"{REQUESTS}/{request['id']}", world.ann)["status"]
    assert status == ("Canceled" if cancelled.status == 204 else "Provisioned")
