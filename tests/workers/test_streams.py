"""One destination that hangs holds up no other, and nobody is sent to twice at the same time by one server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from openpim.core.streams import Stream, StreamKind
from openpim.ports.streams import NotTakenError, Outgoing
from openpim.services.streams import manage
from openpim.services.streams.manage import Wanted
from openpim.workers import beside as worker
from openpim.workers.streams import Streaming
from tests.services.conftest import _shared, own_world, shared_database
from tests.world import World, ok

__all__ = ["_shared", "own_world", "shared_database"]


class Receivers:
    """What is sent to "slow" waits until it is let go; all else is taken at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.slow = threading.Event()
        self.taken = threading.Semaphore(0)
        self.got: dict[str, list[int]] = {}
        self.together = 0

    def send(self, stream: Stream, secret: str, batch: Sequence[Outgoing]) -> str:
        if stream.name.startswith("slow"):
            self.together += 1
            self.slow.set()
            assert self.go.wait(20)
        if stream.name == "broken":
            self.taken.release()
            raise NotTakenError("No.")
        self.got.setdefault(stream.name, []).extend(one.position for one in batch)
        self.taken.release()
        return ""


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    made.go.set()


def add(world: World, *names: str) -> None:
    for name in names:
        wanted = Wanted(name, f"https://{name}.example.com/")
        ok(manage.create(world.deps, world.caller(world.ga), StreamKind.OCSF, wanted, from_beginning=True))


def test_a_slow_one_holds_up_no_other(own_world: World, receivers: Receivers) -> None:
    add(own_world, "slow", "broken", "good", "better")
    size = own_world.grow()
    look = Streaming(own_world.deps, dict.fromkeys(StreamKind, receivers))
    assert look() == 4
    for _ in range(3):
        assert receivers.taken.acquire(timeout=20)
    assert receivers.slow.wait(20)
    assert receivers.got == {"good": list(range(size)), "better": list(range(size))}
    assert receivers.together == 1
    look()
    receivers.go.set()
    look.join(20)
    assert look() == 0, "all have all, but for the one that rests"
    assert receivers.got["slow"] == list(range(size))
    assert receivers.together == 1


def test_as_many_as_there_are_threads_for(
    own_world: World, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AT_ONCE", 2)
    add(own_world, "slow-one", "slow-two", "slow-three")
    own_world.grow()
    look = Streaming(own_world.deps, dict.fromkeys(StreamKind, receivers))
    assert look() == 2
    assert look() == 0
    receivers.go.set()
    look.join(20)
    assert look() == 1
    look.join(20)
    assert set(receivers.got) == {"slow-one", "slow-two", "slow-three"}
