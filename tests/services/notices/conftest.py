"""The worlds of the acts, with a mail server written into their settings."""

from __future__ import annotations

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
def telling(world: World) -> Telling:
    """A world with a post office that keeps what it is given."""
    return Telling(world)
