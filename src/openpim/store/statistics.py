"""Tells SQLite's planner what big tables look like, so that plans are the same at ten rows and at ten million.

Without statistics SQLite takes any equality for a narrow one, and walks all rows of a tenant to spare a sort of
three. Its own ANALYZE would tell the truth about today only: a plan made for a small table stays when it grows.
So the table it keeps its statistics in (sqlite_stat1, https://sqlite.org/fileformat2.html#stat1tab) is filled from
what the columns mean. PostgreSQL gathers its own.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

# More than the 2^20 that SQLite expects of a recursive query: else it would read a whole table first, to build a
# Bloom filter for so many look-ups.
ROWS = 10_000_000
# How many different values a column holds within what the columns before it leave; a column that is not named here
# tells nearly everything apart.
_DISTINCT = {
    "tenant_id": 2,
    "kind": 2,
    "provider": 2,
    "status": 4,
    "role_id": 100,
    "scope": 500,  # far more in a tree, one in a directory; so that its index wins over a walk of what lasts
    "group_id": 1000,
    "unit_id": 100,
    "member_kind": 2,
    "name_key": 100_000,
    "manager_id": 100_000,
    "activity": 50,
    "category": 5,
    "result": 2,
}
_UNNAMED = ROWS


def write_statistics(connection: Connection) -> None:
    """Replace SQLite's statistics by ours; does nothing on other databases. Connections opened later use them."""
    if connection.dialect.name != "sqlite":
        return
    connection.execute(text("ANALYZE sqlite_schema"))  # makes the table when there is none
    connection.execute(text("DELETE FROM sqlite_stat1"))
    found = connection.execute(
        text(
            "SELECT tables.name AS tab, list.name AS idx, list.[unique] AS uniq, list.partial AS part, info.name AS col "
            "FROM sqlite_schema AS tables JOIN pragma_index_list(tables.name) AS list "
            "JOIN pragma_index_info(list.name) AS info "
            "WHERE tables.type = 'table' ORDER BY tables.name, list.name, info.seqno"
        )
    ).all()
    columns: dict[tuple[str, str, bool, bool], list[str]] = {}
    for row in found:
        named = (row.tab, row.idx, bool(row.uniq), bool(row.part))
        columns.setdefault(named, []).append(str(row.col))
    rows = [
        {"tab": table, "idx": index, "stat": _stat(names, unique=unique, partial=partial)}
        for (table, index, unique, partial), names in columns.items()
    ]
    if rows:
        connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tab, :idx, :stat)"), rows)
    connection.execute(text("ANALYZE sqlite_schema"))  # makes this connection read them


def _stat(columns: list[str], *, unique: bool, partial: bool = False) -> str:
    """Rows in all, then the mean number of rows that agree in the first column, the first two, and so on. A partial
    index holds few of the rows."""
    left = ROWS // 100 if partial else ROWS
    means = [left]
    for column in columns:
        left = max(left // _DISTINCT.get(column, _UNNAMED), 2)
        means.append(left)
    if unique:
        means[-1] = 1
    return " ".join(str(mean) for mean in means)
