"""The short way through the HTTP server, for answers that are ready at once: no task, no messages, one write.

Uvicorn makes a task, an event and four messages for each request, which costs more than a decision does. An application
that has `short` ways (by address) is asked there first, as soon as a request is whole. What it answers None to, and every
request that is out of the ordinary in any way, goes on as if nothing had been: through ASGI, in its order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# The headers, with names in lower case, and the body of a POST -> the headers and the body of its answer with 200, as they
# are on the wire (`rendered`); None: it needs the long way.
Short: TypeAlias = Callable[[list[tuple[bytes, bytes]], bytes], bytes | None]

LONGEST: Final = 16 * 1024  # bytes of a body that are kept for it
_log = logging.getLogger(__name__)


def rendered(headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    return b"".join(b"%s: %s\r\n" % one for one in headers) + b"\r\n" + body


class ShortWay(HttpToolsProtocol):
    """Uvicorn's protocol, with the short way in front."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._short: Mapping[bytes, Short] = getattr(self.app, "short", {})
        self._way: Short | None = None
        self._body = b""
        self._headed = 0

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()  # it came with one that is answered already
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        way = self._short.get(self.url)
        if way is None or not self._ordinary():
            super().on_headers_complete()
        else:
            self._way, self._body, self._headed = way, b"", len(self.headers)

    def on_body(self, body: bytes) -> None:
        if self._way is None:
            super().on_body(body)
        else:
            self._body += body
            if len(self._body) > LONGEST:
                self._take_the_long_way()

    def on_message_complete(self) -> None:
        if self._way is not None:
            said = self._said(self._way)
            if said is not None:
                self._way = None
                self.transport.write(self._head() + said)
                self.on_response_complete()
                return
            self._take_the_long_way()
        super().on_message_complete()

    def shutdown(self) -> None:
        if self._way is not None:
            self._take_the_long_way()  # what has begun to come is answered
        super().shutdown()

    def _ordinary(self) -> bool:
        """A POST that nothing stands before, on a connection that stays, to a client that reads its answers."""
        parser = self.parser
        return bool(
            parser.get_method() == b"POST"
            and getattr(self.cycle, "response_complete", True)
            and not self.flow.write_paused
            and not self.expect_100_continue
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        )

    def _said(self, way: Short) -> bytes | None:
        if len(self.headers) != self._headed:
            return None  # some came behind the body, where proxies do not look
        try:
            return way(self.headers, self._body)
        except Exception:  # noqa: BLE001 - the long way has an answer for it
            _log.exception("the short way failed")
            return None

    def _take_the_long_way(self) -> None:
        """As if each part had just come, without headers from behind the body: nobody has looked at these."""
        self._way, body = None, self._body
        del self.headers[self._headed :]
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _head(self) -> bytes:
        lines = [b"%s: %s\r\n" % one for one in self.server_state.default_headers]
        return b"HTTP/1.1 200 OK\r\n" + b"".join(lines)
