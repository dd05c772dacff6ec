"""Destinations beside each other: none holds up another, nor one tenant the others, and none is served twice at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from openpim.workers.beside import Beside


class Slow:
    """Serving takes until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[tuple[str, str]] = []
        self.due: list[tuple[str, str]] = []

    def serve(self, tenant_id: str, one: str) -> None:
        self.begun.append((tenant_id, one))
        assert self.go.wait(20)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go.set()


def test_one_tenant_leaves_room_for_others(slow: Slow) -> None:
    beside = Beside("test", lambda: slow.due, slow.serve, of_one=2)
    slow.due = [("greedy", str(number)) for number in range(5)] + [("modest", "its own")]
    assert beside() == 3
    assert sorted(slow.begun) == [("greedy", "0"), ("greedy", "1"), ("modest", "its own")]
    assert beside() == 0, "they are being served"
    slow.go.set()
    beside.join(20)
    for _ in range(3):  # two of them each time
        beside()
        beside.join(20)
    assert set(slow.begun) == set(slow.due)


def test_one_that_fails_is_served_again(slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    def fails(_tenant_id: str, one: str) -> None:
        tries.append(one)
        raise ValueError(one)

    beside = Beside("test", lambda: [("tenant", "a")], fails)
    for _ in range(2):
        assert beside() == 1
        beside.join(20)
    assert tries == ["a", "a"]
    assert "failed" in caplog.text
