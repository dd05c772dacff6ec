"""`openPim/auditStreams` and `openPim/auditExport`: shapes, secrets, portions, filters, and what is sent in bad faith."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from openpim.core.audit_form import COLUMNS
from openpim.core.roles import SECURITY_ADMINISTRATOR
from tests.faces.graph.client import Graph, person
from tests.world import ASSIGNMENT, READER, ok

STREAMS, EXPORT = "/beta/openPim/auditStreams", "/beta/openPim/auditExport"
NEW = {
    "displayName": "siem",
    "kind": "ocsf",
    "address": "https://siem.example.com/in",
    "secret": "Bearer sesame",
}


@pytest.fixture
def admin(graph: Graph) -> str:
    world = graph.world
    ok(world.give(world.ann, SECURITY_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=world.ga))
    world.grow()
    return world.ann


def send(graph: Graph, method: str, path: str, who: str, body: Any = None) -> Any:
    return graph.send(method, path, person(who), body)


def test_the_life_of_a_stream(graph: Graph, admin: str) -> None:
    made = send(graph, "POST", STREAMS, admin, NEW)
    assert made.status_code == 201, made.text
    found = made.json()
    assert "sesame" not in made.text
    assert (found["displayName"], found["kind"], found["hasSecret"], found["isPaused"]) == (
        "siem",
        "ocsf",
        True,
        False,
    )
    assert found["headerName"] == "Authorization"
    assert found["status"]["eventsBehind"] == 0
    address = f"{STREAMS}/{found['id']}"
    graph.world.grow()
    graph.world.forward(minutes=10)
    seen = send(graph, "GET", address, admin).json()
    assert seen["status"]["eventsBehind"] > 0
    assert seen["status"]["secondsBehind"] == 600
    changed = send(graph, "PATCH", address, admin, {"isPaused": True, "displayName": "other"})
    assert (changed.json()["isPaused"], changed.json()["displayName"]) == (True, "other")
    assert [one["id"] for one in send(graph, "GET", STREAMS, admin).json()["value"]] == [found["id"]]
    assert send(graph, "DELETE", address, admin).status_code == 204
    assert send(graph, "GET", address, admin).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "kafka"},
        {"kind": None},
        {"address": "https://10.0.0.1/"},
        {"address": 5},
        {"address": ""},
        {"displayName": ""},
        {"displayName": ["x"]},
        {"secret": "a\nb"},
        {"headerName": "Host"},
        {"facility": "13"},
        {"facility": 24},
        {"isPaused": "yes"},
        {"startFrom": "yesterday"},
    ],
)
def test_what_cannot_be_is_400(graph: Graph, admin: str, change: dict[str, Any]) -> None:
    answer = send(graph, "POST", STREAMS, admin, NEW | change)
    assert answer.status_code == 400, answer.text
    assert "sesame" not in answer.text


def test_who_may_not_is_403(graph: Graph, admin: str) -> None:
    world = graph.world
    ok(world.give(world.cyd, READER, ASSIGNMENT, permanent=True, by=world.ga))
    made = send(graph, "POST", STREAMS, admin, NEW).json()["id"]
    for method, path, body in (("POST", STREAMS, NEW | {"displayName": "x"}), ("PATCH", f"{STREAMS}/{made}", {}), ("DELETE", f"{STREAMS}/{made}", None)):  # fmt: skip
        for who in (world.bob, world.cyd, world.pra):
            assert send(graph, method, path, who, body).status_code == 403
    assert send(graph, "GET", STREAMS, world.bob).status_code == 403
    assert send(graph, "GET", STREAMS, world.cyd).status_code == 200


# ---------------------------------------------------------------- export


def exported(graph: Graph, who: str, form: str, more: str = "", top: int = 3) -> list[str]:
    """All portions."""
    texts, at = [], ""
    for _ in range(1000):
        answer = send(graph, "GET", f"{EXPORT}?format={form}&$top={top}{more}{at}", who)
        assert answer.status_code == 200, answer.text
        texts.append(answer.text)
        following = answer.headers.get("openpim-next")
        if following is None:
            return texts
        at = f"&at={following}"
    raise AssertionError("no end")


def test_every_form_has_every_event_once_and_in_order(graph: Graph, admin: str) -> None:
    world = graph.world
    world.eligible(world.user("Zoë =cmd()"))
    world.grow()
    wanted = [one.id for one in world.events()]
    lines = [json.loads(line) for text in exported(graph, admin, "jsonl") for line in text.splitlines()]
    assert [one["leaf"]["id"] for one in lines] == wanted
    assert [one["position"] for one in lines] == list(range(len(wanted)))
    rows = [json.loads(line) for text in exported(graph, admin, "rows") for line in text.splitlines()]
    assert [one["id"] for one in rows] == wanted
    table = list(csv.DictReader(io.StringIO("".join(exported(graph, admin, "csv")), newline="")))
    assert [one["id"] for one in table] == wanted
    assert tuple(table[0]) == tuple(rows[0]) == COLUMNS
    assert any("Zoë" in one["about"] for one in table)


def test_events_that_come_meanwhile_come_at_the_end(graph: Graph, admin: str) -> None:
    world = graph.world
    size = world.grow()
    first = send(graph, "GET", f"{EXPORT}?$top={size}", admin)
    world.eligible(world.user("Later"))
    world.grow()
    rest = send(graph, "GET", f"{EXPORT}?at={first.headers['openpim-next']}", admin)
    assert json.loads(rest.text.splitlines()[0])["position"] == size


def test_a_filter_is_that_of_directory_audits(graph: Graph, admin: str) -> None:
    world = graph.world
    world.eligible(world.bob)
    world.forward(minutes=1)
    world.grow()
    where = f"&$filter=activityDateTime ge {world.now:%Y-%m-%dT%H:%M:%SZ}"
    assert exported(graph, admin, "jsonl", where) == [""]
    where = "&$filter=category eq 'UserManagement' or result eq 'success'"
    assert len("".join(exported(graph, admin, "jsonl", where)).splitlines()) == len(world.events())


def test_who_may_not_read_all_gets_his_own_part(graph: Graph, admin: str) -> None:
    world = graph.world
    world.eligible(world.bob)
    world.forward(minutes=1)
    world.grow()
    lines = "".join(exported(graph, world.bob, "jsonl")).splitlines()
    assert lines
    assert all(world.bob in line for line in lines)
    assert len(lines) < len(world.events())


@pytest.mark.parametrize(
    "query",
    ["format=xml", "at=x", "at=-1", "at=99999999999999999999", "$filter=nonsense", "$top=x", "other=1", "at=%00",
     "$filter=category eq 'x'&at=5"],
)  # fmt: skip
def test_an_export_that_cannot_be_is_400(graph: Graph, admin: str, query: str) -> None:
    answer = send(graph, "GET", f"{EXPORT}?{query}", admin)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"]


def test_other_tenants_get_nothing(graph: Graph, admin: str) -> None:
    world = graph.world
    world.grow()
    other = type(world)(world.database)
    other.grow()
    abroad = Graph(other)
    text = "".join(exported(abroad, other.ga, "jsonl"))
    assert world.tenant_id not in text
    assert other.tenant_id in text
