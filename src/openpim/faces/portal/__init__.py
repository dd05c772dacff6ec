"""The portal: everything a person does with OpenPIM in a browser, by server-rendered pages that work without scripts.

`routes(signin)` is what app.py mounts, behind `faces.shared.paths.TidyPaths` and `faces.shared.request_ids.RequestIds`,
beside the sign-in pages of `faces.oidc`, on which it is built. README.md in this folder says how to add a screen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from openpim.faces.portal import live, shell, static
from openpim.faces.portal.dispatch import endpoint
from openpim.faces.portal.screens import PAGES
from openpim.faces.portal.table import Page
from openpim.faces.shared.paths import Fixed
from openpim.services.signin.context import SignIn

__all__ = ["PAGES", "routes"]

Handler = Callable[[Request], Awaitable[Response]]


def routes(signin: SignIn) -> Sequence[BaseRoute]:
    """One route for each path: the fixed ones, then the others in the order of the table; what is nowhere gets a page that
    says so."""
    paths: dict[str, dict[str, Handler]] = defaultdict(dict)
    for page in PAGES:
        if page.method in paths[page.path]:
            raise ValueError(f"{page.method} {page.path} is there twice")
        paths[page.path][page.method] = endpoint(signin, page)
    missing = endpoint(signin, Page("GET", "/portal/{rest:path}", shell.nothing_here))
    pages = [Route(path, _by_method(found), methods=list(found)) for path, found in paths.items()]
    pages.append(Route("/portal/live", live.endpoint(signin), methods=["GET"]))
    return [
        Fixed(one for one in pages if "{" not in one.path),
        Route("/portal/static/{version}/{name}", static.endpoint, methods=["GET"]),
        *(one for one in pages if "{" in one.path),
        Route("/portal/{rest:path}", missing, methods=["GET"]),
    ]


def _by_method(handlers: dict[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle
