"""The portal on a port of this machine, for a real browser: a world with a hand-moved clock, served by uvicorn in a thread.

Plain http on localhost, where Chromium keeps Secure cookies too, as `pim serve --demo` does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from openpim.core.signin.values import Account
from openpim.faces import oidc, portal
from openpim.faces.oidc.cookies import SESSION
from openpim.faces.shared.closing import close_all
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from openpim.services.signin.context import SignIn
from openpim.services.signin.demo import enter_demo
from openpim.services.signin.events import Origin
from tests.signin_helper import fast_sign_in
from tests.world import World

# `BROWSER_SLOWED=6 pytest tests/browser`: a browser whose processor is six times slower, and scripts that come 300 ms late.
# A test that looks or types before the page is ready fails by it, as it would now and then on a busy machine.
SLOWED = int(os.environ.get("BROWSER_SLOWED", "1"))


@dataclass
class LiveSite:
    world: World
    signin: SignIn
    origin: str
    tenant_id: str = ""  # if it is not the world's own
    place: Any = None  # where the pictures of tools/pictures.py are taken

    def session(self, who: str, *, mfa: bool = True) -> str:
        """The cookie of somebody who has just signed in."""
        amr = ("pwd", "otp", "mfa") if mfa else ("pwd",)
        return enter_demo(
            self.signin, Account(self.tenant_id or self.world.tenant_id, who), amr, Origin(self.origin)
        )

    def cookies(self, who: str, *, mfa: bool = True) -> list[Any]:
        """For a browser context."""
        return [{"name": SESSION, "value": self.session(who, mfa=mfa), "url": self.origin.replace("http:", "https:"), "secure": True,
                 "httpOnly": True, "sameSite": "Lax"}]  # fmt: skip


class LateScripts:
    """ASGI middleware of SLOWED."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if SLOWED > 1 and scope.get("path", "").endswith(".mjs"):
            await asyncio.sleep(0.05 * SLOWED)
        await self._app(scope, receive, send)


@contextlib.contextmanager
def serving(world: World, *, mfa_at_sign_in: str = "asked") -> Iterator[LiveSite]:
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listening.getsockname()[1]}"
    settings = replace(world.deps.settings, origin=origin, allowed_hosts=(), mfa_at_sign_in=mfa_at_sign_in)
    signin = fast_sign_in(replace(world.deps, settings=settings, secret=secrets.token_urlsafe))
    routes = [*oidc.routes(signin), *portal.routes(signin)]
    app = LateScripts(RequestIds(TidyPaths(Starlette(routes=routes)), world.new_id))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    try:
        yield LiveSite(world, signin, origin)
    finally:
        close_all()
        server.should_exit = True
        thread.join(10)
        listening.close()
