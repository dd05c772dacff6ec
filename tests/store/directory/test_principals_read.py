"""A unit of work remembers the principals it has read, and never tells what is no longer so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from openpim.core.directory import User, UserType
from openpim.store.database import Database

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TENANT = "7e000000-0000-4000-8000-000000000000"
ANN = User("a0000000-0000-4000-8000-000000000000", "Ann", "ann@x.test", UserType.MEMBER, True, NOW)


@pytest.fixture
def database(database_url):
    made = Database(database_url)
    made.write(TENANT, lambda tx: tx.users.add(ANN))
    yield made
    made.close()


def test_what_it_writes_is_read_at_once(database):
    def work(tx):
        assert tx.principals.get(ANN.id).enabled
        tx.users.save(replace(ANN, enabled=False))
        assert not tx.principals.get(ANN.id).enabled
        assert not tx.in_tenant(TENANT).principals.get(ANN.id).enabled
        tx.users.remove(ANN.id, NOW)
        assert tx.principals.get(ANN.id) is None
        assert tx.principals.many([ANN.id]) == {}
        assert tx.principals.get(ANN.id, deleted=True).deleted_at == NOW
        assert tx.principals.get(ANN.id) is None

    database.write(TENANT, work)


def test_what_is_undone_was_never_there(database):
    def work(tx):
        with tx.savepoint() as point:
            tx.users.save(replace(ANN, display_name="Undone"))
            assert tx.principals.get(ANN.id).display_name == "Undone"
            point.roll_back()
        assert tx.principals.get(ANN.id).display_name == "Ann"

    database.write(TENANT, work)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)  # SQLite has one writer
def test_a_lock_reads_what_others_have_written_meanwhile(database):
    def work(tx):
        assert tx.principals.get(ANN.id).enabled
        database.write(TENANT, lambda other: other.users.save(replace(ANN, enabled=False)))
        tx.lock_principal(ANN.id)
        assert not tx.principals.get(ANN.id).enabled

    database.write(TENANT, work)


def test_units_of_work_share_nothing(database):
    assert database.read(TENANT, lambda tx: tx.principals.get(ANN.id)).enabled
    database.write(TENANT, lambda tx: tx.users.save(replace(ANN, enabled=False)))
    assert not database.read(TENANT, lambda tx: tx.principals.get(ANN.id)).enabled
    assert database.read("", lambda tx: tx.principals.get(ANN.id)) is None
