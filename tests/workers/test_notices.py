"""The two loops that tell people: planning for every tenant, sending, and forgetting what is long over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.core.query import Query
from openpim.services.audit_log import grow
from openpim.services.notices.sending import Ways
from openpim.workers.notices import Planning, Sending
from tests.services.notices.conftest import SETTINGS
from tests.services.notices.telling import PostOffice
from tests.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url, settings=SETTINGS)
    yield world
    world.close()


def test_every_tenant_is_planned_sent_and_at_last_forgotten(world: World) -> None:
    other = World(world.database, settings=SETTINGS)
    other.now = world.now
    for one in (world, other):
        one.eligible(one.ann)
        while grow(one.deps, one.tenant_id):
            pass
    planning, office = Planning(world.deps), PostOffice()
    sending = Sending(world.deps, Ways(office))
    while planning():
        pass
    while sending():
        pass
    assert sum(letter.name == "ann" for letter in office.letters) == 2
    assert planning() == 0
    world.forward(days=91)
    sending()
    for one in (world, other):
        assert one.read(lambda tx: tx.deliveries.page(Query())).items == ()
