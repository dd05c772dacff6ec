"""Where HTTP meets this face: one ASGI application for the whole origin, whatever the spelling of the path.

The body is read with a limit, then everything happens in one thread hop; only `/batch` hops once for each item.
"""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from openpim.core.settings import Settings
from openpim.faces.arm import batch
from openpim.faces.arm.call import Answer, Raw
from openpim.faces.arm.dispatch import Authenticate, Dispatcher
from openpim.faces.arm.endpoints import ENDPOINTS
from openpim.faces.arm.table import Table
from openpim.faces.shared.body import BadBody, read_body
from openpim.faces.shared.origin import allowed_origin, https_for_good
from openpim.ports.deps import Deps
from openpim.wire.arm_errors import ERRORS, error_body
from openpim.wire.jsonbody import MAX_BYTES

_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_TOO_BAD = {400: "BadRequest", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType"}


def application(deps: Deps, authenticate: Authenticate) -> ASGIApp:
    """authenticate(header, ip=…, client=…, request_id=…) gives a Caller or a Refusal."""
    return Face(Dispatcher(deps, authenticate, Table(ENDPOINTS)))


def origin_of(settings: Settings, host: str | None) -> str:
    """Our public address as this client knows it."""
    return allowed_origin(settings.arm_origin, settings.allowed_hosts, host)


class Face:
    """The ASGI application."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        deps = self.dispatcher.deps
        ours = deps.new_id()
        theirs = request.headers.get("x-ms-client-request-id", "")
        raw = Raw(
            method=request.method,
            path=request.scope.get("raw_path") or request.scope["path"].encode("utf-8", "surrogateescape"),
            query=request.scope.get("query_string", b""),
            headers={name.lower(): value for name, value in request.headers.items()},
            origin=origin_of(deps.settings, request.headers.get("host")),
            ip=request.client.host if request.client else None,
            request_id=ours,
            client_request_id=theirs if _PLAIN.match(theirs) else "",
        )
        body = await read_body(request, MAX_BYTES)
        if isinstance(body, BadBody):
            code = _TOO_BAD[body.status]
            found = error_body(code, body.message or ERRORS[code].message)
            return respond(raw, Answer(body.status, found, {"Connection": "close"}))
        raw = replace(raw, body=body)
        if batch.is_batch(raw):
            return respond(raw, await batch.run(self.dispatcher, raw))
        return respond(raw, await self.dispatcher.hop(raw)(self.dispatcher.run, raw))


def headers_of(raw: Raw, answer: Answer) -> dict[str, str]:
    found = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "mspimslice": "PROD",
        "x-ms-request-id": raw.request_id,
        "x-ms-correlation-request-id": raw.request_id,
        "x-ms-routing-request-id": f"OPENPIM:{raw.request_id}",
        "X-Content-Type-Options": "nosniff",
        "x-ms-ratelimit-remaining-subscription-"
        + ("reads" if raw.method in {"GET", "HEAD"} else "writes"): "11999",
    }
    if raw.client_request_id:
        found["x-ms-client-request-id"] = raw.client_request_id
    return {**found, **https_for_good(raw.origin, "; includeSubDomains"), **answer.headers}


def respond(raw: Raw, answer: Answer) -> Response:
    headers = headers_of(raw, answer)
    if answer.body is None or raw.method == "HEAD":
        return Response(status_code=answer.status, headers=headers)
    headers["Content-Type"] = "application/json; charset=utf-8"
    return Response(msgspec.json.encode(answer.body), answer.status, headers)
