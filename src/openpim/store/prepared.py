"""Statements that are the same at each run, compiled once.

SQLAlchemy writes their text, and turns values into those of the database and back. Run by `Connection.execute`, each is looked
up in a cache, and gets an object for the run and one for its result: more work than the driver and the database together
have with a row. What is left here is what the driver needs. Errors and listeners are as there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Insert, RowMapping, Select
from sqlalchemy.sql.dml import UpdateBase

T = TypeVar("T")
Row = dict[str, Any]
AnyRow = RowMapping | Row  # what reads a row takes it from either road
_Convert = Callable[[Any], Any]
_CURSOR = "openpim-cursor"
_ROWS: Callable[[Any], Sequence[Sequence[Any]]] = methodcaller("fetchall")
_WRITTEN: Callable[[Any], int] = attrgetter("rowcount")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """sql: as the driver wants it. order: its parameters by place, each the name of the value and what converts it; None
    for a driver that takes them by name: then named, each with the driver's name for it before. constants: values that
    the statement itself has. columns: the names of what it answers. results: of which columns the values are converted, by place
    and name."""

    sql: str
    order: tuple[tuple[str, _Convert | None], ...] | None
    named: tuple[tuple[str, str, _Convert | None], ...]
    constants: Mapping[str, Any]
    columns: tuple[str, ...]
    results: tuple[tuple[int, str, _Convert], ...]

    def parameters(self, given: Mapping[str, Any]) -> Any:
        values = {**self.constants, **given} if self.constants else given
        if self.order is not None:
            return tuple([values[name] if kept is None else kept(values[name]) for name, kept in self.order])
        return {
            place: values[name] if kept is None else kept(values[name]) for place, name, kept in self.named
        }


class Prepared:
    """A statement made at import. Of the values it is run with, each parameter has one; for an INSERT or UPDATE they say
    which columns are written.

    lists: the parameters that are `expanding`. There is one text for each power of two of their values: the last value
    stands there several times, which finds nothing twice.
    """

    def __init__(self, statement: Select[Any] | UpdateBase, *lists: str) -> None:
        # inline: nobody asks for the keys that the database made.
        self.statement = statement.inline() if isinstance(statement, Insert) else statement
        self._lists = lists
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> list[Row]:
        """All rows, each by the names of its columns."""
        compiled, found = self._ask(connection, given)
        columns = compiled.columns
        rows = [dict(zip(columns, row, strict=True)) for row in found]
        for row in rows:
            for _, name, meant in compiled.results:
                row[name] = meant(row[name])
        return rows

    def first(self, connection: Connection, given: Mapping[str, Any]) -> Row | None:
        rows = self.rows(connection, given)
        return rows[0] if rows else None

    def tuples(self, connection: Connection, given: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """All rows, each with its values in the order of the columns."""
        compiled, found = self._ask(connection, given)
        if not compiled.results:
            return found
        rows = [list(row) for row in found]
        for row in rows:
            for at, _, meant in compiled.results:
                row[at] = meant(row[at])
        return rows

    def _ask(
        self, connection: Connection, given: Mapping[str, Any]
    ) -> tuple[_Compiled, Sequence[Sequence[Any]]]:
        """The rows as the driver has them."""
        values = self._spread(given) if self._lists else given
        compiled = self._for(connection, values)
        return compiled, _execute(connection, compiled.sql, compiled.parameters(values), _ROWS)

    def run(self, connection: Connection, given: Mapping[str, Any]) -> int:
        """How many rows it wrote."""
        values = self._spread(given) if self._lists else given
        compiled = self._for(connection, values)
        return _execute(connection, compiled.sql, compiled.parameters(values), _WRITTEN)

    def run_all(self, connection: Connection, given: Sequence[Mapping[str, Any]]) -> None:
        """Once for each of the values, which may be none; all have the same names."""
        if len(given) > 1:
            compiled = self._for(connection, given[0])
            rows = [compiled.parameters(one) for one in given]
            _execute(connection, compiled.sql, rows, _WRITTEN, many=True)
        elif given:  # not sent as a list of one: on PostgreSQL that costs twice as much
            self.run(connection, given[0])

    def _spread(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Each value of a list by a name of its own, as SQLAlchemy calls them."""
        values = dict(given)
        for name in self._lists:
            many = values.pop(name)
            if many:
                for at in range(1 << (len(many) - 1).bit_length()):
                    values[f"{name}_{at + 1}"] = many[min(at, len(many) - 1)]
        return values

    def _for(self, connection: Connection, given: Mapping[str, Any]) -> _Compiled:
        key = (connection.dialect.name, *given)
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(connection.dialect, given)
        return found

    def _compile(self, dialect: Dialect, given: Mapping[str, Any]) -> _Compiled:
        compiled = self.statement.compile(dialect=dialect, column_keys=list(given))
        if compiled.insert_prefetch or compiled.update_prefetch:
            msg = f"columns that fill themselves are not served: {compiled}"
            raise ValueError(msg)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        lists = {
            name: [one for one in given if one.startswith(f"{name}_") and one not in binds]
            for name in self._lists
        }
        own = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
        missing = {bind.key for name, bind in binds.items() if name not in own | lists} - given.keys()
        if missing:
            msg = f"no value for {', '.join(sorted(missing))} of {compiled}"
            raise KeyError(msg)
        state = compiled.construct_expanded_state(own | dict.fromkeys(binds.keys() - own.keys()) | lists)
        places: dict[str, tuple[str, _Convert | None]] = {}
        constants: dict[str, Any] = {}
        for name, bind in binds.items():
            kept = bind.type.dialect_impl(dialect).bind_processor(dialect)
            for one in state.parameter_expansion.get(name, [name]):
                source = bind.key if one == name and bind.key in given else one
                places[one] = source, kept
                if source not in given:
                    constants[source] = state.parameters[one]
        columns = list(self.statement.selected_columns) if isinstance(self.statement, Select) else []
        if len({column.name for column in columns}) != len(columns):
            msg = f"two columns have one name: {compiled}"
            raise ValueError(msg)
        meant = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        return _Compiled(
            state.statement,
            None if state.positiontup is None else tuple(places[name] for name in state.positiontup),
            tuple((name, *place) for name, place in places.items()),
            constants,
            tuple(column.name for column in columns),
            tuple(
                (at, column.name, one)
                for at, (column, one) in enumerate(zip(columns, meant, strict=True))
                if one is not None
            ),
        )


