"""A client of the Graph face for tests: a world, the face in front of it, and callers without tokens.

`graph.get("/me", who)` asks as that person; `who` is a user's id, an `App`, or None for nobody. Tokens themselves are
tested in test_tokens.py; here the header only says who it is.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.applications import Starlette

from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.scopes import GRAPH_DELEGATED
from openpim.faces import graph
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from tests.signin_helper import fast_sign_in
from tests.world import World

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORIGIN = "https://localhost:8443"


@dataclass(frozen=True)
class Who:
    """Somebody who asks, and how he had signed in."""

    id: str
    tenant_id: str = ""
    scopes: frozenset[str] = frozenset(GRAPH_DELEGATED)
    permissions: frozenset[str] = frozenset()
    kind: CallerKind = CallerKind.USER
    amr: frozenset[str] = frozenset({"pwd", "mfa"})
    acrs: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()


@dataclass
class Graph:
    world: World
    client: Any = None
    signin: Any = None
    known: dict[str, Who] = field(default_factory=dict)

    def __post_init__(self) -> None:
        deps = replace(self.world.deps, secret=lambda size: ("s" * size + self.world.new_id())[-size:])
        self.signin = fast_sign_in(deps)
        routes = graph.routes(deps, self.authenticate, self.signin)
        app = RequestIds(TidyPaths(Starlette(routes=routes)), self.world.new_id)
        self.client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=True)

    def authenticate(self, header: str | None, **facts: Any) -> Caller | Refusal:
        who = self.known.get((header or "").removeprefix("Bearer "))
        if who is None:
            return Refusal(Code.SIGN_IN, "Access token is empty.")
        tenant = who.tenant_id or self.world.tenant_id
        principal = self.world.database.read(tenant, lambda tx: tx.principals.get(who.id))
        return Caller(
            tenant_id=tenant,
            principal_id=who.id,
            kind=who.kind,
            display_name=principal.display_name if principal else "",
            scopes=who.scopes if who.kind is CallerKind.USER else frozenset(),
            permissions=who.permissions,
            amr=who.amr,
            acrs=who.acrs,
            capabilities=who.capabilities,
            **facts,
        )

    def headers(self, who: str | Who | None) -> dict[str, str]:
        if who is None:
            return {}
        person = Who(who) if isinstance(who, str) else who
        key = str(hash(person))
        self.known[key] = person
        return {"Authorization": f"Bearer {key}"}

    def send(self, method: str, path: str, who: str | Who | None, body: Any = None, **more: Any) -> Any:
        headers = {**self.headers(who), **more.pop("headers", {})}
        known = path.lower().startswith(("/v1.0", "/beta", "//", "https:"))
        url = path if known else f"/v1.0{path}"
        if isinstance(body, bytes | str):
            more["content"] = body
            headers.setdefault("Content-Type", "application/json")
        elif body is not None:
            more["content"] = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        return self.client.request(method, url, headers=headers, **more)

    def get(self, path: str, who: str | Who | None, **more: Any) -> Any:
        return self.send("GET", path, who, **more)

    def ok(self, path: str, who: str | Who | None, **more: Any) -> dict[str, Any]:
        answer = self.get(path, who, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rows(self, path: str, who: str | Who | None, **more: Any) -> list[dict[str, Any]]:
        return list(self.ok(path, who, **more)["value"])

    def post(self, path: str, who: str | Who | None, body: Any = None, **more: Any) -> Any:
        return self.send("POST", path, who, body, **more)

    def patch(self, path: str, who: str | Who | None, body: Any, **more: Any) -> Any:
        return self.send("PATCH", path, who, body, **more)

    def delete(self, path: str, who: str | Who | None, **more: Any) -> Any:
        return self.send("DELETE", path, who, **more)

    def app(self, id: str, *permissions: str) -> Who:
        return Who(id, permissions=frozenset(permissions), kind=CallerKind.SERVICE_PRINCIPAL)


def person(id: str, **changes: Any) -> Who:
    return replace(Who(id), **changes)


def error(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The error of an answer, which must be this one, in Graph's shape."""
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert set(body) == {"error"}
    found = body["error"]
    assert found["code"] == code, answer.text
    assert found["message"]
    assert {"date", "request-id", "client-request-id"} <= found["innerError"].keys()
    return dict(found)


def wrapped(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The real error inside UnknownError."""
    found = json.loads(error(answer, status, "UnknownError")["message"])
    assert found["errorCode"] == code, answer.text
    return dict(found)
