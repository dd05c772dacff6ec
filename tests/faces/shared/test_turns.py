"""What only reads takes turns, and nobody holds up the others for long."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from openpim.faces.arm import batch
from openpim.faces.arm.call import Answer, Raw
from openpim.faces.arm.dispatch import Dispatcher
from openpim.faces.shared.threads import in_thread, reading

LOCAL: Any = SimpleNamespace(local=True)


def test_two_that_read_go_one_after_the_other() -> None:
    inside: list[int] = []
    most: list[int] = []

    def look(number: int) -> int:
        inside.append(number)
        most.append(len(inside))
        for _ in range(1000):
            threading.Event().wait(0)  # gives the others every chance to come in
        inside.remove(number)
        return number

    async def several() -> list[int]:
        hop = reading(LOCAL)
        return list(await asyncio.gather(*(hop(look, number) for number in range(4))))

    assert asyncio.run(several()) == [0, 1, 2, 3]
    assert max(most) == 1


def test_one_that_takes_long_lets_the_next_begin() -> None:
    let_go = threading.Event()

    async def several() -> str:
        hop = reading(LOCAL)
        slow = asyncio.create_task(hop(let_go.wait, 60))
        await asyncio.sleep(0)
        assert await hop(lambda: "done beside it") == "done beside it"
        assert not slow.done()
        let_go.set()
        assert await slow
        return await hop(lambda: "one at a time again")

    assert asyncio.run(several()) == "one at a time again"


def test_what_fails_gives_up_its_turn() -> None:
    def fail() -> None:
        raise RuntimeError("the database is away")

    async def twice() -> list[Any]:
        hop = reading(LOCAL)
        return list(await asyncio.gather(hop(fail), hop(fail), hop(int), return_exceptions=True))

    first, second, third = asyncio.run(twice())
    assert isinstance(first, RuntimeError)
    assert isinstance(second, RuntimeError)
    assert third == 0


def test_a_database_elsewhere_is_asked_side_by_side() -> None:
    assert reading(SimpleNamespace(local=False)) is in_thread  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "hop"), [("GET", reading(LOCAL)), ("POST", in_thread)])
def test_what_is_in_a_batch_comes_to_a_thread_as_if_it_had_come_alone(method: str, hop: Any) -> None:
    class Watched(Dispatcher):
        def hop(self, raw: Raw) -> Any:
            hops.append(super().hop(raw))
            return hops[-1]

        def known(self, raw: Raw) -> Answer | None:
            return None

    hops: list[Any] = []
    nobody: Any = None
    asked = b'{"requests": [{"httpMethod": "%s", "url": "/subscriptions"}]}' % method.encode()
    dispatcher = Watched(SimpleNamespace(store=LOCAL), nobody, nobody)
    assert asyncio.run(batch.run(dispatcher, Raw("POST", b"/batch", b"", {}, asked))).status == 200
    assert hops == [hop]