def _execute(
    connection: Connection, sql: str, parameters: Any, take: Callable[[Any], T], *, many: bool = False
) -> T:
    """take: what is wanted of the cursor. A connection has one, because all is taken before anything else is asked."""
    heard = connection.engine._has_events  # noqa: SLF001 - to ask the two lists costs as much as a small row
    info = connection.info
    cursor = info.get(_CURSOR)
    if cursor is None:
        cursor = info[_CURSOR] = connection.connection.cursor()
    if heard:
        for listener in connection.engine.dispatch.before_cursor_execute:
            sql, parameters = listener(connection, cursor, sql, parameters, None, many)
    try:
        if many:
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
        taken = take(cursor)  # SQLite finds a row when it is taken, so it fails there too
    except BaseException as error:  # noqa: BLE001 - raised again there
        info.pop(_CURSOR, None)
        # Other errors than the driver's are raised as they are, if no statement is named.
        said = sql if isinstance(error, connection.dialect.loaded_dbapi.Error) else None
        # What `Connection.execute` does: it throws the connection away where it must, and those of before with it.
        connection._handle_dbapi_exception(error, said, parameters, cursor, None)  # noqa: SLF001
    if heard:
        for listener in connection.engine.dispatch.after_cursor_execute:
            listener(connection, cursor, sql, parameters, None, many)
    return taken
