"""Brings a database to the tables of this release.

One that is empty gets them from the code, which spares the server to load Alembic: ten megabytes and a tenth of a
second of every first start. Any other is migrated. tests/store/test_migrations.py holds that both come to the same.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from openpim.ports.store import StoreUnavailableError
from openpim.store.database import Database
from openpim.store.schema import metadata
from openpim.store.statistics import write_statistics

HEAD = "0001"
_FOLDER = Path(__file__).parent / "migrations"
# As Alembic makes it: https://alembic.sqlalchemy.org/en/latest/api/runtime.html
_VERSION = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "%(table_name)s_pkc"}),
    Column("version_num", String(32), primary_key=True),
)


def upgrade(url: str) -> None:
    """Make or migrate what is missing. Safe when several processes start at once (they queue on one lock).

    Raises StoreUnavailableError when the database cannot be reached, or is newer than this release.
    """
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            if _current(connection) == HEAD:
                return
        with database.engine.begin() as connection:
            if database.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(72117001)"))
            if inspect(connection).get_table_names():
                run_migrations(connection)
            else:
                create(connection)
    except OperationalError as error:
        msg = (
            f"the database cannot be reached: {str(error.orig).strip().splitlines()[0] if error.orig else ''}"
        )
        raise StoreUnavailableError(msg) from error
    finally:
        database.close()


def is_current(database: Database) -> bool:
    """Whether it has the tables of this release. Raises StoreUnavailableError."""
    try:
        with database.reading_engine.connect() as connection:
            return _current(connection) == HEAD
    except OperationalError as error:
        msg = "the database cannot be reached"
        raise StoreUnavailableError(msg) from error


def _current(connection: Connection) -> str | None:
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        if "alembic_version" in str(error):
            return None
        raise


def create(connection: Connection) -> None:
    """The tables in an empty database, marked as migrated. Indices in one order, as migrations make them: SQLAlchemy's
    own is chance, and of two that serve a query alike SQLite takes the later one."""
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            connection.execute(CreateIndex(index))
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().values(version_num=HEAD))
    write_statistics(connection)


def run_migrations(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - most starts need not pay for it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        msg = f"the database does not fit this release of OpenPIM: {error}"
        raise StoreUnavailableError(msg) from error
