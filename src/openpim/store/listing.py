"""Turns a neutral `core.query.Query` into one SQL statement: filter, order, keyset page, count.

Pages are keyset pages (the cursor carries the last row's sort values), so page 1,000 costs what page 1 costs.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    false,
    func,
    not_,
    or_,
    select,
    true,
)

from openpim.core import query as q
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.types import Instant

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPE = "\\"
LAST_CHARACTER = "\U0010ffff"


class Fields:
    """The fields a list can be asked about: name -> column.

    names: text compared without regard to case, as lower(column). folded: the same for a column that already
    holds lower-case text in binary order (`store.types.Folded`), so that an index serves prefixes too.
    filled: of the columns that may be null, those that are not in any row of these lists.
    identity: the column that makes the order total.
    """

    def __init__(
        self,
        columns: Mapping[str, ColumnElement[Any]],
        *,
        identity: str = "id",
        names: Sequence[str] = (),
        folded: Sequence[str] = (),
        filled: Sequence[str] = (),
        conditions: Mapping[str, Callable[[q.Compare], ColumnElement[bool]]] | None = None,
    ) -> None:
        self.columns = columns
        self.identity = identity
        self.names = frozenset(names)
        self.folded = frozenset(folded)
        self.filled = frozenset(filled)
        self.conditions = conditions or {}

    def column(self, field: str) -> ColumnElement[Any]:
        try:
            return self.columns[field]
        except KeyError:
            msg = f"cannot filter or sort by {field}"
            raise q.UnknownFieldError(msg) from None

    def nullable(self, field: str) -> bool:
        return field not in self.filled and bool(getattr(self.column(field), "nullable", True))


def condition(fields: Fields, where: q.Condition) -> ColumnElement[bool]:
    """The SQL of a condition. OData null semantics: `ne value` also holds for null."""
    match where:
        case q.All(parts):
            return and_(true(), *(condition(fields, part) for part in parts))
        case q.Some(parts):
            return or_(false(), *(condition(fields, part) for part in parts))
        case q.Not(part):
            return not_(func.coalesce(condition(fields, part), false()))
        case q.AnyOf(field, values):
            column = _comparable(fields, field)
            wanted = [_fold(fields, field, value) for value in values]
            present = [value for value in wanted if value is not None]
            clause: ColumnElement[bool] = column.in_(present)
            return or_(clause, column.is_(None)) if len(present) < len(wanted) else clause
        case q.Compare(field, _, _) if field in fields.conditions:
            return fields.conditions[field](where)
        case q.Compare(field, "startswith", str(value)) if field in fields.folded:
            return starts_with(fields.column(field), value)
        case q.Compare(field, op, value):
            return _compare(_comparable(fields, field), op, _fold(fields, field, value), field)


def _comparable(fields: Fields, field: str) -> ColumnElement[Any]:
    column = fields.column(field)
    return func.lower(column) if field in fields.names else column


def _fold(fields: Fields, field: str, value: q.Value) -> q.Value:
    if (field in fields.names or field in fields.folded) and isinstance(value, str):
        return value.lower()
    return value


def _compare(  # noqa: C901 - one case for each operator
    column: ColumnElement[Any], op: q.Operator, value: q.Value, field: str
) -> ColumnElement[bool]:
    _check_type(column, value, field)
    if value is None:
        if op == "eq":
            return column.is_(None)
        if op == "ne":
            return column.is_not(None)
        msg = f"{field}: null can only be compared with eq and ne"
        raise q.UnknownFieldError(msg)
    match op:
        case "eq":
            return column == value
        case "ne":
            return or_(column != value, column.is_(None))
        case "gt":
            return column > value
        case "ge":
            return column >= value
        case "lt":
            return column < value
        case "le":
            return column <= value
        case "startswith":
            return column.like(_like(value) + "%", escape=_ESCAPE)
        case "endswith":
            return column.like("%" + _like(value), escape=_ESCAPE)
        case "contains":
            return column.like("%" + _like(value) + "%", escape=_ESCAPE)


def _check_type(column: ColumnElement[Any], value: q.Value, field: str) -> None:
    if value is None:
        return
    if isinstance(column.type, Instant) != isinstance(value, datetime):
        msg = f"{field}: {value!s:.40} is not a value of this field's type"
        raise q.UnknownFieldError(msg)
    python_type = str if isinstance(column.type, Instant) else column.type.python_type
    if not isinstance(column.type, Instant) and not isinstance(value, python_type):
        msg = f"{field}: {value!s:.40} is not a value of this field's type"
        raise q.UnknownFieldError(msg)


def starts_with(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """A prefix test on a folded column, as a range that its index serves on every database."""
    folded = prefix.lower()
    return and_(column >= folded, column < folded + LAST_CHARACTER)


def _like(value: q.Value) -> str:
    text = str(value)
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("%", _ESCAPE + "%").replace("_", _ESCAPE + "_")


def page(
    connection: Connection,
    base: Select[Any],
    fields: Fields,
    query: q.Query,
    make: Callable[[Any], T],
    given: Mapping[str, Any] | None = None,
) -> q.Page[T]:
    """Run `base` with the query's filter, order and page; `make` turns a row (AnyRow) into a value.

    given: the parameters of a base that is built once; its first pages without a filter are then built once too.
    """
    statement = base
    if query.where is not None and query.where != q.All(()):
        statement = statement.where(condition(fields, query.where))
    total = None
    if query.count:
        counting = select(func.count()).select_from(statement.subquery())
        total = connection.execute(counting, given).scalar_one()
    orders = [order for order in query.order if order.field != fields.identity]
    directions = {order.field: order.descending for order in query.order}
    keys = [(order.field, order.descending) for order in orders]
    keys.append((fields.identity, directions.get(fields.identity, False)))
    if query.after is not None:
        statement = statement.where(_beyond(fields, keys, _cursor(query.after, len(keys))))
    values = {**(given or {}), "page_limit": query.limit + 1}
    rows: Sequence[AnyRow]
    if given is not None and statement is base and not query.skip:
        lists = tuple(name for name, value in given.items() if isinstance(value, list))
        rows = _prepared(base, fields, tuple(keys), lists).rows(connection, values)
    else:
        statement = _ordered_by(statement, fields, tuple(keys))
        if query.skip:
            statement = statement.offset(query.skip)
        rows = connection.execute(statement, values).mappings().all()
    shown = rows[: query.limit]
    following = None
    if len(rows) > query.limit and shown:
        following = _encode([shown[-1][f"_key{index}"] for index in range(len(keys))])
    return q.Page(tuple(make(row) for row in shown), following, total)


def _ordered_by(statement: Select[Any], fields: Fields, keys: tuple[tuple[str, bool], ...]) -> Select[Any]:
    """The statement in the order of the keys, with a column for each of them for the cursor, and as many rows as are asked
    for."""
    for field, descending in keys:
        statement = statement.order_by(_ordered(fields, field, descending))
    for index, (field, _) in enumerate(keys):
        statement = statement.add_columns(fields.column(field).label(f"_key{index}"))
    return statement.limit(bindparam("page_limit", type_=Integer))


@lru_cache(maxsize=256)
def _prepared(
    base: Select[Any], fields: Fields, keys: tuple[tuple[str, bool], ...], lists: tuple[str, ...]
) -> Prepared:
    return Prepared(_ordered_by(base, fields, keys), *lists)


def _ordered(fields: Fields, field: str, descending: bool) -> ColumnElement[Any]:
    """Where nulls go is said only where there can be some: PostgreSQL's indices serve no order that says it."""
    column = fields.column(field)
    if not fields.nullable(field):
        return column.desc() if descending else column.asc()
    return column.desc().nulls_last() if descending else column.asc().nulls_first()


