"""What a person can really do, in new sessions and in those that are open, before, during and after."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from openpim.core.connecting import Edge
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import done, fence, grants, names, now, revokes
from tests.connectors.hostile import AWKWARD
from tests.connectors.postgresql.conftest import MANAGED, quoted

ROLE, SECOND = MANAGED
READ = f"SELECT * FROM {quoted('of ' + ROLE)}"


@pytest.fixture
def connector(membership):
    connector = membership.open()
    yield connector
    connector.close()


@contextmanager
def session(cluster, person="alice"):
    connection = cluster.sign_in(person)
    try:
        yield connection
    finally:
        connection.close()


def can(connection):
    try:
        connection.execute(READ)
    except errors.InsufficientPrivilege:
        return False
    return True


def can_anew(cluster, person="alice"):
    with session(cluster, person) as connection:
        return can(connection)


def is_over(connection):
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def test_what_a_person_can_do_follows_the_edge_and_a_session_that_set_the_role_ends(cluster, connector):
    edge = Edge("alice", ROLE)
    with session(cluster) as open_one, session(cluster, "bob") as another:
        assert not can(open_one)
        done(connector, grants(edge))
        assert can(open_one)
        assert can_anew(cluster)
        open_one.execute(f"SET ROLE {ROLE}")
        done(connector, revokes(edge))
        assert can(open_one), "else there would be nothing to sever"
        assert not can_anew(cluster)
        (severed,) = connector.sever([edge], [], fence())
        assert not severed.error
        assert is_over(open_one)
        assert not can_anew(cluster)
        assert not is_over(another)


def test_a_session_that_runs_a_statement_ends_too(cluster, connector):
    edge = Edge("alice", ROLE)
    done(connector, grants(edge))
    over = threading.Event()
    with session(cluster) as open_one:

        def run():
            with pytest.raises(psycopg.OperationalError):
                open_one.execute(f"SET ROLE {ROLE}; SELECT pg_sleep(60)")
            over.set()

        running = threading.Thread(target=run)
        running.start()
        while not over.wait(0.01) and not cluster.sql(
            "SELECT 1 FROM pg_stat_activity WHERE usename = 'alice' AND state = 'active'"
        ):
            pass
        done(connector, revokes(edge))
        assert not connector.sever([edge], [], fence())[0].error
        assert over.wait(5)
        running.join()


def test_who_keeps_another_edge_of_the_same_keeps_what_it_gives(cluster, connector):
    one, two = Edge("alice", ROLE), Edge("alice", SECOND)
    done(connector, grants(one, two))
    done(connector, revokes(two))
    connector.sever([two], [one], fence())
    assert can_anew(cluster)
    assert connector.sever([one], [one], fence())[0].error == ""
    with session(cluster) as open_one:
        connector.sever([one], [one], fence())  # it stays: nothing has ended
        assert can(open_one)


@pytest.mark.parametrize("committed", [False, True])
def test_our_connection_dies_at_the_commit(cluster, connector, monkeypatch, committed):
    """As when this process is killed there: all of it is done or nothing, and doing it again mends it."""
    edges = [Edge("alice", ROLE), Edge("bob", ROLE)]
    done(connector, revokes(*edges))
    fencing, times = connector.fencing, []
    commit = fencing._commit

    def dies(connection, lease):
        times.append(connection)
        if committed:
            commit(connection, lease)
        cluster.sql("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        connection.execute("SELECT 1")

    with monkeypatch.context() as patch:
        patch.setattr(fencing, "_commit", dies)
        with pytest.raises(TargetError) as caught:
            connector.apply(grants(*edges), fence())
    assert caught.value.fault is Fault.UNREACHABLE
    assert len(times) == 2, "once on the connection that was there, once on a new one"
    assert names(connector) == ({edge.name for edge in edges} if committed else set())
    done(connector, grants(*edges))
    assert names(connector) == {edge.name for edge in edges}


def test_the_server_is_restarted_in_between(cluster, connector):
    edge = Edge("alice", ROLE)
    done(connector, grants(edge))
    cluster.stop()
    cluster.start()
    assert can_anew(cluster)
    done(connector, revokes(edge))
    assert not can_anew(cluster)


def test_a_server_that_says_nothing_any_more_costs_a_bounded_time(
    cluster, membership, connector, monkeypatch
):
    from openpim.connectors.postgresql import session as ours

    connector.read()
    monkeypatch.setattr(ours, "CONNECT_SECONDS", 2)
    with cluster.frozen():
        began = now()
        with pytest.raises(TargetError) as caught:
            connector.session.run(lambda connection: connection.execute("SELECT 1"), 0.5)
        assert caught.value.fault is Fault.UNREACHABLE
        with pytest.raises(TargetError) as caught:  # which connects anew
            connector.read()
        assert caught.value.fault is Fault.UNREACHABLE
        assert now() - began < timedelta(seconds=10)
    assert names(connector) == set()


def test_a_writer_that_waits_past_the_end_of_its_lease_commits_nothing(cluster, membership):
    """By the server's clock: ours is a minute behind."""
    connector = membership.open(clock=lambda: now() - timedelta(minutes=1))
    done(connector, revokes(Edge("bob", ROLE)))
    with psycopg.connect(
        host=str(cluster.folder), port=cluster.port, user="postgres", dbname="postgres"
    ) as other:
        other.execute(f"GRANT {ROLE} TO alice" + (" GRANTED BY pim" if cluster.major >= 16 else ""))
        caught = []

        def late():
            try:
                connector.apply(grants(Edge("bob", ROLE), Edge("alice", ROLE)), fence(seconds=0.5))
            except TargetError as error:
                caught.append(error)

        writer = threading.Thread(target=late)
        writer.start()
        writer.join(0.8)
        assert writer.is_alive(), "it waits for the other"
        other.rollback()
    writer.join(10)
    connector.close()
    assert [error.fault for error in caught] == [Fault.FENCED]
    assert not cluster.sql("SELECT 1 FROM pg_auth_members WHERE member IN ('alice'::regrole, 'bob'::regrole)")


