"""The cookies of the sign-in. `__Host-` pins each to this host over HTTPS; cookies are per host, not per port, so the
names are our own.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.faces.shared.origin import public_origin
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin
from openpim.services.signin.flow import Browser, Turn
from openpim.services.signin.known_browsers import LIFETIME

SESSION = "__Host-openpim-session"
BROWSER = "__Host-openpim-browser"
KNOWN = "__Host-openpim-known"
_LONGEST = 4096


def origin_of(signin: SignIn, request: Request) -> Origin:
    state = request.scope.get("state", {})
    return Origin(
        base=public_origin(signin.settings, request.headers.get("host")),
        ip=request.client.host if request.client else "",
        user_agent=request.headers.get("user-agent", "")[:300],
        request_id=str(state.get("request_id", "")),
    )


def browser_of(signin: SignIn, request: Request) -> Browser:
    """The browser; one that has no id yet gets one (set it with `keep`)."""

    def cookie(name: str) -> str:
        value = request.cookies.get(name, "")
        return value if len(value) <= _LONGEST and value.isascii() else ""

    return Browser(
        browser=cookie(BROWSER) or signin.deps.secret(32),
        origin=origin_of(signin, request),
        session=cookie(SESSION),
        known=cookie(KNOWN),
    )


def keep(response: Response, request: Request, browser: Browser, turn: Turn | None = None) -> Response:
    """Set what changed."""
    if request.cookies.get(BROWSER) != browser.browser:
        _set(response, BROWSER, browser.browser)
    if turn is not None and turn.session is not None:
        _set(response, SESSION, turn.session)
    if turn is not None and turn.known is not None:
        # Only our own forms need it, so no other site can make it be sent.
        _set(response, KNOWN, turn.known, int(LIFETIME.total_seconds()), strict=True)
    return response


def forget_session(response: Response) -> Response:
    response.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="lax")
    return response


def _set(
    response: Response, name: str, value: str, max_age: int | None = None, *, strict: bool = False
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict" if strict else "lax",
    )