def _beyond(fields: Fields, keys: list[tuple[str, bool]], values: list[Any]) -> ColumnElement[bool]:
    """Rows that sort after the cursor; nulls sort first (ascending) or last (descending)."""
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    bound: ColumnElement[bool] = (
        true()
    )  # says of the first key alone what all alternatives say: an index seeks it
    first, downward = keys[0]
    if values[0] is not None and not fields.nullable(first):
        column, typed = fields.column(first), _typed(fields.column(first), values[0], first)
        bound = column <= typed if downward else column >= typed
    for (field, descending), value in zip(keys, values, strict=True):
        column = fields.column(field)
        if value is None:
            after: ColumnElement[bool] = false() if descending else column.is_not(None)
            same: ColumnElement[bool] = column.is_(None)
        else:
            typed = _typed(column, value, field)
            after = or_(column < typed, column.is_(None)) if descending else column > typed
            same = column == typed
        alternatives.append(and_(*equal, after))
        equal.append(same)
    return and_(bound, or_(*alternatives))


def _typed(column: ColumnElement[Any], value: Any, field: str) -> Any:
    if isinstance(column.type, Instant):
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**62:
            msg = "the page cursor is not one of ours"
            raise q.UnknownFieldError(msg)
        try:
            return _EPOCH + timedelta(microseconds=value)
        except OverflowError:
            msg = "the page cursor is not one of ours"
            raise q.UnknownFieldError(msg) from None
    _check_type(column, value, field)
    return value


def _encode(values: list[Any]) -> str:
    plain = [
        (value - _EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value
        for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def _cursor(text: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if (
        not isinstance(values, list)
        or len(values) != length
        or any(not isinstance(value, str | int | None) for value in values)
        or any("\x00" in value or not _is_text(value) for value in values if isinstance(value, str))
    ):
        msg = "the page cursor is not one of ours"
        raise q.UnknownFieldError(msg)
    return values


def _is_text(value: str) -> bool:
    """Whether the database can hold it: JSON can name half a character, which no database takes."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
