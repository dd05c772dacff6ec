"""GET and POST /oidc/userinfo: who the person is now, with live groups and roles."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openpim.core.refusals import Code, Refusal
from openpim.faces.oidc.answers import OPEN, Endpoint, ok, preflight
from openpim.faces.shared.bearer import challenge
from openpim.faces.shared.origin import public_origin
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.userinfo import userinfo


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        answer = preflight(request)
        if answer is not None:
            return answer
        found = await in_thread(userinfo, signin, request.headers.get("authorization"))
        if not isinstance(found, Refusal):
            return ok(found)
        base = public_origin(signin.settings, request.headers.get("host"))
        error = "insufficient_scope" if found.code is Code.FORBIDDEN else "invalid_token"
        header = challenge(base, error=error, description=found.message)
        body = {"error": error, "error_description": found.message}
        status = 403 if found.code is Code.FORBIDDEN else 401
        return JSONResponse(body, status, headers={**OPEN, "WWW-Authenticate": header})

    return handle
