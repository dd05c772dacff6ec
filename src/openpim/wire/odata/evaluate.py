"""Decides in memory whether a value matches a `$filter`: for small collections only.

`lookup` gives the value of a property path, or None: text, number, bool, aware datetime, `Duration`,
mapping, or a sequence of these.  The semantics are OData's: null equals only null, an order with null
is null, `and`/`or`/`not` know three values, and a row matches when the whole is true.  Texts compare
without regard to case, as the directory does; a text is read as a time or a duration when it is
compared with one.  Values of unlike kinds are unequal and have no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from openpim.wire import durations, instants
from openpim.wire.durations import Duration
from openpim.wire.errors import WireError
from openpim.wire.odata.ast import And, Call, Compare, Expr, In, Lambda, Literal, Not, Or, Path
from openpim.wire.odata.error import ODataError

__all__ = ["Lookup", "mapping_lookup", "matches", "member"]

Lookup = Callable[[tuple[str, ...]], object]
_Scope = Mapping[str, object]
_NO_SCOPE: _Scope = {}


def matches(expr: Expr, lookup: Lookup | Mapping[str, object]) -> bool:
    """Whether the row behind `lookup` (a function of a path, or a JSON-like mapping) satisfies `expr`."""
    read = mapping_lookup(lookup) if isinstance(lookup, Mapping) else lookup
    return _value(expr, read, _NO_SCOPE) is True


def mapping_lookup(row: Mapping[str, object]) -> Lookup:
    """A lookup into nested mappings; member names match in any case, missing ones are null."""
    return lambda path: _walk(row, path)


def member(item: object, name: str) -> object:
    """The member `name` of a mapping, in any case; None if there is none or `item` is no mapping."""
    if not isinstance(item, Mapping):
        return None
    if name in item:
        return item[name]
    lower = name.lower()
    return next((value for key, value in item.items() if key.lower() == lower), None)


def _walk(item: object, path: Sequence[str]) -> object:
    for segment in path:
        if segment.lower() == "$count":
            item = len(item) if _is_list(item) else None  # type: ignore[arg-type]
        elif "." not in segment or "@" in segment:  # a dot alone makes a type cast, which changes nothing
            item = member(item, segment)
    return item


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | Duration)


def _value(expr: Expr, lookup: Lookup, scope: _Scope) -> object:
    """The value of `expr`: for conditions True, False or None (unknown)."""
    match expr:
        case Literal(value=value):
            return value
        case Path(segments=segments):
            if segments[0] in scope:
                return _walk(scope[segments[0]], segments[1:])
            return lookup(segments)
        case Compare(op=op, left=left, right=right):
            return _compared(op, _value(left, lookup, scope), _value(right, lookup, scope))
        case In(left=left, values=values):
            found = _value(left, lookup, scope)
            return any(_equal(found, one.value) for one in values)
        case And(terms=terms):
            return _all(_value(term, lookup, scope) for term in terms)
        case Or(terms=terms):
            return _any(_value(term, lookup, scope) for term in terms)
        case Not(term=term):
            inner = _truth(_value(term, lookup, scope))
            return None if inner is None else not inner
        case Lambda():
            return _quantified(expr, lookup, scope)
        case Call():
            return _called(expr, lookup, scope)


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _all(values: Iterable[object]) -> bool | None:
    result: bool | None = True
    for value in values:
        if value is False:
            return False
        if value is not True:
            result = None
    return result


def _any(values: Iterable[object]) -> bool | None:
    result: bool | None = False
    for value in values:
        if value is True:
            return True
        if value is not False:
            result = None
    return result


def _quantified(expr: Lambda, lookup: Lookup, scope: _Scope) -> bool | None:
    found = _value(expr.path, lookup, scope)
    items: Sequence[object] = found if _is_list(found) else ()  # type: ignore[assignment]
    if expr.body is None or expr.variable is None:
        return bool(items)
    body, variable = expr.body, expr.variable
    results = (_value(body, lookup, {**scope, variable: item}) for item in items)
    return _all(results) if expr.quantifier == "all" else _any(results)


def _alike(left: object, right: object) -> tuple[object, object] | None:
    """Both sides in a form that compares, or None when they are of unlike kinds."""
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    if isinstance(left, bool) or isinstance(right, bool):
        return (left, right) if isinstance(left, bool) and isinstance(right, bool) else None
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left, right
    try:
        if isinstance(left, datetime) or isinstance(right, datetime):
            return _instant(left), _instant(right)
        if isinstance(left, Duration) or isinstance(right, Duration):
            return _duration(left), _duration(right)
    except (WireError, TypeError):
        return None
    return None


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return instants.parse_datetime(value, first_year=1)
    raise TypeError


def _duration(value: object) -> tuple[int, int]:
    if isinstance(value, str):
        value = durations.parse(value)
    if isinstance(value, Duration):
        return value.months, value.seconds
    raise TypeError


def _equal(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    pair = _alike(left, right)
    return pair is not None and pair[0] == pair[1]


def _compared(op: str, left: object, right: object) -> bool | None:
    if op == "eq":
        return _equal(left, right)
    if op == "ne":
        return not _equal(left, right)
    if left is None or right is None:
        return None
    pair = _alike(left, right)
    if pair is None:
        return None
    low, high = pair if op in {"lt", "le"} else (pair[1], pair[0])
    if low == high:
        return op in {"le", "ge"}
    return bool(low < high)  # type: ignore[operator]


def _called(call: Call, lookup: Lookup, scope: _Scope) -> object:
    if call.name == "isof":
        return _isof(call, lookup, scope)
    args = [_value(arg, lookup, scope) for arg in call.args]
    function = _FUNCTIONS.get((call.name, len(args)))
    if function is None:
        raise ODataError("$filter", f"the function {call.name} cannot be used here")
    if not all(isinstance(arg, str) for arg in args):
        return None
    return function(*args)


_FUNCTIONS: Mapping[tuple[str, int], Callable[..., object]] = {
    ("contains", 2): lambda text, part: part.casefold() in text.casefold(),
    ("startswith", 2): lambda text, part: text.casefold().startswith(part.casefold()),
    ("endswith", 2): lambda text, part: text.casefold().endswith(part.casefold()),
    ("indexof", 2): lambda text, part: text.casefold().find(part.casefold()),
    ("concat", 2): lambda first, second: first + second,
    ("tolower", 1): lambda text: text.lower(),
    ("toupper", 1): lambda text: text.upper(),
    ("trim", 1): lambda text: text.strip(),
    ("length", 1): len,
}


def _isof(call: Call, lookup: Lookup, scope: _Scope) -> bool | None:
    """`isof('type')` of the row, `isof(path,'type')` of a part of it; by the `@odata.type` it carries."""
    *of, wanted = call.args
    name = _value(wanted, lookup, scope) if isinstance(wanted, Literal) else getattr(wanted, "name", None)
    if not isinstance(name, str):
        return None
    found = member(_value(of[0], lookup, scope), "@odata.type") if of else lookup(("@odata.type",))
    return isinstance(found, str) and found.lstrip("#").casefold() == name.lstrip("#").casefold()
