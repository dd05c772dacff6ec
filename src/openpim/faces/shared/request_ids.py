"""Ids of a request: ours, and the one the client sent, echoed; both go into logs and audit events."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
# For the log alone: what a record was written for. Nothing is decided by it.
_current: ContextVar[str] = ContextVar("openpim-request", default="")


def current() -> str:
    """The id of the request that this thread works for, "" when there is none."""
    return _current.get()


class RequestIds:
    """ASGI middleware. Sets scope["state"]["request_id"] and ["client_request_id"], and answers both as headers."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], str]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ours = self._new_id()
        theirs = Headers(scope=scope).get("client-request-id", "")
        theirs = theirs if _PLAIN.match(theirs) else ours
        scope.setdefault("state", {}).update(request_id=ours, client_request_id=theirs)
        _current.set(ours)

        async def with_ids(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("request-id", ours)
                headers.setdefault("client-request-id", theirs)
            await send(message)

        await self._app(scope, receive, with_ids)
