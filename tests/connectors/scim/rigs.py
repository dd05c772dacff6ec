"""Two real SCIM servers as targets: scim2-server, and OpenPIM's own face, each on a port of this machine."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime
from typing import Any

import uvicorn
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider

from openpim.connectors.scim import KIND
from openpim.core.connecting import Edge
from openpim.ports.connector import Connector
from tests.connectors.contract import SECRET
from tests.connectors.http_server import HttpServer
from tests.connectors.opening import DictMemory, opening
from tests.faces.scim.client import GROUP, PATCH, USER, Scim

MANAGED, UNMANAGED = ("Payroll admins", 'The "boss" group'), "Treasurers"


class _Rig:
    """See tests/connectors/contract.py. `ask` speaks to the target as its administrator does."""

    kind = KIND
    managed = MANAGED
    unmanaged = UNMANAGED
    ours_alone = False
    people: tuple[str, str] = ("alice", "bob")
    token = SECRET

    def __init__(self, address: str) -> None:
        self.settings = {"url": f"{address}{self.below}"}
        self.memory = DictMemory()
        self.users = {name: self.make("Users", {"schemas": [USER], "userName": name}) for name in self.people}
        self.groups = {
            name: self.make("Groups", {"schemas": [GROUP], "displayName": name})
            for name in (*MANAGED, UNMANAGED)
        }

    below = ""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        raise NotImplementedError

    def make(self, kind: str, body: Any) -> str:
        return str(self.ask("POST", f"/{kind}", body)["id"])

    def open(self, managed: tuple[str, ...] = (), **settings: str) -> Connector:
        return self.kind.open(
            opening(
                self.kind,
                managed or self.managed,
                self.settings | settings,
                {"token": self.token},
                memory=self.memory,
            )
        )

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        """A group knows no end of a member."""
        return Edge(person, entitlement, None)

    def give(self, person: str, entitlement: str) -> None:
        value = [{"value": self.users[person]}]
        body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": value}]}
        self.ask("PATCH", f"/Groups/{self.groups[entitlement]}", body)

    def has(self, person: str, entitlement: str) -> bool:
        group = self.ask("GET", f"/Groups/{self.groups[entitlement]}")
        return self.users[person] in {one["value"] for one in group.get("members") or ()}


class OtherRig(_Rig):
    """scim2-server, with a token."""

    def __init__(self) -> None:
        self.refuse = False
        inner = WSGIApplication(InMemoryStorage(), load_default_provider())

        def application(environ: Any, start: Any) -> Any:
            if environ.get("HTTP_AUTHORIZATION") != f"Bearer {self.token}" or self.refuse:
                start("401 Unauthorized", [("Content-Type", "application/json")])
                return [b"{}"]
            return inner(environ, start)

        self.server = HttpServer(application)
        super().__init__(self.server.address)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        import json
        from urllib.request import Request, urlopen

        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        data = json.dumps(body).encode() if body is not None else None
        with urlopen(Request(self.server.address + path, data, headers, method=method), timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def down(self) -> None:
        self.server.down()

    def up(self) -> None:
        self.server.up()

    def close(self) -> None:
        self.server.down()


class OwnRig(_Rig):
    """OpenPIM's own SCIM face, behind uvicorn."""

    below = "/scim/v2"

    def __init__(self, scim: Scim) -> None:
        self.scim = scim
        self.token = scim.token
        self.people = (f"alice@{scim.domain}", f"bob@{scim.domain}")
        self._port = 0
        self._server: uvicorn.Server | None = None
        self.up()
        super().__init__(f"http://127.0.0.1:{self._port}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.scim.send(method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def up(self) -> None:
        if self._server is not None:
            return
        config = uvicorn.Config(
            self.scim.http.app,
            host="127.0.0.1",
            port=self._port,
            lifespan="off",
            log_level="critical",
            loop="asyncio",
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        self._thread.start()
        while not server.started:
            self._thread.join(0.01)
        self._port = int(server.servers[0].sockets[0].getsockname()[1])

    def down(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(15)
            self._server = None

    def close(self) -> None:
        self.down()
