"""A small world for the tests of signing in: two tenants, a few people, two applications, a clock moved by hand, and
a browser that follows forms like a person. Used through the fixture `world` (tests/services/signin, tests/faces/oidc).
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import uuid
import warnings
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pyotp
from starlette.applications import Starlette
from starlette.middleware import Middleware

from openpim.core.directory import Application, ServicePrincipal, Tenant, User, UserType
from openpim.core.first_party import PIM
from openpim.core.settings import Settings
from openpim.core.signin.consent import GRAPH_RESOURCE, LOW, PermissionGrant
from openpim.faces.oidc import routes
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from openpim.ports.deps import Deps
from openpim.services.credentials import add_client_secret, put_totp, set_password
from openpim.services.signin.context import SignIn, make_sign_in
from openpim.store.database import Database
from tests.signin_helper import CHAT, OUTBOUND, SEALER, fast, key_maker

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "bbbbbbbb-0000-4000-8000-000000000002"
ADA = "aaaaaaaa-0000-4000-8000-0000000000a1"  # password only
BOB = "aaaaaaaa-0000-4000-8000-0000000000b1"  # password and second factor
GUEST = "bbbbbbbb-0000-4000-8000-0000000000a1"  # Ada in tenant B
CARL = "bbbbbbbb-0000-4000-8000-0000000000c1"  # a member of tenant B
WEB = "cccccccc-0000-4000-8000-000000000001"
WEB_PRINCIPAL = "cccccccc-0000-4000-8000-0000000000f1"
DESKTOP = "cccccccc-0000-4000-8000-000000000002"
WEB_SECRET = "web-secret-web-secret-web-secret"
PASSWORD = "correct horse battery"
ORIGIN = "https://localhost:8443"
LOOPBACK = "http://localhost:51234/"
GRAPH = "https://graph.microsoft.com/.default"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class World:
    signin: SignIn
    now: list[datetime]
    seeds: dict[str, str] = field(default_factory=dict)

    @property
    def deps(self) -> Deps:
        return self.signin.deps

    def move(self, **delta: float) -> None:
        self.now[0] += timedelta(**delta)

    def code_of(self, user_id: str) -> str:
        return str(pyotp.TOTP(self.seeds[user_id]).at(self.now[0]))

    def write(self, tenant_id: str, work: Any) -> Any:
        return self.deps.store.write(tenant_id, work)

    def read(self, tenant_id: str, work: Any) -> Any:
        return self.deps.store.read(tenant_id, work)

    def change_user(self, tenant_id: str, user_id: str, **changes: Any) -> None:
        self.write(tenant_id, lambda tx: tx.users.save(replace(tx.users.get(user_id), **changes)))

    def events(self, tenant_id: str = A) -> list[Any]:
        from openpim.core.query import Query

        return list(self.read(tenant_id, lambda tx: tx.audit.page(Query(limit=200))).items)

    def allow(self, *names: str, person: str | None = None, resource: str = GRAPH_RESOURCE) -> str:
        """Let the web application do this for a person, or for everybody. The grant's id."""
        grant = PermissionGrant(str(uuid.uuid4()), WEB_PRINCIPAL, resource, person, names, self.now[0])

        def work(tx: Any) -> None:
            before = tx.permission_grants.find(WEB_PRINCIPAL, resource, person)
            if before is not None:
                tx.permission_grants.remove(before.id)
            tx.permission_grants.put(grant)

        self.write(A, work)
        return grant.id

    def app(self) -> Starlette:
        middleware = [Middleware(RequestIds, new_id=self.deps.new_id), Middleware(TidyPaths)]
        return Starlette(routes=routes(self.signin), middleware=middleware)

    def browser(self, ip: str = "203.0.113.7") -> Browser:
        return Browser(self, ip)


def make_world(url: str, **settings: Any) -> World:
    now = [START]
    database = Database(url)
    chosen = {"mfa_at_sign_in": "asked", **settings}
    deps = Deps(
        clock=lambda: now[0],
        new_id=lambda: str(uuid.uuid4()),
        secret=secrets.token_urlsafe,
        store=database,
        sealer=SEALER,
        outbound=OUTBOUND,
        chat=CHAT,
        settings=fast(replace(Settings(), **chosen)),
    )
    world = World(make_sign_in(deps, key_maker()), now)
    _people(world)
    return world


def _user(user_id: str, name: str, upn: str, **more: Any) -> User:
    kind = more.pop("user_type", UserType.MEMBER)
    return User(user_id, name, upn, kind, enabled=True, created_at=START, **more)


