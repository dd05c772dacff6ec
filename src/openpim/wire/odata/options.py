"""The query options of one request (or of one `$expand` item), read from the raw query string.

Option names match in any case, with `$`, `%24` or without it; what is not an OData option is kept in
`other` and otherwise ignored.  An option given twice is an error, an empty one counts as not given.
Errors: `ODataError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from openpim.wire.errors import shown
from openpim.wire.odata.ast import Expr
from openpim.wire.odata.clauses import PATH, OrderBy, bounded, parse_orderby, parse_select, split_top
from openpim.wire.odata.error import ODataError
from openpim.wire.odata.filter import STANDARD_FUNCTIONS, Arity, parse_filter
from openpim.wire.odata.search import Search, parse_search

__all__ = ["ExpandItem", "QueryOptions", "parse_expand", "parse_query"]

MAX_QUERY = 32_768
MAX_PARAMETERS = 100
MAX_EXPAND_DEPTH = 5
MAX_EXPAND_ITEMS = 50
MAX_NUMBER = 2**31 - 1

_KNOWN = frozenset(
    {"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$search"}
)


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """What a request asks of a collection or an entity.

    `select` and `expand` are empty when not given; `top` and `skip` are as asked (see `page_size`).
    """

    filter: Expr | None = None
    select: tuple[str, ...] = ()
    expand: tuple[ExpandItem, ...] = ()
    orderby: tuple[OrderBy, ...] = ()
    top: int | None = None
    skip: int = 0
    skiptoken: str | None = None
    count: bool = False
    search: Search | None = None
    other: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def parse(raw: str | bytes, *, functions: Mapping[str, Arity] = STANDARD_FUNCTIONS) -> QueryOptions:
        """Read a raw (still encoded) query string, without its `?`."""
        return parse_query(raw, functions=functions)

    def parameter(self, name: str) -> str | None:
        """The parameter `name` that is no OData option, such as `api-version`, in any case."""
        lower = name.lower()
        return next((value for key, value in self.other.items() if key.lower() == lower), None)

    def page_size(self, default: int = 100, maximum: int = 999) -> int:
        """How many rows to put on a page: what was asked, but no more than `maximum`."""
        return min(default if self.top is None else self.top, maximum)

    def selects(self, name: str) -> bool:
        """Whether the property `name` is wanted: nothing selected, `*`, or it by name (or a part of it)."""
        if not self.select:
            return True
        lower = name.lower()
        return any(
            one == "*" or (low := one.lower()) == lower or low.startswith(f"{lower}/") for one in self.select
        )

    def expanded(self, name: str) -> ExpandItem | None:
        """The item of `$expand` that names `name`; `*` names everything."""
        lower = name.lower()
        star: ExpandItem | None = None
        for item in self.expand:
            if item.name.lower() == lower:
                return item
            if item.name == "*":
                star = item
        return star


@dataclass(frozen=True, slots=True)
class ExpandItem:
    """One navigation property to expand, with the options in its parentheses; the name may be `*`."""

    name: str
    options: QueryOptions = QueryOptions()


def parse_query(raw: str | bytes, *, functions: Mapping[str, Arity] = STANDARD_FUNCTIONS) -> QueryOptions:
    """Read a raw query string; `functions` are those `$filter` may call."""
    if not raw:
        return QueryOptions()
    data = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
    if len(data) > MAX_QUERY:
        raise ODataError("query", f"is longer than {MAX_QUERY} bytes")
    pairs = data.removeprefix(b"?").split(b"&")
    if len(pairs) > MAX_PARAMETERS:
        raise ODataError("query", f"has more than {MAX_PARAMETERS} parameters")
    decoded = []
    for pair in pairs:
        if pair:
            key, _, value = pair.partition(b"=")
            name = _decoded(key, "query")
            decoded.append((name, _decoded(value, name)))
    return _options(decoded, functions, 0)


def _decoded(data: bytes, name: str) -> str:
    try:
        return unquote_to_bytes(data.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise ODataError(name if name == "query" else shown(name), "is not UTF-8") from None


def _options(pairs: Iterable[tuple[str, str]], functions: Mapping[str, Arity], depth: int) -> QueryOptions:
    given: dict[str, str] = {}
    other: dict[str, str] = {}
    for key, value in pairs:
        name = key.strip().lower()
        option = name if name.startswith("$") else "$" + name
        if option not in _KNOWN:
            other[key.strip()] = value
            continue
        if option in given:
            raise ODataError(option, "is given twice")
        given[option] = value.strip()
    return _read({name: value for name, value in given.items() if value}, other, functions, depth)


def _read(
    given: Mapping[str, str], other: Mapping[str, str], functions: Mapping[str, Arity], depth: int
) -> QueryOptions:
    asked = given.get
    return QueryOptions(
        filter=parse_filter(text, functions=functions) if (text := asked("$filter")) else None,
        select=parse_select(text) if (text := asked("$select")) else (),
        expand=_expand(text, functions, depth + 1) if (text := asked("$expand")) else (),
        orderby=parse_orderby(text) if (text := asked("$orderby")) else (),
        top=_number("$top", text) if (text := asked("$top")) else None,
        skip=_number("$skip", text) if (text := asked("$skip")) else 0,
        skiptoken=bounded(text, "$skiptoken") if (text := asked("$skiptoken")) else None,
        count=_boolean("$count", text) if (text := asked("$count")) else False,
        search=parse_search(text) if (text := asked("$search")) else None,
        other=other,
    )


def _number(option: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_NUMBER):
        raise ODataError(option, f"{shown(text)} is not a whole number from 0 to {MAX_NUMBER}")
    return int(text)


def _boolean(option: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ODataError(option, f"{shown(text)} is neither true nor false")
    return text.lower() == "true"


def parse_expand(text: str, *, functions: Mapping[str, Arity] = STANDARD_FUNCTIONS) -> tuple[ExpandItem, ...]:
    """The items of `$expand`: `policy($expand=rules,effectiveRules),roleDefinition($select=displayName)`."""
    return _expand(text, functions, 1)


def _expand(text: str, functions: Mapping[str, Arity], depth: int) -> tuple[ExpandItem, ...]:
    if depth > MAX_EXPAND_DEPTH:
        raise ODataError("$expand", f"is nested more than {MAX_EXPAND_DEPTH} deep")
    items: dict[str, ExpandItem] = {}
    for piece in split_top(bounded(text, "$expand"), ",", "$expand"):
        if not piece:
            continue
        item = _expand_item(piece, functions, depth)
        known = items.setdefault(item.name.lower(), item)
        if known != item:
            raise ODataError("$expand", f"{shown(item.name)} is named twice, with different options")
    if len(items) > MAX_EXPAND_ITEMS:
        raise ODataError("$expand", f"names more than {MAX_EXPAND_ITEMS} properties")
    return tuple(items.values())


def _expand_item(piece: str, functions: Mapping[str, Arity], depth: int) -> ExpandItem:
    name, bracket, inner = piece.partition("(")
    name = name.strip()
    if name != "*" and PATH.fullmatch(name) is None:
        raise ODataError("$expand", f"{shown(name)} is no property name")
    if not bracket:
        return ExpandItem(name)
    if not inner.endswith(")"):
        raise ODataError("$expand", f"{shown(piece)} goes on after its parenthesis")
    pairs: list[tuple[str, str]] = []
    for one in split_top(inner[:-1], ";", "$expand"):
        key, equals, value = one.partition("=")
        if one and not equals:
            raise ODataError("$expand", f"{shown(one)} is not like $select=name")
        if one:
            pairs.append((key, value))
    return ExpandItem(name, _options(pairs, functions, depth))
