"""Answers a `Query` about values in memory: for the short lists that no table holds (built-in roles and such).

The same meaning as `store.listing` gives it: text that is a name compares without regard to case, `ne value` also
holds for null, nulls sort first ascending and last descending, and the order is total by id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from openpim.core import query as q

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attributes:
    """The fields a list can be asked about. Tuples hold when one of their parts does. names: ignore case."""

    fields: Collection[str]
    names: Collection[str] = ()

    def read(self, item: Any, field: str) -> Any:
        if field not in self.fields:
            raise q.UnknownFieldError(f"cannot filter or sort by {field}")
        return self.fold(field, getattr(item, field))

    def fold(self, field: str, value: Any) -> Any:
        if field in self.names and isinstance(value, str):
            return value.lower()
        return value


def matches(attributes: Attributes, where: q.Condition, item: Any) -> bool:
    """Whether the item satisfies the condition."""
    match where:
        case q.All(parts):
            return all(matches(attributes, part, item) for part in parts)
        case q.Some(parts):
            return any(matches(attributes, part, item) for part in parts)
        case q.Not(part):
            return not matches(attributes, part, item)
        case q.AnyOf(field, values):
            found = attributes.read(item, field)
            return any(attributes.fold(field, value) == found for value in values)
        case q.Compare(field, op, value):
            found = attributes.read(item, field)
            wanted = attributes.fold(field, value)
            if isinstance(found, tuple):
                return any(_compare(each, op, wanted, field) for each in found)
            return _compare(found, op, wanted, field)


_TEXT: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda found, wanted: found.startswith(wanted),
    "endswith": lambda found, wanted: found.endswith(wanted),
    "contains": lambda found, wanted: wanted in found,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda found, wanted: found > wanted,
    "ge": lambda found, wanted: found >= wanted,
    "lt": lambda found, wanted: found < wanted,
    "le": lambda found, wanted: found <= wanted,
}


def _compare(found: Any, op: q.Operator, wanted: Any, field: str) -> bool:
    if found is not None and wanted is not None and type(found) is not type(wanted):
        raise q.UnknownFieldError(f"{field}: {wanted!s:.40} is not a value of this field's type")
    if op == "eq":
        return bool(found == wanted)
    if op == "ne":
        return bool(found != wanted)
    if wanted is None:
        raise q.UnknownFieldError(f"{field}: null can only be compared with eq and ne")
    if found is None:
        return False
    if op in _ORDER:
        return _ORDER[op](found, wanted)
    return _TEXT[op](str(found), str(wanted))


def page(attributes: Attributes, query: q.Query, items: Sequence[T]) -> q.Page[T]:
    """The page of the items (each with an `id`) that the query asks for. The cursor is the last item's id."""
    where = query.where
    found = [item for item in items if where is None or matches(attributes, where, item)]
    found.sort(key=lambda item: str(attributes.read(item, "id")))
    for order in reversed(query.order):
        found.sort(key=_key(attributes, order.field), reverse=order.descending)
    total = len(found) if query.count else None
    if query.after is not None:
        place = next((n for n, item in enumerate(found) if attributes.read(item, "id") == query.after), None)
        if place is None:
            raise q.UnknownFieldError("the page cursor is not one of ours")
        found = found[place + 1 :]
    found = found[query.skip :]
    shown = found[: query.limit]
    following = str(attributes.read(shown[-1], "id")) if len(found) > query.limit and shown else None
    return q.Page(tuple(shown), following, total)


def _key(attributes: Attributes, field: str) -> Callable[[Any], tuple[bool, Any]]:
    def key(item: Any) -> tuple[bool, Any]:
        value = attributes.read(item, field)
        return (value is not None, value)

    return key
