"""GET and POST /setup/{secret}: the page behind a one-time link, where a person sets password and second factor."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.core.refusals import Code, Refusal
from openpim.faces.oidc.answers import Endpoint
from openpim.faces.oidc.cookies import origin_of
from openpim.faces.oidc.guard import from_our_page
from openpim.faces.oidc.pages import failed, page
from openpim.faces.shared.body import BadBody, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.bootstrap import SetupPage, finish_setup, keep_seed, open_setup
from openpim.services.signin.context import SignIn

_TITLE = "This link does not work"


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        secret = request.path_params["secret"]
        found = await in_thread(open_setup, signin, secret)
        if isinstance(found, Refusal):
            return failed(found.message, 404, _TITLE)
        if request.method != "POST":
            return _form(found, {}, "")
        if not from_our_page(signin, request):
            return failed("This form was sent from another site.", 403, _TITLE)
        fields = await read_form(request)
        if isinstance(fields, BadBody):
            return failed(f"The form cannot be read. {fields.message}", fields.status, _TITLE)
        done = await in_thread(finish_setup, signin, secret, fields, origin_of(signin, request))
        if isinstance(done, Refusal):
            if done.code is Code.NOT_FOUND:
                return failed(done.message, 404, _TITLE)
            return _form(keep_seed(signin, found, fields.get("token", ""), secret), fields, done.message)
        name, codes = done
        return page("setup_done.html", name=name, codes=codes)

    return handle


def _form(found: SetupPage, fields: dict[str, str], error: str) -> Response:
    typed = {"username": fields.get("username", found.name), "display_name": fields.get("display_name", "")}
    return page("setup.html", 400 if error else 200, setup=found, error=error, **typed)
