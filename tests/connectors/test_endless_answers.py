"""Targets that never end their answer: each connector stops reading after a known amount, and says so."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from openpim.connectors.mariadb import KIND as MARIADB
from openpim.connectors.postgresql import KIND as POSTGRESQL
from openpim.connectors.scim import KIND as SCIM
from openpim.connectors.webhook import KIND as WEBHOOK
from openpim.ports.connector import ConnectorKind, Fault, TargetError
from openpim.tls import ensure_certificates
from tests.connectors.http_server import HttpServer
from tests.connectors.opening import opening

KEY = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
MOST = 256 * 1024 * 1024  # more than any may take; then the test's server gives up
ROW = 8192


class Endless:
    """A server that says all that `script` gives, until its client has gone."""

    def __init__(self, script: Callable[[socket.socket], Iterator[bytes]]) -> None:
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        try:
            for piece in self._script(client):
                client.sendall(piece)
                self.sent += len(piece)
                if self.sent > MOST:
                    return
        except OSError:
            pass
        finally:
            client.close()

    def close(self) -> None:
        self._listening.close()


def refused(kind: ConnectorKind, settings: dict[str, str], secrets: dict[str, str]) -> str:
    """What is said of its answer when it is read."""
    connector = kind.open(opening(kind, ("payroll",), settings, secrets))
    with pytest.raises(TargetError) as caught:
        connector.read()
    connector.close()
    assert caught.value.fault is Fault.BROKEN
    assert "answered with more than" in caught.value.message
    return caught.value.message


# -- PostgreSQL


def packet(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def postgresql(folder: Path, rows: bytes, *, primary: bool = True) -> tuple[Endless, dict[str, str]]:
    """primary: it says at the start that it can be written; else it is asked, and that is its answer."""
    files = ensure_certificates(folder, ["localhost"], datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

    def script(client: socket.socket) -> Iterator[bytes]:
        client.recv(8)
        client.sendall(b"S")
        over = context.wrap_socket(client, server_side=True)
        over.recv(4096)
        version = packet(b"S", b"server_version\x0016.0\0") + packet(b"S", b"client_encoding\0UTF8\0")
        if primary:
            version += packet(b"S", b"in_hot_standby\0off\0") + packet(
                b"S", b"default_transaction_read_only\0off\0"
            )
        ready = packet(b"Z", b"I")
        over.sendall(
            packet(b"R", struct.pack("!i", 0)) + version + packet(b"K", struct.pack("!ii", 1, 2)) + ready
        )
        over.recv(65536)
        column = struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
        names = b"".join(name + b"\0" + column for name in (b"a", b"b"))
        over.sendall(packet(b"1", b"") + packet(b"2", b"") + packet(b"T", struct.pack("!h", 2) + names))
        with over:
            while server.sent < MOST:
                over.sendall(rows)
                server.sent += len(rows)
        yield b""

    server = Endless(script)
    settings = {"host": "localhost", "port": str(server.port), "user": "pim", "database": "x"}
    return server, settings | {"sslmode": "verify-full", "ca": files.authority.read_text()}


def field(text: bytes) -> bytes:
    return struct.pack("!i", len(text)) + text


@pytest.mark.parametrize("size", [1, 100_000])
def test_postgresql(tmp_path: Path, size: int) -> None:
    row = packet(b"D", struct.pack("!h", 2) + field(b"x" * size) + field(b"payroll"))
    server, settings = postgresql(tmp_path, row * max(1, ROW // len(row)))
    assert "MiB" in refused(POSTGRESQL, settings, {"password": "secret-word"})
    assert server.sent < MOST // 2
    server.close()


def test_postgresql_that_does_not_end_the_first_answer(tmp_path: Path) -> None:
    row = packet(b"D", struct.pack("!h", 2) + field(b"on") + field(b"x" * 1000))
    server, settings = postgresql(tmp_path, row * 8, primary=False)
    refused(POSTGRESQL, settings, {"password": "secret-word"})
    assert server.sent < MOST // 2
    server.close()


def test_postgresql_one_value_without_end(tmp_path: Path) -> None:
    head = (
        b"D"
        + struct.pack("!i", 900 * 1024 * 1024)
        + struct.pack("!h", 2)
        + struct.pack("!i", 800 * 1024 * 1024)
    )
    server, settings = postgresql(tmp_path, head + b"x" * ROW)
    refused(POSTGRESQL, settings, {"password": "secret-word"})
    assert server.sent < MOST // 2
    server.close()


# -- MariaDB


def numbered(numbers: Iterator[int], *bodies: bytes) -> bytes:
    return b"".join(len(body).to_bytes(3, "little") + bytes([next(numbers) % 256]) + body for body in bodies)


def greeting() -> bytes:
    abilities = 0x0001 | 0x0200 | 0x2000 | 0x8000 | 0x00080000  # 4.1, transactions, secure, plugins
    return (
        b"\x0a5.5.5-10.11.0-MariaDB\0"
        + struct.pack("<I", 1)
        + b"12345678\0"
        + struct.pack("<H", abilities & 0xFFFF)
        + b"\x2d"
        + struct.pack("<HH", 2, abilities >> 16)
        + b"\x15"
        + b"\0" * 10
        + b"123456789012\0mysql_native_password\0"
    )


def named(name: bytes) -> bytes:
    texts = b"".join(bytes([len(one)]) + one for one in (b"def", b"", b"", b"", name, name))
    return texts + b"\x0c" + struct.pack("<HIBHB", 45, 255, 0xFD, 0, 0) + b"\0\0"


def mariadb(row: bytes) -> Callable[[socket.socket], Iterator[bytes]]:
    def script(client: socket.socket) -> Iterator[bytes]:
        fine = b"\0\0\0\x02\0\0\0"
        client.sendall(numbered(count(0), greeting()))
        client.recv(65536)
        client.sendall(numbered(count(2), fine))
        for _ in range(10):
            asked = client.recv(65536)
            if b"SELECT" in asked:
                break
            client.sendall(numbered(count(1), fine))
        columns = [named(name) for name in (b"user", b"host", b"role")]
        client.sendall(numbered(count(1), b"\x03", *columns, b"\xfe\0\0\x02\0"))
        yield from without_end(row, 6)

    return script


def without_end(body: bytes, first: int) -> Iterator[bytes]:
    """Packets, numbered round and round."""
    several = 256 if len(body) < ROW else 1
    numbers = count(first)
    while True:
        yield numbered(numbers, *[body] * several)


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


MARIADB_ROWS = {
    "rows": short(b"a") + short(b"%") + short(b"payroll"),
    "one row without end": b"x" * 0xFFFFFF,
}


@pytest.mark.parametrize("row", MARIADB_ROWS.values(), ids=MARIADB_ROWS)
def test_mariadb(row: bytes) -> None:
    server = Endless(mariadb(row))
    settings = {"host": "127.0.0.1", "port": str(server.port), "user": "pim", "sslmode": "disable"}
    refused(MARIADB, settings | {"people_host": "%"}, {"password": "secret-word"})
    assert server.sent < MOST // 2
    server.close()


def test_mariadb_that_greets_without_end() -> None:
    server = Endless(lambda _client: without_end(b"x" * 0xFFFFFF, 0))
    settings = {"host": "127.0.0.1", "port": str(server.port), "user": "pim", "sslmode": "disable"}
    refused(MARIADB, settings | {"people_host": "%"}, {"password": "secret-word"})
    assert server.sent < MOST // 2
    server.close()


# -- over HTTP


def pages(start: Any, made: Iterable[Any]) -> list[bytes]:
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(next(iter(made))).encode()]


def test_webhook_of_pages_without_end() -> None:
    numbers = count()

    def application(_environ: Any, start: Any) -> list[bytes]:
        number = next(numbers)
        edges = [{"subject": f"p{number}-{one}", "entitlement": "payroll"} for one in range(20_000)]
        return pages(start, [{"edges": edges, "next": str(number)}])

    server = HttpServer(application)
    assert "entries" in refused(WEBHOOK, {"url": server.address}, {"secret": KEY})
    assert next(numbers) < 20
    server.down()


def test_webhook_of_long_pages_without_end() -> None:
    numbers = count()

    def application(_environ: Any, start: Any) -> list[bytes]:
        number = next(numbers)
        return pages(start, [{"edges": [], "next": str(number), "more": "x" * 7_000_000}])

    server = HttpServer(application)
    assert "MiB" in refused(WEBHOOK, {"url": server.address}, {"secret": KEY})
    assert next(numbers) < 20
    server.down()


@pytest.mark.parametrize("kind", [WEBHOOK, SCIM], ids=lambda kind: kind.name)
def test_one_page_without_end(kind: ConnectorKind) -> None:
    def script(client: socket.socket) -> Iterator[bytes]:
        client.recv(65536)
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        while True:
            yield b" " * ROW

    server = Endless(script)
    refused(kind, {"url": f"http://127.0.0.1:{server.port}"}, {"secret": KEY, "token": "t"})
    assert server.sent < MOST // 2
    server.close()


def test_scim_of_a_group_of_members_without_end() -> None:
    def application(environ: Any, start: Any) -> list[bytes]:
        asked = environ["PATH_INFO"].rsplit("/", 1)[-1]
        group: dict[str, Any] = {"id": "1", "displayName": "payroll"}
        if asked == "1":
            group["members"] = [{"value": str(one)} for one in range(210_000)]
        return pages(start, [group if asked == "1" else {"Resources": [group]}])

    server = HttpServer(application)
    assert "entries" in refused(SCIM, {"url": server.address}, {"token": "t"})
    server.down()
