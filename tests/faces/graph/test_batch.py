"""`$batch`: every item is a request of its own."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.faces.graph.client import ORIGIN, Graph, error, person
from tests.faces.graph.test_life import REQUESTS, activation


def send(graph: Graph, who: Any, *items: dict[str, Any], version: str = "v1.0") -> Any:
    return graph.post(f"/{version}/$batch", who, {"requests": list(items)})


def answers(answer: Any) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["responses"]}


def item(id: str, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"id": id, "method": method, "url": url, **more}


def test_addresses_in_all_forms(graph: Graph) -> None:
    urls = (
        "/me", "me", "/v1.0/me", "/beta/me", "beta/me", f"{ORIGIN}/v1.0/me", "https://graph.microsoft.com/beta/me",
        "//me/", "/me?$select=id", "/users?$filter=displayName eq 'ann'", "/users?$filter=displayName%20eq%20'ann'",
    )  # fmt: skip
    found = answers(send(graph, graph.world.ann, *(item(str(n), url) for n, url in enumerate(urls))))
    assert [one["status"] for one in found.values()] == [200] * len(urls), found
    assert "/beta/" in found["3"]["body"]["@odata.context"]
    assert [row["id"] for row in found["9"]["body"]["value"]] == [graph.world.ann]
    beta = answers(send(graph, graph.world.ann, item("1", "/me"), version="beta"))
    assert "/beta/" in beta["1"]["body"]["@odata.context"]


def test_each_item_is_authorised_and_fails_alone(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    found = answers(
        send(
            graph,
            world.ann,
            item("me", "/me"),
            item(
                "no",
                "/users",
                "POST",
                body={"displayName": "x", "userPrincipalName": "x@y.z"},
                headers={"Content-Type": "application/json"},
            ),
            item("lost", "/nothing"),
            item(
                "on",
                REQUESTS,
                "POST",
                body=activation(world.ann),
                headers={"content-type": "application/json"},
            ),
            item("count", "/users/$count", headers={"ConsistencyLevel": "eventual"}),
        )
    )
    assert {key: one["status"] for key, one in found.items()} == {
        "me": 200,
        "no": 403,
        "lost": 400,
        "on": 201,
        "count": 200,
    }
    assert found["no"]["body"]["error"]["code"] == "Authorization_RequestDenied"
    assert found["count"]["body"] == "7"
    little = person(world.bob, scopes=frozenset({"User.Read"}))
    found = answers(send(graph, little, item("1", "/me"), item("2", "/users")))
    assert [one["status"] for one in found.values()] == [200, 403]


def test_items_wait_for_each_other(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    mine = "/roleManagement/directory/roleAssignmentScheduleInstances/filterByCurrentUser(on='principal')"
    found = answers(
        send(
            graph,
            world.ann,
            item("after", mine, dependsOn=["on"]),
            item("on", REQUESTS, "POST", body=activation(world.ann)),
            item("twice", REQUESTS, "POST", body=activation(world.ann), depends_on=["after"]),
            item("last", "/me", dependsOn=["twice"]),
        )
    )
    assert [one["status"] for one in found.values()] == [200, 201, 400, 424], found
    assert found["after"]["body"]["value"][0]["assignmentType"] == "Activated"
    assert found["last"]["body"]["error"]["code"] == "FailedDependency"


@pytest.mark.parametrize(
    "requests",
    [
        [], None, {}, "x", [1], [{}], [item("1", "/me"), item("1", "/me")], [item("1", "/me", dependsOn=["2"])],
        [item("1", "/me", dependsOn=["1"])], [item("1", "/me", dependsOn=["2"]), item("2", "/me", dependsOn=["1"])],
        [item(str(n), "/me") for n in range(21)], [item("1", "/$batch", "POST", body={})], [item("1", "ftp://x/me")], [item("1", "https://[x/me")],
        [item("1", "/me", "TRACE")], [item("", "/me")], [item("1", "")], [item("1", "/me", body=5)], [item("1", "/me", body="%%")],
        [item("1", "/me", headers=[])], [item("1", "/me", dependsOn="2")],
    ],
)  # fmt: skip
def test_batches_that_make_no_sense(graph: Graph, requests: Any) -> None:
    error(graph.post("/$batch", graph.world.ann, {"requests": requests}), 400, "BadRequest")


def test_twenty_are_taken_and_hostile_items_hurt_only_themselves(graph: Graph) -> None:
    bodies = [
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 5000).decode(),
        {"action": {"deep": 1}},
        {},
    ]
    items = [
        item(str(n), REQUESTS, "POST", body=one, headers={"Content-Type": "application/json"})
        for n, one in enumerate(bodies)
    ]
    items += [
        item(str(n), url)
        for n, url in enumerate(("/%ff", "/users/%00", "/users?$filter=" + "(" * 500, "/users/a%2fb"), 4)
    ]
    items += [item(str(n), "/me") for n in range(len(items), 20)]
    found = answers(send(graph, graph.world.ann, *items))
    assert [one["status"] for one in found.values()] == [400] * 8 + [200] * 12


def test_the_envelope(graph: Graph) -> None:
    world = graph.world
    error(send(graph, None, item("1", "/me")), 401, "InvalidAuthenticationToken")
    error(graph.get("/$batch", world.ann), 405, "MethodNotAllowed")
    error(
        graph.post("/$batch", world.ann, b"{}", headers={"Content-Type": "text/plain"}),
        415,
        "UnsupportedMediaType",
    )
    error(graph.post("/$batch", world.ann, b"{"), 400, "BadRequest")
    big = json.dumps({"requests": [item("1", "/me", x="y" * 1_100_000)]})
    error(graph.post("/$batch", world.ann, big), 413, "RequestEntityTooLarge")
