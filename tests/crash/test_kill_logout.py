"""Applications are told that sessions are over, whoever dies on the way: processes that look and send are killed with -9 at any
moment, and each session is told at least once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from openpim.core.relying import ClientSession
from openpim.services.relying.logout import LEASE
from openpim.store.database import Database
from tests.crash.victims import Victim
from tests.relying_world import Relying

COUNT = 150
PATIENCE = 30.0  # seconds that only a failure takes
KILLS = 8


@pytest.fixture
def place(database_url: str) -> Iterator[Relying]:
    database = Database(database_url)
    made = Relying(database)
    yield made
    made.close()
    database.close()


def signed_in(place: Relying) -> set[str]:
    """So many sessions of Ann, who was told of a role that she has not; their ids."""
    world = place.world
    place.signin.tokens.sign({}, "JWT")  # the key is made once, before the processes

    def work(tx: Any) -> set[str]:
        found = set()
        for _ in range(COUNT):
            row = ClientSession(
                session_id=world.new_id(),
                client_id=place.app.app_id,
                tenant_id=place.tenant,
                user_id=place.ann,
                home_tenant_id=place.tenant,
                home_user_id=place.ann,
                grant_id=world.new_id(),
                issuer="https://localhost:8443/x/v2.0",
                claims={"roles": ("Payroll.Write",)},
                at=world.now,
                check_at=world.now,
            )
            tx.client_sessions.put(row)
            found.add(row.session_id)
        return found

    return world.write(work)  # type: ignore[no-any-return]


def _until_told(place: Relying, count: int) -> None:
    ends = time.monotonic() + PATIENCE
    while len(place.receiver.tokens) < count:
        assert time.monotonic() < ends, f"only {len(place.receiver.tokens)} of {count} were told"
        time.sleep(0.001)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_is_told_whoever_dies(place: Relying, database_url: str) -> None:
    expected = signed_in(place)
    chance = random.Random(20261121)
    for _ in range(KILLS):
        number, now = str(place.world._number), place.world.now.isoformat()
        victim = Victim("logout_victim", database_url, place.tenant, number, now)
        _until_told(place, len(place.receiver.tokens) + chance.randint(1, 12))
        victim.kill()
        place.world.forward(seconds=LEASE.total_seconds() + 1)
    assert 0 < len(place.receiver.tokens) < COUNT, len(
        place.receiver.tokens
    )  # they did a part of it, and died in the middle
    for _ in range(4):
        place.world.forward(seconds=LEASE.total_seconds() + 1)
        place.work()
    heard = Counter(one["sid"] for one in place.told())
    assert set(heard) == expected
    # Whoever died between sending and writing it down leaves it to the next, so one for each who died may come twice.
    assert sum(heard.values()) <= COUNT + KILLS
    left = place.world.read(lambda tx: tx.outbox.due_keys("logout", place.world.now, 10))
    assert left == []
