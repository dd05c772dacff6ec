"""The migrations make exactly the tables of the code, which an empty database gets at once; running them again does
nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select

from openpim.ports.store import StoreUnavailableError
from openpim.store import migrate, transaction
from openpim.store.database import Database
from openpim.store.schema import metadata

assert transaction


def shape(connection: Connection) -> dict[str, Any]:
    """All that is said about the tables."""
    found = inspect(connection)
    return {
        table: (
            {one["name"]: (repr(one["type"]), one["nullable"], one["default"]) for one in columns},
            found.get_pk_constraint(table),
            sorted(map(_words, found.get_indexes(table))),
            sorted(map(repr, found.get_unique_constraints(table))),
            sorted(map(repr, found.get_foreign_keys(table))),
            sorted(map(repr, found.get_check_constraints(table))),
        )
        for table in found.get_table_names()
        for columns in [found.get_columns(table)]
    }


def _words(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return repr({**index, "dialect_options": options})


def versions(connection: Connection) -> list[str]:
    return list(connection.execute(select(migrate._VERSION)).scalars())


def statistics(connection: Connection) -> Any:
    if connection.dialect.name != "sqlite":
        return None
    told = sorted(map(tuple, connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1")))
    made = sorted(
        connection.exec_driver_sql("SELECT tbl_name, rowid, name FROM sqlite_master WHERE type = 'index'")
    )
    return told, [(table, name) for table, _, name in made]  # of two that serve alike, the order decides


def test_the_migrations_make_the_tables_of_the_code(empty_database_url):
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        migrate.run_migrations(connection)
    migrate.upgrade(empty_database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.tables.values():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}
            names = {index["name"] for index in found.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= names
    database.close()


def test_an_empty_database_gets_what_migrations_would_make(empty_database_url):
    database = Database(empty_database_url)
    with database.engine.connect() as connection:
        making = connection.begin()
        migrate.run_migrations(connection)
        migrated = shape(connection), versions(connection), statistics(connection)
        making.rollback()
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    migrate.upgrade(empty_database_url)
    migrate.upgrade(empty_database_url)
    with database.engine.connect() as connection:
        assert (shape(connection), versions(connection), statistics(connection)) == migrated
    database.close()


def test_a_first_start_does_not_load_alembic(empty_database_url):
    code = "import sys; from openpim.store.migrate import upgrade; upgrade(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, empty_database_url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_a_database_of_a_later_release_is_left_alone(database_url):
    database = Database(database_url)
    with database.engine.begin() as connection:
        connection.execute(migrate._VERSION.update().values(version_num="9999"))
    with pytest.raises(StoreUnavailableError, match="does not fit this release"):
        migrate.upgrade(database_url)
    database.close()


def test_a_database_with_other_tables_is_migrated(empty_database_url):
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE somebody_elses (id INTEGER PRIMARY KEY)")
    migrate.upgrade(empty_database_url)
    with database.engine.connect() as connection:
        assert versions(connection) == [migrate.HEAD]
        assert {"somebody_elses", "schedules"} <= set(inspect(connection).get_table_names())
    database.close()


def test_head_is_the_newest_migration():
    files = sorted(path.name[:4] for path in (migrate._FOLDER / "versions").glob("0*.py"))
    assert files[-1] == migrate.HEAD
