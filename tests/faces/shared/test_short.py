"""The short way through the HTTP server: whatever comes, and in whatever pieces, the answers are uvicorn's own, in their
order; what is ordinary is answered the short way."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from openpim.faces.shared.short import LONGEST, ShortWay, rendered
from openpim.running import SETTLED

WAY = b"/way"


class App:
    """Answers with the length of the body. Short where the way is there and the body is not "long"."""

    def __init__(self) -> None:
        self.short = {WAY: self._short}
        self.shortly = 0
        self.waiting: asyncio.Event | None = None

    def _short(self, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes | None:
        if body == b"long":
            return None
        if body == b"fault":
            raise ZeroDivisionError
        self.shortly += 1
        return rendered(*self._said(body))

    def _said(self, body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
        said = b"%d bytes" % len(body)
        return [(b"content-length", b"%d" % len(said))], said

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if self.waiting is not None:
            await self.waiting.wait()
        headers, said = self._said(body)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said if scope["method"] != "HEAD" else b""})


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        if not self.closed:
            self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Line:
    """A connection to the application."""

    def __init__(self, kind: type[HttpToolsProtocol]) -> None:
        self.app, self.transport = App(), Transport()
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        settings: dict[str, Any] = {**SETTLED, "http": kind, "lifespan": "off"}
        config = Config(self.app, **settings)
        self.protocol = kind(config=config, server_state=state, app_state={})
        self.protocol.connection_made(self.transport)

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            if not self.transport.closed:
                self.protocol.data_received(part)
            await self.settled()

    async def settled(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def gone(self) -> None:
        self.protocol.connection_lost(None)
        await self.settled()
        if (timer := self.protocol.timeout_keep_alive_task) is not None:
            timer.cancel()


def post(body: bytes = b"some", *lines: bytes, path: bytes = WAY, method: bytes = b"POST") -> bytes:
    head = [method + b" " + path + b" HTTP/1.1", b"Host: x", *lines, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*head, b"", body])


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks)
    return (
        b"POST /way HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + parts
        + b"0\r\n"
        + trailer
        + b"\r\n"
    )


def talk(kind: type[HttpToolsProtocol], pieces: list[bytes]) -> tuple[bytes, bool, int]:
    """What was written, whether it was closed, how much went the short way."""

    async def all_of_it() -> tuple[bytes, bool, int]:
        line = Line(kind)
        await line.send(*pieces)
        closed = line.transport.closed
        await line.gone()
        return line.transport.written, closed, line.app.shortly

    return asyncio.run(all_of_it())


SENT: dict[str, tuple[bytes, int]] = {
    "one": (post(), 1),
    "no body": (post(b""), 1),
    "chunks": (chunked(b"ab", b"cde"), 1),
    "many at once": (post() * 5, 5),
    "long between": (post() + post(b"long") + post() + post(b"long") * 2 + post(b"last"), 1),
    "a fault": (post(b"fault") + post(), 0),
    "elsewhere": (post(path=b"/other") + post(path=b"/way?a=b") + post(path=b"//way"), 0),
    "another method": (post(method=b"PUT") + post(method=b"HEAD"), 0),
    "large": (post(b"x" * LONGEST), 1),
    "too large": (post(b"x" * (LONGEST + 1)), 0),
    "headers behind the body": (chunked(b"ab", trailer=b"Authorization: me\r\n"), 0),
    "the last one": (post(b"some", b"Connection: close"), 0),
    "an old client": (post().replace(b"HTTP/1.1", b"HTTP/1.0"), 0),
    "an old client that stays": (
        post(b"some", b"Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"),
        0,
    ),
    "an upgrade": (post(b"some", b"Connection: Upgrade", b"Upgrade: h2c"), 0),
    "expecting": (post(b"some", b"Expect: 100-continue"), 0),
    "no HTTP": (b"\x00nonsense\r\n\r\n" + post(), 0),
    "two lengths": (post(b"some", b"Content-Length: 3"), 0),
    "a length and chunks": (post(b"some", b"Transfer-Encoding: chunked"), 0),
}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("size", [1 << 20, 7, 1])
def test_the_answers_are_those_of_the_long_way(name: str, size: int, caplog: Any) -> None:
    sent, shortly = SENT[name]
    if len(sent) > 1000 and size == 1:
        size = 1000
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    ours, theirs = talk(ShortWay, pieces), talk(HttpToolsProtocol, pieces)
    assert ours[:2] == theirs[:2]
    assert theirs[2] == 0
    if size > 7:  # in pieces there is nothing unanswered before the next begins, so more goes the short way
        assert ours[2] == shortly
    assert ours[2] >= shortly
    assert ("the short way failed" in caplog.text) is (name == "a fault")


def test_what_waits_behind_a_long_answer_keeps_its_place() -> None:
    async def story() -> None:
        line = Line(ShortWay)
        line.app.waiting = asyncio.Event()
        await line.send(post(b"long") + post(b"second"))
        assert not line.transport.written
        line.app.waiting.set()
        await line.settled()
        assert [part[:1] for part in line.transport.written.split(b"\r\n\r\n")[1:]] == [b"4", b"6"]
        assert not line.app.shortly
        await line.send(post(b"third"))
        assert line.app.shortly == 1
        await line.gone()

    asyncio.run(story())


def test_what_comes_with_a_short_one_has_all_the_time_it_needs() -> None:
    """The connection is not idle while it is answered."""

    async def story() -> None:
        line = Line(ShortWay)
        line.app.waiting = asyncio.Event()
        await line.send(post() + post(b"long"))
        assert line.app.shortly == 1
        assert line.protocol.timeout_keep_alive_task is None
        line.app.waiting.set()
        await line.settled()
        assert line.transport.written.count(b"200 OK") == 2
        assert line.protocol.timeout_keep_alive_task is not None
        await line.gone()

    asyncio.run(story())


def test_headers_from_behind_the_body_are_none() -> None:
    async def story() -> None:
        line, seen = Line(ShortWay), []

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            seen.append([name for name, _ in scope["headers"]])
            await line.app(scope, receive, send)

        line.protocol.app = noting  # type: ignore[assignment]
        await line.send(chunked(b"ab", trailer=b"Authorization: me\r\n"))
        assert seen == [[b"host", b"transfer-encoding"]]
        assert line.transport.written.endswith(b"2 bytes")
        await line.gone()

    asyncio.run(story())


def test_a_client_that_does_not_read_is_waited_for() -> None:
    async def story() -> None:
        line = Line(ShortWay)
        line.protocol.pause_writing()
        await line.send(post() * 3)
        assert (line.transport.written, line.app.shortly) == (b"", 0)
        line.protocol.resume_writing()
        await line.settled()
        assert line.transport.written.count(b"200 OK") == 3
        await line.gone()

    asyncio.run(story())


@pytest.mark.parametrize("cut", [5, 25, len(post()) - 1])
def test_stopping_and_dying_in_the_middle(cut: int) -> None:
    async def story(end: Callable[[Line], None]) -> Line:
        line = Line(ShortWay)
        await line.send(post() + post()[:cut])
        end(line)
        await line.send(post()[cut:])
        await line.gone()
        return line

    begun = b"\r\n\r\n" in post()[:cut]
    stopped = asyncio.run(story(lambda line: line.protocol.shutdown()))
    assert stopped.transport.written.count(b"200 OK") == 1 + begun, "what has begun is answered"
    assert stopped.transport.closed
    died = asyncio.run(story(lambda line: line.transport.close()))
    assert died.transport.written.count(b"200 OK") == 1


def test_each_answer_counts_and_the_connection_is_not_kept_for_ever() -> None:
    async def story() -> None:
        line = Line(ShortWay)
        await line.send(*itertools.repeat(post(), 3))
        assert line.protocol.server_state.total_requests == 3
        timer = line.protocol.timeout_keep_alive_task
        assert timer is not None
        assert not timer.cancelled()
        line.protocol.timeout_keep_alive_handler()
        assert line.transport.closed
        await line.gone()

    asyncio.run(story())
