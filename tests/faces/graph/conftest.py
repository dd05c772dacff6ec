"""The Graph face in front of a world of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faces.graph.client import Graph
from tests.world import World


@pytest.fixture
def graph(database_url: str) -> Iterator[Graph]:
    world = World(database_url)
    yield Graph(world)
    world.close()
