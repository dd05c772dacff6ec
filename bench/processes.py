"""Server processes to measure, and the processor time they take. Linux: /proc and the clocks of other processes."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


def free_port() -> int:
    """A port that nobody uses, nor the next one: `pim serve` takes both."""
    while True:
        with socket.socket() as probe, socket.socket() as next_one:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                next_one.bind(("127.0.0.1", port + 1))
                return port


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process so far, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def spent(act: Callable[[], object], *others: int) -> tuple[float, float]:
    """Processor time of these processes and of us together, which other work on the machine disturbs little; and on the wall.
    Seconds. The garbage of what went before is swept first."""
    gc.collect()
    before, ours, began = [cpu_seconds(pid) for pid in others], time.process_time(), time.perf_counter()
    act()
    wall = time.perf_counter() - began
    return time.process_time() - ours + sum(cpu_seconds(pid) for pid in others) - sum(before), wall


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(pid)


def surroundings(more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a measured process: without what would make Python compile every module at each start, as no
    installed program does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **(more or {})}


@contextlib.contextmanager
def running(command: Sequence[str], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    """Start a server process and wait until its port accepts; gives its pid, and ends it in the end."""
    with start(command, environment) as process:
        until_listening(process, port)
        yield process.pid


@contextlib.contextmanager
def start(
    command: Sequence[str], environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=surroundings(environment),
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start: {process.args!r}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.002)


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
