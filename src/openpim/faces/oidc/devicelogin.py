"""GET /devicelogin: where the person types the code that a device shows. The form goes to /signin/step."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.faces.oidc.answers import Endpoint
from openpim.faces.oidc.cookies import browser_of
from openpim.faces.oidc.pages import show
from openpim.services.signin.context import SignIn
from openpim.services.signin.device import code_form


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        browser = browser_of(signin, request)
        return show(signin, request, browser, code_form(signin, browser))

    return handle
