"""One login role for each activation: who can sign in with it, until when, and what is left of it."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest

from openpim.connectors.postgresql.names import login_of
from openpim.core.connecting import Edge
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import done, fence, grants, in_an_hour, names, now, revokes
from tests.connectors.postgresql.conftest import MANAGED, quoted

ROLE, SECOND = MANAGED
READ = f"SELECT * FROM {quoted('of ' + ROLE)}"
KEY, OTHER = "6f9619ff-8b86-4011-b42d-00c04fc964ff", "6f9619ff-8b86-4011-b42d-00c04fc964fe"


@pytest.fixture
def connector(jit):
    connector = jit.open(clock=now)
    yield connector
    connector.close()


def edge_of(person="alice@example.com", role=ROLE, until=None, key=KEY):
    return Edge(person, role, until or in_an_hour(), key)


def is_over(connection):
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def cannot_sign_in(cluster, given):
    try:
        cluster.sign_in(given["user"], given["password"]).close()
    except psycopg.OperationalError:
        return True
    return False


def roles(cluster):
    return {name for (name,) in cluster.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'jit_%'")}


def test_a_login_for_the_activation_and_its_sessions_end_with_it_and_no_others(cluster, connector):
    edge, other = edge_of(), edge_of(key=OTHER)
    done(connector, grants(edge, other))
    assert roles(cluster) == {login_of(edge).name, login_of(other).name}
    given, more = (connector.issue(one, {}, fence()) for one in (edge, other))
    assert given["user"] == login_of(edge).name
    assert KEY.replace("-", "") in given["user"]
    with (
        cluster.sign_in(given["user"], given["password"]) as open_one,
        cluster.sign_in(more["user"], more["password"]) as another,
        cluster.sign_in("alice") as own,
    ):
        open_one.execute(READ)
        open_one.execute(f"SET ROLE {ROLE}")
        done(connector, revokes(edge))
        open_one.execute(READ)  # else there would be nothing to sever
        assert cannot_sign_in(cluster, given)
        assert not connector.sever([edge], [other], fence())[0].error
        assert is_over(open_one)
        another.execute(READ)
        assert not is_over(own)
    assert roles(cluster) == {login_of(other).name}


def test_the_password_is_not_in_the_log_and_the_one_before_ends(cluster, connector):
    secrets = iter(("first-4b1d-secret", "second-9c2e-secret"))
    object.__setattr__(connector._opening, "secret", lambda _size: next(secrets))
    edge = edge_of()
    done(connector, grants(edge))
    first, second = (connector.issue(edge, {}, fence()) for _ in range(2))
    assert first["password"] != second["password"]
    assert cannot_sign_in(cluster, first)
    assert not cannot_sign_in(cluster, second)
    assert "SCRAM-SHA-256" in cluster.log()
    assert first["password"] not in cluster.log()
    assert second["password"] not in cluster.log()


def test_nothing_is_issued_for_what_is_not_there_or_has_ended(cluster, connector):
    edge = edge_of()
    for _ in range(2):
        with pytest.raises(TargetError):
            connector.issue(edge, {}, fence())
        done(connector, grants(edge))
        connector.issue(edge, {}, fence())
        with pytest.raises(TargetError) as caught:
            connector.issue(edge_of("mallory@example.com"), {}, fence())
        assert caught.value.fault is Fault.UNREACHABLE
        done(connector, revokes(edge))
        with pytest.raises(TargetError):
            connector.issue(edge, {}, fence())
        connector.sever([edge], [], fence())


def test_the_server_refuses_logins_after_the_end_without_us(cluster, connector):
    edge = edge_of(until=(now() + timedelta(seconds=1)).replace(microsecond=0) + timedelta(seconds=1))
    done(connector, grants(edge))
    given = connector.issue(edge, {}, fence())
    connector.close()
    assert not cannot_sign_in(cluster, given)
    while not cannot_sign_in(cluster, given):
        assert now() < edge.until + timedelta(seconds=10)
        time.sleep(0.02)
    assert now() >= edge.until


def test_a_grant_that_is_repeated_keeps_the_password(cluster, connector):
    edge = edge_of()
    done(connector, grants(edge))
    given = connector.issue(edge, {}, fence())
    done(connector, grants(edge))
    assert not cannot_sign_in(cluster, given)


def test_a_login_that_somebody_put_there_before_us_has_no_password_any_more(cluster, connector):
    name = login_of(edge_of()).name
    cluster.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'known'")
    if cluster.major >= 16:
        cluster.sql(f"GRANT {name} TO pim WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    done(connector, grants(edge_of()))
    assert names(connector) == {edge_of().name}
    assert cannot_sign_in(cluster, {"user": name, "password": "known"})


def test_one_activation_of_a_group_is_a_login_for_each_person_and_role(cluster, connector):
    edges = [edge_of(person, role) for person in ("alice", "bob") for role in MANAGED]
    done(connector, grants(*edges))
    assert len(roles(cluster)) == 4
    assert names(connector) == {edge.name for edge in edges}
    done(connector, revokes(edges[0]))
    connector.sever(edges[:1], edges[1:], fence())
    assert names(connector) == {edge.name for edge in edges[1:]}


def test_one_that_owns_objects_is_left_without_any_right_and_the_probe_tells(cluster, connector):
    edge = edge_of()
    done(connector, grants(edge))
    given = connector.issue(edge, {}, fence())
    cluster.sql(f"GRANT CREATE ON SCHEMA public TO {ROLE}")
    with cluster.sign_in(given["user"], given["password"]) as open_one:
        open_one.execute("CREATE TABLE public.mine (x int)")
    done(connector, revokes(edge))
    assert not connector.sever([edge], [], fence())[0].error
    assert cannot_sign_in(cluster, given)
    assert names(connector) == set()
    assert any(given["user"] in one for one in connector.probe().excess)
    done(connector, grants(edge))  # and it may begin again
    assert cannot_sign_in(cluster, given)
    assert not cannot_sign_in(cluster, connector.issue(edge, {}, fence()))


def test_it_never_has_what_it_gives(cluster, connector):
    """From 16 on who makes a role could be made a member of it by a setting."""
    cluster.sql(
        "ALTER ROLE pim SET createrole_self_grant = 'set, inherit'" if cluster.major >= 16 else "SELECT 1"
    )
    try:
        connector.close()
        done(connector, grants(edge_of()))
        held = cluster.sql(
            "SELECT pg_has_role('pim', %s, 'USAGE')"
            if cluster.major < 16
            else "SELECT pg_has_role('pim', %s, 'SET')",
            login_of(edge_of()).name,
        )
        assert held == [(False,)]
    finally:
        cluster.sql("ALTER ROLE pim RESET ALL")


def test_a_change_of_the_end_in_the_server_is_seen(cluster, connector):
    done(connector, grants(edge_of()))
    cluster.sql(f"ALTER ROLE {login_of(edge_of()).name} VALID UNTIL 'infinity'")
    (found,) = connector.read().edges
    assert found.until is None


def test_without_a_key_nothing_is_given(cluster, connector):
    (receipt,) = connector.apply(grants(edge_of(key="")), fence())
    assert not receipt.ok


def test_more_than_one_statement_or_transaction_can_hold(cluster, connector):
    edges = [edge_of(f"person {number}") for number in range(600)]
    for start in range(0, len(edges), 500):
        done(connector, grants(*edges[start : start + 500]))
    assert len(names(connector)) == len(roles(cluster)) == len(edges)
    for start in range(0, len(edges), 500):
        done(connector, revokes(*edges[start : start + 500]))
    assert not [one for one in connector.sever(edges, [], fence()) if one.error]
    assert roles(cluster) == set()
