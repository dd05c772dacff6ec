"""A world for each test, on SQLite and on PostgreSQL.

`world` is a tenant of its own in a database that the tests share: quick, and one more test that tenants are apart.
`own_world` has a database of its own, for tests that look at work across tenants (the outbox).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.store.database import Database
from tests.conftest import _Databases
from tests.world import World


@pytest.fixture(scope="session")
def _shared() -> Iterator[dict[str, Database]]:
    databases: dict[str, Database] = {}
    yield databases
    for database in databases.values():
        database.close()


@pytest.fixture
def shared_database(
    database_kind: str,
    _shared: dict[str, Database],
    request: pytest.FixtureRequest,
) -> Database:
    if database_kind not in _shared:
        server = request.getfixturevalue("postgres_server") if database_kind == "postgresql" else None
        _shared[database_kind] = Database(_Databases(server).make())
    return _shared[database_kind]


@pytest.fixture
def world(shared_database: Database) -> World:
    return World(shared_database)


@pytest.fixture
def own_world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.close()
