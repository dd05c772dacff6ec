"""The demo's way in: a page on which a browser that opened the printed link chooses whom to be. Mounted by app.py for
`pim serve --demo` alone, on a listener of its own: plain http on loopback, where no certificate has to be trusted first.

Safari keeps no Secure cookie that came by plain http, not from this machine either, and so none of ours. On this listener,
and there alone, their names begin with `openpim-` and they are not Secure (`_Cookies`); inside they are the same as ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openpim.faces import oidc
from openpim.faces.oidc.cookies import SESSION, browser_of
from openpim.faces.oidc.guard import from_our_page
from openpim.faces.portal.pages import HEADERS, render
from openpim.faces.shared.body import BadBody, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.demo import Door
from openpim.services.signin.forms import form_token, good_form

COOKIE = "__Host-openpim-demo"
_PINNED, _OURS = b"__Host-", b"openpim-"
_GONE = "This link has been used, or belongs to an earlier start. Stop the server and start it again for a new one."


def application(signin: SignIn, door: Door, portal_routes: Sequence[BaseRoute]) -> ASGIApp:
    """What the plain listener serves: the door, the portal, and the sign-in pages it needs; no tokens, no APIs.

    signin: with the plain address as its origin.
    """
    forms = [route for route in oidc.routes(signin) if getattr(route, "path", "").startswith("/signin/")]
    front = Route("/", lambda _request: RedirectResponse("/portal", 303))
    return _Loopback(_Cookies(Starlette(routes=[front, *_routes(signin, door), *portal_routes, *forms])))


def _routes(signin: SignIn, door: Door) -> list[BaseRoute]:
    async def opened(request: Request) -> Response:
        key = door.open(request.path_params["secret"])
        if key is None:
            return _refused(_GONE)
        response = RedirectResponse("/demo", 303, headers={"Cache-Control": "no-store"})
        response.set_cookie(COOKIE, key, path="/", secure=True, httponly=True, samesite="strict")
        # The link may come from a terminal or a mail: a strict cookie is not sent along a redirect that began there.
        return _again(response)

    async def choose(request: Request) -> Response:
        key = request.cookies.get(COOKIE, "")
        if not door.let_in(key):
            return _refused(_GONE)
        link = ""
        if request.method == "POST":
            fields = await _sent(signin, request, key)
            if fields is None:
                return _refused("The form was not taken: open the page again.")
            if fields.get("do") == "link":
                link = f"{signin.settings.origin}/demo/{door.link()}"
            else:
                return await _become(signin, door, request, fields)
        values = {"people": door.people, "form_token": form_token(signin, key), "link": link}
        return Response(render("demo.html", values), headers=HEADERS, media_type="text/html")

    return [
        Route("/demo", choose, methods=["GET", "POST"]),
        Route("/demo/{secret}", opened, methods=["GET"]),
    ]


async def _become(signin: SignIn, door: Door, request: Request, fields: dict[str, str]) -> Response:
    origin = browser_of(signin, request).origin
    mfa = fields.get("mfa") == "on"
    cookie = await in_thread(door.become, fields.get("person", ""), mfa=mfa, origin=origin)
    if cookie is None:
        return _refused("There is no such person in the demo.")
    response = RedirectResponse("/portal", 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(SESSION, cookie, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def _sent(signin: SignIn, request: Request, key: str) -> dict[str, str] | None:
    fields = await read_form(request)
    ours = not isinstance(fields, BadBody) and from_our_page(signin, request)
    if isinstance(fields, BadBody) or not ours or not good_form(signin, key, fields.get("token", "")):
        return None
    return fields


def _again(response: RedirectResponse) -> Response:
    """A page that leads on by itself, with the cookies of the redirect."""
    body = render("demo_open.html", {})
    headers = {**HEADERS, "Refresh": "0; url=/demo"}
    page = Response(body, headers=headers, media_type="text/html")
    page.raw_headers += [pair for pair in response.raw_headers if pair[0] == b"set-cookie"]
    return page


def _refused(message: str) -> Response:
    body = render("plain.html", {"heading": "This link does not work", "message": message})
    return Response(body, 403, headers=HEADERS, media_type="text/html")


class _Cookies:
    """ASGI. Cookies as every browser keeps them from plain http: what the application calls `__Host-openpim-…` travels as
    `openpim-…`, without Secure. Those of the real names, which other listeners of this machine have set, are not heard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def translated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, _plain(value) if name == b"set-cookie" else value)
                    for name, value in message.get("headers", ())
                ]
                message = {**message, "headers": headers}
            await send(message)

        heard = [(name, _pinned(value) if name == b"cookie" else value) for name, value in scope["headers"]]
        await self._app({**scope, "headers": heard}, receive, translated)


def _plain(cookie: bytes) -> bytes:
    """What is set."""
    parts = cookie.removeprefix(_PINNED).split(b";")
    return b";".join(part for part in parts if part.strip().lower() != b"secure")


def _pinned(cookies: bytes) -> bytes:
    """What comes back."""
    pairs = (pair.strip() for pair in cookies.split(b";"))
    return b"; ".join(_PINNED + pair for pair in pairs if pair.startswith(_OURS))


class _Loopback:
    """ASGI. Only a browser that asked for this machine by name is answered: no page of another site, whose name leads
    here by a trick of name resolution, gets at the demo."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "").rpartition(":")[0] or Headers(scope=scope).get(
                "host", ""
            )
            if host.lower() not in {"localhost", "127.0.0.1", "[::1]"}:
                await PlainTextResponse("Ask for localhost.", 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)
