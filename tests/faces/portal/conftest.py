from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faces.portal.client import Site
from tests.world import World


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    world = World(database_url)
    yield Site(world)
    world.close()
