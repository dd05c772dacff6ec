"""The migrations make exactly the tables of the code, on both databases; running them again does nothing."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from openpim.store import migrate, transaction
from openpim.store.database import Database
from openpim.store.schema import metadata

assert transaction


def test_the_migrations_make_the_tables_of_the_code(empty_database_url):
    migrate.upgrade(empty_database_url)
    migrate.upgrade(empty_database_url)
    database = Database(empty_database_url)
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


def test_head_is_the_newest_migration():
    versions = sorted(path.name[:4] for path in (migrate._FOLDER / "versions").glob("0*.py"))
    assert versions[-1] == migrate.HEAD