def test_four_writers_at_once_lose_nothing(cluster, membership):
    errors_seen = []

    def write(number):
        connector = membership.open()
        try:
            for _ in range(15):
                done(connector, grants(Edge("alice", ROLE), Edge("bob", SECOND)))
                done(connector, revokes(Edge("alice", ROLE), Edge("bob", SECOND)))
        except BaseException as error:  # noqa: BLE001 - told below
            errors_seen.append(error)
        finally:
            connector.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors_seen == []


def test_nobody_gets_what_others_would_share_or_nobody_could_end(cluster, connector):
    cluster.sql("CREATE ROLE team NOLOGIN; CREATE ROLE lent LOGIN; GRANT lent TO bob")
    try:
        given = [Edge(name, ROLE) for name in ("team", "lent", "postgres", "pim", SECOND, "nobody here")]
        receipts = connector.apply(grants(*given), fence())
        assert [receipt.ok for receipt in receipts] == [False] * len(given)
        assert names(connector) == set()
    finally:
        cluster.sql("DROP ROLE team; DROP ROLE lent")


def test_every_awkward_name_that_is_a_role_is_that_role_alone(cluster, membership, connector):
    roles = [name for name in AWKWARD if len(name.encode()) <= 63 and name != "user"]
    cluster.sql("; ".join(f"CREATE ROLE {quoted(name)} LOGIN" for name in roles))
    try:
        edges = [Edge(name, SECOND) for name in roles]
        done(connector, grants(*edges))
        assert names(connector) == {edge.name for edge in edges}
        for edge in edges:
            done(connector, revokes(edge))
            done(connector, grants(edge))
            assert not connector.sever([edge], [], fence())[0].error
        done(connector, revokes(*edges))
        assert names(connector) == set()
        assert {name for (name,) in cluster.sql("SELECT rolname FROM pg_roles")} > set(roles)
    finally:
        cluster.sql("; ".join(f"DROP ROLE {quoted(name)}" for name in roles))


def test_more_than_one_statement_can_hold(cluster, connector):
    people = [f"person {number}" for number in range(1100)]
    cluster.sql("; ".join(f"CREATE ROLE {quoted(name)} LOGIN" for name in people))
    try:
        edges = [Edge(name, ROLE) for name in people]
        strange = Edge("nobody", ROLE)
        receipts = connector.apply(grants(*edges, strange), fence())
        assert [receipt.op.edge for receipt in receipts if not receipt.ok] == [strange]
        assert names(connector) == {edge.name for edge in edges}
        done(connector, revokes(*edges))
        assert names(connector) == set()
    finally:
        cluster.sql("; ".join(f"DROP ROLE {quoted(name)}" for name in people))


def test_what_somebody_passed_on_goes_with_it(cluster, connector):
    by = " GRANTED BY pim" if cluster.major >= 16 else ""
    cluster.sql(f"GRANT {ROLE} TO alice WITH ADMIN OPTION{by}")
    with session(cluster) as open_one:
        open_one.execute(f"GRANT {ROLE} TO bob")
    assert names(connector) == {("alice", ROLE, ""), ("bob", ROLE, "")}
    done(
        connector,
        revokes(Edge("bob", ROLE), Edge("alice", ROLE))
        if cluster.major < 16
        else revokes(Edge("alice", ROLE)),
    )
    assert names(connector) == set()


def test_what_a_superuser_granted_and_we_may_not_take_is_told(cluster, connector):
    if cluster.major < 16:
        return
    cluster.sql(f"GRANT {ROLE} TO alice")
    done(connector, grants(Edge("alice", ROLE)))
    (receipt,) = connector.apply(revokes(Edge("alice", ROLE)), fence())
    assert "'postgres'" in receipt.error
    assert names(connector) == {("alice", ROLE, "")}
