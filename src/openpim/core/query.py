"""A neutral question to a list: filter, order, page. Faces build it from their dialect, the store answers it.

Field names are those of the model (snake_case attribute names of the values), so that neither the wire's names
nor the tables' columns leak into each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

Operator = Literal["eq", "ne", "gt", "ge", "lt", "le", "startswith", "endswith", "contains"]
Value = str | int | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Compare:
    """field OP value; text compares without regard to case where the field is a name; None only with eq/ne."""

    field: str
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class AnyOf:
    """field in values."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds (empty: true)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds (empty: false)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition = Compare | AnyOf | All | Some | Not


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """limit: rows a page. after: the opaque cursor of the page before. count: also count all that match."""

    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int = 100
    after: str | None = None
    skip: int = 0
    count: bool = False


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """next: the cursor for the following page, None on the last."""

    items: tuple[T, ...]
    next: str | None = None
    total: int | None = None


class UnknownFieldError(ValueError):
    """The list has no such field, cannot be asked that about it, or the cursor is not one of ours."""
