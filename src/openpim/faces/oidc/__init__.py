"""The OpenID Provider: sign-in pages for people, OAuth endpoints for clients. One file for each endpoint.

`routes(signin)` is what app.py mounts, behind `faces.shared.paths.TidyPaths` and `faces.shared.request_ids.RequestIds`.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from openpim.faces.oidc import (
    authorize,
    devicecode,
    devicelogin,
    discovery,
    introspect,
    keys,
    logout,
    revoke,
    setup,
    signin_forms,
    style,
    token,
    userinfo,
)
from openpim.faces.shared.paths import CaselessRoute
from openpim.ports.store import StoreUnavailableError
from openpim.services.signin.context import SignIn

__all__ = ["routes"]

_FORM = ["GET", "POST"]
_JSON = ["POST", "OPTIONS"]
_OPEN = ["GET", "OPTIONS"]


def routes(signin: SignIn) -> Sequence[BaseRoute]:
    found: list[CaselessRoute] = [
        CaselessRoute(
            "/{tenant}/v2.0/.well-known/openid-configuration", discovery.document(signin), methods=_OPEN
        ),
        CaselessRoute(
            "/{tenant}/.well-known/openid-configuration", discovery.document(signin), methods=_OPEN
        ),
        # RFC 8414, 3.1: the path of the issuer comes after the well-known one.
        CaselessRoute(
            "/.well-known/oauth-authorization-server/{tenant}/v2.0",
            discovery.document(signin),
            methods=_OPEN,
        ),
        CaselessRoute("/{tenant}/discovery/instance", discovery.instance(signin), methods=_OPEN),
        CaselessRoute("/{tenant}/discovery/v2.0/keys", keys.endpoint(signin), methods=_OPEN),
        CaselessRoute("/{tenant}/discovery/keys", keys.endpoint(signin), methods=_OPEN),
        CaselessRoute("/oidc/userinfo", userinfo.endpoint(signin), methods=["GET", "POST", "OPTIONS"]),
        CaselessRoute("/devicelogin", devicelogin.endpoint(signin), methods=["GET"]),
        CaselessRoute("/signin/step", signin_forms.endpoint(signin), methods=["POST"]),
        CaselessRoute("/signin/signout", logout.confirmed(signin), methods=["POST"]),
        CaselessRoute("/signin/style.css", style.endpoint, methods=["GET"]),
        CaselessRoute("/signin/passkey.mjs", style.passkey_script, methods=["GET"]),
        CaselessRoute("/setup/{secret}", setup.endpoint(signin), methods=_FORM),
    ]
    for version in ("oauth2/v2.0", "oauth2"):
        found += [
            CaselessRoute(f"/{{tenant}}/{version}/authorize", authorize.endpoint(signin), methods=_FORM),
            CaselessRoute(f"/{{tenant}}/{version}/token", token.endpoint(signin), methods=_JSON),
            CaselessRoute(f"/{{tenant}}/{version}/devicecode", devicecode.endpoint(signin), methods=_JSON),
            CaselessRoute(f"/{{tenant}}/{version}/logout", logout.endpoint(signin), methods=_FORM),
            CaselessRoute(f"/{{tenant}}/{version}/introspect", introspect.endpoint(signin), methods=_JSON),
            CaselessRoute(f"/{{tenant}}/{version}/revoke", revoke.endpoint(signin), methods=_JSON),
        ]
    for route in found:
        route.app = _told(route.app)
    return found


def _told(app: ASGIApp) -> ASGIApp:
    """The database is away: 503, in words that both OAuth clients and people can read."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except StoreUnavailableError:
            body = {"error": "temporarily_unavailable", "error_description": "Try again in a moment."}
            response = JSONResponse(body, 503, headers={"Retry-After": "5", "Cache-Control": "no-store"})
            await response(scope, receive, send)

    return answer
