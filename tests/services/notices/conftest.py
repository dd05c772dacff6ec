"""The worlds of the acts, with a mail server written into their settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.core.settings import Settings
from openpim.store.database import Database
from tests.services.conftest import _shared, shared_database
from tests.services.notices.telling import Telling
from tests.world import World

__all__ = ["_shared", "shared_database"]

SETTINGS = Settings(mail_host="127.0.0.1", mail_from="pim@example.com", work_zone="Europe/Oslo")


@pytest.fixture
def world(shared_database: Database) -> World:
    return World(shared_database, settings=SETTINGS)


@pytest.fixture
def alone(database_url: str) -> Iterator[Telling]:
    """In a database of its own, for tests of what works across tenants."""
    world = World(database_url, settings=SETTINGS)
    yield Telling(world)
    world.close()


@pytest.fixture
def telling(world: World) -> Telling:
    """A world with a post office that keeps what it is given."""
    return Telling(world)
