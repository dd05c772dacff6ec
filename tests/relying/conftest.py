from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.store.database import Database
from tests.relying_world import Relying
from tests.services.groups import GroupWorld


@pytest.fixture
def place(database_url: str) -> Iterator[Relying]:
    made = Relying(Database(database_url))
    yield made
    made.close()
    made.world.database.close()


@pytest.fixture
def groups(place: Relying) -> GroupWorld:
    return GroupWorld(place.world)
