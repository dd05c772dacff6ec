"""The life of a grant (tests/world.py) with sign-in in front of it, and an application that relies on it: it is registered,
has a secret and a role of its own, and a server on this machine that takes logout tokens.

    place = Relying(database_url)
    signed = place.sign_in()
    place.world.activate(place.ann, ...)
    place.work()
    assert place.receiver.tokens
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware

from openpim.core.directory import Application, ServicePrincipal
from openpim.core.relying import AppRole, AppRoleAssignment, ClaimSettings
from openpim.core.signin.consent import GRAPH_RESOURCE, LOW, PermissionGrant
from openpim.faces.oidc import routes
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from openpim.services.credentials import add_client_secret, set_password
from openpim.services.signin.context import SignIn
from openpim.workers.relying import Following, telling
from tests.signin_helper import fast_sign_in
from tests.signin_world import CHALLENGE, PASSWORD, VERIFIER, Browser, claims_of
from tests.world import World

SECRET = "payroll-secret-payroll-secret-pay"
BACK = "https://payroll.example/cb"


class Receiver:
    """The application's back-channel logout endpoint. status: what it answers; gate: it answers when this is set."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.gate.wait(20)
                outer.tokens += parse_qs(body).get("logout_token", [])
                try:
                    self.send_response(outer.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:  # the other side has given up waiting
                    return

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/logout"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@dataclass
class Signed:
    """One sign-in at an application: its tokens, and how it asks with them."""

    place: Relying
    browser: Browser
    app: Application
    answer: dict[str, Any]

    @property
    def access(self) -> dict[str, Any]:
        return claims_of(self.answer["access_token"])

    @property
    def identity(self) -> dict[str, Any]:
        return claims_of(self.answer["id_token"])

    def userinfo(self) -> Any:
        header = {"Authorization": f"Bearer {self.answer['access_token']}"}
        return self.browser.client.get("/oidc/userinfo", headers=header)

    def introspect(self, token: str = "", *, app: Application | None = None) -> dict[str, Any]:
        return self.place.introspect(token or self.answer["access_token"], app or self.app)

    def refresh(self) -> Signed:
        answer = self.place.token(
            self.app, grant_type="refresh_token", refresh_token=self.answer["refresh_token"]
        )
        assert answer.status_code == 200, answer.text
        return replace(self, answer=answer.json())


@dataclass
class Relying:
    """role: `Payroll.Write` of the application `app`, whose face is `face`. admins: a group that has it."""

    url: Any
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = self.make_world()
        settings = replace(self.world.deps.settings, mfa_at_sign_in="asked")
        deps = replace(self.world.deps, secret=secrets.token_urlsafe, settings=settings)
        self.signin: SignIn = fast_sign_in(deps)
        self.receiver = Receiver()
        self.others: list[Receiver] = []
        self.ann: str = self.world.ann
        self.tenant = self.world.tenant_id
        for person in (self.ann, self.world.bob):
            self.password(person)
        self.role = AppRole(self.world.new_id(), "Payroll.Write", "Payroll writer")
        self.app, self.face = self.register("Payroll", self.receiver.url, app_roles=(self.role,))
        self.admins = self.world.group("Payroll admins", role_assignable=False)
        self.assign(self.admins)
        self.http = self.browser()
        self._following, self._telling = Following(self.signin.deps), telling(self.signin)

    def make_world(self) -> World:
        return World(self.url)

    def close(self) -> None:
        for one in (self.receiver, *self.others):
            one.close()
        self._telling.join(10)
        self.world.close()

    def app_of(self) -> Starlette:
        middleware = [Middleware(RequestIds, new_id=self.signin.deps.new_id), Middleware(TidyPaths)]
        return Starlette(routes=routes(self.signin), middleware=middleware)

    def browser(self) -> Browser:
        return Browser(_Site(self), "203.0.113.7")  # type: ignore[arg-type]

    # -- who is there
    def password(self, person: str) -> None:
        def work(tx: Any) -> None:
            assert set_password(tx, self.signin, person, PASSWORD) is None

        self.world.write(work)

    def upn(self, person: str) -> str:
        return str(self.world.read(lambda tx: tx.users.get(person)).user_principal_name)

    def register(
        self, name: str, logout: str | None = None, *, tenant: World | None = None, **more: Any
    ) -> tuple[Application, ServicePrincipal]:
        where = tenant or self.world
        app = Application(
            where.new_id(),
            where.new_id(),
            name,
            where.now,
            redirect_uris=(BACK,),
            logout_uri=logout,
            tenant_id=where.tenant_id,
            **more,
        )
        face = ServicePrincipal(where.new_id(), app.app_id, name, True, where.now)

        def work(tx: Any) -> None:
            tx.applications.add(app)
            tx.service_principals.add(face)
            add_client_secret(tx, self.signin, app.app_id, secret=SECRET)
            for resource, names in ((GRAPH_RESOURCE, tuple(sorted(LOW))), (face.id, ("user_impersonation",))):
                tx.permission_grants.put(
                    PermissionGrant(where.new_id(), face.id, resource, None, names, where.now)
                )

        where.write(work)
        return app, face

    def allow(self, client: ServicePrincipal, api: ServicePrincipal, *names: str) -> None:
        grant = PermissionGrant(self.world.new_id(), client.id, api.id, None, names, self.world.now)
        self.world.write(lambda tx: tx.permission_grants.put(grant))

    def settings(self, app: Application | None = None, **claims: Any) -> None:
        def work(tx: Any) -> None:
            known = tx.applications.get((app or self.app).id)
            tx.applications.save(replace(known, claims=replace(ClaimSettings(), **claims)))

        self.world.write(work)

    def assign(
        self, principal: str, role: AppRole | None = None, face: ServicePrincipal | None = None
    ) -> str:
        made = AppRoleAssignment(
            self.world.new_id(),
            principal,
            (face or self.face).id,
            (role or self.role).id,
            self.world.now,
        )
        self.world.write(lambda tx: tx.app_role_assignments.add(made))
        return made.id

    # -- what an application does
    def token(self, app: Application, **fields: str) -> Any:
        return self.http.post(
            f"/{self.tenant}/oauth2/v2.0/token",
            **{"client_id": app.app_id, "client_secret": SECRET, **fields},
        )

    def introspect(self, token: str, app: Application | None = None) -> dict[str, Any]:
        known = app or self.app
        answer = self.http.post(
            f"/{self.tenant}/oauth2/v2.0/introspect",
            client_id=known.app_id,
            client_secret=SECRET,
            token=token,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sign_in(
        self,
        person: str = "",
        *,
        app: Application | None = None,
        browser: Browser | None = None,
        scope: str = "openid profile offline_access",
        **params: str,
    ) -> Signed:
        chosen, known = browser or self.browser(), app or self.app
        asked = {
            "client_id": known.app_id,
            "redirect_uri": BACK,
            "scope": scope,
            "code_challenge": CHALLENGE,
            **params,
        }
        chosen.authorize(self.tenant, **asked)
        if chosen.page.status_code == 200:
            chosen.sign_in(self.upn(person or self.ann))
        answer = self.token(
            known,
            grant_type="authorization_code",
            code=chosen.result["code"],
            redirect_uri=BACK,
            code_verifier=VERIFIER,
        )
        assert answer.status_code == 200, answer.text
        return Signed(self, chosen, known, answer.json())

    # -- the workers
    def work(self) -> None:
        """Everything that follows the store, once."""
        self.world.work()
        self.world.grow()
        self._following()
        self._telling()
        self._telling.join(20)

    def told(self, receiver: Receiver | None = None) -> list[dict[str, Any]]:
        """The claims of the logout tokens that came since the last time."""
        where = receiver or self.receiver
        found, where.tokens = where.tokens, []
        return [claims_of(one) for one in found]


@dataclass
class _Site:
    """What a Browser needs of a world."""

    place: Relying

    def app(self) -> Starlette:
        return self.place.app_of()
