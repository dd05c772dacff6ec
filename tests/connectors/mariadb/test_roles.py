"""What a person can really do, in new connections and in those that are open; what the server ends without us."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pymysql
import pytest

from openpim.core.connecting import Edge
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import SECRET, done, fence, grants, in_an_hour, names, now, revokes
from tests.connectors.hostile import AWKWARD, RESERVED
from tests.connectors.mariadb.conftest import MANAGED, Rig, quoted

ROLE, SECOND = MANAGED


@pytest.fixture
def connector(rig):
    connector = rig.open()
    yield connector
    connector.close()


@contextmanager
def session(server, person="alice"):
    connection = server.sign_in(person)
    try:
        yield connection
    finally:
        connection._force_close()


def run(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def can(connection):
    try:
        run(connection, "SELECT * FROM pay.of_0")
    except pymysql.MySQLError:
        return False
    return True


def can_anew(server, person="alice"):
    with session(server, person) as connection:
        try:
            run(connection, f"SET ROLE {ROLE}")
        except pymysql.MySQLError:
            return False
        return can(connection)


def edge_of(person="alice", role=ROLE, until=None):
    return Edge(person, role, until or in_an_hour())


def test_what_a_person_can_do_follows_the_edge_and_a_connection_that_set_the_role_ends(server, connector):
    edge = edge_of()
    with session(server) as open_one, session(server, "bob") as another:
        assert not can_anew(server)
        done(connector, grants(edge))
        assert can_anew(server)
        run(open_one, f"SET ROLE {ROLE}")
        done(connector, revokes(edge))
        assert can(open_one), "else there would be nothing to sever"
        assert not can_anew(server)
        assert not connector.sever([edge], [], fence())[0].error
        assert not can(open_one)
        assert run(another, "SELECT 1") == ((1,),)
    assert not can_anew(server)
    assert not server.sql("SELECT EVENT_NAME FROM information_schema.EVENTS")


def test_the_server_ends_it_without_us(server, rig):
    """Open connections too, on time, and nothing is left of it."""
    connector = rig.open()
    end = (now() + timedelta(seconds=2)).replace(microsecond=0)
    edges = [edge_of(name, ROLE, end) for name in rig.people]
    done(connector, grants(*edges))
    connector.close()
    with session(server) as open_one:
        run(open_one, f"SET ROLE {ROLE}")
        assert can(open_one)
        while can(open_one):
            assert now() < end + timedelta(seconds=10)
            time.sleep(0.01)
        assert now() >= end
    while any(rig.has(name, ROLE) for name in rig.people):
        assert now() < end + timedelta(seconds=10)
    assert not can_anew(server)
    while server.sql("SELECT EVENT_NAME FROM information_schema.EVENTS"):
        assert now() < end + timedelta(seconds=10)


def test_an_end_that_was_moved_ends_nothing_before(server, rig, connector):
    soon = (now() + timedelta(seconds=1)).replace(microsecond=0)
    done(connector, grants(edge_of(until=soon + timedelta(hours=1))))
    (at,) = server.sql("SELECT EXECUTE_AT FROM information_schema.EVENTS")
    assert connector.read().edges == {edge_of(until=soon + timedelta(hours=1))}
    done(connector, grants(edge_of(until=soon + timedelta(hours=2))))
    assert server.sql("SELECT EXECUTE_AT FROM information_schema.EVENTS") != [at]
    assert len(server.sql("SELECT 1 FROM information_schema.EVENTS")) == 1
    done(connector, grants(Edge("alice", ROLE)))
    assert not server.sql("SELECT 1 FROM information_schema.EVENTS")


def test_the_end_is_there_before_the_privilege(server, rig, connector, monkeypatch):
    """Our connection dies between the two, as when this process is killed there."""
    done(connector, revokes(edge_of()))
    guarded = connector._guarded

    def dies(statement, lease):
        server.sql("KILL USER pim")
        guarded(statement, lease)

    with monkeypatch.context() as patch:
        patch.setattr(connector, "_guarded", dies)
        with pytest.raises(TargetError) as caught:
            connector.apply(grants(edge_of()), fence())
    assert caught.value.fault is Fault.UNREACHABLE
    assert not rig.has("alice", ROLE)
    assert len(server.sql("SELECT 1 FROM information_schema.EVENTS")) == 1
    done(connector, grants(edge_of()))
    assert connector.read().edges == {edge_of()}


def test_an_event_that_was_changed_is_not_the_end_that_was_wanted(server, connector):
    done(connector, grants(edge_of()))
    ((name,),) = server.sql("SELECT EVENT_NAME FROM information_schema.EVENTS")
    for change in ("DISABLE", "DO SELECT 1"):
        server.sql(f"ALTER DEFINER = `pim`@`%` EVENT openpim.{name} {change}")
        assert connector.read().edges == {Edge("alice", ROLE)}
        done(connector, grants(edge_of()))
        assert connector.read().edges == {edge_of()}


def test_without_the_scheduler_nothing_is_given_and_no_end_is_claimed(server, rig, connector):
    done(connector, grants(edge_of()))
    server.sql("SET GLOBAL event_scheduler = OFF")
    assert connector.read().edges == {Edge("alice", ROLE)}
    assert any("event_scheduler" in one for one in connector.probe().lacks)
    (receipt,) = connector.apply(grants(edge_of("bob")), fence())
    assert "event_scheduler" in receipt.error
    assert not rig.has("bob", ROLE)
    done(connector, revokes(edge_of()))
    without = rig.open(native_end="none")
    assert without.probe().lacks == ()
    done(without, grants(edge_of("bob")))
    without.close()


def test_it_ends_the_same_after_a_crash_of_the_server(server, rig, connector):
    edge = edge_of()
    done(connector, grants(edge))
    server.stop()
    server.start()
    assert connector.read().edges == {edge}
    assert can_anew(server)
    done(connector, revokes(edge))
    assert not can_anew(server)


def test_a_server_that_says_nothing_any_more_costs_a_bounded_time(server, connector, monkeypatch):
    from openpim.connectors.mariadb import session as ours

    connector.read()
    monkeypatch.setattr(ours, "CONNECT_SECONDS", 0.5)
    with server.frozen():
        began = time.monotonic()
        with pytest.raises(TargetError) as caught:
            connector._session.run(lambda: connector._session.rows("SELECT 1"), 0.5)
        assert caught.value.fault is Fault.UNREACHABLE
        with pytest.raises(TargetError) as caught:
            connector.read()
        assert caught.value.fault is Fault.UNREACHABLE
        assert time.monotonic() - began < 8
    assert names(connector) == set()


def test_a_lease_that_ended_by_the_clock_of_the_server_writes_nothing(server, rig):
    connector = rig.open(clock=lambda: now() - timedelta(minutes=1))  # ours is behind
    for write in (
        lambda: connector.apply(grants(edge_of()), fence(seconds=-0.5)),
        lambda: connector.sever([edge_of()], [], fence(seconds=-0.5)),
    ):
        with pytest.raises(TargetError) as caught:
            write()
        assert caught.value.fault is Fault.FENCED
    done(connector, revokes(edge_of()))
    guarded, at = connector._guarded, fence(seconds=0.6)

    def slow(statement, lease):
        time.sleep(0.7)
        guarded(statement, lease)

    connector._guarded = slow
    with pytest.raises(TargetError) as caught:
        connector.apply(grants(edge_of()), at)
    assert caught.value.fault is Fault.FENCED
    assert not rig.has("alice", ROLE)
    connector.close()


def test_every_awkward_name_that_is_an_account_is_that_account_alone(server, connector):
    people = [name for name in AWKWARD if len(name) <= 128 and max(map(ord, name)) <= 0xFFFF]
    server.sql(*(f"CREATE USER {quoted(name)}@`%`" for name in people))
    before = server.sql("SELECT User, Host FROM mysql.user")
    try:
        edges = [edge_of(name, SECOND) for name in people]
        done(connector, grants(*edges))
        assert connector.read().edges == set(edges)
        done(connector, revokes(*edges[::2]))
        assert not [one.error for one in connector.sever(edges[::2], edges[1::2], fence()) if one.error]
        assert connector.read().edges == set(edges[1::2])
        done(connector, revokes(*edges))
        assert names(connector) == set()
        assert server.sql("SELECT User, Host FROM mysql.user") == before
        assert not server.sql("SELECT 1 FROM information_schema.EVENTS")
    finally:
        server.sql(*(f"DROP USER {quoted(name)}@`%`" for name in people))


def test_an_account_at_another_host_is_seen_by_its_full_name_and_can_be_taken(server, connector):
    server.sql("CREATE USER alice@localhost")
    server.sql(f"GRANT {ROLE} TO alice@localhost", pim=True)
    try:
        (found,) = connector.read().edges
        assert found == Edge("'alice'@'localhost'", ROLE)
        (receipt,) = connector.apply(grants(found), fence())
        assert not receipt.ok
        done(connector, revokes(found))
        assert connector.read().edges == frozenset()
    finally:
        server.sql("DROP USER alice@localhost")


def test_nobody_of_the_server_itself_is_given_anything(rig, connector):
    for name in (*RESERVED, "pim", "nobody here"):
        (receipt,) = connector.apply(grants(edge_of(name)), fence())
        assert not receipt.ok, name
    assert names(connector) == set()


def test_a_probe_names_what_is_too_little_and_what_is_too_much(server, rig):
    connector = rig.open(managed=(*MANAGED, "treasurer", "nowhere"))
    try:
        probe = connector.probe()
        assert ["treasurer" in probe.lacks[0], "nowhere" in probe.lacks[1]] == [True, True]
        assert not probe.fit
        assert probe.excess == ()
        server.sql(
            "REVOKE CONNECTION ADMIN ON *.* FROM pim",
            "GRANT FILE ON *.* TO pim",
            "GRANT SELECT ON pay.* TO pim",
        )
        server.sql("GRANT treasurer TO pim WITH ADMIN OPTION")
        with rig_open(rig, (ROLE,)) as less:
            probe = less.probe()
            assert any("CONNECTION ADMIN" in one for one in probe.lacks)
            said = " ".join(probe.excess)
            assert [word in said for word in ("FILE", "pay", "treasurer", SECOND)] == [True] * 4
    finally:
        server.sql(
            "GRANT CONNECTION ADMIN ON *.* TO pim",
            "REVOKE FILE ON *.* FROM pim",
            "REVOKE SELECT ON pay.* FROM pim",
        )
        server.sql("REVOKE treasurer FROM pim")
        connector.close()


def test_a_server_that_is_not_the_one_is_not_spoken_to(rig):
    from tests.connectors.opening import opening

    for settings, secrets, fault in (
        ({"ca": ""}, {}, Fault.UNREACHABLE),
        ({"host": "127.0.0.1"}, {}, Fault.UNREACHABLE),  # not in the certificate
        ({}, {"password": SECRET}, Fault.REFUSED),
    ):
        given = secrets or {"password": SECRET}
        with rig_open(rig, MANAGED, secrets=given, **settings) as connector:
            with pytest.raises(TargetError) as caught:
                connector.read()
            assert caught.value.fault is fault
            assert SECRET not in str(caught.value)
    made = opening(rig.kind, MANAGED, rig.settings | {"sslmode": "disable"}, {"password": SECRET})
    connector = rig.kind.open(replace(made, outbound=GuardedOutbound([])))
    with pytest.raises(TargetError) as caught:
        connector.read()
    assert "[outbound] allow" in str(caught.value)


@contextmanager
def rig_open(rig: Rig, managed, **more):
    connector = rig.open(managed, **more)
    try:
        yield connector
    finally:
        connector.close()
