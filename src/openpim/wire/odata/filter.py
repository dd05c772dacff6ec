"""Reads a `$filter` into the tree of `ast`.

Understood: `eq ne gt ge lt le`, `in (…)`, `and or not`, parentheses, the functions below, `any`/`all`
lambdas, paths with casts, and every literal a client sends; words in any case.  Refused by name:
arithmetic and `has`.  Bounds: length of the text, depth of nesting, number of nodes; a chain of `and`
or `or` of any length costs no depth.  Time is linear in the text.  Errors: `ODataError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from openpim.wire import durations, instants
from openpim.wire.errors import WireError, shown
from openpim.wire.odata import ast
from openpim.wire.odata.ast import And, Call, Compare, Expr, In, Lambda, Literal, Not, Or, Path
from openpim.wire.odata.error import ODataError
from openpim.wire.odata.lexer import END, Token, tokens

__all__ = ["ARM_FUNCTIONS", "STANDARD_FUNCTIONS", "Arity", "literal", "parse_filter"]

MAX_LENGTH = 16_384
MAX_DEPTH = 32
MAX_NODES = 4_096

Arity = tuple[int, int]

STANDARD_FUNCTIONS: Final[Mapping[str, Arity]] = MappingProxyType(
    {
        "contains": (2, 2),
        "startswith": (2, 2),
        "endswith": (2, 2),
        "substringof": (2, 2),  # the older spelling of contains, arguments the other way round
        "tolower": (1, 1),
        "toupper": (1, 1),
        "trim": (1, 1),
        "length": (1, 1),
        "concat": (2, 2),
        "indexof": (2, 2),
        "isof": (1, 2),
    }
)
"""Function names (lower-case) and how many arguments they take, least and most."""

ARM_FUNCTIONS: Final[Mapping[str, Arity]] = MappingProxyType(
    {
        "astarget": (0, 0),
        "asrequestor": (0, 0),
        "asapprover": (0, 0),
        "ascreatedby": (0, 0),
        "atscope": (0, 0),
        "atscopeandbelow": (0, 0),
        "assignedto": (1, 1),
    }
)
"""What Azure's resource manager adds; give `{**STANDARD_FUNCTIONS, **ARM_FUNCTIONS}` to `parse_filter`."""

_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_UNSUPPORTED = frozenset({"has", "add", "sub", "mul", "div", "divby", "mod"})
_WORDS = frozenset({"and", "or", "in", *_MIRRORED, *_UNSUPPORTED})
_TRUE = Literal(value=True, kind=ast.BOOLEAN)
_FALSE = Literal(value=False, kind=ast.BOOLEAN)
_NULL = Literal(None, ast.NULL)
_CONSTANTS = {"true": _TRUE, "false": _FALSE, "null": _NULL}
_BOOLEAN_KINDS = frozenset({ast.BOOLEAN, ast.NULL})


def parse_filter(
    text: str, *, functions: Mapping[str, Arity] = STANDARD_FUNCTIONS, option: str = "$filter"
) -> Expr:
    """The condition that `text` states; `option` is the name used in errors."""
    if len(text) > MAX_LENGTH:
        raise ODataError(option, f"is longer than {MAX_LENGTH} characters")
    parser = _Parser(text, functions, option)
    found = parser.condition()
    parser.at_end()
    return found


