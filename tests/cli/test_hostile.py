"""A server, a network and names that mean harm, or are just broken."""

from __future__ import annotations

import select
import socket
import threading

import pytest

from openpim.client import http11
from openpim.client.errors import PimError
from openpim.client.http11 import Connection
from tests.cli import fake as f

EVIL = "\x1b]0;owned\x07\x1b[2JTeams\x9b31m\u202e Administrator\nsecond line"


def test_escape_sequences_never_reach_the_terminal(signed_in):
    f.NAMES["evil-role"] = EVIL
    signed_in.fake.policies["evil-role"] = signed_in.fake.default_rules()
    try:
        signed_in.fake.make_eligible("evil-role")
        for argv in (
            ["list"],
            ["list", "-o", "tsv"],
            ["list", "-o", "json"],
            ["activate", "teams"],
            ["activate", "nonsense"],
            ["status"],
        ):
            ran = signed_in(*argv)
            shown = (ran.out + ran.err).replace("\n", "")
            assert "\x1b" not in shown
            assert "\x9b" not in shown
            assert shown.isprintable() or argv[-1] == "tsv", ascii(shown)
        assert signed_in("list", "-o", "json").json[0]["role"] == EVIL
    finally:
        del f.NAMES["evil-role"]


def test_pages_are_followed(signed_in):
    signed_in.fake.page = 2
    for role in (
        "Teams Administrator",
        "Exchange Administrator",
        "User Administrator",
        "Security Administrator",
        "Global Administrator",
    ):
        signed_in.fake.make_eligible(role)
    assert len(signed_in("list", "eligible", "-o", "json").json) == 5
    assert len(signed_in("list", "-o", "json").json) == 5


def test_next_page_at_another_origin_is_refused(signed_in):
    signed_in.fake.page = 1
    signed_in.fake.foreign_next = True
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.make_eligible("Exchange Administrator")
    ran = signed_in("list")
    assert ran.code == 11
    assert "another address" in ran.err


def test_throttled_and_unavailable_are_waited_for(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.throttle = 2
    assert signed_in("activate", "teams").code == 0
    signed_in.fake.throttle = 0
    signed_in.fake.broken = 2
    assert signed_in("list", "active").code == 0
    signed_in.fake.throttle = 9
    ran = signed_in("list")
    assert ran.code == 11


def test_server_that_is_not_there(signed_in):
    signed_in.server.shutdown()
    signed_in.server.server_close()
    ran = signed_in("list")
    assert ran.code == 11
    assert "make run" in ran.err


def answering(*answers: bytes):
    """A server that sends these bytes, whatever is asked, each on a connection of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return listener, Connection("http", "127.0.0.1", listener.getsockname()[1], timeout=3)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx : y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 70000,
    ],
)
def test_malformed_answers_are_server_errors(answer):
    listener, connection = answering(answer)
    with listener, pytest.raises(PimError) as caught:
        connection.request("GET", "/", {})
    assert caught.value.kind == "server"


def test_well_formed_answers():
    listener, connection = answering(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nt: u\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    )
    with listener:
        assert connection.request("GET", "/", {}).body == b"abcde"
        assert connection.request("GET", "/", {}).body == b"until the end"


def test_a_kept_connection_that_the_server_has_closed_is_opened_anew():
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    listener, connection = answering(good, good)
    with listener:
        assert connection.request("GET", "/", {}).body == b"ok"
        assert connection.request("GET", "/", {}).body == b"ok"
    connection.close()
    listener, connection = answering(good, good)
    with listener:
        connection.request("GET", "/", {})
        select.select([connection._socket], [], [], 5)  # the end of the connection has arrived
        assert connection.request("POST", "/", {}, b"{}").body == b"ok"  # nothing had been sent: no harm
    connection.close()


def test_bounded(monkeypatch):
    monkeypatch.setattr(http11, "MAX_BODY", 10)
    listener, connection = answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100)
    with listener, pytest.raises(PimError, match="larger"):
        connection.request("GET", "/", {})


def test_no_credentials_without_tls_and_no_header_injection():
    with pytest.raises(PimError, match="without TLS"):
        Connection("http", "pim.example.org", 80)
    listener, connection = answering(b"")
    with listener, pytest.raises(PimError, match="line break"):
        connection.request("GET", "/", {"A": "b\r\nC: d"})
    connection.close()


def test_slow_server(monkeypatch):
    listener = socket.create_server(("127.0.0.1", 0))
    connection = Connection("http", "127.0.0.1", listener.getsockname()[1], timeout=0.1)
    with listener, pytest.raises(PimError, match="did not answer"):
        connection.request("GET", "/", {})
