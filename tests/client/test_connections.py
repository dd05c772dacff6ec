"""Two origins asked at the same time, without a thread: what is begun is read later, and faults show only then."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from openpim.client.errors import PimError
from openpim.client.transport import Transport


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(("GET", self.path))
        self._answer(self.path.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(("POST", self.path))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        self.server.arrived.set()
        self.server.waiting.wait(5)
        with contextlib.suppress(ConnectionError):  # who asked may have gone
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def origins():
    made = []
    for _ in range(2):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.seen, server.arrived, server.waiting = [], threading.Event(), threading.Event()
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
    yield made
    for server in made:
        server.waiting.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def transport():
    made = Transport()
    yield made
    made.close()


def test_both_are_under_way_before_either_answers(origins, transport):
    one, other = origins
    transport.begin("GET", one.url + "/a", {})
    transport.begin("POST", other.url + "/b", {}, b"{}")
    assert one.arrived.wait(5)
    assert other.arrived.wait(5)
    one.waiting.set()
    assert transport.send("GET", one.url + "/a").body == b"/a"
    other.waiting.set()
    assert transport.send("POST", other.url + "/b", None, b"{}").body == b"{}"
    assert (one.seen, other.seen) == ([("GET", "/a")], [("POST", "/b")])  # once each
    assert transport.send("GET", one.url + "/c").body == b"/c"


def test_the_answer_to_another_request_is_never_taken(origins, transport):
    one, _ = origins
    one.waiting.set()
    transport.begin("GET", one.url + "/a", {})
    assert transport.send("GET", one.url + "/b").body == b"/b"
    transport.begin("POST", one.url + "/a", {}, b"1")
    assert transport.send("POST", one.url + "/a", None, b"2").body == b"2"


def test_what_went_wrong_shows_when_the_answer_is_read(transport):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    transport.begin("GET", closed, {})
    with pytest.raises(PimError, match="nothing answers at") as caught:
        transport.send("GET", closed)
    assert caught.value.kind == "server"


def test_a_server_that_hangs_up_on_what_was_begun(transport):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        transport.begin("POST", url, {}, b"{}")
        connection, _ = server.accept()
        connection.close()
        with pytest.raises(PimError) as caught:
            transport.send("POST", url, None, b"{}")
        assert caught.value.kind == "server"
