from __future__ import annotations

import sqlalchemy
from sqlalchemy import text

import openpim.store.transaction  # noqa: F401 - brings every table onto the metadata
from openpim.store.schema import metadata
from openpim.store.statistics import write_statistics


def stats(connection):
    rows = connection.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE idx IS NOT NULL"))
    return {(row.tbl, row.idx): [int(number) for number in row.stat.split()] for row in rows}


def test_sqlite_is_told_about_every_index_and_it_is_the_same_again():
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        write_statistics(connection)
        first = stats(connection)
        write_statistics(connection)
        assert stats(connection) == first
        indices = connection.execute(
            text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'")
        ).all()
    assert {(row.tbl_name, row.name) for row in indices} == set(first)
    for numbers in first.values():
        assert numbers == sorted(numbers, reverse=True)
        assert numbers[-1] >= 1
    engine.dispose()


def test_a_migrated_database_has_them(database):
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            assert ("users", "ix_users_mail") in stats(connection)
        else:
            write_statistics(connection)  # does nothing
