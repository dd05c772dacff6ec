"""A client of the SCIM face for tests: a world, provisioners with real tokens, and the engine that scim2-tester wants."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from functools import partial
from typing import Any

from scim2_client import BaseSyncSCIMClient
from starlette.applications import Starlette

from openpim.core.provisioning import PRIVILEGED, PROVISION
from openpim.faces import scim
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from openpim.services.provisioning import tokens
from tests.signin_helper import fast_sign_in
from tests.world import World, ok

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORIGIN = "https://localhost:8443"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Scim:
    """`scim.post("/Users", {...})` as the provisioner `scim.client_id`; `token=` for another one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deps = replace(world.deps, secret=lambda size: ("s" * size + world.new_id())[-max(size, 36) :])
        self.signin = fast_sign_in(self.deps)
        app = Starlette(routes=scim.routes(self.deps, partial(tokens.who, self.deps, self.signin.tokens)))
        self.http: Any = TestClient(RequestIds(TidyPaths(app), world.new_id), base_url=ORIGIN)
        self.client_id, self.token = self.provisioner("Entra")

    @property
    def domain(self) -> str:
        return str(self.world.read(lambda tx: tx.tenants.current()).domain)

    def provisioner(self, name: str, *permissions: str) -> tuple[str, str]:
        """(its id, its token)"""
        client = self.world.app(name)
        self.grant(client, *(permissions or (PROVISION,)))
        if PROVISION not in (permissions or (PROVISION,)):
            return client, ""
        made = ok(tokens.create(self.deps, self.world.caller(self.world.pra), client, "tests"))
        return client, made.text

    def grant(self, client: str, *permissions: str) -> None:
        def work(tx: Any) -> None:
            tx.service_principals.save(
                replace(tx.service_principals.get(client), permissions=tuple(permissions))
            )

        self.world.write(work)

    def trust(self) -> None:
        """The provisioner may change powerful people and groups too."""
        self.grant(self.client_id, PROVISION, PRIVILEGED)

    def send(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        use = self.token if token is None else token
        if use:
            sent["Authorization"] = f"Bearer {use}"
        content = None
        if body is not None:
            sent.setdefault("Content-Type", "application/scim+json")
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.request(method, f"/scim/v2{path}", content=content, headers=sent)

    def get(self, path: str, **more: Any) -> Any:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> Any:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        return self.send("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.send("DELETE", path, **more)

    def patch(self, path: str, *operations: Any, **more: Any) -> Any:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **more)

    # -- short ways
    def person(self, user_name: str = "", **more: Any) -> Any:
        """A user that was made; its resource."""
        name = user_name or f"u{self.world.new_id()[-8:]}"
        made = self.post("/Users", {"schemas": [USER], "userName": name, **more})
        assert made.status_code == 201, made.text
        return made.json()

    def team(self, name: str = "", *members: str, **more: Any) -> Any:
        """A group that was made; its resource."""
        body = {
            "schemas": [GROUP],
            "displayName": name or f"Team {self.world.new_id()[-8:]}",
            "members": [{"value": one} for one in members],
            **more,
        }
        made = self.post("/Groups", body)
        assert made.status_code == 201, made.text
        return made.json()

    def members(self, group: str, **more: Any) -> set[str]:
        """As the provisioner sees them."""
        found = self.get(f"/Groups/{group}", **more)
        assert found.status_code == 200, found.text
        return {one["value"] for one in found.json().get("members", ())}


class Engine(BaseSyncSCIMClient):
    """What scim2-tester asks by."""

    def __init__(self, scim: Scim, **more: Any) -> None:
        super().__init__(**more)
        self._scim = scim

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return not endpoint.startswith("http") or endpoint.startswith(f"{ORIGIN}/scim/v2")

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        headers = {**kwargs.pop("headers", {}), "Authorization": f"Bearer {self._scim.token}"}
        path = url.removeprefix(f"{ORIGIN}/scim/v2")
        path = path if path.startswith("/") else f"/{path}"
        return self._scim.http.request(method, f"/scim/v2{path}", headers=headers, **kwargs)
