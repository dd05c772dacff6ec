"""Where other systems call: `POST /hooks/{tenant}/{channel}`, signed as the Standard Webhooks specification says.

Nobody is signed in here, and whoever cannot sign learns nothing, not even whether there is such an address.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openpim.core.refusals import Code, Refusal
from openpim.core.webhooks import ID, SIGNATURE, TIMESTAMP
from openpim.faces.shared.body import BadBody, read_body
from openpim.faces.shared.threads import in_thread
from openpim.ports.deps import Deps
from openpim.services.channels.hearing import MAX_BODY, hear
from openpim.wire.ids import is_guid

_STATUS = {
    Code.SIGN_IN: 401,
    Code.INVALID: 400,
    Code.NOT_FOUND: 404,
    Code.ALREADY_DECIDED: 409,
    Code.THROTTLED: 429,
}
_NOBODY = "00000000-0000-0000-0000-000000000000"


def routes(deps: Deps) -> list[BaseRoute]:
    async def handle(request: Request) -> Response:
        body = await read_body(request, MAX_BODY)
        if isinstance(body, BadBody):
            return _said(body.status, "invalid", body.message)
        tenant, channel = (
            key.lower() if is_guid(key) else _NOBODY
            for key in (request.path_params["tenant"], request.path_params["channel"])
        )
        headers = {name: request.headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
        ip = request.client.host if request.client else None
        outcome = await in_thread(hear, deps, tenant, channel, headers, body, ip)
        if isinstance(outcome, Refusal):
            return _said(_STATUS.get(outcome.code, 400), outcome.code.value, outcome.message)
        return JSONResponse(
            {"status": outcome.status, "ended": outcome.ended}, headers={"Cache-Control": "no-store"}
        )

    return [Route("/hooks/{tenant}/{channel}", handle, methods=["POST"])]


def _said(status: int, code: str, message: str) -> Response:
    error = {"error": {"code": code, "message": message}}
    return JSONResponse(error, status_code=status, headers={"Cache-Control": "no-store"})
