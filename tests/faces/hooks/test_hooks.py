"""The address where other systems call, over HTTP: who cannot sign learns nothing."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from openpim.core import webhooks
from openpim.faces.hooks import routes
from tests.services.channels.helper import channel
from tests.world import World

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

CLOSED = json.dumps({"type": "ticket.closed", "ticketNumber": "INC1"}).encode()


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def http(world: World) -> TestClient:
    return TestClient(Starlette(routes=routes(world.deps)), raise_server_exceptions=True)


def signed(world: World, secret: str, body: bytes, message_id: str = "m1") -> dict[str, str]:
    return webhooks.headers([secret], message_id, world.now, body)


def test_a_signed_message_is_taken_once(world: World, http: TestClient) -> None:
    shown = channel(world, "https://example.com/x")
    path = f"/hooks/{world.tenant_id}/{shown.channel.id}"
    first = http.post(path, content=CLOSED, headers=signed(world, shown.secret, CLOSED))
    again = http.post(path, content=CLOSED, headers=signed(world, shown.secret, CLOSED))
    assert (first.status_code, first.json()) == (200, {"status": "accepted", "ended": 0})
    assert (again.status_code, again.json()) == (200, {"status": "seen", "ended": 0})
    assert len(world.events("Ticket closed")) == 1


def test_whoever_cannot_sign_gets_the_same_answer_everywhere(world: World, http: TestClient) -> None:
    shown = channel(world, "https://example.com/x")
    good = signed(world, shown.secret, CLOSED)
    there = f"/hooks/{world.tenant_id}/{shown.channel.id}"
    tries: list[tuple[str, bytes, dict[str, str]]] = [
        (there, CLOSED, {}),
        (there, CLOSED + b" ", good),
        (there, CLOSED, signed(world, "whsec_AAAA", CLOSED)),
        (there, CLOSED, {**good, "webhook-id": "m2"}),
        (f"/hooks/{world.tenant_id}/{world.new_id()}", CLOSED, good),
        (f"/hooks/{world.new_id()}/{shown.channel.id}", CLOSED, good),
        ("/hooks/x/y", CLOSED, good),
        ("/hooks/%00/%ff", CLOSED, good),
    ]
    said = {
        (answer.status_code, answer.text)
        for answer in (http.post(p, content=b, headers=h) for p, b, h in tries)
    }
    assert len(said) == 1
    assert next(iter(said))[0] == 401
    assert not world.events("Ticket closed")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 400),
        (b"x", 400),
        (b'{"type":"callout.answered","calloutId":"x","evaluationOutcome":"Approved"}', 404),
    ],
)
def test_what_is_signed_and_wrong_says_what(world: World, http: TestClient, body: bytes, status: int) -> None:
    shown = channel(world, "https://example.com/x")
    answer = http.post(
        f"/hooks/{world.tenant_id}/{shown.channel.id}",
        content=body,
        headers=signed(world, shown.secret, body),
    )
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_other_methods_and_large_bodies(world: World, http: TestClient) -> None:
    path = f"/hooks/{world.tenant_id}/{world.new_id()}"
    assert http.get(path).status_code == 405
    assert http.post(path, content=b"x" * 70_000).status_code == 413


def test_a_browser_of_another_site_gets_nothing_from_it(world: World, http: TestClient) -> None:
    answer: Any = http.post(
        f"/hooks/{world.tenant_id}/{world.new_id()}", headers={"Origin": "https://evil.test"}
    )
    assert "access-control-allow-origin" not in answer.headers
