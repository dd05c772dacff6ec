"""What only reads takes turns, and nobody holds up the others for long."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

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
