"""GET and POST /{tenant}/oauth2/v2.0/logout, and the form that asks first."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from openpim.core.signin.oauth import origin_of as target_of
from openpim.faces.oidc.answers import Endpoint
from openpim.faces.oidc.cookies import browser_of, forget_session, keep
from openpim.faces.oidc.guard import from_our_page
from openpim.faces.oidc.pages import failed, page
from openpim.faces.shared.body import BadBody, parse_form, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.logout import ConfirmSignOut, SignedOut, confirm_logout, logout


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        if request.method == "POST":
            fields = await read_form(request)
        else:
            fields = parse_form(request.scope["query_string"][:64_000])
        if isinstance(fields, BadBody):
            return failed(
                f"The request cannot be read. {fields.message}", fields.status, "Sign-out is not possible"
            )
        browser = browser_of(signin, request)
        outcome = await in_thread(logout, signin, fields, browser)
        if isinstance(outcome, ConfirmSignOut):
            target = fields.get("post_logout_redirect_uri", "")
            shown = target_of(target) if target.startswith(("https://", "http://")) else ""
            response = page("logout.html", target=_plain(shown), token=outcome.token, name=outcome.name)
            return keep(response, request, browser)
        return _gone(outcome)

    return handle


def _plain(target: str) -> str:
    """Only what may stand in a Content-Security-Policy."""
    return target if target.isascii() and not any(ch in target for ch in " ;,'\"\r\n\t") else ""


def confirmed(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        fields = await read_form(request)
        if isinstance(fields, BadBody):
            return failed(
                f"The form cannot be read. {fields.message}", fields.status, "Sign-out is not possible"
            )
        browser = browser_of(signin, request)
        outcome = None
        if from_our_page(signin, request):
            outcome = await in_thread(confirm_logout, signin, fields.get("token", ""), browser)
        if outcome is None:
            return failed(
                "This page is too old, or belongs to another browser.", 400, "Sign-out is not possible"
            )
        return _gone(outcome)

    return handle


def _gone(outcome: SignedOut) -> Response:
    if not outcome.redirect_uri:
        return forget_session(
            page("message.html", title="Signed out", message="You are signed out. Close this window.")
        )
    where = outcome.redirect_uri
    if outcome.state:
        where += ("&" if "?" in where else "?") + urlencode({"state": outcome.state})
    return forget_session(RedirectResponse(where, 303, headers={"Cache-Control": "no-store"}))
