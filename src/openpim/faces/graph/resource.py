"""A resource: how values of one kind are shown, selected, expanded and asked about; and the answers made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from openpim.core import query as q
from openpim.faces.graph import filters
from openpim.faces.graph.call import Answer, Call
from openpim.wire.errors import shown
from openpim.wire.odata import ODataError, QueryOptions

T = TypeVar("T")
Row = dict[str, Any]
# (call, the values, the options inside its parentheses) -> what stands under the name, for each value
Expander = Callable[[Call, Sequence[T], QueryOptions], list[Any]]

PAGE = 100


@dataclass(frozen=True, slots=True)
class Resource(Generic[T]):
    """path: what stands in `@odata.context` for the collection. type: the name of the entity type.

    render: all properties, in the order in which they go out. default: those that go out unless `$select` says
    otherwise (empty: all). tolerant: an unknown name in `$select` is passed over, because Graph has properties that
    we do not keep; elsewhere it is refused.
    """

    path: str
    type: str
    render: Callable[[Call, T], Row]
    properties: filters.Properties = field(default_factory=dict)
    expanders: Mapping[str, Expander[T]] = field(default_factory=dict)
    default: tuple[str, ...] = ()
    tolerant: bool = False
    page_size: int = PAGE

    @property
    def odata_type(self) -> str:
        return f"#microsoft.graph.{self.type}"

    def query(
        self,
        call: Call,
        *,
        extra: q.Condition | None = None,
        order: tuple[q.Order, ...] = (),
        properties: filters.Properties | None = None,
    ) -> q.Query:
        """What the client asks of a list of these. properties: instead of the resource's own."""
        known = self.properties if properties is None else properties
        return filters.build(call.options, known, default=self.page_size, order=order, extra=extra)

    # ---------------------------------------------------------------- rows

    def rows(
        self, call: Call, values: Sequence[T], options: QueryOptions, *, typed: bool = False
    ) -> list[Row]:
        """The values as they go out. typed: each says which type it is of."""
        wanted = self.expansions(options)
        loaded = {name: self.expanders[name](call, values, inner) for name, inner in wanted.items()}
        shown_rows = []
        for index, value in enumerate(values):
            row: Row = {"@odata.type": self.odata_type} if typed else {}
            row |= self.selected(self.render(call, value), options)
            for name, found in loaded.items():
                row[name] = found[index]
            shown_rows.append(row)
        return shown_rows

    def selected(self, full: Row, options: QueryOptions) -> Row:
        """The members that `$select` names, in its order; all (or the default ones) when it names none."""
        if not options.select or "*" in options.select:
            return {name: full[name] for name in self.default if name in full} if self.default else full
        names = {name.lower(): name for name in full}
        expandable = {name.lower() for name in self.expanders}
        chosen: Row = {}
        for asked in options.select:
            top = asked.split("/")[0].lower()
            name = names.get(top)
            if name is not None:
                chosen[name] = full[name]
            elif top not in expandable and not self.tolerant:
                raise ODataError(
                    "$select",
                    f"could not find a property named {shown(asked)} on type 'microsoft.graph.{self.type}'",
                )
        return chosen

    def expansions(self, options: QueryOptions) -> dict[str, QueryOptions]:
        """The names to expand, in the client's order, with the options inside their parentheses."""
        if not options.expand:
            return {}
        names = {name.lower(): name for name in self.expanders}
        found: dict[str, QueryOptions] = {}
        for item in options.expand:
            if item.name == "*":
                for name in self.expanders:
                    found.setdefault(name, item.options)
            elif item.name.lower() in names:
                found[names[item.name.lower()]] = item.options
            elif not self.tolerant:
                raise ODataError(
                    "$expand",
                    f"could not find a property named {shown(item.name)} on type 'microsoft.graph.{self.type}'",
                )
        return found

    # ---------------------------------------------------------------- answers

    def fragment(self, options: QueryOptions, *, path: str | None = None) -> str:
        """The path of the context with what was selected and expanded: `users(id,manager())`."""
        parts = self._parts(options)
        return (self.path if path is None else path) + (f"({','.join(parts)})" if parts else "")

    def _parts(self, options: QueryOptions) -> list[str]:
        expanded = {item.name.lower() for item in options.expand}
        names = [name for name in options.select if name != "*" and name.lower() not in expanded]
        return [*names, *(f"{name}({_inside(inner)})" for name, inner in self.expansions(options).items())]

    def collection(
        self,
        call: Call,
        page: q.Page[T],
        *,
        typed: bool = False,
        path: str | None = None,
        options: QueryOptions | None = None,
    ) -> Answer:
        """A page as Graph shows it: context, count, link to the next page, value."""
        asked = options or call.options
        return listed(
            call,
            self.fragment(asked, path=path),
            self.rows(call, page.items, asked, typed=typed),
            page.next,
            page.total,
        )

    def entity(
        self, call: Call, value: T, *, status: int = 200, typed: bool = False, path: str | None = None
    ) -> Answer:
        """One value; `path` replaces the collection in the context."""
        options = call.options
        body: Row = {"@odata.context": call.context(self.fragment(options, path=path) + "/$entity")}
        body |= self.rows(call, (value,), options, typed=typed)[0]
        return Answer(status, body)


def _inside(options: QueryOptions) -> str:
    names = [name for name in options.select if name != "*"]
    return ",".join([*names, *(f"{item.name}({_inside(item.options)})" for item in options.expand)])


def listed(
    call: Call, fragment: str, rows: list[Row], following: str | None = None, total: int | None = None
) -> Answer:
    """A collection of rows that are ready."""
    body: Row = {"@odata.context": call.context(fragment)}
    if total is not None:
        body["@odata.count"] = total
    if following is not None:
        body["@odata.nextLink"] = next_link(call, following)
    body["value"] = rows
    return Answer(200, body)


def next_link(call: Call, token: str) -> str:
    """The same address, for the page behind `token`; `$skip` has done its work on the first page."""
    kept = []
    for pair in call.raw.query.decode("latin-1").split("&"):
        name = unquote(pair.partition("=")[0].replace("+", " ")).strip().lower().lstrip("$")
        if pair and name not in {"skiptoken", "skip"}:
            kept.append(quote(pair, safe="=$&%+'(),/:;@!*~-._"))
    kept.append(f"$skiptoken={quote(token, safe='')}")
    path = "/" + "/".join(part for part in call.raw.path.decode("latin-1").split("/") if part)
    return f"{call.raw.origin}{quote(path, safe=chr(36) + '%/()=,;:@!*~-._' + chr(39))}?{'&'.join(kept)}"


def plain_page(values: Sequence[T], options: QueryOptions, *, default: int = PAGE) -> q.Page[T]:
    """A page of a short list that is in memory whole; the cursor is the number of values behind us."""
    start = options.skip
    if options.skiptoken is not None:
        if not (options.skiptoken.isascii() and options.skiptoken.isdigit() and len(options.skiptoken) < 10):
            raise ODataError("$skiptoken", "is not one of ours")
        start = int(options.skiptoken)
    size = options.page_size(default)
    end = start + size
    following = str(end) if size and end < len(values) else None
    return q.Page(tuple(values[start:end]), following, len(values) if options.count else None)