def _people(world: World) -> None:
    def in_a(tx: Any) -> None:
        tx.tenants.add(Tenant(A, "Contoso", "contoso.example", START, ("contoso.example",)))
        tx.users.add(_user(ADA, "Ada", "ada@contoso.example", mail="ada@contoso.example", given_name="Ada"))
        tx.users.add(_user(BOB, "Bob", "bob@contoso.example"))
        tx.applications.add(
            Application(
                "dddddddd-0000-4000-8000-000000000001",
                WEB,
                "Intranet",
                START,
                public=False,
                redirect_uris=("https://app.example/cb", "https://app.example/out?x=1"),
            )
        )
        tx.applications.add(
            Application(
                "dddddddd-0000-4000-8000-000000000002",
                DESKTOP,
                "Desktop",
                START,
                public=True,
                redirect_uris=("http://localhost/cb", "myapp://auth"),
            )
        )
        tx.service_principals.add(
            ServicePrincipal(WEB_PRINCIPAL, WEB, "Intranet", True, START, ("RoleManagement.Read.Directory",))
        )
        assert set_password(tx, world.signin, ADA, PASSWORD) is None
        assert set_password(tx, world.signin, BOB, PASSWORD) is None
        world.seeds[BOB] = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        put_totp(tx, world.signin, BOB, world.seeds[BOB])
        add_client_secret(tx, world.signin, WEB, secret=WEB_SECRET)
        # An administrator allowed it to sign everybody in; Desktop has to ask.
        tx.permission_grants.put(
            PermissionGrant(
                "eeeeeeee-0000-4000-8000-000000000001",
                WEB_PRINCIPAL,
                GRAPH_RESOURCE,
                None,
                tuple(sorted(LOW)),
                START,
            )
        )

    def in_b(tx: Any) -> None:
        tx.tenants.add(Tenant(B, "Fabrikam", "fabrikam.example", START, ("fabrikam.example",)))
        guest = {"user_type": UserType.GUEST, "home_tenant_id": A, "home_user_id": ADA}
        tx.users.add(_user(GUEST, "Ada (guest)", "ada_contoso.example#EXT#@fabrikam.example", **guest))
        tx.users.add(_user(CARL, "Carl", "carl@fabrikam.example"))
        assert set_password(tx, world.signin, CARL, PASSWORD) is None

    world.write(A, in_a)
    world.write(B, in_b)


class Browser:
    """A person's browser: keeps cookies, never follows redirects away from us, fills in forms."""

    def __init__(self, world: World, ip: str) -> None:
        self.world = world
        self.client = TestClient(world.app(), base_url=ORIGIN, follow_redirects=False, client=(ip, 40000))
        self.page: Any = None

    def get(self, path: str, **params: str) -> Any:
        self.page = self.client.get(path, params=params or None)
        return self.page

    def authorize(self, tenant: str = A, **params: str | None) -> Any:
        """Open the authorize endpoint as `pim` would; a parameter set to None is left out."""
        return self.get(f"/{tenant}/oauth2/v2.0/authorize", **authorize_params(**params))

    def fields(self, step: str | None = None) -> dict[str, str]:
        """The hidden fields of the form for `step` on the page."""
        for form in re.findall(r"<form.*?</form>", self.page.text, re.DOTALL):
            found = {
                name: html.unescape(value)
                for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
            }
            if step is None or found.get("step") == step:
                return found
        raise AssertionError(f"no form for {step} on: {self.page.status_code} {self.page.text}")

    def submit(self, step: str, headers: dict[str, str] | None = None, **typed: str) -> Any:
        data = {**self.fields(step), **typed}
        self.page = self.client.post("/signin/step", data=data, headers=headers)
        return self.page

    def sign_in(self, name: str = "ada@contoso.example", password: str = PASSWORD) -> Any:
        return self.submit("password", username=name, password=password)

    @property
    def result(self) -> dict[str, str]:
        """The parameters of the redirect back to the client."""
        assert self.page.status_code == 303, f"{self.page.status_code} {self.page.text}"
        parts = urlsplit(self.page.headers["location"])
        return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))

    def code(self, tenant: str = A, name: str = "ada@contoso.example", **params: str | None) -> str:
        """An authorization code, signing in if need be."""
        self.authorize(tenant, **params)
        if self.page.status_code == 200:
            self.sign_in(name)
        return self.result["code"]

    def post(self, path: str, **fields: str) -> Any:
        return self.client.post(path, data=fields)

    def token(self, tenant: str = A, **fields: str) -> Any:
        return self.post(f"/{tenant}/oauth2/v2.0/token", **{"client_id": PIM, **fields})

    def redeem(self, code: str, tenant: str = A, **fields: str) -> Any:
        basics = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": LOOPBACK,
            "code_verifier": VERIFIER,
        }
        return self.token(tenant, **{**basics, **fields})

    def tokens(
        self, tenant: str = A, name: str = "ada@contoso.example", **params: str | None
    ) -> dict[str, Any]:
        answer = self.redeem(self.code(tenant, name, **params), tenant)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def authorize_params(**params: str | None) -> dict[str, str]:
    basics: dict[str, str | None] = {
        "client_id": PIM,
        "response_type": "code",
        "redirect_uri": LOOPBACK,
        "scope": f"openid profile offline_access {GRAPH}",
        "state": "st&te=1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**basics, **params}.items() if value is not None}


def authorize_url(tenant: str = A, **params: str | None) -> str:
    return f"/{tenant}/oauth2/v2.0/authorize?{urlencode(authorize_params(**params))}"


def claims_of(token: str) -> dict[str, Any]:
    import json

    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
