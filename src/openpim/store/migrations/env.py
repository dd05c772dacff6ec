"""Alembic's entry: runs migrations on the connection that store/migrate.py hands over."""

from __future__ import annotations

from alembic import context

import openpim.store.transaction  # noqa: F401 - for its effect: it brings every table onto the metadata
from openpim.store.schema import metadata
from openpim.store.statistics import write_statistics

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_item=context.config.attributes.get("render_item"),
)
with context.begin_transaction():
    context.run_migrations()
    write_statistics(context.get_bind())
