"""Ports for servers of tests: two in a row, because the resource manager listens on the one after Graph's."""

from __future__ import annotations

import socket


def two_in_a_row() -> int:
    """The first of them; free a moment ago."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two free ports in a row")