class _Parser:
    """Recursive descent over the tokens; recursion only where the text nests, and counted."""

    __slots__ = ("depth", "functions", "index", "nodes", "option", "text", "tokens")

    def __init__(self, text: str, functions: Mapping[str, Arity], option: str) -> None:
        self.text = text
        self.functions = functions
        self.option = option
        self.tokens: list[Token] = tokens(text, option)
        self.index = 0
        self.depth = 0
        self.nodes = 0

    def fail(self, problem: str, position: int) -> ODataError:
        return ODataError(self.option, problem, text=self.text, position=position)

    def at_end(self) -> None:
        kind, text, position = self.tokens[self.index]
        if kind != END:
            raise self.fail(f"{shown(text)} was not expected", position)

    def word(self) -> str:
        """The next token in lower case if it is a bare word, else nothing."""
        kind, text, _ = self.tokens[self.index]
        return text.lower() if kind == "path" else ""

    def take(self, mark: str) -> bool:
        """Step over `mark` if it is next."""
        if self.tokens[self.index][1] == mark and self.tokens[self.index][0] == "mark":
            self.index += 1
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise self.fail(f"'{mark}' was expected", self.tokens[self.index][2])

    def deeper(self, position: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"is nested more than {MAX_DEPTH} deep", position)

    def condition(self) -> Expr:
        """`term or term or …`."""
        terms = [self.conjunction()]
        while self.word() == "or":
            self.index += 1
            terms.append(self.conjunction())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def conjunction(self) -> Expr:
        """`term and term and …`."""
        terms = [self.term()]
        while self.word() == "and":
            self.index += 1
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def term(self) -> Expr:
        """Anything that is true or false: `not …`, a comparison, a call, a property."""
        position = self.tokens[self.index][2]
        if self.word() == "not":
            self.index += 1
            self.deeper(position)
            inner = self.term()
            self.depth -= 1
            return Not(inner)
        found = self.comparison()
        if type(found) is Literal and found.kind not in _BOOLEAN_KINDS:
            raise self.fail("a constant alone is no condition", position)
        return found

    def comparison(self) -> Expr:
        """An operand, and what it is compared with, if anything."""
        position = self.tokens[self.index][2]
        left = self.operand()
        word = self.word()
        if word in _MIRRORED:
            self.index += 1
            right_position = self.tokens[self.index][2]
            right = self.operand()
            return self.compared(word, left, right, position, right_position)
        if word == "in":
            self.index += 1
            return In(self.value(left, position), self.literals())
        if word in _UNSUPPORTED:
            raise self.fail(f"the operator {word} is not supported", self.tokens[self.index][2])
        return left

    def compared(self, word: str, left: Expr, right: Expr, at: int, right_at: int) -> Compare:
        checked_left, checked_right = self.value(left, at), self.value(right, right_at)
        if type(left) is Literal and type(right) is not Literal:
            return Compare(_MIRRORED[word], checked_right, checked_left)
        return Compare(word, checked_left, checked_right)

    def value(self, expr: Expr, position: int) -> ast.Operand:
        """`expr`, if it is something that can be compared."""
        if isinstance(expr, Path | Literal | Call | Lambda):
            return expr
        raise self.fail("a condition cannot be compared", position)

    def literals(self) -> tuple[Literal, ...]:
        """`('a', 'b', …)`."""
        self.expect("(")
        values: list[Literal] = []
        while not self.take(")"):
            if values:
                self.expect(",")
            position = self.tokens[self.index][2]
            found = self.operand()
            if type(found) is not Literal:
                raise self.fail("only constants may stand in the list of 'in'", position)
            values.append(found)
        return tuple(values)

    def operand(self) -> Expr:
        """A literal, a path, a call, a lambda, or a condition in parentheses."""
        kind, text, position = self.tokens[self.index]
        self.index += 1
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail(f"has more than {MAX_NODES} parts", position)
        if kind == "path":
            return self.named(text, position)
        if kind == "mark" and text == "(":
            self.deeper(position)
            inner = self.grouped()
            self.expect(")")
            self.depth -= 1
            return inner
        if kind == END or kind == "mark":  # noqa: PLR1714
            raise self.fail("a value was expected", position)
        return literal(kind, text, option=self.option, position=position, whole=self.text)

    def grouped(self) -> Expr:
        """What stands in parentheses: a condition, or one value as in `('x')`."""
        kind, text, position = self.tokens[self.index]
        following = self.tokens[self.index + 1] if kind != END else (END, "", position)
        if kind not in {"path", "mark", END} and following[1] == ")":
            self.index += 1
            return literal(kind, text, option=self.option, position=position, whole=self.text)
        return self.condition()

    def named(self, text: str, position: int) -> Expr:
        """What begins with a name: constant, function call, lambda or property."""
        lower = text.lower()
        if self.tokens[self.index][1] == "(" and self.tokens[self.index][0] == "mark":
            if lower.endswith(("/any", "/all")):
                return self.quantified(text, lower[-3:], position)
            if "/" not in lower and lower not in _WORDS:
                return self.call(lower, position)
        if lower in _CONSTANTS:
            return _CONSTANTS[lower]
        if lower in _WORDS:
            raise self.fail(f"a value was expected before '{lower}'", position)
        return Path(tuple(text.split("/")))

    def call(self, name: str, position: int) -> Expr:
        arity = self.functions.get(name)
        if arity is None:
            raise self.fail(f"the function {shown(name)} is not known", position)
        self.expect("(")
        self.deeper(position)
        args: list[Expr] = []
        while not self.take(")"):
            if args:
                self.expect(",")
            args.append(self.comparison())
            if len(args) > arity[1]:
                break
        self.depth -= 1
        if not arity[0] <= len(args) <= arity[1]:
            count = str(arity[0]) if arity[0] == arity[1] else f"{arity[0]} or {arity[1]}"
            raise self.fail(f"the function {name} takes {count} argument(s)", position)
        if name == "substringof":
            return Call("contains", (args[1], args[0]))
        return Call(name, tuple(args))

    def quantified(self, text: str, quantifier: str, position: int) -> Lambda:
        """`path/any(t:condition)`, `path/all(…)`, `path/any()`."""
        path = Path(tuple(text.split("/")[:-1]))
        self.expect("(")
        if quantifier == "any" and self.take(")"):
            return Lambda(path, quantifier, None, None)
        kind, variable, at = self.tokens[self.index]
        if kind != "path" or not variable.isidentifier():
            raise self.fail(f"a variable was expected after '{quantifier}('", at)
        self.index += 1
        self.expect(":")
        self.deeper(position)
        body = self.condition()
        self.depth -= 1
        self.expect(")")
        return Lambda(path, quantifier, variable, body)


