"""The SCIM face in front of a world of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faces.scim.client import Scim
from tests.world import World


@pytest.fixture
def scim(database_url: str) -> Iterator[Scim]:
    world = World(database_url)
    yield Scim(world)
    world.close()
