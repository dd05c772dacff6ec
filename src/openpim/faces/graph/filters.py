"""Translates what a client asked of a list (`$filter`, `$orderby`, `$top`, …) into the neutral `core.query.Query`.

Each resource says, property by property, what may be asked and which field of the model it means. Everything that is
not said is refused with 400, so that no question is answered wrongly by being ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from openpim.core import query as q
from openpim.wire import instants, odata
from openpim.wire.enums import lookup
from openpim.wire.errors import WireError, shown
from openpim.wire.odata import ODataError

EVERY: Final = q.All(())
NONE: Final = q.Some(())
_TEXT_FUNCTIONS: Final[frozenset[str]] = frozenset({"startswith", "endswith", "contains"})
MOST_PARTS: Final = 400


@dataclass(frozen=True, slots=True)
class Property:
    """One property as lists know it. order: the field to sort by, "" when it cannot be sorted by.

    compare(op, literal) gives the condition; it raises ODataError when the value makes no sense there.
    """

    compare: Callable[[q.Operator, odata.Literal], q.Condition]
    order: str = ""


Properties = Mapping[str, Property]


def refused(message: str) -> ODataError:
    return ODataError("$filter", message)


# ---------------------------------------------------------------- the kinds of properties


def text(field: str, *, lower: bool = False, sortable: bool = True) -> Property:
    """A text (or id: lower). Compares as the store's list says."""

    def compare(op: q.Operator, literal: odata.Literal) -> q.Condition:
        value = literal.value
        if value is None:
            return _null(field, op)
        if not isinstance(value, str):
            raise refused(f"{shown(str(value))} is not a text")
        if "\x00" in value:
            return NONE if op != "ne" else EVERY
        return q.Compare(field, op, value.lower() if lower else value)

    return Property(compare, field if sortable else "")


def guid(field: str, *, sortable: bool = True) -> Property:
    return text(field, lower=True, sortable=sortable)


def word(field: str, words: type[StrEnum], *, strict: bool = False, sortable: bool = True) -> Property:
    """One of `words`, in any case. strict: an unknown word is an error, otherwise it matches nothing."""

    def compare(op: q.Operator, literal: odata.Literal) -> q.Condition:
        value = literal.value
        if value is None:
            return _null(field, op)
        found = lookup(words, value) if isinstance(value, str) else None
        if found is None and op in _TEXT_FUNCTIONS and isinstance(value, str):
            matching = [one for one in words if _fits(op, one.value, value)]
            return q.AnyOf(field, tuple(one.value for one in matching)) if matching else NONE
        if found is None:
            if strict:
                raise refused(f"{shown(str(value))} is none of {', '.join(words)}")
            return NONE if op != "ne" else EVERY
        return q.Compare(field, op, found.value)

    return Property(compare, field if sortable else "")


def _fits(op: str, text_: str, part: str) -> bool:
    low, want = text_.lower(), part.lower()
    if op == "contains":
        return want in low
    return low.startswith(want) if op == "startswith" else low.endswith(want)


def instant(field: str, *, sortable: bool = True) -> Property:
    def compare(op: q.Operator, literal: odata.Literal) -> q.Condition:
        value = literal.value
        if value is None:
            return _null(field, op)
        if isinstance(value, str):
            try:
                value = instants.parse_datetime(value, first_year=1)
            except WireError as error:
                raise refused(str(error)) from None
        if not isinstance(value, datetime) or op in _TEXT_FUNCTIONS:
            raise refused(f"{shown(str(value))} is not a date and time")
        return q.Compare(field, op, value)

    return Property(compare, field if sortable else "")


def boolean(field: str) -> Property:
    def compare(op: q.Operator, literal: odata.Literal) -> q.Condition:
        value = literal.value
        if value is None:
            return _null(field, op)
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            value = value.lower() == "true"
        if not isinstance(value, bool) or op not in {"eq", "ne"}:
            raise refused(f"{shown(str(value))} is neither true nor false")
        return q.Compare(field, op, value)

    return Property(compare, field)


def constant(value: str | bool | None) -> Property:
    """A property that is the same in every row."""

    def compare(op: q.Operator, literal: odata.Literal) -> q.Condition:
        left, right = value, literal.value
        if isinstance(left, str) and isinstance(right, str):
            left, right = left.lower(), right.lower()
        if op in {"eq", "ne"}:
            return EVERY if (left == right) is (op == "eq") else NONE
        if op in _TEXT_FUNCTIONS and isinstance(left, str) and isinstance(right, str):
            return EVERY if _fits(op, left, right) else NONE
        return NONE

    return Property(compare)


def decided(choose: Callable[[str | None], q.Condition]) -> Property:
    """A property that is derived: `choose(value)` is the condition of equality; only eq and ne make sense."""

    def compare(op: q.Operator, literal: odata.Literal) -> q.Condition:
        if op not in {"eq", "ne"}:
            raise refused("this property can only be compared with eq and ne")
        value = literal.value
        if value is not None and not isinstance(value, str):
            raise refused(f"{shown(str(value))} is not a text")
        found = choose(value)
        return found if op == "eq" else q.Not(found)

    return Property(compare)


def _null(field: str, op: q.Operator) -> q.Condition:
    if op not in {"eq", "ne"}:
        raise refused("null can only be compared with eq and ne")
    return q.Compare(field, op, None)


# ---------------------------------------------------------------- the translation


def condition(expr: odata.Expr, properties: Properties) -> q.Condition:
    """The condition that `$filter` states. Raises ODataError for what these properties cannot be asked."""
    return _Translation(properties).of(expr)


