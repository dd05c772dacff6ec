"""Servers that behave as told, badly for the most part: real sockets on this machine, one thread for each connection.

`serve(script)` gives a server; `script(connection, asked)` gets an accepted (and, with `tls`, secured) socket whose request
has been read, and does with it what it likes. What was asked is in `server.asked`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Script = Callable[[socket.socket, Any], None]


@dataclass
class Asked:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hostile:
    """over: set when the test is; scripts that go on for ever wait on it."""

    port: int
    over: threading.Event = field(default_factory=threading.Event)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def read_request(connection: socket.socket) -> Asked:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError
        body += piece
    return Asked(line, headers, body)


@contextlib.contextmanager
def serve(script: Script | None, tls: Any = None) -> Iterator[Hostile]:
    """script None: accepts the connection and never says a word. tls: TlsFiles."""
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    listening = socket.create_server(("127.0.0.1", 0))
    server = Hostile(int(listening.getsockname()[1]))
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if script is None:
                server.over.wait(30)
                return
            secured = context.wrap_socket(connection, server_side=True) if context else connection
            with secured:
                secured.settimeout(30)
                asked = read_request(secured)
                server.asked.append(asked)
                script(secured, asked)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if server.over.is_set():
                connection.close()
                return
            server.connections += 1
            threads.append(threading.Thread(target=one, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.over.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
            pass
        accepting.join(5)
        listening.close()
        for thread in threads:
            thread.join(5)


def says(text: bytes) -> Script:
    return lambda connection, _asked: connection.sendall(text)


def answers(body: bytes = b"", status: str = "200 OK", *headers: str) -> Script:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return says("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)


def replies(answer: Callable[[Asked], tuple[int, Any]]) -> Script:
    """answer: of the request, a status and what is sent as JSON (bytes: as they are)."""

    def script(connection: socket.socket, asked: Asked) -> None:
        status, data = answer(asked)
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        answers(body, f"{status} Said", "Content-Type: application/json")(connection, asked)

    return script
