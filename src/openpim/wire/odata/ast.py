"""What a `$filter` means, as a small tree of frozen values.

`and` and `or` hold any number of terms, so that the long `or` lists of real clients stay flat.  The
parser guarantees: of a comparison with one literal the literal is on the right; function names are
lower-case; operators are the lower-case words of OData.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openpim.wire.durations import Duration

__all__ = [
    "And",
    "Call",
    "Compare",
    "Expr",
    "In",
    "Lambda",
    "Literal",
    "LiteralValue",
    "Not",
    "Or",
    "Path",
]

LiteralValue = str | int | float | bool | datetime | Duration | None

STRING: Final = "string"
GUID: Final = "guid"  # lower-case text
NULL: Final = "null"
BOOLEAN: Final = "boolean"
NUMBER: Final = "number"
DATETIME: Final = "datetime"  # aware UTC
DATE: Final = "date"  # the first instant of that day, aware UTC
DURATION: Final = "duration"
ENUM: Final = "enum"  # the member's name, without its type


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; `kind` is how it was written: one of the words above."""

    value: LiteralValue
    kind: str


@dataclass(frozen=True, slots=True)
class Path:
    """A property, in the sender's spelling: `("initiatedBy", "user", "id")`.

    Inside a lambda the first segment may be its variable.  A segment with a dot is a type cast; a last
    segment `$count` counts a collection.
    """

    segments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The path with its slashes, without type casts: `initiatedBy/user/id`."""
        joined = "/".join(self.segments)
        if "." not in joined:
            return joined
        *before, last = self.segments
        return "/".join([*(one for one in before if "." not in one or "@" in one), last])


@dataclass(frozen=True, slots=True)
class Call:
    """A function: `startswith`, `contains`, `tolower`, `isof`, … with a lower-case name."""

    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right`; `op` is one of eq ne gt ge lt le."""

    op: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class In:
    """`left in (values)`."""

    left: Operand
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All terms hold; two or more."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one term holds; two or more."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold."""

    term: Expr


@dataclass(frozen=True, slots=True)
class Lambda:
    """`path/any(variable:body)` or `path/all(…)`; `any()` has neither variable nor body."""

    path: Path
    quantifier: str
    variable: str | None
    body: Expr | None


Operand = Path | Literal | Call | Lambda
Expr = Operand | Compare | In | And | Or | Not
