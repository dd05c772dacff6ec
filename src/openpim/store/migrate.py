"""Brings a database to the tables of this release. Alembic is only imported when there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from openpim.ports.store import StoreUnavailableError
from openpim.store.database import Database

HEAD = "0001"
_FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Run what is missing. Safe when several processes start at once (they queue on one lock).

    Raises StoreUnavailableError when the database cannot be reached, or is newer than this release.
    """
    database = Database(url)
    engine = database.engine
    try:
        if _current(engine) == HEAD:
            return
        _run(engine)
    except OperationalError as error:
        msg = (
            f"the database cannot be reached: {str(error.orig).strip().splitlines()[0] if error.orig else ''}"
        )
        raise StoreUnavailableError(msg) from error
    finally:
        database.close()


def _current(engine: Engine) -> str | None:
    with engine.connect() as connection:
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DBAPIError as error:
            if "alembic_version" in str(error):
                return None
            raise


def _run(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 - a tenth of a second that most starts need not pay
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(72117001)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        msg = f"the database does not fit this release of OpenPIM: {error}"
        raise StoreUnavailableError(msg) from error