def literal(kind: str, text: str, *, option: str, position: int, whole: str) -> Literal:
    """The constant that a token of `kind` stands for."""
    try:
        return _literal(kind, text)
    except WireError as error:
        raise ODataError(option, str(error), text=whole, position=position) from None
    except ValueError:
        raise ODataError(option, f"{shown(text)} is no {kind}", text=whole, position=position) from None


def _literal(kind: str, text: str) -> Literal:
    if kind == "string":
        return Literal(_unquoted(text), ast.STRING)
    if kind == "guid":
        return Literal(text.lower(), ast.GUID)
    if kind == "datetime":
        return Literal(_instant(text), ast.DATETIME)
    if kind == "date":
        return Literal(datetime.fromisoformat(text).replace(tzinfo=UTC), ast.DATE)
    if kind == "number":
        return Literal(_number(text.rstrip("LlMmFfDd")), ast.NUMBER)
    return _typed(text)


def _unquoted(text: str) -> str:
    body = text[1:-1]
    return body.replace("''", "'") if "'" in body else body


def _instant(text: str) -> datetime:
    date, _, rest = text.partition(" ")
    whole = f"{date}+{rest}" if rest else date
    if "." in whole:  # keep what we hold: finer digits are dropped
        head, _, tail = whole.partition(".")
        digits = len(tail) - len(tail.lstrip("0123456789"))
        whole = f"{head}.{tail[: min(digits, 7)]}{tail[digits:]}"
    return instants.parse_datetime(whole, first_year=1)


def _number(text: str) -> int | float:
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def _typed(text: str) -> Literal:
    """`duration'PT8H'`, `guid'…'`, `datetime'…'`, `microsoft.graph.status'Granted'`."""
    name, _, quoted = text.partition("'")
    value = _unquoted("'" + quoted)
    lower = name.lower()
    if lower == "duration":
        return Literal(durations.parse(value), ast.DURATION)
    if lower == "guid":
        return Literal(value.lower(), ast.GUID)
    if lower in {"datetime", "datetimeoffset"}:
        return Literal(instants.parse_datetime(value, first_year=1), ast.DATETIME)
    return Literal(value, ast.ENUM)
