"""The databases figures are measured on: SQLite, and PostgreSQL if the machine has one."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.postgres import PostgresMissingError, PostgresServer


@cache
def _postgres() -> PostgresServer | None:
    # Short, because the path of a unix socket is limited to about 100 bytes.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="openpim-bench-", dir="/tmp")))
    try:
        server.ensure_started(os.getpid())
    except PostgresMissingError:
        server.stop()
        return None
    atexit.register(server.stop)
    return server


def databases(name: str) -> Iterator[tuple[str, str]]:
    """(kind, URL) of an empty database of each kind; "" is an SQLite file in the data directory."""
    yield "SQLite", ""
    server = _postgres()
    if server is None:
        print("no PostgreSQL on this machine: its figures are left out")
        return
    server.drop(name)
    server.create(name)
    yield "PostgreSQL", server.url(name)
    server.drop(name)
