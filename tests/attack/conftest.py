"""Two worlds to attack: `world`, the life of grants; `signin_world`, people with passwords and browsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.signin_world import World as SignInWorld
from tests.signin_world import make_world
from tests.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def signin_world(database_url: str) -> Iterator[SignInWorld]:
    made = make_world(database_url)
    yield made
    made.deps.store.close()
