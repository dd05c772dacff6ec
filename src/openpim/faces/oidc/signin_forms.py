"""POST /signin/step: every form of a sign-in on its way."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.faces.oidc.answers import Endpoint
from openpim.faces.oidc.cookies import browser_of
from openpim.faces.oidc.guard import from_our_page
from openpim.faces.oidc.pages import failed, show
from openpim.faces.shared.body import BadBody, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.device import submit_code
from openpim.services.signin.steps import submit


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        if not from_our_page(signin, request):
            return failed("This form was sent from another site: start the sign-in again.", 403)
        fields = await read_form(request)
        if isinstance(fields, BadBody):
            return failed(f"The form cannot be read. {fields.message}", fields.status)
        browser = browser_of(signin, request)
        flow, step = fields.get("flow", ""), fields.get("step", "")
        if step == "user_code":
            turn = await in_thread(submit_code, signin, flow, fields.get("user_code", ""), browser)
        else:
            turn = await in_thread(submit, signin, flow, step, fields, browser)
        return show(signin, request, browser, turn)

    return handle
