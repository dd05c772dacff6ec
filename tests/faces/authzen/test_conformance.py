"""The working group's certification scenario (openid/authzen, certification/authorization-api-1_0-scenario.md), line by line,
with its fixture: alice and bob, record-1 and record-2, read and write.

Rules 5 to 8 of the fixture (Properties) are policies over what the caller says of a subject or resource; OpenPIM decides by
roles, so of those levels only the shapes are tested. docs/reference/authzen.md says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpim.core.grants import Action, Provider
from openpim.core.permissions import Permission, ResourceRole
from tests.faces.authzen.conftest import Site
from tests.world import ASSIGNMENT, World, ok

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCHES = {kind: f"/access/v1/search/{kind}" for kind in ("subject", "resource", "action")}
ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
READ, WRITE = {"name": "read"}, {"name": "write"}
RECORD_1, RECORD_2 = {"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}


@pytest.fixture(autouse=True)
def fixture(world: World, site: Site) -> None:
    domain = world.read(lambda tx: tx.tenants.current()).domain
    alice = world.user("alice", user_principal_name=f"alice@{domain}")
    bob = world.user("bob", user_principal_name=f"bob@{domain}")
    for name, people in {"read": (alice, bob), "write": (alice,)}.items():
        role = ResourceRole(
            world.new_id(), f"Record {name}", (Permission((f"record/{name}",)),), built_in=False
        )
        world.write(lambda tx, role=role: tx.resource_roles.put(role))
        for person in people:
            ask = world.ask(Action.ADMIN_ASSIGN, person, role.id, "/", kind=ASSIGNMENT, permanent=True)
            ok(world.submit(replace(ask, provider=Provider.RESOURCE), world.system))
    ok(world.assigned(alice))


def asked(subject: Any, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    found = {"subject": subject, "action": action, "resource": resource, **more}
    return {name: value for name, value in found.items() if value is not None}


def test_rules_1_to_4(site: Site) -> None:
    for subject, action, expected in (
        (ALICE, READ, True),
        (ALICE, WRITE, True),
        (BOB, READ, True),
        (BOB, WRITE, False),
    ):
        for context in (None, {}, {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}):
            answer = site.post(EVALUATION, asked(subject, action, RECORD_1, context=context))
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()["decision"] is expected, (subject, action)


def test_properties_are_taken_and_unknown_fields_are_left_alone(site: Site) -> None:
    body = asked(
        {**ALICE, "properties": {"role": "admin", "more": [1]}, "new": 1},
        {**READ, "properties": {"soft": True}},
        {**RECORD_1, "properties": {"status": "archived"}},
        future={"a": 1},
    )
    assert site.post(EVALUATION, body).json() == {"decision": True}


WHOLE = asked(ALICE, READ, RECORD_1)
MISSING = [
    {name: value for name, value in WHOLE.items() if name != gone}
    for gone in ("subject", "action", "resource")
] + [
    {**WHOLE, "subject": {"type": "user"}},
    {**WHOLE, "subject": {"id": "alice"}},
    {**WHOLE, "action": {}},
    {**WHOLE, "resource": {"type": "record"}},
    {**WHOLE, "resource": {"id": "record-1"}},
    {**WHOLE, "subject": "alice"},
    {**WHOLE, "subject": {"type": "user", "id": 7}},
    {**WHOLE, "subject": None},
    {**WHOLE, "context": "x"},
    {**WHOLE, "resource": {**RECORD_1, "properties": []}},
    {},
    [],
    [WHOLE],
    "alice",
    None,
]


def test_what_is_required(site: Site) -> None:
    for body in MISSING:
        answer = site.post(EVALUATION, body)
        assert answer.status_code == 400, body
        assert answer.text


def test_transport(site: Site) -> None:
    for path in (EVALUATION, EVALUATIONS, *SEARCHES.values()):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            said = site.client.request(method, path, headers={"authorization": "Bearer app"})
            assert said.status_code == 405
            assert said.headers["allow"] == "POST"
        assert site.post(path, b"{").status_code == 400
        assert site.post(path, WHOLE, None).status_code == 401
        plain = {"content-type": "text/plain"}
        assert site.client.post(path, content=b"{}", headers={**plain, "authorization": "Bearer app"}).status_code == 400  # fmt: skip
    charset = site.post(EVALUATION, WHOLE, **{"content-type": "application/json; charset=utf-8"})
    assert charset.json() == {"decision": True}


def test_request_ids_come_back(site: Site) -> None:
    for body, token in ((WHOLE, "app"), ({}, "app"), (WHOLE, None)):
        answer = site.post(EVALUATION, body, token, **{"x-request-id": "bfe9eb29-ab87"})
        assert answer.headers["x-request-id"] == "bfe9eb29-ab87"
    assert "x-request-id" not in site.post(EVALUATION, WHOLE).headers


def test_the_same_question_has_the_same_answer(site: Site) -> None:
    assert len({site.post(EVALUATION, WHOLE).text for _ in range(5)}) == 1


def test_batch_core(site: Site) -> None:
    body = {
        "subject": ALICE,
        "action": READ,
        "options": {"evaluations_semantic": "execute_all"},
        "evaluations": [{"resource": RECORD_1}, {}],
    }
    found = site.post(EVALUATIONS, body).json()["evaluations"]
    assert [one["decision"] for one in found] == [True, False]
    each = [asked(*one) for one in ((ALICE, READ, RECORD_1), (BOB, WRITE, RECORD_1), (BOB, READ, RECORD_2))]
    found = site.post(EVALUATIONS, {"evaluations": each}).json()["evaluations"]
    assert [one["decision"] for one in found] == [True, False, True]
    for bad in ({"evaluations": "x"}, {"evaluations": [1]}, {"evaluations": {}}):
        said = site.post(EVALUATIONS, {**WHOLE, **bad})
        assert said.status_code == 400 or said.json()[
            "evaluations"
        ] == [  # an item that is no object spoils itself alone
            {"decision": False, "context": {"error": said.json()["evaluations"][0]["context"]["error"]}}
        ]


def test_search_core(site: Site, world: World) -> None:
    people = site.post(SEARCHES["subject"], asked({"type": "user"}, READ, RECORD_1)).json()["results"]
    names = {world.read(lambda tx, one=one: tx.users.get(one["id"])).display_name for one in people}
    assert {"alice", "bob"} <= names
    assert {one["type"] for one in people} == {"user"}
    writers = site.post(SEARCHES["subject"], asked({"type": "user", "id": "ignored"}, WRITE, RECORD_1)).json()
    assert len(writers["results"]) == 1
    actions = site.post(SEARCHES["action"], {"subject": ALICE, "resource": RECORD_1}).json()["results"]
    assert {"name": "read"} in actions
    assert {"name": "write"} in actions
    roles = site.post(SEARCHES["resource"], asked(ALICE, {"name": "use"}, {"type": "role"})).json()["results"]
    assert len(roles) == 3
    assert {one["type"] for one in roles} == {"role"}
    for role in roles:
        assert site.post(EVALUATION, asked(ALICE, {"name": "use"}, role)).json() == {"decision": True}


def test_nothing_is_found_of_what_is_unknown(site: Site) -> None:
    nobody, spaceship = {"type": "user", "id": "nonexistent-user"}, {"type": "spaceship"}
    for kind, body in (
        ("action", {"subject": nobody, "resource": RECORD_1}),
        ("action", {"subject": {**spaceship, "id": "alice"}, "resource": RECORD_1}),
        ("action", {"subject": ALICE, "resource": {**spaceship, "id": "x"}}),
        ("subject", asked(spaceship, READ, RECORD_1)),
        ("subject", asked({"type": "user"}, {"name": "fly"}, RECORD_1)),
        ("resource", asked(nobody, READ, {"type": "record"})),
        ("resource", asked(ALICE, READ, spaceship)),
        ("resource", asked(ALICE, {"name": "fly"}, {"type": "role"})),
    ):
        answer = site.post(SEARCHES[kind], body)
        assert answer.status_code == 200, body
        assert answer.json()["results"] == [], body
    for path, body in (
        (SEARCHES["subject"], {"subject": {"type": "user"}, "resource": RECORD_1}),
        (SEARCHES["resource"], {"subject": ALICE, "action": READ}),
        (SEARCHES["action"], {"resource": RECORD_1}),
    ):
        assert site.post(path, body).status_code == 400


def test_pages(site: Site) -> None:
    body = asked({"type": "user"}, READ, RECORD_1)
    first = site.post(SEARCHES["subject"], {**body, "page": {"limit": 1}}).json()
    assert len(first["results"]) == 1
    assert first["page"]["total"] == 2
    token = first["page"]["next_token"]
    second = site.post(SEARCHES["subject"], {**body, "page": {"limit": 1, "token": token}}).json()
    assert second["results"] != first["results"]
    assert second["page"]["next_token"] == ""
    example = {
        **body,
        "page": {"token": token},
    }  # as the specification writes it: the limit is the first page's
    assert site.post(SEARCHES["subject"], example).json() == second
    none = site.post(SEARCHES["subject"], {**body, "page": {"limit": 0}}).json()
    assert (none["results"], none["page"]["total"]) == ([], 2)
    on = site.post(SEARCHES["subject"], {**body, "page": {"token": none["page"]["next_token"]}}).json()
    assert (on["results"], bool(on["page"]["next_token"])) == ([], True), "none at a time never ends"
    changed = asked({"type": "user"}, WRITE, RECORD_1)
    for wrong in (
        {**changed, "page": {"limit": 1, "token": token}},
        {**body, "page": {"limit": 2, "token": token}},
    ):
        assert site.post(SEARCHES["subject"], wrong).status_code == 400
    for bad in ("x", "…", token[:9] + ("A" if token[9] != "A" else "B") + token[10:]):
        assert site.post(SEARCHES["subject"], {**body, "page": {"limit": 1, "token": bad}}).status_code == 400
    assert site.post(SEARCHES["subject"], {**body, "page": {"limit": -1}}).status_code == 400


def test_discovery(site: Site) -> None:
    said = site.get("/.well-known/authzen-configuration", None).json()
    origin = said["policy_decision_point"]
    assert origin.startswith("https://")
    assert said["access_evaluation_endpoint"] == f"{origin}/access/v1/evaluation"
    assert said["access_request_endpoint"] == f"{origin}/access/v1/requests"
    assert "urn:openid:authzen:capability:access-request" in said["capabilities"]
    below = site.get("/.well-known/authzen-configuration/tenant1", None).json()
    assert below["policy_decision_point"] == f"{origin}/tenant1"
    assert site.get("/.well-known/authzen-configuration/a/b", None).status_code == 404
    assert site.client.post("/.well-known/authzen-configuration").status_code == 405
