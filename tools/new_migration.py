"""Writes the migration that brings the newest one up to today's tables: `python -m tools.new_migration 0002 "why"`.

Read what it wrote before you commit it, and set HEAD in src/openpim/store/migrate.py to the new number.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

from openpim.store.database import Database
from openpim.store.schema import tell_postgresql

FOLDER = Path(__file__).parent.parent / "src/openpim/store/migrations"


def render(kind: str, item: Any, _context: Any) -> str | bool:
    if kind == "type" and type(item).__name__ == "Instant":
        return "Instant()"
    return False


def main(revision: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            config.attributes["render_item"] = render
            tell_postgresql()
            if list((FOLDER / "versions").glob("0*.py")):
                command.upgrade(config, "head")
            command.revision(config, message=message, autogenerate=True, rev_id=revision)
        database.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
