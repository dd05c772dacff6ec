"""One event loop for all requests of a test process, and one hop into it for each request.

Starlette's test client starts a loop and its threads anew for every request, and asks that loop seven things from its own
thread to read an answer piece by piece. Here an answer is read whole: that is one hop, and both together are two thirds of
what a request costs in a test. Only the clients that are not used as context managers share the loop; a server in
production has one loop for all requests, too.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import unquote

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient, _TestClientTransport

PORTS = {"http": 80, "https": 443}


@contextmanager
def one_loop() -> Iterator[None]:
    """While this is open, clients take the one loop; it begins with the first request."""
    started: list[BlockingPortal] = []
    own, asked = TestClient._portal_factory, _TestClientTransport.handle_request
    with ExitStack() as stack:

        @contextmanager
        def shared(self: Any) -> Iterator[BlockingPortal]:
            if self.portal is None and not started:
                started.append(stack.enter_context(start_blocking_portal()))
            yield self.portal or started[0]

        TestClient._portal_factory = shared  # type: ignore[method-assign]
        _TestClientTransport.handle_request = _whole  # type: ignore[method-assign]
        try:
            yield
        finally:
            TestClient._portal_factory = own  # type: ignore[method-assign]
            _TestClientTransport.handle_request = asked  # type: ignore[method-assign]


def _whole(self: Any, request: httpx.Request) -> httpx.Response:
    """The answer of the application, when the application has done all it does for this request."""
    exchange = _Exchange(request.read())
    try:
        with self.portal_factory() as portal:
            portal.call(self.app, _scope(self, request), exchange.receive, exchange.send)
    except Exception:
        if self.raise_server_exceptions:
            raise
        if exchange.status is None:
            return httpx.Response(500, request=request)
    assert exchange.status is not None, "the application gave no answer"
    body = b"" if request.method == "HEAD" else b"".join(exchange.parts)
    stream = httpx.ByteStream(body)  # as it came: who reads it undoes its compression
    return httpx.Response(exchange.status, headers=exchange.headers, stream=stream, request=request)


def _scope(self: Any, request: httpx.Request) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(url.path),
        "raw_path": url.raw_path.split(b"?", 1)[0],
        "root_path": self.root_path,
        "scheme": url.scheme,
        "query_string": url.query,
        "headers": [(key.lower(), value) for key, value in request.headers.raw],
        "client": self.client,
        "server": [url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]],
        "state": self.app_state.copy(),
    }


class _Exchange:
    """One request and its answer, as the application sees them."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._ended: anyio.Event | None = None
        self._over = False
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body}
        if not self._over:
            self._ended = self._ended or anyio.Event()
            await self._ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            assert self.status is None, "a second answer to the same request"
            self.status, self.headers = message["status"], list(message.get("headers", ()))
            return
        assert message["type"] == "http.response.body", message
        assert self.status is not None, "a body before its status"
        assert not self._over, "something after the end of the body"
        self.parts.append(bytes(message.get("body", b"")))
        if not message.get("more_body", False):
            self._over = True
            if self._ended:
                self._ended.set()
