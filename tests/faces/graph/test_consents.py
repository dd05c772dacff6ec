"""`/oauth2PermissionGrants`: given by those who give roles, seen and withdrawn by whom it concerns."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core import roles as r
from openpim.core.signin.consent import GRAPH_RESOURCE
from tests.faces.graph.client import Graph
from tests.world import ASSIGNMENT, ok

PATH = "/oauth2PermissionGrants"


def body(client: str, **changes: Any) -> dict[str, Any]:
    return {
        "clientId": client,
        "consentType": "AllPrincipals",
        "principalId": None,
        "resourceId": GRAPH_RESOURCE,
        "scope": "User.Read Group.Read.All",
        **changes,
    }


def test_the_life_of_a_grant(graph: Graph) -> None:
    world = graph.world
    app = world.app("Robot")
    made = graph.post(PATH, world.pra, body(app))
    assert made.status_code == 201, made.text
    assert made.json() | {"id": "", "@odata.context": ""} == {
        "@odata.context": "",
        "clientId": app,
        "consentType": "AllPrincipals",
        "id": "",
        "principalId": None,
        "resourceId": GRAPH_RESOURCE,
        "scope": "Group.Read.All User.Read",
    }
    key = made.json()["id"]
    assert graph.post(PATH, world.pra, body(app, scope="openid")).status_code == 400
    assert graph.send("PATCH", f"/v1.0{PATH}/{key}", world.pra, {"scope": "openid"}).status_code == 204
    for question in (
        f"clientId eq '{app}'",
        "consentType eq 'AllPrincipals'",
        f"clientId eq '{app}' and consentType eq 'AllPrincipals' and principalId eq null",
    ):
        found = graph.get(f"{PATH}?$filter={question}", world.pra).json()["value"]
        assert [(one["id"], one["scope"]) for one in found] == [(key, "openid")]
    assert graph.get(f"{PATH}?$filter=consentType eq 'Principal'", world.pra).json()["value"] == []
    assert graph.get(f"/servicePrincipals/{app}{PATH}", world.pra).json()["value"][0]["id"] == key
    assert graph.send("DELETE", f"/v1.0{PATH}/{key}", world.pra).status_code == 204
    assert graph.get(f"{PATH}/{key}", world.pra).status_code == 404


def test_a_person_sees_and_withdraws_his_own(graph: Graph) -> None:
    world = graph.world
    app = world.app("Robot")
    ids = [
        graph.post(PATH, world.pra, body(app, consentType="Principal", principalId=person)).json()["id"]
        for person in (world.ann, world.bob)
    ]
    assert [one["id"] for one in graph.get(PATH, world.ann).json()["value"]] == ids[:1]
    assert [one["id"] for one in graph.get(f"/me{PATH}", world.ann).json()["value"]] == ids[:1]
    assert graph.get(f"{PATH}/{ids[1]}", world.ann).status_code == 404
    assert graph.send("DELETE", f"/v1.0{PATH}/{ids[1]}", world.ann).status_code == 403
    # He may not give himself more.
    assert (
        graph.send("PATCH", f"/v1.0{PATH}/{ids[0]}", world.ann, {"scope": "Group.Read.All"}).status_code
        == 403
    )
    assert graph.send("DELETE", f"/v1.0{PATH}/{ids[0]}", world.ann).status_code == 204


def test_an_application_administrator_does_not_give(graph: Graph) -> None:
    world = graph.world
    ok(world.give(world.cyd, r.APPLICATION_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=world.system))
    app = world.app("Robot")
    assert graph.post(PATH, world.cyd, body(app)).status_code == 403
    assert graph.get(PATH, world.cyd).status_code == 200


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"consentType": "Everybody"}, "consentType"),
        ({"consentType": "Principal"}, "principalId"),
        ({"consentType": "Principal", "principalId": "00000000-0000-4000-8000-00000000ffff"}, "principalId"),
        ({"clientId": "00000000-0000-4000-8000-00000000ffff"}, "clientId"),
        ({"clientId": "x"}, "clientId"),
        ({"resourceId": "00000000-0000-4000-8000-00000000ffff"}, "resourceId"),
        ({"scope": 'a"b'}, "scope"),
        ({"scope": "a\x00b"}, "scope"),
        ({"scope": "é"}, "scope"),
        ({"scope": 5}, "scope"),
        ({"scope": " ".join(f"n{n}" for n in range(300))}, "scope"),
        ({"scope": None}, "scope"),
    ],
)
def test_what_makes_no_sense(graph: Graph, change: dict[str, Any], member: str) -> None:
    world = graph.world
    answer = graph.post(PATH, world.pra, body(world.app("Robot"), **change))
    assert (answer.status_code, member in answer.text) == (400, True), answer.text
    assert graph.get(PATH, world.pra).json()["value"] == []
