"""`activate` and `approve`: one activation over HTTP, and one that another person approves.

The floor issues the same statements through the plain driver, behind the same HTTP server, thread hop and token check.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.databases import databases
from bench.figures import Figure
from bench.load import Connection, Task, expecting, prepared
from bench.measuring import Side, take_turns
from bench.organisation import Organisation, config_in, make_organisation, person
from bench.processes import free_port, python, running
from bench.recording import Recorder, save
from bench.sizes import Sizes

REQUESTS = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
APPROVALS = "/v1.0/roleManagement/directory/roleAssignmentApprovals"
DECISION = {"reviewResult": "Approve", "justification": "agreed"}
LIMIT = 2.5


def ask(number: int, role: str) -> dict[str, object]:
    """What `pim activate` sends."""
    return {
        "action": "selfActivate",
        "principalId": person(number),
        "roleDefinitionId": role,
        "directoryScopeId": "/",
        "justification": "mail outage in Berlin",
        "ticketInfo": {"ticketSystem": "JIRA", "ticketNumber": "OPS-123"},
        "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT1H"}},
    }


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    for kind, url in databases("activate"):
        data = folder / f"activate-{kind}"
        people = sizes.activators * 2 + 2
        made = make_organisation(config_in(data, url), people, each=sizes.roles, approvers=1)
        _record(made, folder / f"{kind}.json")
        tokens = [made.token(number) for number in range(people)]
        made.system.database.close()
        with ExitStack() as stack:
            ports = {name: free_port() for name in ("ours", "floor")}
            pids = {
                "ours": stack.enter_context(
                    running(python("bench.servers", "ours", str(data), url, str(ports["ours"])), ports["ours"])
                ),
                "floor": stack.enter_context(
                    running(
                        python(
                            "bench.servers", "floor", str(data), url, str(ports["floor"]),
                            str(folder / f"{kind}.json"),
                        ),
                        ports["floor"],
                    )
                ),
            }  # fmt: skip
            for scene, batches in (("activate", _activations), ("approve", _approvals)):
                sides = [
                    Side(
                        name,
                        pids[name],
                        ports[name],
                        batches(made, tokens, sizes, floor=name == "floor").__getitem__,
                    )
                    for name in ("ours", "floor")
                ]
                take_turns(sides, sizes.rounds)
                yield _figure(f"{scene}, {kind}", *sides)


def _figure(name: str, ours: Side, floor: Side) -> Figure:
    return Figure(
        name, "ms CPU", ours.cpu, floor.cpu, "the same statements by the plain driver", LIMIT,
        more={"requests/s": ours.rate, "floor's requests/s": floor.rate},
    )  # fmt: skip


def _record(made: Organisation, path: Path) -> None:
    """Play both stories in this process with the last but one person, whom nobody else uses."""
    recorder, number, decider = Recorder(made), made.people - 2, made.people - 1
    token, theirs = made.token(number), made.token(decider)
    scenes = []
    for role in made.roles()[:3]:  # the third finds caches warm
        scene, _ = recorder.scene(
            "activate", "POST", REQUESTS, token, ask(number, role), person=person(number), role=role
        )
        scenes = [scene]
    role = made.approval_role
    scene, answer = recorder.scene(
        "ask", "POST", REQUESTS, token, ask(number, role), person=person(number), role=role
    )
    scenes.append(scene)
    if scene.made[0] != answer["id"]:
        raise AssertionError("the first id made is the request's")
    scene, _ = recorder.scene(
        "decide", "PATCH", f"{APPROVALS}/{answer['id']}/stages/{_stage(made, answer['id'])}", theirs, DECISION,
        person="", role="", request=answer["id"],
    )  # fmt: skip
    scenes.append(scene)
    save(scenes, path)


def _stage(made: Organisation, approval_id: str) -> str:
    from bench.organisation import TENANT

    approval = made.system.database.read(TENANT, lambda tx: tx.approvals.get(approval_id))
    assert approval is not None
    return approval.stages[0].id


def _people(sizes: Sizes, *, floor: bool) -> range:
    """Even people ask us, odd ones the floor: who has asked once cannot ask again."""
    return range(int(floor), sizes.activators * 2, 2)


def _activations(made: Organisation, tokens: Sequence[str], sizes: Sizes, *, floor: bool) -> list[list[Task]]:
    """One batch for each round: everybody activates his next role."""
    path = "/activate/x" if floor else REQUESTS
    per_round = max(1, len(made.roles()) // (sizes.rounds + 1))
    batches = []
    for number in range(sizes.rounds + 1):
        roles = made.roles()[number * per_round : (number + 1) * per_round]
        batches.append(
            [
                expecting(200 if floor else 201, prepared("POST", path, tokens[one], ask(one, role)))
                for role in roles
                for one in _people(sizes, floor=floor)
            ]
        )
    return batches


def _approvals(made: Organisation, tokens: Sequence[str], sizes: Sizes, *, floor: bool) -> list[list[Task]]:
    """One request and its approval are one task. Everybody can ask for the role once."""
    people = list(_people(sizes, floor=floor))
    per_round = len(people) // (sizes.rounds + 1)
    decider = tokens[made.people - 1]
    return [
        [
            _story(tokens[one], decider, ask(one, made.approval_role), floor=floor)
            for one in people[number * per_round : (number + 1) * per_round]
        ]
        for number in range(sizes.rounds + 1)
    ]


def _story(token: str, decider: str, body: dict[str, object], *, floor: bool) -> Task:
    first = prepared("POST", "/ask/x" if floor else REQUESTS, token, body)

    def task(connection: Connection) -> None:
        status, answer = connection.send(first)
        assert status in {200, 201}, answer[:400]
        asked = json.loads(answer)["id"]
        path = f"/decide/{asked}" if floor else f"{APPROVALS}/{asked}/stages/{asked}"
        status, answer = connection.send(prepared("PATCH", path, decider, DECISION))
        assert status in {200, 204}, answer[:400]

    return task
