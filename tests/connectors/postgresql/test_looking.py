"""What a probe says of the role that OpenPIM signs in as, and which servers it is never told to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.connectors.postgresql import KIND
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import SECRET, now
from tests.connectors.opening import opening
from tests.connectors.postgresql.cluster import PASSWORD
from tests.connectors.postgresql.conftest import MANAGED


@contextmanager
def opened(rig, managed=MANAGED, **more):
    connector = rig.open(managed, **more)
    try:
        yield connector
    finally:
        connector.close()


def probe_of(rig, managed=MANAGED, **more):
    with opened(rig, managed, **more) as connector:
        return connector.probe()


def test_as_the_docs_say_it_has_nothing_too_much(cluster, membership):
    probe = probe_of(membership)
    assert (probe.lacks, probe.excess) == ((), ())
    assert str(cluster.major) in probe.version


@pytest.mark.parametrize(
    ("change", "back", "lacks", "excess"),
    [
        ("REVOKE pg_signal_backend FROM pim", "GRANT pg_signal_backend TO pim", "pg_signal_backend", ""),
        ("ALTER SCHEMA openpim OWNER TO postgres", "ALTER SCHEMA openpim OWNER TO pim", "CREATE SCHEMA", ""),
        ("ALTER ROLE pim SUPERUSER", "ALTER ROLE pim NOSUPERUSER", "", "NOSUPERUSER"),
        ("ALTER ROLE pim CREATEROLE", "ALTER ROLE pim NOCREATEROLE", "", "NOCREATEROLE"),
        ("ALTER ROLE pim BYPASSRLS CREATEDB", "ALTER ROLE pim NOBYPASSRLS NOCREATEDB", "", "NOBYPASSRLS"),
        ("GRANT treasurer TO pim WITH ADMIN OPTION", "REVOKE treasurer FROM pim", "", "treasurer"),
        ("GRANT pg_read_all_data TO pim", "REVOKE pg_read_all_data FROM pim", "", "pg_read_all_data"),
        ("ALTER ROLE payroll_admin LOGIN", "ALTER ROLE payroll_admin NOLOGIN", "", "can sign in itself"),
        ("ALTER ROLE payroll_admin SUPERUSER", "ALTER ROLE payroll_admin NOSUPERUSER", "is a superuser", ""),
    ],
)
def test_what_it_lacks_and_what_it_has_too_much_is_told_with_what_to_run(
    cluster, membership, change, back, lacks, excess
):
    cluster.sql(change)
    try:
        probe = probe_of(membership)
    finally:
        cluster.sql(back)
    assert probe.fit == (not lacks)
    assert any(lacks in one for one in probe.lacks) or not lacks
    assert any(excess in one for one in probe.excess) or not excess


def test_a_role_that_is_not_there_or_may_not_be_given(membership, cluster):
    probe = probe_of(membership, (*MANAGED, "treasurer", 'no"where'))
    assert "treasurer" in probe.lacks[0]
    assert '"no""where"' in probe.lacks[1]


def test_having_what_it_gives_is_too_much(membership, cluster):
    change, back = (
        (
            "GRANT payroll_admin TO pim WITH INHERIT TRUE, SET TRUE",
            "GRANT payroll_admin TO pim WITH INHERIT FALSE, SET FALSE",
        )
        if cluster.major >= 16
        else ("ALTER ROLE pim INHERIT", "ALTER ROLE pim NOINHERIT")
    )
    cluster.sql(change)
    try:
        assert back.split()[-1] in probe_of(membership).excess[0]
    finally:
        cluster.sql(back)


def test_the_mode_jit_needs_createrole_which_is_too_much_before_16(membership, jit, cluster):
    probe = probe_of(jit)
    assert probe.fit
    assert bool(probe.excess) == (cluster.major < 16)
    cluster.sql("ALTER ROLE pim NOCREATEROLE")
    assert "CREATEROLE" in probe_of(jit).lacks[0]


def test_clocks_that_are_apart_are_told(membership):
    assert "clock" in probe_of(membership, clock=lambda: now() + timedelta(minutes=1)).lacks[0]


def test_a_fence_that_others_own_is_not_trusted(membership, cluster):
    from tests.connectors.contract import fence, revokes

    cluster.sql("CREATE TABLE openpim.fence (target text PRIMARY KEY, epoch bigint NOT NULL)")
    with opened(membership) as connector, pytest.raises(TargetError) as caught:
        connector.apply(revokes(membership.edge("alice", MANAGED[0], None)), fence())
    assert caught.value.fault is Fault.REFUSED


@pytest.mark.parametrize(
    ("settings", "secrets", "fault"),
    [
        ({"ca": ""}, {}, Fault.UNREACHABLE),
        ({"host": "127.0.0.1"}, {}, Fault.UNREACHABLE),  # not in the certificate
        ({"sslmode": "require", "user": "trusting", "ca": ""}, {}, Fault.REFUSED),  # asks for no proof
        ({}, {"password": SECRET}, Fault.REFUSED),
        ({"database": "nowhere"}, {}, Fault.UNREACHABLE),
    ],
)
def test_a_server_that_is_not_the_one_gets_nothing(membership, cluster, settings, secrets, fault):
    if not cluster.tls:
        return
    with opened(membership, secrets=secrets or {"password": PASSWORD}, **settings) as connector:
        with pytest.raises(TargetError) as caught:
            connector.read()
        assert SECRET not in str(caught.value)
    assert caught.value.fault is fault


def test_an_address_that_the_operator_does_not_allow_is_not_called(membership):
    made = opening(KIND, MANAGED, membership.settings, {"password": PASSWORD})
    with pytest.raises(TargetError) as caught:
        KIND.open(replace(made, outbound=GuardedOutbound([]))).read()
    assert "[outbound] allow" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "/run/postgresql"),
        ("host", "a,b"),
        ("host", "a b"),
        ("host", ""),
        ("host", "host=other"),
        ("port", "0"),
        ("port", "5432,5433"),
        ("port", "٥"),
        ("port", "0000019999"),
        ("database", ""),
        ("user", "a\nb"),
        ("ca", "/etc/ssl/cert.pem"),
    ],
)
def test_settings_that_libpq_would_take_for_something_else_are_refused(name, value):
    settings = {one.name: one.default for one in KIND.settings} | {"host": "db.example.com", "user": "pim"}
    assert KIND.check_settings(settings) == {}
    assert set(KIND.check_settings(settings | {name: value})) == {name}
