"""A tenant with receivers of shared signals, the whole server in front of it, and everything that runs beside it moved by
hand.

    stage = Stage(url)
    crm = stage.receiver("CRM")
    stream = crm.create(delivery=push("https://crm.example/in"), events_requested=EVERYTHING)
    stage.activate("ann"); stage.tell()
    assert stage.sets("https://crm.example/in")
"""

from __future__ import annotations

import base64
import json
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from openpim.app import make_app
from openpim.core.directory import Application, ServicePrincipal
from openpim.core.signals import SUPPORTED
from openpim.core.signin.values import Account
from openpim.ports.outbound import Answer, OutboundError, OutboundFault
from openpim.services.credentials import add_client_secret, put_totp, set_password
from openpim.services.signals.planning import plan
from openpim.services.signals.push import due, push
from openpim.services.signin.events import Origin
from tests.signin_helper import OUTBOUND, fast_sign_in
from tests.world import World

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORIGIN = "https://localhost:8443"
PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
EVERYTHING = list(SUPPORTED)
SECRET = "receiver-secret-receiver-secret"
PLACE = "https://receiver.example/events"
TAKEN = Answer(202, {}, b"")


def pushed(address: str = PLACE, **more: Any) -> dict[str, Any]:
    return {"method": PUSH, "endpoint_url": address, **more}


@dataclass
class Elsewhere:
    """The network. answers: for each address, what its server says next (the last one again and again): an Answer, an
    OutboundFault, or a function of the body."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def request(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, **_: Any) -> Answer:
        assert method == "POST"
        said = self.answers.get(url, [TAKEN])
        answer = said.pop(0) if len(said) > 1 else said[0]
        self.calls.append((url, dict(headers), body.decode("ascii")))
        if callable(answer):
            answer = answer(body.decode("ascii"))
        if isinstance(answer, OutboundFault):
            raise OutboundError(answer, "The receiver did not answer.")
        return answer

    def fault(self, url: str) -> str | None:
        return OUTBOUND.fault(url)


class Stage:
    def __init__(self, url: str) -> None:
        self.world = World(url)
        self.net = Elsewhere()
        deps = replace(self.world.deps, secret=secrets.token_urlsafe, outbound=self.net)
        self.signin = fast_sign_in(deps)
        self.deps = self.signin.deps
        self.client = TestClient(make_app(self.deps, self.signin), base_url=ORIGIN)
        self.tenant = self.world.tenant_id
        self.base = f"/ssf/{self.tenant}"
        self.issuer = f"{ORIGIN}/{self.tenant}/v2.0"

    def close(self) -> None:
        self.client.close()
        self.world.close()

    # -- receivers
    def receiver(self, name: str, *permissions: str, world: World | None = None) -> Receiver:
        world = world or self.world
        app_id = world.new_id()
        application = Application(world.new_id(), app_id, name, world.now, tenant_id=world.tenant_id)
        granted = permissions or ("ssf.manage", "ssf.read")
        face = ServicePrincipal(
            world.new_id(), app_id, name, enabled=True, created_at=world.now, permissions=granted
        )

        def work(tx: Any) -> None:
            tx.applications.add(application)
            tx.service_principals.add(face)
            add_client_secret(tx, self.signin, app_id, secret=SECRET)

        world.write(work)
        return Receiver(self, face, world.tenant_id)

    # -- what happens
    def tell(self) -> int:
        """Everything that runs beside the server, until nothing is left that may be done now. Returns how many were
        pushed."""
        self.world.work()
        self.world.grow()
        while plan(self.deps, self.tenant):
            pass
        return sum(push(self.signin, tenant_id, stream_id) for tenant_id, stream_id in due(self.deps))

    def pushed_to(self, address: str = PLACE) -> list[str]:
        """The tokens that the receiver at this address was sent, in order."""
        return [body for url, _, body in self.net.calls if url == address]

    def claims(self, address: str = PLACE) -> list[dict[str, Any]]:
        return [read(token) for token in self.pushed_to(address)]

    def events(self, address: str = PLACE) -> list[tuple[str, dict[str, Any]]]:
        """(the last part of the type, the event)"""
        return [event_in(one) for one in self.claims(address)]

    def jwks(self) -> list[dict[str, Any]]:
        found = self.client.get(f"/{self.tenant}/discovery/v2.0/keys").json()["keys"]
        return list(found)

    def password(self, user_id: str) -> None:
        """A way to sign in."""
        self.world.write(lambda tx: set_password(tx, self.signin, user_id, "correct horse battery"))
        self.world.write(lambda tx: put_totp(tx, self.signin, user_id, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"))

    def account(self, user_id: str) -> Account:
        return Account(self.tenant, user_id)


HERE = Origin(ORIGIN, "203.0.113.7", "test")


@dataclass
class Receiver:
    stage: Stage
    face: ServicePrincipal
    tenant: str
    token: str = ""

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """A fresh token."""
        self.token = self.ask_token()["access_token"]

    def let(self, **changes: Any) -> None:
        """Change its service principal, as an administrator may."""

        def work(tx: Any) -> None:
            tx.service_principals.save(replace(tx.service_principals.get(self.face.id), **changes))

        self.stage.world.write(work)

    def ask_token(self, scope: str = "ssf.manage ssf.read") -> dict[str, Any]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.face.app_id,
            "client_secret": SECRET,
            "scope": scope,
        }
        answer = self.stage.client.post(f"/{self.tenant}/oauth2/v2.0/token", data=form)
        return {**answer.json(), "status": answer.status_code}

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, raw: bytes | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        if token == "":
            headers = {}
        content = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        if content is not None:
            headers["Content-Type"] = "application/json"
        return self.stage.client.request(method, path, headers=headers, content=content)

    def create(self, **config: Any) -> dict[str, Any]:
        answer = self.call("POST", f"/ssf/{self.tenant}/streams", config)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def everything(self, address: str = PLACE, **more: Any) -> str:
        """A push stream of all events; its id."""
        return str(self.create(delivery=pushed(address), events_requested=EVERYTHING, **more)["stream_id"])

    def polled(self, **more: Any) -> str:
        return str(self.create(events_requested=EVERYTHING, **more)["stream_id"])

    def status(self, stream_id: str, status: str, **more: Any) -> Any:
        body = {"stream_id": stream_id, "status": status, **more}
        return self.call("POST", f"/ssf/{self.tenant}/status", body)

    def verify(self, stream_id: str, **more: Any) -> Any:
        return self.call("POST", f"/ssf/{self.tenant}/verify", {"stream_id": stream_id, **more})

    def subject(self, what: str, stream_id: str, subject: Any) -> Any:
        body = {"stream_id": stream_id, "subject": subject}
        return self.call("POST", f"/ssf/{self.tenant}/subjects/{what}", body)

    def poll(self, stream_id: str, **body: Any) -> Any:
        asked = {"returnImmediately": True, **body}
        return self.call("POST", f"/ssf/{self.tenant}/poll/{stream_id}", asked)

    def got(self, stream_id: str, **body: Any) -> dict[str, dict[str, Any]]:
        """jti -> claims of what is polled."""
        answer = self.poll(stream_id, **body)
        assert answer.status_code == 200, answer.text
        return {jti: read(token) for jti, token in answer.json()["sets"].items()}


def read(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


def event_in(claims: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    ((type_, event),) = claims["events"].items()
    return type_.rpartition("/")[2], event
