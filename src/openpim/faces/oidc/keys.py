"""The public keys that verify our tokens: those that sign now, the next one, and old ones while tokens live."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openpim.faces.oidc.answers import OPEN, Endpoint, preflight
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        jwks = None if request.method == "OPTIONS" else await in_thread(signin.tokens.jwks)
        if jwks is None:
            return preflight(request) or Response(status_code=204)
        return JSONResponse(jwks, headers={**OPEN, "Cache-Control": "public, max-age=3600"})

    return handle
