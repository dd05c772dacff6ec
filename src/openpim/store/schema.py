"""The one MetaData that all tables hang on, with predictable constraint names (migrations need them)."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def tell_postgresql() -> None:
    """Conditions of indices are written once, as `sqlite_where`; this gives them to PostgreSQL too, before anything is made
    there. To write `postgresql_where` beside them would load that dialect, two megabytes, into every server."""
    for table in metadata.tables.values():
        for index in table.indexes:
            condition = index.dialect_options["sqlite"]["where"]
            if condition is not None:
                index.dialect_options["postgresql"]["where"] = condition
