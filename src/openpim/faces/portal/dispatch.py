"""From a request to an answer: who is there, did our own page send the form, run the handler, make the page.

All of it is one plain synchronous function in one thread hop; only reading the body happens before. Nothing a browser
sends ends in a 500: what cannot be read is 400, a database that is away is 503.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from openpim.core.refusals import Refusal
from openpim.faces.oidc.cookies import browser_of, forget_session, keep
from openpim.faces.oidc.guard import from_our_page
from openpim.faces.oidc.pages import show as show_sign_in
from openpim.faces.portal import flash, nav
from openpim.faces.portal.call import Answer, Call, Data, File, Go, RefusedError, Show, Stream, Verify
from openpim.faces.portal.pages import HEADERS, packed, render
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.shared.body import BadBody, parse_form
from openpim.faces.shared.multipart import Sent, read_sent
from openpim.faces.shared.threads import beside, in_thread, reading
from openpim.ports.store import StoreUnavailableError
from openpim.services.signin.context import SignIn
from openpim.services.signin.flow import Ask, Browser, Turn, local_path
from openpim.services.signin.forms import form_token, good_form
from openpim.services.signin.portal import Presence, enter, sign_in, sign_in_again, step_up
from openpim.services.standing import standing

Endpoint = Callable[[Request], Awaitable[Response]]
TENANT = "__Host-openpim-tenant"
HOME = "/portal/roles"
_TITLES = {403: "You cannot open this page", 404: "There is nothing here", 503: "Try again in a moment"}
_log = logging.getLogger(__name__)
_LARGEST_KEPT = 32 * 1024  # of a form that waits for a sign-in


def endpoint(signin: SignIn, page: Page) -> Endpoint:
    """The ASGI endpoint of one row of the table."""

    hop = beside if page.waits else in_thread if page.method == "POST" else reading(signin.deps.store)

    async def handle(request: Request) -> Response:
        query = parse_form(request.scope["query_string"])
        form: Sent | BadBody = Sent({}, {})
        if request.method == "POST":
            form = await read_sent(request, page.largest)
        return await hop(_answer, signin, page, request, query, form)

    return handle


def _answer(
    signin: SignIn,
    page: Page,
    request: Request,
    query: dict[str, str] | BadBody,
    form: Sent | BadBody,
) -> Response:
    try:
        return _run(signin, page, request, query, form)
    except StoreUnavailableError:
        return _plain("The database cannot be reached. Try again in a moment.", 503, {"Retry-After": "5"})
    except Exception:  # noqa: BLE001 - whatever it is, the browser gets a page and nothing of ours
        _log.exception("portal: %s %s failed", request.method, page.path)
        return _plain("Something went wrong on our side. Try again; if it stays, ask who runs OpenPIM.", 500)


def _run(
    signin: SignIn,
    page: Page,
    request: Request,
    query: dict[str, str] | BadBody,
    form: Sent | BadBody,
) -> Response:
    if request.method != "POST" and not page.streams:
        signin = _at_one_moment(signin)
    browser = browser_of(signin, request)
    path = _path(request)
    wanted = request.cookies.get(TENANT, "")[:36]
    presence = enter(signin, browser.session, wanted, browser.origin)
    if presence is None:
        return _signed_out(signin, request, browser, path, form)
    switched = _switched(presence, query, path, request)
    if switched is not None:
        return switched
    bad = query if isinstance(query, BadBody) else form if isinstance(form, BadBody) else None
    call = Call(
        signin=signin,
        presence=presence,
        origin=browser.origin,
        now=signin.deps.clock(),
        path=path,
        params=request.path_params,
        query=query if isinstance(query, dict) else {},
        form=form.fields if isinstance(form, Sent) else {},
        files=form.files if isinstance(form, Sent) else {},
    )
    answer: Answer
    if bad is not None:
        answer = _problem(bad.message, bad.status, "The request cannot be read")
    elif any("\x00" in part for part in call.params.values()):  # which no database takes
        answer = _problem("There is nothing with this address.", 404, "Not found")
    elif request.method == "POST" and not _ours(signin, request, call):
        answer = _problem(
            "This form is too old, or another site sent it. Nothing was done: open the page again.",
            403,
            "The form was not taken",
        )
    else:
        try:
            answer = page.handler(call)
        except RefusedError as error:
            answer = refused(error.refusal)
    return keep(_response(signin, request, browser, call, answer), request, browser)


def _at_one_moment(signin: SignIn) -> SignIn:
    """For a page that is only looked at: several acts make it, and the shell around it is one more. They have one clock,
    and ask for nothing twice."""
    now = signin.deps.clock()
    deps = replace(signin.deps, clock=lambda: now, store=signin.deps.store.gathered())
    return replace(signin, deps=deps)


def _ours(signin: SignIn, request: Request, call: Call) -> bool:
    sent = call.form.get("token", "")
    return from_our_page(signin, request) and good_form(signin, call.presence.session.id, sent)


def _path(request: Request) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return local_path(quote(request.url.path) + (f"?{query}" if query else ""), HOME)


def _signed_out(
    signin: SignIn, request: Request, browser: Browser, path: str, form: Sent | BadBody
) -> Response:
    """Nobody is there: the sign-in, and then back, with what was typed."""
    if request.method != "POST":
        turn = sign_in(signin, path, browser)
    elif isinstance(form, Sent) and _may_wait(form) and from_our_page(signin, request):
        turn = sign_in_again(signin, browser, path=HOME, action=path, form=form.fields)
    else:
        turn = sign_in(signin, HOME, browser)
    return _sign_in_page(signin, request, browser, turn)


def _may_wait(form: Sent) -> bool:
    """Whether it can be kept in the pages of a sign-in. A file cannot."""
    size = sum(len(name) + len(value) for name, value in form.fields.items())
    return not form.files and size <= _LARGEST_KEPT


def _sign_in_page(signin: SignIn, request: Request, browser: Browser, turn: Turn) -> Response:
    response = show_sign_in(signin, request, browser, turn)
    if isinstance(turn.outcome, Ask) and response.status_code == 200:
        response.status_code = 401
    return response


def _switched(
    presence: Presence, query: dict[str, str] | BadBody, path: str, request: Request
) -> Response | None:
    """`?tenant=` (an id or a domain) of a link: be there from now on, if he may; then the same page without it."""
    if not isinstance(query, dict) or "tenant" not in query or request.method == "POST":
        return None
    named = query["tenant"].lower()
    found = next((one for one in presence.tenants if named in {one.id, *one.domains, one.domain}), None)
    rest = [pair for pair in parse_qsl(path.partition("?")[2], keep_blank_values=True) if pair[0] != "tenant"]
    where = path.partition("?")[0] + (f"?{urlencode(rest)}" if rest else "")
    response = RedirectResponse(where, 303, headers={"Cache-Control": "no-store"})
    if found is not None:
        _remember_tenant(response, found.id)
    return response


def _remember_tenant(response: Response, tenant_id: str) -> None:
    response.set_cookie(TENANT, tenant_id, path="/", secure=True, httponly=True, samesite="lax")


# ---------------------------------------------------------------- answers


def refused(refusal: Refusal) -> Show:
    """A refusal as a page of its own."""
    return _problem(refusal.message, status_of(refusal))


def _problem(message: str, status: int, title: str = "") -> Show:
    heading = title or _TITLES.get(status, "This cannot be done")
    return Show("problem.html", {"heading": heading, "message": message}, status)


def _response(signin: SignIn, request: Request, browser: Browser, call: Call, answer: Answer) -> Response:
    match answer:
        case Show():
            return _page(signin, request, call, answer)
        case Go(path, message, tone, tenant, signed_out):
            response = RedirectResponse(local_path(path, HOME), 303, headers={"Cache-Control": "no-store"})
            if message:
                flash.say(signin, response, call.presence.session.id, tone, message)
            if tenant is not None:
                _remember_tenant(response, tenant)
            return forget_session(response) if signed_out else response
        case Verify(back, context):
            form = {name: value for name, value in call.form.items() if name != "token"}
            form["verified"] = f"{form.get('verified', '')} {context or 'mfa'}".strip()
            action = call.path
            turn = step_up(
                signin, call.presence, browser, path=back, action=action, form=form, context=context
            )
            return show_sign_in(signin, request, browser, turn)
        case File(body, media_type, name):
            headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
            return Response(body, media_type=media_type, headers=headers)
        case Stream(parts, media_type, name):
            headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
            taken = _taken(signin, parts if request.method == "GET" else iter(()))
            return StreamingResponse(taken, media_type=media_type, headers=headers)
        case Data(values):
            return Response(msgspec.json.encode(values), media_type="application/json", headers=HEADERS)


async def _taken(signin: SignIn, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Part by part, each in a thread hop of its own."""
    hop = reading(signin.deps.store)
    while (part := await hop(next, parts, None)) is not None:
        if part:
            yield part


