"""Turns outcomes into pages: plain HTML that works without JavaScript, under a strict Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from openpim.faces.oidc.cookies import keep
from openpim.faces.oidc.permission_words import MEANINGS
from openpim.faces.shared.qr import qr
from openpim.services.signin.context import SignIn
from openpim.services.signin.flow import Answer, Ask, Browser, Done, Failed, GoTo, Outcome, Turn, seal_flow

if TYPE_CHECKING:
    from jinja2 import Environment

# It sends the form that a client asked for with response_mode=form_post. There is a button.
_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - a start does not wait for it

    made = Environment(
        loader=PackageLoader("openpim.faces.oidc"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["qr"] = qr
    return made


def page(
    template: str, status: int = 200, *, target: str = "", script: str = "'none'", **values: Any
) -> HTMLResponse:
    """target: an origin (or scheme) besides our own that a form may end at. script: the one allowed, as the
    Content-Security-Policy names it."""
    body = _environment().get_template(template).render(**values)
    return HTMLResponse(body, status, headers=_headers(target, script))


def _headers(target: str, script: str) -> dict[str, str]:
    form_action = f"'self' {target}".strip()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; img-src 'self'; script-src {script}; "
            f"form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        # Not no-referrer: with that, browsers hide the Origin of our own forms, which we check.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Pragma": "no-cache",
    }


def failed(message: str, status: int = 400, title: str = "Sign-in is not possible") -> HTMLResponse:
    return page("message.html", status, title=title, message=message)


def show(signin: SignIn, request: Request, browser: Browser, turn: Turn) -> Response:
    """The answer to a step of a sign-in, with its cookies."""
    return keep(_render(signin, turn.outcome), request, browser, turn)


def _render(signin: SignIn, outcome: Outcome) -> Response:
    match outcome:
        case Ask():
            return _ask(signin, outcome)
        case Answer():
            return answer(outcome)
        case Failed(message, status, title):
            return failed(message, status, title)
        case Done(title, message):
            return page("message.html", title=title, message=message)
        case GoTo(path, form) if form:
            return page("form_post.html", script=_SUBMIT_HASH, uri=path, params=form, submit=_SUBMIT)
        case GoTo(path):
            return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})


def _ask(signin: SignIn, ask: Ask) -> Response:
    values: dict[str, Any] = {"name": "", "client": "", "passkey": "", "meanings": MEANINGS, **ask.details}
    status = 400 if ask.error else 200
    if ask.retry_after is not None:
        status = 429
    response = page(
        f"{ask.step}.html",
        status,
        target=ask.target,
        script=f"{signin.settings.origin}/signin/passkey.mjs" if values["passkey"] else "'none'",
        flow=seal_flow(signin, ask.flow),
        step=ask.step,
        error=ask.error,
        **values,
    )
    if ask.retry_after is not None:
        response.headers["Retry-After"] = str(ask.retry_after)
    return response


def answer(outcome: Answer) -> Response:
    """Back to the client."""
    if outcome.mode == "form_post":
        parts = urlsplit(outcome.redirect_uri)
        target = f"{parts.scheme}://{parts.netloc}"
        return page(
            "form_post.html",
            target=target,
            script=_SUBMIT_HASH,
            uri=outcome.redirect_uri,
            params=outcome.params,
            submit=_SUBMIT,
        )
    encoded = urlencode(outcome.params)
    parts = urlsplit(outcome.redirect_uri)
    if outcome.mode == "fragment":
        where = urlunsplit(parts._replace(fragment=encoded))
    else:
        query = f"{parts.query}&{encoded}" if parts.query else encoded
        where = urlunsplit(parts._replace(query=query))
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(where, 303, headers=headers)
