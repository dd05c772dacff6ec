"""The resource manager's face in front of a world of its own with a small tree, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faces.arm.client import Arm
from tests.world import World


@pytest.fixture
def arm(database_url: str) -> Iterator[Arm]:
    world = World(database_url)
    found = Arm(world)
    found.plant()
    yield found
    world.close()
