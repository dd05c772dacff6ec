"""Questions a face asks about a `$filter` before it answers it.

Which properties does it name, and are they known?  To which values does it pin a property (some lists
demand `groupId eq …` or `scopeId eq … and scopeType eq …`; a caller may always list what he pins to
himself)?
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from openpim.wire.errors import shown
from openpim.wire.odata.ast import And, Call, Compare, Expr, In, Lambda, Literal, LiteralValue, Not, Or, Path
from openpim.wire.odata.error import ODataError

__all__ = ["check_properties", "conjuncts", "pinned", "properties"]


def conjuncts(expr: Expr | None) -> tuple[Expr, ...]:
    """The terms that must all hold; none for no filter."""
    if expr is None:
        return ()
    return expr.terms if isinstance(expr, And) else (expr,)


def properties(expr: Expr | None) -> Iterator[Path]:
    """Every property path named, in order, those below a lambda's variable left out."""
    return _properties(expr, frozenset()) if expr is not None else iter(())


def _properties(expr: Expr, variables: frozenset[str]) -> Iterator[Path]:
    match expr:
        case Path(segments=segments):
            if segments[0] not in variables:
                yield expr
        case Compare(left=left, right=right):
            yield from _properties(left, variables)
            yield from _properties(right, variables)
        case In(left=left):
            yield from _properties(left, variables)
        case And(terms=terms) | Or(terms=terms) | Call(args=terms):
            for term in terms:
                yield from _properties(term, variables)
        case Not(term=term):
            yield from _properties(term, variables)
        case Lambda(path=path, variable=variable, body=body):
            yield from _properties(path, variables)
            if body is not None and variable is not None:
                yield from _properties(body, variables | {variable})
        case Literal():
            return


def check_properties(expr: Expr | None, known: Collection[str], *, option: str = "$filter") -> None:
    """Raise `ODataError` for the first property that is not in `known` (names as `a/b`, lower-case)."""
    for path in properties(expr):
        if path.name.lower() not in known:
            raise ODataError(option, f"could not find a property named {shown(path.name)}")


def pinned(expr: Expr | None, name: str) -> frozenset[str | None] | None:
    """The only values (texts case-folded, or null) that `expr` allows the property `name`.

    None: it allows any.  An empty set: it can match nothing.  `or` pins only when every branch does;
    what stands under `not` or in a lambda never pins.
    """
    lower = name.lower()
    match expr:
        case Compare(op="eq", left=Path() as path, right=Literal(value=value)):
            return _values(value) if path.name.lower() == lower else None
        case In(left=Path() as path, values=values):
            if path.name.lower() != lower:
                return None
            sets = [_values(one.value) for one in values]
            return frozenset().union(*sets)
        case And(terms=terms):
            pins = [pin for term in terms if (pin := pinned(term, name)) is not None]
            return frozenset.intersection(*pins) if pins else None
        case Or(terms=terms):
            branches = [pinned(term, name) for term in terms]
            known = [pin for pin in branches if pin is not None]
            return frozenset().union(*known) if len(known) == len(branches) else None
        case _:
            return None


def _values(value: LiteralValue) -> frozenset[str | None]:
    if value is None:
        return frozenset({None})
    return frozenset({str(value).casefold()})