def _page(signin: SignIn, request: Request, call: Call, answer: Show) -> Response:
    said = flash.hear(signin, request.cookies.get(flash.COOKIE, ""), call.presence.session.id)
    values = {**_shell(signin, call, answer), "said": said, **answer.values}
    body, packing = packed(render(answer.template, values), request.headers.get("accept-encoding", ""))
    response = Response(body, answer.status, headers={**HEADERS, **packing}, media_type="text/html")
    # What fetches a page to refresh one that is open does not use up what is said once.
    if flash.COOKIE in request.cookies and request.headers.get("sec-fetch-mode", "navigate") == "navigate":
        flash.forget(response)
    return response


def _shell(signin: SignIn, call: Call, answer: Show) -> Mapping[str, Any]:
    """What base.html needs."""
    mine = standing(call.deps, call.caller)
    return {
        "me": call.caller,
        "tenant": call.presence.tenant,
        "tenants": call.presence.tenants,
        "menu": nav.shown(mine.roles, mine.rights),
        "waiting": mine.waiting,
        "account_menu": nav.ACCOUNT,
        "lit": answer.nav,
        "form_token": form_token(signin, call.presence.session.id),
        "now": call.now,
        "changes": call.presence.changes,
        "here": call.path,
    }


def _plain(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Without the shell: where it cannot be made."""
    values = {"heading": _TITLES.get(status, "Something went wrong"), "message": message}
    return Response(
        render("plain.html", values), status, headers={**HEADERS, **(headers or {})}, media_type="text/html"
    )
