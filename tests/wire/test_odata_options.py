"""Query strings, `$select`, `$expand`, `$orderby`, `$search` and called path segments."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.odata import (
    ARM_FUNCTIONS,
    Compare,
    ExpandItem,
    Literal,
    ODataError,
    OrderBy,
    Path,
    QueryOptions,
    SearchAll,
    SearchAny,
    SearchNot,
    SearchTerm,
    mapping_lookup,
    parse_expand,
    parse_function_segment,
    parse_orderby,
    parse_search,
    parse_select,
    search_matches,
)

FILTER = Compare("eq", Path(("principalId",)), Literal("x y", "string"))


@pytest.mark.parametrize(
    "raw",
    [
        "$filter=principalId%20eq%20%27x%20y%27",
        "%24filter=principalId+eq+%27x+y%27",
        "$filter=principalId eq 'x y'",
        "?$filter=principalId+eq+'x+y'",
        "$FILTER=principalId%20eq%20%27x%20y%27&",
        "filter=principalId+eq+%27x+y%27&unknown=1",
        "&&$filter=%20principalId%20eq%20'x%20y'%20",
    ],
)
def test_reads_every_encoding_of_a_filter(raw: str) -> None:
    assert QueryOptions.parse(raw).filter == FILTER
    assert QueryOptions.parse(raw.encode()).filter == FILTER


def test_reads_a_whole_query() -> None:
    options = QueryOptions.parse(
        "$select=id,displayName&$expand=roleDefinition%28%24select%3DdisplayName%29,principal&$orderby=createdDateTime%20desc,id"
        "&$top=999&$skip=5&$skiptoken=abc&$count=true&$search=%22displayName%3Afoo%22&api-version=2020-10-01&evaluateOnly=true"
    )
    assert options.select == ("id", "displayName")
    assert options.expand == (
        ExpandItem("roleDefinition", QueryOptions(select=("displayName",))),
        ExpandItem("principal"),
    )
    assert options.orderby == (OrderBy(("createdDateTime",), descending=True), OrderBy(("id",)))
    assert [key.name for key in options.orderby] == ["createdDateTime", "id"]
    assert (options.top, options.skip, options.skiptoken, options.count) == (999, 5, "abc", True)
    assert options.search == SearchTerm("displayName", "foo")
    assert options.parameter("API-Version") == "2020-10-01"
    assert options.parameter("missing") is None
    assert options.other == {"api-version": "2020-10-01", "evaluateOnly": "true"}


def test_what_is_empty_is_not_given() -> None:
    assert QueryOptions.parse("") == QueryOptions()
    assert QueryOptions.parse(
        b"$filter=&$top=&$select=&$expand=&$orderby=&$count=&$search=&x"
    ) == QueryOptions(other={"x": ""})


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("$top=1&$top=1", r"\$top: is given twice"),
        ("$filter=a&%24Filter=a", r"\$filter: is given twice"),
        ("$filter=a&filter=a", r"\$filter: is given twice"),
        ("$top=-1", r"\$top: '-1' is not a whole number"),
        ("$top=x", r"\$top: 'x'"),
        ("$top=٣", r"\$top: "),
        ("$top=99999999999", r"\$top: "),
        ("$top=" + "9" * 5000, r"\$top: "),
        ("$skip=1.5", r"\$skip: "),
        ("$count=yes", r"\$count: 'yes' is neither true nor false"),
        ("$filter=%ff", "is not UTF-8"),
        ("%ff=1", "query: is not UTF-8"),
        ("$select=a b", r"\$select: 'a b' is no property name"),
        ("$select=" + ",".join(f"a{n}" for n in range(300)), r"\$select: names more than"),
        ("$select=" + "a" * 9000, r"\$select: is longer"),
        ("$orderby=a up", r"\$orderby: 'a up'"),
        ("$orderby=a,,b", r"\$orderby: has an empty key"),
        ("$orderby=tolower(a)", r"\$orderby: "),
        ("$orderby=" + ",".join(f"a{n}" for n in range(9)), r"\$orderby: has more than"),
        ("$expand=a(", r"\$expand: a parenthesis does not end"),
        ("$expand=a)", r"\$expand: a parenthesis closes"),
        ("$expand=a('", r"\$expand: a quoted string does not end"),
        ("$expand=a(x)", r"\$expand: 'x' is not like"),
        ("$expand=a($select=b)c", r"\$expand: .* goes on"),
        ("$expand=1", r"\$expand: '1' is no property name"),
        ("$expand=a($top=1),a($top=2)", "named twice"),
        ("$expand=a($top=1;$top=1)", r"\$top: is given twice"),
        ("$expand=a($filter=b eq)", r"\$filter: a value was expected"),
        ("$expand=" + "a($expand=" * 6 + "a" + ")" * 6, "nested more than 5"),
        ("$expand=" + ",".join(f"a{n}" for n in range(60)), "names more than"),
        ("$skiptoken=" + "a" * 9000, r"\$skiptoken: is longer"),
        ("a=" + "b" * 40_000, "query: is longer"),
        ("a=b&" * 200, "query: has more than"),
    ],
)
def test_refuses_and_names_the_option(raw: str, says: str) -> None:
    with pytest.raises(ODataError, match=says) as caught:
        QueryOptions.parse(raw)
    assert len(str(caught.value)) < 300


def test_expands_nested() -> None:
    assert parse_expand("policy($expand=rules,effectiveRules)") == (
        ExpandItem("policy", QueryOptions(expand=(ExpandItem("rules"), ExpandItem("effectiveRules")))),
    )
    assert parse_expand("rules, effectiveRules") == (ExpandItem("rules"), ExpandItem("effectiveRules"))
    assert parse_expand("*") == (ExpandItem("*"),)
    assert parse_expand("roleDefinition($expand=resource),subject , scopedResource")[1:] == (
        ExpandItem("subject"),
        ExpandItem("scopedResource"),
    )
    nested = parse_expand("a($select=b,c;$filter=d eq 'x;y,(z';$top=3;$orderby=e desc;count=true)")
    assert nested[0].options.select == ("b", "c")
    assert nested[0].options.filter == Compare("eq", Path(("d",)), Literal("x;y,(z", "string"))
    assert nested[0].options.top == 3
    assert nested[0].options.count
    assert parse_expand("principal,principal") == (ExpandItem("principal"),)
    assert parse_expand("a,,b(;$top=1;)") == (ExpandItem("a"), ExpandItem("b", QueryOptions(top=1)))
    assert parse_expand("a()") == (ExpandItem("a"),)


def test_asks_what_is_wanted() -> None:
    options = QueryOptions.parse("$select=id,user/displayName&$expand=policy($expand=rules)")
    assert options.selects("ID")
    assert options.selects("user")
    assert not options.selects("use")
    assert QueryOptions().selects("anything")
    assert QueryOptions(select=("*",)).selects("anything")
    policy = options.expanded("Policy")
    assert policy is not None
    assert policy.options.expanded("rules") is not None
    assert options.expanded("rules") is None
    assert QueryOptions(expand=(ExpandItem("*"),)).expanded("rules") == ExpandItem("*")


def test_pages_are_bounded() -> None:
    assert QueryOptions().page_size() == 100
    assert QueryOptions(top=5).page_size() == 5
    assert QueryOptions(top=10_000).page_size(maximum=500) == 500
    assert QueryOptions(top=0).page_size() == 0


def test_selects_each_name_once() -> None:
    assert parse_select("id, ID,displayName,,*") == ("id", "displayName", "*")


def test_orders() -> None:
    assert parse_orderby("a/b DESC , c asc") == (OrderBy(("a", "b"), descending=True), OrderBy(("c",)))


def test_the_functions_of_the_resource_manager_reach_the_filter() -> None:
    assert QueryOptions.parse("$filter=asTarget()", functions=ARM_FUNCTIONS).filter is not None


@given(st.text(max_size=30))
def test_any_value_survives_both_encodings(value: str) -> None:
    text = "a eq '" + value.replace("'", "''") + "'"
    try:
        data = quote(text), quote_plus(text)
    except UnicodeEncodeError:
        return
    for encoded in data:
        parsed = QueryOptions.parse("$filter=" + encoded).filter
        assert parsed == Compare("eq", Path(("a",)), Literal(value, "string"))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for prefix in (b"", b"$filter=", b"$expand=", b"$search=", b"$select=", b"$orderby="):
        try:
            QueryOptions.parse(prefix + raw)
        except ODataError:
            continue


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ('"displayName:foo"', SearchTerm("displayName", "foo")),
        ('displayName:"foo bar"', SearchTerm("displayName", "foo bar")),
        ("foo", SearchTerm(None, "foo")),
        ('"a \\"b\\" c"', SearchTerm(None, 'a "b" c')),
        (
            '"displayName:foo" AND ("mail:x" OR "mail:y")',
            SearchAll(
                (
                    SearchTerm("displayName", "foo"),
                    SearchAny((SearchTerm("mail", "x"), SearchTerm("mail", "y"))),
                )
            ),
        ),
        ('"a:b" "c"', SearchAll((SearchTerm("a", "b"), SearchTerm(None, "c")))),
        ("NOT foo OR bar", SearchAny((SearchNot(SearchTerm(None, "foo")), SearchTerm(None, "bar")))),
    ],
)
def test_reads_searches(source: str, tree: object) -> None:
    assert parse_search(source) == tree


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('"foo', "does not end"),
        ('"a:"', "names nothing"),
        ("(foo", "'\\)' was expected"),
        ("foo)", "was not expected"),
        ("foo AND", "a term was expected"),
        ("OR foo", "a term was expected"),
        ("(" * 40, "nested too deep"),
        ("NOT " * 40 + "a", "nested too deep"),
        ("a" * 5000, "longer"),
    ],
)
def test_refuses_searches(source: str, says: str) -> None:
    with pytest.raises(ODataError, match=says):
        parse_search(source)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"displayName:adele"', True),
        ('"displayName:VAN"', True),
        ('"displayName:adele v"', True),
        ('"displayName:dele"', False),
        ('"mail:adele"', True),
        ('"adele"', True),
        ("nobody", False),
        ('"displayName:adele" AND "mail:nobody"', False),
        ('"displayName:adele" OR "mail:nobody"', True),
        ("NOT nobody", True),
        ('"missing:x"', False),
        ('"displayName:!"', False),
    ],
)
def test_searches(source: str, found: bool) -> None:
    row = mapping_lookup({"displayName": "Adele Vance", "mail": "adelev@contoso.example", "age": 5})
    assert search_matches(parse_search(source), row, ("displayName", "mail")) is found


@pytest.mark.parametrize(
    ("segment", "name", "args"),
    [
        ("filterByCurrentUser(on='principal')", "filterbycurrentuser", {"on": "principal"}),
        ("FilterByCurrentUser(On='approver')", "filterbycurrentuser", {"on": "approver"}),
        ("microsoft.graph.filterByCurrentUser(on='x')", "filterbycurrentuser", {"on": "x"}),
        ("directoryRoles(roletemplateid='a b')", "directoryroles", {"roletemplateid": "a b"}),
        (
            "findTenantInformationByTenantId(tenantId='t''t')",
            "findtenantinformationbytenantid",
            {"tenantid": "t't"},
        ),
        ("users('x')", "users", {"": "x"}),
        ("roleSchedules()", "roleschedules", {}),
        ("f(a=5, b=true,c=null)", "f", {"a": 5, "b": True, "c": None}),
        ("f(a=62E90394-69f5-4237-9190-012177145e10)", "f", {"a": "62e90394-69f5-4237-9190-012177145e10"}),
    ],
)
def test_reads_called_segments(segment: str, name: str, args: dict[str, object]) -> None:
    for text, encoded in ((segment, False), (quote(segment), True), (segment, True)):
        found = parse_function_segment(text, encoded=encoded)
        assert found == (name, args)


def test_reads_arguments_as_text() -> None:
    found = parse_function_segment("f(On='x',n=5)")
    assert found is not None
    assert found.text("on") == "x"
    assert found.text("N") is None
    assert found.text("missing") is None


@pytest.mark.parametrize("segment", ["users", "", "a-b", "filterByCurrentUser"])
def test_a_plain_segment_calls_nothing(segment: str) -> None:
    assert parse_function_segment(segment) is None


@pytest.mark.parametrize(
    "segment",
    [
        "f(", "f('x'", "f(a='x')b", "f(a=)", "f(a=x)", "f(a='x',)", "f(a='x' b='y')", "f(a='x',a='y')", "f(,)",
        "f('x','y')", "a/b(c='d')", "(a='b')", "f(a=='b')", "f(a='b", "f" * 3000, "f(#)",
    ],
)  # fmt: skip
def test_refuses_other_segments(segment: str) -> None:
    with pytest.raises(ODataError, match="path: "):
        parse_function_segment(segment)


def test_an_encoded_segment_must_be_utf8() -> None:
    with pytest.raises(ODataError, match="not UTF-8"):
        parse_function_segment("f(a=%27%ff%27)", encoded=True)
