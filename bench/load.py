"""A client that costs little itself: requests prepared as bytes, sent over kept-alive connections."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

GRAPH, ARM = "localhost:8443", "localhost:8444"  # the name tells which of the two origins is meant


def prepared(method: str, path: str, token: str, body: Any = None, host: str = GRAPH) -> bytes:
    """A whole request."""
    data = b"" if body is None else json.dumps(body).encode()
    kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"User-Agent: bench\r\nAccept: application/json\r\n{kind}\r\n"
    )
    return head.encode() + data


class Connection:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def close(self) -> None:
        self._socket.close()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self._socket.sendall(request)
        data = self._rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self._more()
        self._rest = body[length:]
        return int(head.split(b" ", 2)[1]), body[:length]

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


Task = Callable[[Connection], None]


def drive(port: int, tasks: Sequence[Task], connections: int = 4) -> float:
    """Run the tasks over so many connections at once; the seconds it took. A task that raises ends it all."""
    waiting = iter(tasks)
    gate = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        connection = Connection(port)
        try:
            while not failures:
                with gate:
                    task = next(waiting, None)
                if task is None:
                    return
                task(connection)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise failures[0]
    return seconds


def expecting(status: int, request: bytes) -> Task:
    def task(connection: Connection) -> None:
        got, body = connection.send(request)
        if got != status:
            raise AssertionError(f"answered {got}: {body[:400]!r}")

    return task
