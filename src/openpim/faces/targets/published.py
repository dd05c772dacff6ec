"""`GET /targets/{tenant}/{target}/{name}`: what anybody may have of a target, for hosts that fetch it every minute. An ETag
makes most of these fetches empty."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openpim.faces.shared.threads import in_thread
from openpim.ports.connector import TargetError
from openpim.ports.deps import Deps
from openpim.services.connecting.published import published
from openpim.wire.ids import is_guid

_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def routes(deps: Deps) -> list[BaseRoute]:
    async def handle(request: Request) -> Response:
        tenant, target = request.path_params["tenant"].lower(), request.path_params["target"].lower()
        name = request.path_params["name"]
        if not is_guid(tenant) or not is_guid(target):
            return _said(404, "notFound", "There is no such target.")
        given = dict(request.query_params)
        found = await in_thread(published, deps, tenant, target, name, given)
        if found is None:
            return _said(404, "notFound", "There is no such target, or it has nothing of this name.")
        if isinstance(found, TargetError):
            return _said(503, "unavailable", "This cannot be told now. Try again later.")
        etag = f'"{hashlib.sha256(found.body).hexdigest()[:32]}"'
        if etag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers={**_HEADERS, "ETag": etag})
        return Response(found.body, media_type=found.content_type, headers={**_HEADERS, "ETag": etag})

    return [Route("/targets/{tenant}/{target}/{name}", handle, methods=["GET"])]


def _said(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status, headers=_HEADERS)
