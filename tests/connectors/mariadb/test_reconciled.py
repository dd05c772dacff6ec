"""The whole way, from an activation to a real MariaDB and back: given, proved, taken away, proved again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pymysql
import pytest

from openpim.core.connecting import EffectState
from tests.connectors.following import Follower
from tests.connectors.mariadb.conftest import MANAGED, quoted, text
from tests.connectors.mariadb.server import PASSWORD
from tests.world import World, ok

ROLE = MANAGED[0]


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def world(database_url) -> Iterator[World]:
    world = World(database_url, start=datetime.now(UTC))
    yield world
    world.close()


@pytest.fixture
def ann(world, server):
    name = world.name_in_target(world.ann)
    server.sql(f"CREATE USER {quoted(name)}@`%` IDENTIFIED BY {text(name + chr(39) + 's')}")
    yield name
    server.sql(f"DROP USER {quoted(name)}@`%`")


def can(connection):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM pay.of_0")
    except pymysql.MySQLError:
        return False
    return True


def with_role(server, name):
    connection = server.sign_in(name)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")
    return connection


def test_from_an_activation_to_the_privilege_and_back(world, server, rig, ann):
    follower = Follower(world, "mariadb", rig.settings, {"password": PASSWORD}, MANAGED)
    world.eligible(world.ann)
    assert follower.look() == ""
    with pytest.raises(pymysql.MySQLError):
        with_role(server, ann)
    ok(world.activate(world.ann, hours=1))
    assert follower.look() == ""
    assert follower.states(world.ann) == {EffectState.EFFECTIVE}
    assert len(server.sql("SELECT 1 FROM information_schema.EVENTS")) == 1
    assert follower.look() == "", "and there is nothing more to do"
    session = with_role(server, ann)
    assert can(session)
    world.forward(hours=1)
    assert follower.look() == ""
    assert follower.states(world.ann) == {EffectState.ENDED}
    assert not can(session)
    session._force_close()
    assert not rig.has(ann, ROLE)
    follower.held.drop()


def test_the_server_is_down_at_the_end_and_killed_before(world, server, rig, ann):
    follower = Follower(world, "mariadb", rig.settings, {"password": PASSWORD}, MANAGED)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert follower.look() == ""
    server.stop()
    world.forward(hours=1)
    assert follower.look()
    assert follower.states(world.ann) != {EffectState.ENDED}
    server.start()
    session = with_role(server, ann)
    assert can(session)
    world.forward(minutes=1)
    follower.held.drop()
    assert follower.look() == ""
    assert follower.states(world.ann) == {EffectState.ENDED}
    assert not can(session)
    session._force_close()
    follower.held.drop()
