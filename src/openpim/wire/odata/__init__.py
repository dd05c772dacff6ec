"""Our own reader of OData queries, for what the clients of Graph and ARM send; nothing more.

`QueryOptions.parse(raw_query)` reads a request's query string, `parse_filter` one `$filter`,
`parse_function_segment` a path segment such as `filterByCurrentUser(on='principal')`.  `matches`
evaluates a filter in memory; faces translate the tree of `ast` for everything else.
"""

from openpim.wire.odata.ast import And, Call, Compare, Expr, In, Lambda, Literal, Not, Or, Path
from openpim.wire.odata.clauses import OrderBy, parse_orderby, parse_select
from openpim.wire.odata.error import ODataError
from openpim.wire.odata.evaluate import Lookup, mapping_lookup, matches
from openpim.wire.odata.filter import ARM_FUNCTIONS, STANDARD_FUNCTIONS, parse_filter
from openpim.wire.odata.functions import FunctionSegment, parse_function_segment
from openpim.wire.odata.options import ExpandItem, QueryOptions, parse_expand, parse_query
from openpim.wire.odata.pins import check_properties, conjuncts, pinned, properties
from openpim.wire.odata.search import (
    Search,
    SearchAll,
    SearchAny,
    SearchNot,
    SearchTerm,
    parse_search,
    search_matches,
)

__all__ = [
    "ARM_FUNCTIONS",
    "STANDARD_FUNCTIONS",
    "And",
    "Call",
    "Compare",
    "ExpandItem",
    "Expr",
    "FunctionSegment",
    "In",
    "Lambda",
    "Literal",
    "Lookup",
    "Not",
    "ODataError",
    "Or",
    "OrderBy",
    "Path",
    "QueryOptions",
    "Search",
    "SearchAll",
    "SearchAny",
    "SearchNot",
    "SearchTerm",
    "check_properties",
    "conjuncts",
    "mapping_lookup",
    "matches",
    "parse_expand",
    "parse_filter",
    "parse_function_segment",
    "parse_orderby",
    "parse_query",
    "parse_search",
    "parse_select",
    "pinned",
    "properties",
    "search_matches",
]
