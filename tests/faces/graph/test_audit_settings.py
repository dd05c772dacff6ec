"""`openPim/auditSettings`: who sets how long the history is kept and who witnesses it, and the secret that is said once."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.roles import SECURITY_ADMINISTRATOR
from tests.faces.graph.client import Graph, error
from tests.world import ASSIGNMENT, READER, ok

PATH = "/openPim/auditSettings"
HOOK, STAMPS = "https://witness.example.com/openpim", "https://tsa.example.com/"


def settings(graph: Graph) -> dict[str, Any]:
    body = graph.ok(PATH, graph.world.ga)
    body.pop("@odata.context")
    return body


def changed(graph: Graph, **body: Any) -> dict[str, Any]:
    answer = graph.patch(PATH, graph.world.ga, body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_what_is_given_changes_and_all_else_stays(graph: Graph) -> None:
    assert settings(graph) == {"retentionDays": None, "witnessUrl": None, "timeStampUrl": None}
    changed(graph, retentionDays=730)
    changed(graph, timeStampUrl=STAMPS)
    assert settings(graph) == {"retentionDays": 730, "witnessUrl": None, "timeStampUrl": STAMPS}
    changed(graph, retentionDays=None)
    changed(graph, timeStampUrl=None)
    assert settings(graph) == {"retentionDays": None, "witnessUrl": None, "timeStampUrl": None}


def test_a_new_witness_gets_a_secret_that_is_said_once(graph: Graph) -> None:
    secret = changed(graph, witnessUrl=HOOK)["witnessSecret"]
    assert secret.startswith("whsec_")
    assert "witnessSecret" not in settings(graph)
    assert "witnessSecret" not in changed(graph, witnessUrl=HOOK)
    assert "witnessSecret" not in changed(graph, retentionDays=90)
    assert changed(graph, witnessUrl=HOOK + "/new")["witnessSecret"] != secret
    assert "witnessSecret" not in changed(graph, witnessUrl=None)


@pytest.mark.parametrize(
    "body",
    [
        {"retentionDays": 29},
        {"retentionDays": 36_501},
        {"retentionDays": "90"},
        {"retentionDays": True},
        {"witnessUrl": "nonsense"},
        {"witnessUrl": "https://10.0.0.1/"},
        {"timeStampUrl": "http://tsa.example.com/"},
        {"timeStampUrl": 7},
        {"retentionDays": 90, "timeStampUrl": "https://a.example/" + "x" * 2000},
    ],
)
def test_what_is_wrong_changes_nothing(graph: Graph, body: dict[str, Any]) -> None:
    before = settings(graph)
    error(graph.patch(PATH, graph.world.ga, body), 400, "Request_BadRequest")
    assert settings(graph) == before


def test_readers_read_and_others_do_not(graph: Graph) -> None:
    world = graph.world
    for role in (READER, SECURITY_ADMINISTRATOR):
        reader = world.user("Rhea")
        ok(world.give(reader, role, ASSIGNMENT, permanent=True, by=world.ga))
        graph.ok(PATH, reader)
        assert graph.patch(PATH, reader, {"retentionDays": 30}).status_code == 403
    assert graph.get(PATH, world.ann).status_code == 403
    assert graph.patch(PATH, world.ann, {"witnessUrl": HOOK}).status_code == 403
    assert settings(graph)["retentionDays"] is None
    assert settings(graph)["witnessUrl"] is None
