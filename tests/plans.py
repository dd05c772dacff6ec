"""Looks at how a database answers a statement: the scans in its plan, and the work that is really done.

SQLite counts the steps of its machine, PostgreSQL the rows that are touched: both stay the same on a busy machine, as
seconds do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from openpim.store.database import Database

Statement = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """scan: the big table that the plan reads from end to end, or None. work: steps or rows. plan: as text."""

    scan: str | None
    work: int
    plan: str


@contextmanager
def noted(database: Database) -> Iterator[list[Statement]]:
    """Every query that is made meanwhile, on either engine."""
    found: list[Statement] = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if statement.lstrip().upper().startswith(("SELECT", "WITH")) and not executemany:
            found.append((statement, parameters))

    engines = (database.engine, database.reading_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def look(database: Database, statement: str, parameters: Any, big: Collection[str]) -> Look:
    """big: the tables that must not be scanned."""
    with database.reading_engine.connect() as connection:
        if database.dialect == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            shown = "\n".join(str(row[-1]) for row in rows)
            scan = re.search(rf"SCAN ({'|'.join(big)})\b|AUTOMATIC|BLOOM", shown)
            return Look(scan and scan[0], _steps(connection, statement, parameters), shown)
        # What it would do at ten million rows it does here: a scan only where nothing else is left.
        connection.exec_driver_sql("SET enable_seqscan = off")
        plain = statement.replace("FOR UPDATE SKIP LOCKED", "")
        found = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {plain}", parameters).scalar()
        connection.exec_driver_sql("RESET enable_seqscan")
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        return Look(_scanned(plan, big), _touched(plan), json.dumps(plan, indent=1))


def _scanned(plan: dict[str, Any], big: Collection[str]) -> str | None:
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in big:
        return str(plan["Relation Name"])
    return next((found for part in plan.get("Plans", ()) if (found := _scanned(part, big))), None)


def _touched(plan: dict[str, Any]) -> int:
    """Rows that the scans of a plan read, shown or not."""
    own = 0
    if "Scan" in plan["Node Type"]:
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        own = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return int(own + sum(_touched(part) for part in plan.get("Plans", ())))


def _steps(connection: Any, statement: str, parameters: Any) -> int:
    """How many steps SQLite's machine makes, to the hundred."""
    raw = connection.connection.dbapi_connection
    count = [0]

    def tick() -> int:
        count[0] += 100
        return 0

    raw.set_progress_handler(tick, 100)
    try:
        connection.exec_driver_sql(statement, parameters).all()
    finally:
        raw.set_progress_handler(None, 0)
    return count[0]
