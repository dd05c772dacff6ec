"""The decision API over a world: `site` asks, `site.token(...)` says who does. Each evaluation is asked the short way, too
(faces/authzen/quick.py)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code, Refusal
from openpim.faces import authzen
from openpim.faces.shared.paths import TidyPaths
from openpim.services.decisions.callers import Callers
from openpim.services.decisions.following import Following
from tests.world import World

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

FAR = 1 << 35
EVALUATION = "/access/v1/evaluation"
ALL, SELF, REQUEST = "Decision.Evaluate.All", "Decision.Evaluate", "Decision.Request"


class Tokens:
    """As services.signin.tokens.Tokens: all that Callers asks of it."""

    def verify(self, _token: str) -> dict[str, Any]:
        return {"exp": FAR}


class Site:
    """app: the application that asks about everybody; every other one is registered by `token`. shortly: how many answers
    the short way had."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.callers: dict[str, Caller] = {}
        self.reads = 0
        deps = world.deps
        self.following, self.known = (
            Following(deps.store, deps.clock),
            Callers(deps, Tokens(), self._authenticate),
        )  # type: ignore[arg-type]
        world.database.observers[:] = [self.following.committed, self.known.committed]
        self.decisions = authzen.Decisions(deps, self.following, self.known)
        self.shortly = 0
        self.client = TestClient(TidyPaths(self.decisions), raise_server_exceptions=True)
        self.app = self.token("app", Caller(world.tenant_id, world.new_id(), CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({ALL})))  # fmt: skip

    def _authenticate(self, header: str | None, **facts: Any) -> Caller | Refusal:
        self.reads += 1
        found = self.callers.get((header or "").removeprefix("Bearer "))
        return replace(found, **facts) if found else Refusal(Code.SIGN_IN, "Sign in.")

    def token(self, name: str, caller: Caller) -> str:
        self.callers[name] = caller
        return name

    def person(self, user_id: str, *scopes: str, **more: Any) -> str:
        world = self.world
        caller = world.caller(user_id, scopes=frozenset(scopes or (SELF, REQUEST)), **more)
        return self.token(f"person-{user_id}-{len(self.callers)}", caller)

    def post(self, path: str, body: Any, token: str | None = "app", **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", **headers}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        answer = self.client.post(path, content=content, headers=sent)
        if path == EVALUATION:
            self._compare(answer, [(name.encode(), value.encode()) for name, value in sent.items()], content)
        return answer

    def _compare(self, answer: Any, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """The short way says what the long one said, or nothing."""
        said = self.decisions.short(headers, body)
        if said is not None:
            head, _, body = said.partition(b"\r\n\r\n")
            lines = [f"{name}: {value}" for name, value in answer.headers.items()]
            assert (answer.status_code, sorted(lines)) == (200, sorted(head.decode().split("\r\n")))
            assert answer.content == body
            self.shortly += 1

    def get(self, path: str, token: str | None = "app", **headers: str) -> Any:
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return self.client.get(path, headers=headers)

    def ask(
        self, subject: str, action: str, type: str, id: str, token: str = "app", **properties: Any
    ) -> Any:
        """The answer to one question."""
        found = self.post("/access/v1/evaluation", question(subject, action, type, id, **properties), token)
        assert found.status_code == 200, found.text
        return found.json()

    def may(self, *args: Any, **more: Any) -> bool:
        return self.ask(*args, **more)["decision"] is True


def question(subject: str, action: str, type: str, id: str, **properties: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {"type": type, "id": id}
    if properties:
        resource["properties"] = properties
    return {"subject": {"type": "user", "id": subject}, "action": {"name": action}, "resource": resource}


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)
