"""The databases that tests are given: fresh, apart, and really of the kind they say."""

from __future__ import annotations

import socket

import psycopg
import pytest
import sqlalchemy


def _tables(url: str) -> set[str]:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    return set(sqlalchemy.inspect(engine).get_table_names())


def _run(url: str, statement: str) -> list[tuple]:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def test_an_empty_database_is_of_its_kind_and_has_no_table(empty_database_url, database_kind):
    assert sqlalchemy.make_url(empty_database_url).get_backend_name() == database_kind
    assert _tables(empty_database_url) == set()


def test_a_database_has_the_tables_and_the_next_one_is_another(database_url, new_database):
    assert _tables(database_url)
    assert _tables(new_database()) == _tables(database_url)
    assert new_database() != database_url


@pytest.mark.parametrize("_turn", [1, 2])
def test_what_one_test_writes_the_next_does_not_see(empty_database_url, _turn):
    _run(empty_database_url, "CREATE TABLE left_behind (a INTEGER)")
    assert _tables(empty_database_url) == {"left_behind"}


def test_the_server_does_not_help_with_time(postgres_server):
    name = "test_zone"
    postgres_server.create(name)
    try:
        assert _run(postgres_server.url(name), "SHOW timezone") == [("America/New_York",)]
    finally:
        postgres_server.drop(name)


def test_the_server_is_not_reachable_over_the_network(postgres_server):
    with psycopg.connect(
        host=str(postgres_server.folder / "socket"), user="postgres", dbname="postgres"
    ) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_template_is_filled_once(postgres_server):
    filled = []

    def fill(url: str) -> None:
        filled.append(url)
        _run(url, "CREATE TABLE from_template (a INTEGER)")

    name = postgres_server.template("test_template_once", fill)
    assert postgres_server.template("test_template_once", fill) == name
    assert len(filled) <= 1  # another test process may have been first
    postgres_server.create("test_copy", template=name)
    try:
        assert _tables(postgres_server.url("test_copy")) == {"from_template"}
    finally:
        postgres_server.drop("test_copy")


def test_tests_cannot_reach_another_machine():
    with socket.socket() as outside, pytest.raises(PermissionError, match="stay on this machine"):
        outside.connect(("192.0.2.1", 80))
