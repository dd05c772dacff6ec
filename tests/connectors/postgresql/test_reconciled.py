"""The whole way, from an activation to a real PostgreSQL and back: given, proved, taken away, proved again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from openpim.core.connecting import EffectState
from tests.connectors.following import Follower
from tests.connectors.postgresql.cluster import PASSWORD
from tests.connectors.postgresql.conftest import MANAGED, quoted
from tests.world import HELPDESK, World, ok

ROLE = MANAGED[0]
READ = f"SELECT * FROM {quoted('of ' + ROLE)}"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def world(database_url) -> Iterator[World]:
    world = World(database_url, start=datetime.now(UTC))
    yield world
    world.close()


def can(connection):
    try:
        connection.execute(READ)
    except psycopg.Error:
        return False
    return True


@pytest.fixture
def people(world, cluster):
    names = [world.name_in_target(one) for one in (world.ann, world.bob)]
    for name in names:
        cluster.sql(f"CREATE ROLE {quoted(name)} LOGIN PASSWORD '{name}''s'")
    yield names
    for name in names:
        cluster.sql(f"DROP ROLE {quoted(name)}")


@pytest.fixture
def member(world, membership, people):
    follower = Follower(world, "postgresql", membership.settings, {"password": PASSWORD}, MANAGED)
    yield follower
    follower.held.drop()


def test_from_an_activation_to_the_privilege_and_back_with_a_session_that_stays_open(
    world, cluster, member, people
):
    ann = people[0]
    world.eligible(world.ann)
    assert member.look() == ""
    with cluster.sign_in(ann) as session:
        assert not can(session)
        ok(world.activate(world.ann, hours=1))
        assert member.look() == ""
        assert member.states(world.ann) == {EffectState.EFFECTIVE}
        assert can(session)
        session.execute(f"SET ROLE {ROLE}")
        world.forward(hours=1)
        assert can(session), "nothing has looked yet"
        assert member.look() == ""
        assert member.states(world.ann) == {EffectState.ENDED}
        assert not can(session)
    with cluster.sign_in(ann) as session:
        assert not can(session)


def test_the_server_is_down_at_the_end_and_ours_is_another_process_after_it(
    world, cluster, membership, member, people
):
    ann = people[0]
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert member.look() == ""
    cluster.stop()
    world.forward(hours=1)
    assert "cannot be reached" in member.look()
    (effect,) = member.effects(world.ann)
    assert effect.state is not EffectState.ENDED
    cluster.start()
    with cluster.sign_in(ann) as session:
        session.execute(f"SET ROLE {ROLE}")
        assert can(session)
        member.held.drop()  # as a process that has just been started
        world.forward(minutes=1)
        assert member.look() == ""
        assert member.states(world.ann) == {EffectState.ENDED}
        assert not can(session)
    assert not membership.has(ann, ROLE)


def test_two_ways_to_the_same_are_one_until_the_last_has_ended(world, cluster, membership, member, people):
    ann = people[0]
    member.map(HELPDESK, ROLE)
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    ok(world.activate(world.ann, hours=1))
    ok(world.activate(world.ann, HELPDESK, hours=2))
    assert member.look() == ""
    with cluster.sign_in(ann) as session:
        session.execute(f"SET ROLE {ROLE}")
        world.forward(hours=1)
        assert member.look() == ""
        assert can(session), "the other gives it still"
        world.forward(hours=1)
        assert member.look() == ""
        assert not can(session)
    assert not membership.has(ann, ROLE)


def test_what_others_gave_is_shown_and_left(world, cluster, membership, member, people):
    membership.give(people[1], ROLE)
    assert member.look() == ""
    assert membership.has(people[1], ROLE)
    assert member.states(world.bob) == set()


def test_a_login_for_one_activation(world, cluster, jit):
    follower = Follower(world, "postgresql", jit.settings, {"password": PASSWORD}, MANAGED)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert follower.look() == ""
    given = follower.issue(world.ann)
    with cluster.sign_in(given["user"], given["password"]) as session:
        assert can(session)
        world.forward(minutes=6)
        ok(world.deactivate(world.ann))
        assert follower.look() == ""
        assert not can(session)
    assert follower.states(world.ann) == {EffectState.ENDED}
    assert not cluster.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", given["user"])
    with pytest.raises(psycopg.OperationalError):
        cluster.sign_in(given["user"], given["password"])
    follower.held.drop()
