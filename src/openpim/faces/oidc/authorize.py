"""GET and POST /{tenant}/oauth2/v2.0/authorize: a client sends somebody here to sign in."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from openpim.faces.oidc.answers import Endpoint
from openpim.faces.oidc.cookies import browser_of
from openpim.faces.oidc.pages import failed, show
from openpim.faces.shared.body import BadBody, parse_form, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.steps import start

_LONGEST = 16_000


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        if request.method == "POST":
            return await _posted(request)
        query = request.scope["query_string"]
        fields = BadBody(414, "The request is too long.") if len(query) > _LONGEST else parse_form(query)
        if isinstance(fields, BadBody):
            return failed(f"The request cannot be read. {fields.message}", fields.status)
        browser = browser_of(signin, request)
        turn = await in_thread(start, signin, "authorize", request.path_params["tenant"], fields, browser)
        return show(signin, request, browser, turn)

    return handle


async def _posted(request: Request) -> Response:
    """Asked by POST from another site: its cookies do not come along, so go round by GET."""
    fields = await read_form(request, _LONGEST)
    if isinstance(fields, BadBody):
        return failed(f"The request cannot be read. {fields.message}", fields.status)
    return RedirectResponse(
        f"{request.scope['path']}?{urlencode(fields)}", 303, headers={"Cache-Control": "no-store"}
    )
