"""The older dialect beside Graph, in front of one world, on SQLite and on PostgreSQL."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from openpim.faces import graph as graph_face
from openpim.faces import legacy
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from tests.faces.graph.client import ORIGIN, Graph
from tests.world import World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


class Legacy(Graph):
    def __post_init__(self) -> None:
        deps = self.world.deps
        routes = [*graph_face.routes(deps, self.authenticate), *legacy.routes(deps, self.authenticate)]
        app = RequestIds(TidyPaths(Starlette(routes=routes)), self.world.new_id)
        self.client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=True)


@pytest.fixture
def old(database_url: str) -> Iterator[Legacy]:
    world = World(database_url)
    yield Legacy(world)
    world.close()
