"""From a no to a yes: the denial, the request, the task, and asking again (access request profile)."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Kind
from tests.faces.authzen.conftest import ALL, REQUEST, SELF, Site, question
from tests.world import DENY, TEAMS, World, ok

EVALUATION, REQUESTS = "/access/v1/evaluation", "/access/v1/requests"
ERROR = "urn:openid:authzen:access-request:error:"


@pytest.fixture(autouse=True)
def eligible(world: World) -> None:
    world.policy(activation_requires=frozenset())
    world.eligible(world.ann)


def denial(site: Site, world: World, who: str = "app", **more: Any) -> dict[str, Any]:
    """The request that answers a denial."""
    asked = question(world.ann, "use", "role", TEAMS)
    said = site.post(EVALUATION, asked, who).json()
    assert said["decision"] is False
    context = said["context"]
    offered = context["access_request"]
    assert offered["endpoint"].endswith(REQUESTS)
    return {
        **asked,
        "denial": {
            "evaluation_id": context["evaluation_id"],
            "expires_at": offered["expires_at"],
            "binding_token": offered["binding_token"],
        },
        "context": {"business_justification": "renewal"},
        **more,
    }


def test_at_once(site: Site, world: World) -> None:
    mine = site.person(world.ann)
    until = (world.now.replace(microsecond=0)).isoformat().replace("+00:00", "Z")
    wrong = site.post(REQUESTS, denial(site, world, requested_access={"requested_until": until}), mine)
    assert wrong.status_code == 400
    answer = site.post(REQUESTS, denial(site, world), mine)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said["task"]["status"] == "approved"
    assert answer.headers["location"] == said["task"]["status_endpoint"]
    assert said["result"]["mode"] == "reevaluate"
    again = {**question(world.ann, "use", "role", TEAMS), "context": {"approval": said["result"]["approval"]}}
    assert site.post(EVALUATION, again).json() == {
        "decision": True,
        "context": {"approval": {k: said["result"]["approval"][k] for k in ("id", "approved_until")}},
    }
    request = world.request(said["task"]["id"])
    assert request.justification == "renewal"
    last = world.events()[-1]
    assert (last.ip, last.client) == ("testclient", "testclient"), "on record with where it came from"
    assert last.request_id
    world.forward(hours=9)
    said = site.post(EVALUATION, again).json()
    assert (said["decision"], said["context"]["reason"], said["context"]["next_action"]) == (False, "approval_expired", "request")  # fmt: skip
    assert said["context"]["access_request"]


def test_after_an_approval(site: Site, world: World) -> None:
    world.approval(world.bob)
    mine = site.person(world.ann)
    answer = site.post(REQUESTS, denial(site, world), mine)
    assert answer.status_code == 202
    task = answer.json()["task"]
    path = f"{REQUESTS}/{task['id']}"
    assert task["status"] == "pending"
    again = {**question(world.ann, "use", "role", TEAMS), "context": {"approval": {"id": task["id"]}}}
    said = site.post(EVALUATION, again).json()
    assert (said["decision"], said["context"]["next_action"]) == (False, "retry")
    for reader in (mine, "app"):
        assert site.get(path, reader).json()["task"]["status"] == "pending"
    for stranger in (site.person(world.bob), site.person(world.ga), site.token("none", Caller(world.tenant_id, world.new_id(), CallerKind.SERVICE_PRINCIPAL))):  # fmt: skip
        found = site.get(path, stranger)
        assert found.status_code == 404
        assert found.json()["type"] == ERROR + "unknown_task"
        assert found.headers["content-type"] == "application/problem+json"
    ok(world.review(world.request(task["id"]), world.bob))
    assert site.get(path, mine).json()["result"]["approval"]["id"] == task["id"]
    assert site.post(EVALUATION, again).json()["decision"] is True
    gone = site.post(path + "/cancel", {}, mine)
    assert gone.status_code == 409
    assert gone.json()["type"] == ERROR + "invalid_task_state"


@pytest.mark.parametrize(
    ("how", "status"), [("deny", "denied"), ("cancel", "cancelled"), ("wait", "expired")]
)
def test_when_it_is_not_approved(site: Site, world: World, how: str, status: str) -> None:
    world.approval(world.bob)
    mine = site.person(world.ann)
    task = site.post(REQUESTS, denial(site, world), mine).json()["task"]
    path = f"{REQUESTS}/{task['id']}"
    if how == "deny":
        ok(world.review(world.request(task["id"]), world.bob, DENY))
    elif how == "cancel":
        assert site.post(path + "/cancel", {}, site.person(world.bob)).status_code == 404
        assert site.post(path + "/cancel", {}, "app").status_code == 404
        assert site.post(path + "/cancel", {}, mine).json()["task"]["status"] == "cancelled"
    else:
        world.forward(hours=25)
        world.work()
    assert site.get(path, mine).json() == {"task": {"id": task["id"], "status": status, "status_endpoint": task["status_endpoint"]}}  # fmt: skip
    assert not site.may(world.ann, "use", "role", TEAMS)


def test_nobody_asks_in_another_s_name(site: Site, world: World) -> None:
    body = denial(site, world)
    for who in (
        "app",
        site.person(world.bob),
        site.person(world.ann, SELF),
        site.token("asks", Caller(world.tenant_id, world.ann, CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({ALL, REQUEST}))),
    ):  # fmt: skip
        assert site.post(REQUESTS, body, who).status_code == 403
    assert site.post(REQUESTS, body, None).status_code == 401
    assert not world.holds(world.ann)


def test_what_the_settings_ask_for_holds_here_too(site: Site, world: World) -> None:
    from openpim.core.policy import Requirement

    world.policy(activation_requires=frozenset(Requirement))
    body = denial(site, world)
    said = site.post(REQUESTS, {**body, "context": {}}, site.person(world.ann, mfa=False))
    assert said.status_code == 403
    assert said.json()["amr_values"] == "mfa"
    assert set(said.json()["rules"]) == {"MfaRule", "JustificationRule", "TicketingRule"}
    context = {"justification": "x", "ticket_number": "7", "ticket_system": "desk"}
    assert site.post(REQUESTS, {**body, "context": context}, site.person(world.ann)).status_code == 201


def test_a_denial_is_of_one_question_and_one_tenant_and_does_not_keep(site: Site, world: World) -> None:
    world.eligible(world.bob)
    body, mine = denial(site, world), site.person(world.ann)
    token = body["denial"]["binding_token"]
    other = question(world.bob, "use", "role", TEAMS)
    there = World(world.database, number=79)
    away = site.token("away", Caller(there.tenant_id, world.ann, CallerKind.USER, scopes=frozenset({SELF, REQUEST})))  # fmt: skip
    for changed, who in (
        ({"action": {"name": "activate"}}, mine),
        ({"resource": {"type": "role", "id": world.pra}}, mine),
        ({"subject": other["subject"]}, mine),
        ({"subject": other["subject"]}, site.person(world.bob)),
        ({"denial": {"binding_token": token[:9] + ("A" if token[9] != "A" else "B") + token[10:]}}, mine),
        ({"denial": {"binding_token": "x"}}, mine),
        ({"denial": {"binding_token": token, "evaluation_id": "another"}}, mine),
        ({"denial": {}}, mine),
        ({"denial": None}, mine),
        ({}, away),
    ):
        said = site.post(REQUESTS, body | changed, who)
        assert said.status_code == 400, changed
        assert said.json()["type"] == ERROR + "invalid_denial_binding", changed
    assert site.post(REQUESTS, {**body, "items": []}, mine).status_code == 400
    world.forward(minutes=10)
    late = site.post(REQUESTS, body, mine)
    assert late.status_code == 410
    assert late.json()["type"] == ERROR + "expired_denial"
    assert not world.holds(world.ann)


def test_asked_again_with_the_same_key(site: Site, world: World) -> None:
    body, mine = denial(site, world), site.person(world.ann)
    first = site.post(REQUESTS, body, mine, **{"idempotency-key": "one"})
    second = site.post(REQUESTS, dict(reversed(body.items())), mine, **{"idempotency-key": "one"})
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = site.post(REQUESTS, {**body, "context": {}}, mine, **{"idempotency-key": "one"})
    assert other.status_code == 409
    assert other.json()["type"] == ERROR + "duplicate_request"
    assert site.post(REQUESTS, body, mine, **{"idempotency-key": "a b"}).status_code == 400
    found = world.read(lambda tx: tx.schedules.of([world.ann], kind=Kind.ASSIGNMENT))
    assert len(found) == 1


def test_no_offer_where_nothing_would_help(site: Site, world: World) -> None:
    assert site.ask(world.bob, "use", "role", TEAMS) == {"decision": False}
    approval = {"approval": {"id": world.new_id()}}
    said = site.post(EVALUATION, {**question(world.bob, "use", "role", TEAMS), "context": approval}).json()
    assert said["context"] == {"reason": "approval_unverifiable", "next_action": "none"}
    for odd in ({"id": 7}, {"id": "…"}, [], "x", {"id": "' or 1"}):
        body = {**question(world.bob, "use", "role", TEAMS), "context": {"approval": odd}}
        assert site.post(EVALUATION, body).json()["decision"] is False