class _Translation:
    def __init__(self, properties: Properties) -> None:
        self.properties = properties
        self.parts = 0

    def of(self, expr: odata.Expr) -> q.Condition:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise refused(f"has more than {MOST_PARTS} conditions")
        match expr:
            case odata.And(terms=terms):
                return q.All(tuple(self.of(term) for term in terms))
            case odata.Or(terms=terms):
                return _some([self.of(term) for term in terms])
            case odata.Not(term=term):
                return q.Not(self.of(term))
            case odata.In(left=left, values=values):
                field = self.property(left)
                return _some([field.compare("eq", value) for value in values])
            case odata.Compare():
                return self.compared(expr)
            case odata.Call():
                return self.called(expr)
            case odata.Lambda():
                return self.quantified(expr)
            case odata.Literal(value=value):
                if not isinstance(value, bool):
                    raise refused("this is not a condition")
                return EVERY if value else NONE
            case odata.Path():
                return self.property(expr).compare("eq", odata.Literal(value=True, kind="boolean"))

    def property(self, operand: odata.Expr) -> Property:
        if isinstance(operand, odata.Call) and operand.name in {"tolower", "toupper", "trim"}:
            return self.property(operand.args[0])
        if not isinstance(operand, odata.Path):
            raise refused("a property was expected")
        return self.named(operand.name)

    def named(self, name: str) -> Property:
        found = self.properties.get(name.lower())
        if found is None:
            raise refused(f"the property {shown(name)} is not known, or cannot be asked about here")
        return found

    def compared(self, expr: odata.Compare) -> q.Condition:
        left, right = expr.left, expr.right
        if isinstance(left, odata.Call) and left.name in _TEXT_FUNCTIONS and isinstance(right, odata.Literal):
            if not isinstance(right.value, bool) or expr.op not in {"eq", "ne"}:
                raise refused(f"{left.name} is true or false")
            inner = self.called(left)
            return inner if right.value is (expr.op == "eq") else q.Not(inner)
        if not isinstance(right, odata.Literal):
            raise refused("one side of a comparison must be a constant")
        if isinstance(left, odata.Literal):
            raise refused("one side of a comparison must be a property")
        return self.property(left).compare(_operator(expr.op), right)

    def called(self, call: odata.Call) -> q.Condition:
        if call.name == "isof":
            return self.isof(call)
        if call.name not in _TEXT_FUNCTIONS or len(call.args) != 2:
            raise refused(f"the function {call.name} cannot be used here")
        value = call.args[1]
        if not isinstance(value, odata.Literal) or not isinstance(value.value, str):
            raise refused(f"{call.name} takes a property and a text")
        return self.property(call.args[0]).compare(_operator(call.name), value)

    def isof(self, call: odata.Call) -> q.Condition:
        if len(call.args) != 1:
            raise refused("isof takes the name of a type here")
        wanted = call.args[0]
        name = wanted.value if isinstance(wanted, odata.Literal) else getattr(wanted, "name", None)
        return self.named("@odata.type").compare("eq", odata.Literal(str(name), "string"))

    def quantified(self, expr: odata.Lambda) -> q.Condition:
        """`targetResources/any(t:t/id eq 'x')`: the property is named `targetresources/any/id`."""
        if expr.quantifier != "any" or expr.body is None or expr.variable is None:
            raise refused("of collections only any(x: …) can be asked")
        prefix = f"{expr.path.name}/any".lower()
        inner = {
            name[len(prefix) :].lstrip("/"): found
            for name, found in self.properties.items()
            if name == prefix or name.startswith(f"{prefix}/")
        }
        if not inner:
            raise refused(
                f"the collection {shown(expr.path.name)} is not known, or cannot be asked about here"
            )
        if isinstance(expr.body, odata.And):
            raise refused("inside any() only one thing can be asked")
        variable = expr.variable.lower()
        renamed = {f"{variable}/{name}" if name else variable: found for name, found in inner.items()}
        return _Translation(renamed).of(expr.body)


_OPERATORS: Final[dict[str, q.Operator]] = {
    "eq": "eq",
    "ne": "ne",
    "gt": "gt",
    "ge": "ge",
    "lt": "lt",
    "le": "le",
    "startswith": "startswith",
    "endswith": "endswith",
    "contains": "contains",
}


def _operator(name: str) -> q.Operator:
    return _OPERATORS[name]


def _some(parts: list[q.Condition]) -> q.Condition:
    """`or`; equalities of one field become one `AnyOf`, which an index serves."""
    fields = {part.field for part in parts if isinstance(part, q.Compare) and part.op == "eq"}
    if len(fields) == 1 and all(isinstance(part, q.Compare) and part.op == "eq" for part in parts):
        values = tuple(part.value for part in parts if isinstance(part, q.Compare))
        return q.AnyOf(fields.pop(), values)
    return q.Some(tuple(parts))


def orders(keys: tuple[odata.OrderBy, ...], properties: Properties) -> tuple[q.Order, ...]:
    """The order that `$orderby` states."""
    found = []
    for key in keys:
        known = properties.get(key.name.lower())
        if known is None or not known.order:
            raise ODataError(
                "$orderby", f"the property {shown(key.name)} is not known, or cannot be sorted by here"
            )
        found.append(q.Order(known.order, key.descending))
    return tuple(found)


def build(
    options: odata.QueryOptions,
    properties: Properties,
    *,
    default: int = 100,
    order: tuple[q.Order, ...] = (),
    extra: q.Condition | None = None,
) -> q.Query:
    """The whole question. extra: a condition that holds besides what was asked. order: when none was asked for."""
    where = condition(options.filter, properties) if options.filter is not None else None
    if extra is not None:
        where = extra if where is None else q.All((where, extra))
    return q.Query(
        where=where,
        order=orders(options.orderby, properties) or order,
        limit=options.page_size(default),
        after=options.skiptoken,
        skip=options.skip,
        count=options.count,
    )
