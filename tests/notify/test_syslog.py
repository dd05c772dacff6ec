"""Messages that a receiver of RFC 5424 understands whatever is in them, and a batch that counts only when it was taken."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openpim.core.streams import StreamKind
from openpim.notify.outbound import GuardedOutbound
from openpim.notify.syslog import LONGEST, Syslog, frame, message
from openpim.ports.streams import NotTakenError
from openpim.tls import ensure_certificates
from tests.free_ports import two_in_a_row
from tests.notify.events import HOSTILE, NOW, event, hostile_events, outgoing, stream
from tests.rsyslog import Rsyslog

HERE = GuardedOutbound(["127.0.0.0/8", "localhost"])
HEADER = re.compile(
    rb"<(?P<pri>[0-9]{1,3})>1 (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z) (?P<host>[!-~]{1,255}) "
    rb"(?P<app>[!-~]{1,48}) - (?P<msgid>[!-~]{1,32}) "
)
# SD-ELEMENT of RFC 5424, 6.3: in a value `"`, `\` and `]` stand behind a backslash only.
ELEMENT = re.compile(
    r'\[(?P<id>[!-<>-\\^-~]{1,32})(?P<params>(?: [!-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]'
)
PARAMETER = re.compile(r' ([^ =]+)="((?:[^"\\\]]|\\.)*)"')


def parsed(raw: bytes) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, object]]:
    """Header, structured data, JSON of a message, read as the RFC says."""
    head = HEADER.match(raw)
    assert head is not None, raw[:100]
    rest = raw[head.end() :].decode("utf-8")
    data: dict[str, dict[str, str]] = {}
    while (found := ELEMENT.match(rest)) is not None:
        values = PARAMETER.findall(found["params"])
        data[found["id"]] = {name: re.sub(r"\\(.)", r"\1", value) for name, value in values}
        rest = rest[found.end() :]
    assert rest.startswith(" ")
    return {name: value.decode() for name, value in head.groupdict().items()}, data, json.loads(rest[1:])


def test_a_message_says_who_what_and_where() -> None:
    [one] = outgoing(event(41))
    head, data, body = parsed(message(one, "pim.example.com", 13))
    assert head == {
        "pri": str(13 * 8 + 6),
        "time": "2026-11-02T09:00:00.123456Z",
        "host": "pim.example.com",
        "app": "openpim",
        "msgid": "RoleManagement",
    }
    assert data["meta"] == {"sequenceId": "42"}
    ours = data["openpim@32473"]
    assert ours["id"] == one.event.id == body["id"]
    assert ours["position"] == "41"
    assert (ours["actor"], ours["role"], ours["target"]) == ("ann@contoso.com", "Teams Administrator", "Ann")
    assert body["position"] == 41
    assert body["reason"] == "because"


def test_a_failure_is_a_warning() -> None:
    [one] = outgoing(event(1, result="failure"))
    assert message(one, "h", 13).startswith(b"<108>1 ")


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_nothing_breaks_out_of_its_field(number: int) -> None:
    one = outgoing(*hostile_events())[number]
    raw = message(one, "h", 13)
    assert not re.search(rb"[\x00-\x1f\x7f]", raw), "no control character leaves the house"
    assert not re.search("[\x80-\x9f\u2028\u2029]", raw.decode())
    assert len(raw) <= LONGEST
    _, data, body = parsed(raw)
    assert set(data) == {"meta", "openpim@32473"}
    assert data["openpim@32473"]["id"] == one.event.id
    if not body.get("truncated"):
        assert body["reason"] == one.event.reason, "the JSON has it to the letter"


# ---------------------------------------------------------------- delivery


@contextmanager
def receiver(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """A receiver on this machine; act: what it does with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    act(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.close()
            thread.join(5)


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


def test_plain_tcp_is_octet_counted_and_ends_when_it_was_read() -> None:
    got: list[bytes] = []
    batch = outgoing(event(1), event(2), *hostile_events())
    with receiver(lambda connection: got.append(read_all(connection))) as port:
        assert Syslog(HERE, "h").send(stream(StreamKind.SYSLOG, f"tcp://127.0.0.1:{port}"), "", batch) == ""
    data, found = got[0], []
    while data:
        length, _, data = data.partition(b" ")
        found.append(data[: int(length)])
        data = data[int(length) :]
    assert found == [message(one, "h", 13) for one in batch]
    assert frame(b"abc") == b"3 abc"


def _reset(connection: socket.socket) -> None:
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def _silent(connection: socket.socket) -> None:
    read_all(connection)
    connection.settimeout(5)
    closed.wait(5)


closed = threading.Event()


@pytest.mark.parametrize(("act", "said"), [(_reset, "broke off"), (_silent, "in time")])
def test_what_was_not_read_to_the_end_was_not_taken(act: Callable[[socket.socket], None], said: str) -> None:
    closed.clear()
    with receiver(act) as port:
        place = stream(StreamKind.SYSLOG, f"tcp://127.0.0.1:{port}")
        with pytest.raises(NotTakenError, match=said):
            Syslog(HERE, "h", seconds=0.6).send(place, "", outgoing(*[event(n) for n in range(3000)]))
        closed.set()


def test_no_private_address_unless_allowed() -> None:
    for address in (
        "tls://127.0.0.1:1",
        "tls://10.0.0.1:6514",
        "tcp://192.168.0.1:514",
        "tls://169.254.169.254:80",
    ):
        with pytest.raises(NotTakenError, match="outbound"):
            Syslog(GuardedOutbound(), "h").send(stream(StreamKind.SYSLOG, address), "", outgoing(event()))


def test_a_certificate_that_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "other", ["localhost"], NOW.replace(year=2026))
    log = Rsyslog(tmp_path, two_in_a_row())
    log.start()
    try:
        for authority in (None, files.authority):
            with pytest.raises(NotTakenError, match="certificate"):
                Syslog(HERE, "h", authority).send(
                    stream(StreamKind.SYSLOG, log.address), "", outgoing(event())
                )
        assert log.lines() == []
        wrong = stream(StreamKind.SYSLOG, f"tls://127.0.0.1:{log.port}")
        Syslog(HERE, "h", log.authority).send(wrong, "", outgoing(event()))
        assert len(log.lines()) == 1, "its certificate names the address too"
    finally:
        log.kill()


def test_a_real_receiver_understands_every_field(tmp_path: Path) -> None:
    log = Rsyslog(tmp_path, two_in_a_row())
    log.start()
    try:
        batch = outgoing(event(100), *hostile_events())
        Syslog(HERE, "pim.example.com", log.authority).send(stream(StreamKind.SYSLOG, log.address), "", batch)
        lines = log.lines()
        assert len(lines) == len(batch)
        for line, one in zip(lines, batch, strict=True):
            assert (line.version, line.host, line.application) == ("1", "pim.example.com", "openpim")
            assert line.message_id == "RoleManagement"
            assert f'id="{one.event.id}"' in line.data
            assert json.loads(line.text)["id"] == one.event.id
    finally:
        log.kill()
