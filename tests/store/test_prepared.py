"""Prepared statements say what `Connection.execute` says: the same rows and errors, and whoever listens hears them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from openpim.ports.store import StoreUnavailableError
from openpim.store.database import Database
from openpim.store.prepared import _CURSOR, Prepared
from openpim.store.principals import principals
from tests.world import World

_c = principals.c
_one = select(principals).where(_c.tenant_id == bindparam("tenant"), _c.id == bindparam("id"))
_some = (
    select(principals)
    .where(
        _c.tenant_id == bindparam("tenant"),
        _c.id.in_(bindparam("ids", expanding=True)),
        _c.kind.in_(["user", "group"]),
        _c.created_at <= bindparam("now"),
    )
    .order_by(_c.id)
)
ONE, SOME = Prepared(_one), Prepared(_some, "ids")
RENAME = Prepared(update(principals).where(_c.tenant_id == bindparam("b_tenant"), _c.id == bindparam("b_id")))
ADD = Prepared(insert(principals))


@pytest.fixture
def connection(world: World) -> Iterator[Connection]:
    """Of a transaction that is undone in the end."""
    with world.database.engine.connect() as found, found.begin() as transaction:
        yield found
        transaction.rollback()


def _same(connection: Connection, world: World, ids: list[str]) -> list[dict[str, Any]]:
    given = {"tenant": world.tenant_id, "ids": ids, "now": world.now}
    expected = [dict(row) for row in connection.execute(_some, given).mappings()]
    assert SOME.rows(connection, given) == expected
    assert [tuple(row) for row in SOME.tuples(connection, given)] == [tuple(row.values()) for row in expected]
    return expected


def test_the_same_rows(world: World, connection: Connection) -> None:
    people = sorted(world.people.values())
    for count in range(6):
        found = _same(connection, world, people[:count])
        assert [row["id"] for row in found] == people[:count]
    given = {"tenant": world.tenant_id, "id": world.ann}
    assert ONE.first(connection, given) == dict(connection.execute(_one, given).mappings().one())
    assert ONE.first(connection, {**given, "id": "nobody"}) is None


def test_what_is_written_is_there(world: World, connection: Connection) -> None:
    old = ONE.first(connection, {"tenant": world.tenant_id, "id": world.ann})
    assert old is not None
    key = {"b_tenant": world.tenant_id, "b_id": world.ann}
    assert RENAME.run(connection, {**key, "display_name": "Other", "enabled": False}) == 1
    assert RENAME.run(connection, {**key, "b_id": "nobody", "deleted_at": world.now}) == 0
    now = ONE.first(connection, {"tenant": world.tenant_id, "id": world.ann})
    assert now == {**old, "display_name": "Other", "enabled": False}
    more = [{**old, "id": f"made-{number}"} for number in range(3)]
    for rows in ([], more[:1], more[1:]):
        ADD.run_all(connection, rows)
    assert _same(connection, world, [row["id"] for row in more]) == more


def test_errors_are_sqlalchemys(world: World, connection: Connection) -> None:
    there = ONE.first(connection, {"tenant": world.tenant_id, "id": world.ann})
    assert there is not None
    with pytest.raises(IntegrityError) as raised, connection.begin_nested():
        ADD.run(connection, there)
    assert not raised.value.connection_invalidated
    assert there["display_name"] not in str(raised.value), "no values in what is logged"
    assert ONE.first(connection, {"tenant": world.tenant_id, "id": world.ann}) == there, "goes on after it"


def test_a_value_too_few_is_an_error(world: World, connection: Connection) -> None:
    with pytest.raises(KeyError):
        ONE.first(connection, {"tenant": world.tenant_id})
    with pytest.raises(KeyError):
        SOME.rows(connection, {"tenant": world.tenant_id, "now": world.now})


def test_who_listens_hears_it(world: World, connection: Connection) -> None:
    heard: list[Any] = []

    def before(_connection: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:
        heard.append((sql, parameters, many))

    given = {"tenant": world.tenant_id, "ids": [world.ann, world.bob], "now": world.now}
    event.listen(world.database.engine, "before_cursor_execute", before)
    try:
        SOME.rows(connection, given)
        connection.execute(_some, given)
    finally:
        event.remove(world.database.engine, "before_cursor_execute", before)
    assert len(heard) == 2
    assert heard[0] == heard[1], "the same statement to the database"


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_connection_that_was_cut_is_thrown_away(own_world: World) -> None:
    world = own_world
    cut = text("SELECT pg_terminate_backend(:pid)")
    with world.database.engine.connect() as connection:
        transaction = connection.begin()
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        world.read(lambda tx: tx.connection.execute(cut, {"pid": pid}).all())
        with pytest.raises(DBAPIError) as raised:
            ONE.first(connection, {"tenant": world.tenant_id, "id": world.ann})
        assert raised.value.connection_invalidated
        assert connection.invalidated
        transaction.rollback()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_where_one_connection_was_cut_the_others_of_then_are_not_tried(own_world: World) -> None:
    """The server was restarted while there were more of them than times that a unit of work is tried."""
    world = own_world
    given = {"tenant": world.tenant_id, "id": world.ann}
    for engine in (world.database.reading_engine, world.database.engine):
        with ExitStack() as held:
            for _ in range(6):
                ONE.first(held.enter_context(engine.connect()), given)
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    killer = Database(world.database.url.render_as_string(hide_password=False))
    killer.write("", lambda tx: tx.connection.execute(cut).all())
    killer.close()
    assert world.read(lambda tx: ONE.first(tx.connection, given)) is not None
    assert world.write(lambda tx: ONE.first(tx.connection, given)) is not None


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_row_that_cannot_be_taken_is_the_databases_fault(own_world: World) -> None:
    spoilt = text("UPDATE principals SET display_name = CAST(x'ff' AS TEXT) WHERE id = :id")
    own_world.write(lambda tx: tx.connection.execute(spoilt, {"id": own_world.ann}))
    given = {"tenant": own_world.tenant_id, "ids": sorted(own_world.people.values()), "now": own_world.now}
    with pytest.raises(StoreUnavailableError):
        own_world.read(lambda tx: SOME.rows(tx.connection, given))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_who_is_interrupted_leaves_no_half_used_connection(own_world: World) -> None:
    class Interrupted:
        def execute(self, *_: Any) -> None:
            raise KeyboardInterrupt

    with own_world.database.reading_engine.connect() as connection:
        connection.info[_CURSOR] = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            ONE.first(connection, {"tenant": own_world.tenant_id, "id": own_world.ann})
        assert connection.invalidated
