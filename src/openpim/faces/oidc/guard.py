"""Refuses forms that another site sent (CSRF), besides the sealed flow each form carries."""

from __future__ import annotations

from starlette.requests import Request

from openpim.faces.oidc.cookies import origin_of
from openpim.services.signin.context import SignIn


def from_our_page(signin: SignIn, request: Request) -> bool:
    """What the browser says of where the form came from. Browsers that say nothing are left to the sealed flow."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.lower() == origin_of(signin, request).base
