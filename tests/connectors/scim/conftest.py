"""The two servers, one of each for a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.scim.rigs import OtherRig, OwnRig
from tests.faces.scim.client import Scim
from tests.world import World


@pytest.fixture
def other() -> Iterator[OtherRig]:
    rig = OtherRig()
    yield rig
    rig.close()


@pytest.fixture
def own(database_url: str) -> Iterator[OwnRig]:
    world = World(database_url)
    rig = OwnRig(Scim(world))
    yield rig
    rig.close()
    world.close()
