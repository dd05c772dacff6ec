"""The service as a target."""

from __future__ import annotations

import base64
from datetime import datetime
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from openpim.connectors.webhook import KIND
from openpim.core.connecting import Edge
from openpim.core.webhooks import PREFIX
from openpim.ports.connector import Connector
from tests.connectors.contract import SECRET
from tests.connectors.http_server import HttpServer
from tests.connectors.opening import DictMemory, opening
from tests.connectors.webhook.service import Service

KEY = PREFIX + base64.b64encode(SECRET.encode()).decode()


class WebhookRig:
    """See tests/connectors/contract.py."""

    kind = KIND
    managed = ("payroll", "audit")
    unmanaged = "treasury"
    people = ("alice@example.org", "bob@example.org")
    ours_alone = False

    def __init__(self, **settings: str) -> None:
        ends = settings.get("native_end", "none") != "none"
        self.service = Service(KEY, [*self.managed, self.unmanaged], ends=ends)
        self.server = HttpServer(self.service)
        self.settings = {"url": f"{self.server.address}/openpim", **settings}
        self.memory = DictMemory()

    def open(self, secret: str = KEY, **settings: str) -> Connector:
        made = opening(
            self.kind, self.managed, self.settings | settings, {"secret": secret}, memory=self.memory
        )
        counted = iter(range(1_000_000))
        object.__setattr__(made, "secret", lambda _size: f"{id(made)}-{next(counted)}")
        return self.kind.open(made)

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        return Edge(person, entitlement, until if self.service.ends else None)

    def give(self, person: str, entitlement: str) -> None:
        self.service.access[person, entitlement] = None

    def has(self, person: str, entitlement: str) -> bool:
        """Whether the door opens."""
        asked = Request(f"{self.server.address}/door/{quote(entitlement)}", headers={"X-User": person})
        try:
            with urlopen(asked, timeout=10) as answer:
                return bool(answer.status == 200)
        except HTTPError as error:
            if error.code != 403:
                raise
            return False

    def down(self) -> None:
        self.server.down()

    def up(self) -> None:
        self.server.up()

    def close(self) -> None:
        self.server.down()
