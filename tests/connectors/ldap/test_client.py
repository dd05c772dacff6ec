"""The connection to a directory that is slow, dead, somebody else, or means harm: over in bounded time, and told in words."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import tracemalloc
from typing import Self

import pytest

from openpim.connectors.ldap import client, messages
from openpim.connectors.ldap.ber import integer, octets, tlv
from openpim.connectors.ldap.client import Connection, Where
from openpim.connectors.ldap.messages import ANY, Scope, search
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.connector import Fault, TargetError
from tests.connectors.ldap.slapd import ACCOUNT, PASSWORD, PEOPLE
from tests.signin_helper import OUTBOUND

BOUND = tlv(0x30, integer(1), tlv(0x61, integer(0, 0x0A), octets(""), octets("")))
DONE = tlv(0x30, integer(2), tlv(0x65, integer(0, 0x0A), octets(""), octets("")))
STARTED = tlv(0x30, integer(1), tlv(0x78, integer(0, 0x0A), octets(""), octets("")))
GOODBYE = tlv(0x30, integer(0), tlv(0x78, integer(52, 0x0A), octets(""), octets("stopping")))


class Server:
    """Says each of the answers after something was said to it, then what comes `after`; drips one byte at a time where told."""

    def __init__(self, *answers: bytes, drip: bool = False, close: bool = False) -> None:
        self._answers, self._drip, self._close = answers, drip, close
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_rest: object) -> None:
        self._stop.set()
        self._door.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            came, _ = self._door.accept()
            with came:
                for answer in self._answers:
                    came.recv(65536)
                    for at in range(len(answer)) if self._drip else ():
                        came.sendall(answer[at : at + 1])
                        self._stop.wait(0.2)
                    if not self._drip:
                        came.sendall(answer)
                if not self._close:
                    self._stop.wait(10)


def fails(server: Server, security: str = "plain", seconds: float = 0.6) -> TargetError:
    began = time.monotonic()
    with pytest.raises(TargetError) as caught:
        _ask(Where("127.0.0.1", server.port, security, "", "cn=a", "secret-7"), seconds)
    assert time.monotonic() - began < seconds + 2
    assert "secret-7" not in caught.value.message
    return caught.value


def _ask(where: Where, seconds: float) -> None:
    connection = Connection(OUTBOUND, where, seconds)
    try:
        connection.ask(search("dc=x", Scope.BASE, ANY, []))
    finally:
        assert not connection.usable
        connection.close()


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ((), Fault.UNREACHABLE),
        ((BOUND,), Fault.UNREACHABLE),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), Fault.BROKEN),
        ((b"\x30\x84\x7f\xff\xff\xff",), Fault.BROKEN),
        ((b"\x30\x80",), Fault.BROKEN),
        ((b"\x30\x85\x01\x01\x01\x01\x01",), Fault.BROKEN),
        ((BOUND, tlv(0x30, integer(99), tlv(0x65, integer(0, 0x0A), octets(""), octets("")))), Fault.BROKEN),
        ((BOUND, tlv(0x30, integer(2), tlv(0x61, integer(0, 0x0A), octets(""), octets("")))), Fault.BROKEN),
        ((BOUND, tlv(0x30, integer(2), tlv(0x65))), Fault.BROKEN),
        ((BOUND, tlv(0x30, integer(2), tlv(0x64, octets("cn=a")))), Fault.BROKEN),
        ((BOUND, tlv(0x30, integer(2))), Fault.BROKEN),
        ((BOUND, GOODBYE), Fault.UNREACHABLE),
        ((tlv(0x30, integer(1), tlv(0x61, integer(49, 0x0A), octets(""), octets("no"))),), Fault.REFUSED),
        (
            (tlv(0x30, integer(1), tlv(0x61, integer(51, 0x0A), octets(""), octets("busy"))),),
            Fault.UNREACHABLE,
        ),
        ((tlv(0x30, integer(1), tlv(0x61, integer(13, 0x0A), octets(""), octets("TLS"))),), Fault.REFUSED),
        ((tlv(0x30, integer(1), tlv(0x61, integer(10, 0x0A), octets(""), octets("there"))),), Fault.REFUSED),
    ],
)
@pytest.mark.parametrize("close", [True, False])
def test_whatever_it_says_it_is_told_in_time(answers, fault, close):
    with Server(*answers, close=close) as server:
        assert fails(server).fault is fault


def test_one_that_drips_is_too_slow():
    with Server(BOUND, drip=True) as server:
        assert fails(server).fault is Fault.UNREACHABLE


def test_an_answer_without_end_is_ended(monkeypatch):
    monkeypatch.setattr(client, "_MOST", 10_000)
    one = tlv(0x30, integer(2), tlv(0x64, octets("cn=a"), tlv(0x30)))
    with Server(BOUND, one * 5000) as server:
        assert fails(server, seconds=5).fault is Fault.BROKEN


@pytest.mark.parametrize(
    "many",
    [
        lambda empty: tlv(0x30, integer(2), empty),
        lambda empty: tlv(0x30, integer(2), tlv(0x65, empty)),
        lambda empty: tlv(0x30, integer(2), tlv(0x64, octets("cn=a"), empty)),
        lambda empty: tlv(0x30, integer(2), tlv(0x64, octets("cn=a"), tlv(0x30, tlv(0x30, empty)))),
        lambda empty: tlv(
            0x30, integer(2), tlv(0x64, octets("cn=a"), tlv(0x30, tlv(0x30, octets("a"), tlv(0x31, empty))))
        ),
        lambda empty: b"".join(
            [tlv(0x30, integer(2), tlv(0x64, octets("cn=a"), tlv(0x30)))] * (len(empty) // 14)
        ),
    ],
    ids=["message", "result", "entry", "attribute", "values", "entries"],
)
def test_what_is_small_on_the_way_is_not_large_in_memory(many, monkeypatch):
    """Half a million parts of next to nothing: four bytes each on the way, a hundred here."""
    monkeypatch.setattr(client, "_MOST", 4_000_000)
    monkeypatch.setattr(messages, "_MOST_VALUES", 10_000)
    said = many(b"\x04\x02ab" * 500_000)
    tracemalloc.start()
    try:
        with Server(BOUND, said, close=True) as server, contextlib.suppress(TargetError):
            _ask(Where("127.0.0.1", server.port, "plain", "", "cn=a", "secret-7"), 30)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_what_is_said_before_tls_is_not_taken_for_said_behind_it():
    with Server(STARTED + BOUND) as server:
        assert fails(server, "starttls").fault is Fault.BROKEN
    with Server(tlv(0x30, integer(1), tlv(0x78, integer(2, 0x0A), octets(""), octets("no")))) as server:
        assert fails(server, "starttls").fault is Fault.REFUSED
    with Server(STARTED, b"no TLS at all", close=True) as server:
        assert fails(server, "starttls").fault is Fault.UNREACHABLE
    with Server(b"no TLS at all", close=True) as server:
        assert fails(server, "ldaps").fault is Fault.UNREACHABLE


def test_words_of_the_server_are_one_line():
    said = "no\r\nSet-Cookie: a=b\x1b[2J" + "x" * 1000
    with Server(tlv(0x30, integer(1), tlv(0x61, integer(80, 0x0A), octets(""), octets(said)))) as server:
        message = fails(server).message
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("security", ["ldaps", "starttls"])
def test_a_certificate_of_somebody_else_is_refused(slapd, security):
    port = slapd.port if security == "ldaps" else slapd.plain
    for host, authority in (("localhost", ""), ("127.0.0.2", slapd.authority), ("localhost", "nonsense")):
        with pytest.raises(TargetError) as caught:
            Connection(OUTBOUND, Where(host, port, security, authority, ACCOUNT, PASSWORD))
        assert caught.value.fault in {Fault.REFUSED, Fault.UNREACHABLE}
    Connection(OUTBOUND, Where("localhost", port, security, slapd.authority, ACCOUNT, PASSWORD)).close()


def test_addresses_that_nobody_allowed_are_not_called():
    away = GuardedOutbound([])
    with pytest.raises(TargetError) as caught:
        Connection(away, Where("127.0.0.1", 389, "ldaps", "", "cn=a", "b"))
    assert caught.value.fault is Fault.REFUSED
    internet = GuardedOutbound([], resolve=lambda _name, _port: ["192.0.2.1"])
    with pytest.raises(TargetError) as caught:
        Connection(internet, Where("directory.example", 389, "plain", "", "cn=a", "b"))
    assert caught.value.fault is Fault.REFUSED


def test_an_account_without_a_password_is_not_tried(slapd):
    """The directory would say yes to it, and mean nobody."""
    with pytest.raises(TargetError) as caught:
        Connection(OUTBOUND, Where("localhost", slapd.port, "ldaps", slapd.authority, ACCOUNT, ""))
    assert caught.value.fault is Fault.REFUSED


def test_one_that_was_ended_meanwhile_is_not_used_again(slapd):
    connection = Connection(
        OUTBOUND, Where("localhost", slapd.port, "ldaps", slapd.authority, ACCOUNT, PASSWORD)
    )
    assert connection.usable
    slapd.kill()
    slapd.start()
    assert not connection.usable
    connection.close()


def test_many_at_once_are_answered_each_its_own(slapd):
    connection = Connection(
        OUTBOUND, Where("localhost", slapd.port, "ldaps", slapd.authority, ACCOUNT, PASSWORD)
    )
    people = [f"uid={('alice', 'bob', 'nobody')[number % 3]},{PEOPLE}" for number in range(500)]
    outcomes = connection.exchange([search(dn, Scope.BASE, ANY, ["uid"]) for dn in people])
    for dn, outcome in zip(people, outcomes, strict=True):
        assert [entry.dn for entry in outcome.entries] == ([] if "nobody" in dn else [dn])
    connection.close()
