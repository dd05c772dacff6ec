"""`start`: `pim serve` from the start of the process to its first answer over HTTPS, and its memory when idle.

The floor is bare uvicorn and Starlette with one route and the same certificate.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.figures import Figure, median
from bench.processes import cpu_seconds, free_port, python, resident_megabytes, start
from bench.sizes import Sizes

IDLE_SECONDS = 1.5
_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    kept = folder / "start-kept"
    environment = {"PIM_CONFIG_HOME": str(folder / "profiles")}
    fresh = iter(range(10_000))

    def first(port: int) -> Sequence[str]:
        return _serve(folder / f"start-fresh-{next(fresh)}", port)

    def again(port: int) -> Sequence[str]:
        return _serve(kept, port)

    def bare(port: int) -> Sequence[str]:
        tls = kept / "tls"
        return python("bench.servers", "hello", str(port), str(tls / "server.pem"), str(tls / "server.key"))

    _once(again, environment)  # makes the data and the certificate
    runs: dict[str, list[tuple[float, float, float]]] = {"first": [], "again": [], "bare": []}
    for _ in range(sizes.starts):
        for name, command in (("first", first), ("again", again), ("bare", bare)):
            runs[name].append(_once(command, environment))
    seconds, cpu, memory = (
        {name: median([run[at] for run in of]) for name, of in runs.items()} for at in range(3)
    )
    beside = "bare uvicorn and Starlette"
    yield Figure(
        "start, first time",
        "s",
        seconds["first"],
        seconds["bare"],
        beside,
        aim="≤ 1 s",
        more={"s CPU": cpu["first"]},
    )
    yield Figure(
        "start, again",
        "s",
        seconds["again"],
        seconds["bare"],
        beside,
        aim="≤ 1 s",
        more={"s CPU": cpu["again"]},
    )
    yield Figure("idle memory, first time", "MB", memory["first"], memory["bare"], beside, aim="≤ 80 MB")
    yield Figure("idle memory, again", "MB", memory["again"], memory["bare"], beside, aim="≤ 80 MB")


def _serve(data: Path, port: int) -> list[str]:
    return [str(Path(sys.executable).parent / "pim"), "serve", "--data-dir", str(data), "--port", str(port)]


def _once(command: Callable[[int], Sequence[str]], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds to the first answer, processor seconds until then, megabytes when idle."""
    port = free_port()
    words = command(port)
    began = time.perf_counter()
    with start(words, environment) as process:
        while not _answers(port):
            if process.poll() is not None:
                raise RuntimeError(f"the server did not start: {words!r}")
            time.sleep(0.002)
        seconds, cpu = time.perf_counter() - began, cpu_seconds(process.pid)
        time.sleep(IDLE_SECONDS)
        return seconds, cpu, resident_megabytes(process.pid)


def _answers(port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only whether it answers is of interest
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain) as secured,
    ):
        secured.sendall(_REQUEST)
        return b" 200 " in secured.recv(4096)
    return False
