"""Where HTTP meets this face: one route for everything below `/v1.0` and `/beta`, whatever the spelling of the path.

The body is read with a limit, then everything happens in one thread hop; only `$batch` hops once for each item.
"""

from __future__ import annotations

import re

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from openpim.faces.graph import batch
from openpim.faces.graph.call import JSON, Answer, Raw
from openpim.faces.graph.dispatch import Authenticate, Dispatcher
from openpim.faces.graph.endpoints import ENDPOINTS
from openpim.faces.graph.table import Table
from openpim.faces.shared.body import BadBody, read_body
from openpim.faces.shared.origin import https_for_good, public_origin
from openpim.ports.deps import Deps
from openpim.services.signin.context import SignIn
from openpim.wire.graph_errors import ERRORS, error_body
from openpim.wire.jsonbody import MAX_BYTES

_BELOW = re.compile(r"/+(?:v1\.0|beta)(?:/.*)?\Z", re.IGNORECASE | re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_TOO_BAD = {400: "BadRequest", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType"}


def routes(deps: Deps, authenticate: Authenticate, signin: SignIn | None = None) -> list[BaseRoute]:
    """What app.py mounts. authenticate(header, ip=…, client=…, request_id=…) gives a Caller or a Refusal. signin:
    for set-up links and client secrets, which are refused without it."""
    face = Face(Dispatcher(deps, authenticate, Table(ENDPOINTS), signin))
    route = Route("/{version}/{path:path}", face, name="graph")
    route.path_regex = _BELOW
    return [route]


class Face:
    """The ASGI application behind the route."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        deps = self.dispatcher.deps
        state = request.scope.get("state", {})
        ours = str(state.get("request_id") or deps.new_id())
        theirs = request.headers.get("client-request-id", "")
        raw = Raw(
            method=request.method,
            path=request.scope.get("raw_path") or request.scope["path"].encode("utf-8", "surrogateescape"),
            query=request.scope.get("query_string", b""),
            headers={name.lower(): value for name, value in request.headers.items()},
            origin=public_origin(deps.settings, request.headers.get("host")),
            ip=request.client.host if request.client else None,
            request_id=ours,
            client_request_id=theirs if _PLAIN.match(theirs) else ours,
        )
        body = await read_body(request, MAX_BYTES)
        if isinstance(body, BadBody):
            code = _TOO_BAD[body.status]
            found = error_body(
                code, body.message or ERRORS[code].message, ours, raw.client_request_id, deps.clock()
            )
            return respond(raw, Answer(body.status, found, {"Connection": "close"}))
        raw = with_body(raw, body)
        if batch.is_batch(raw):
            return respond(raw, await batch.run(self.dispatcher, raw))
        return respond(raw, await self.dispatcher.hop(raw)(self.dispatcher.run, raw))


def with_body(raw: Raw, body: bytes) -> Raw:
    return Raw(
        raw.method,
        raw.path,
        raw.query,
        raw.headers,
        body,
        raw.origin,
        raw.ip,
        raw.request_id,
        raw.client_request_id,
    )


def respond(raw: Raw, answer: Answer) -> Response:
    headers = {
        "request-id": raw.request_id,
        "client-request-id": raw.client_request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"OpenPIM","Ring":"0"}}',
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        **answer.headers,
        **https_for_good(raw.origin),
    }
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, str):
        return Response(answer.body.encode("utf-8"), answer.status, headers, media_type="text/plain")
    kind = (
        JSON.replace("minimal", "none") if "metadata=none" in raw.headers.get("accept", "").lower() else JSON
    )
    headers["Content-Type"] = kind
    headers["OData-Version"] = "4.0"
    return Response(msgspec.json.encode(answer.body), answer.status, headers)
