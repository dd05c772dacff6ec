from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.signin_world import World, make_world


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = make_world(database_url)
    yield made
    made.deps.store.close()
