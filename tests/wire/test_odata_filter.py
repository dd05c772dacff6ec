"""`$filter`: what real clients send is read, what they mistype is named, and nothing blows up."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.durations import Duration
from openpim.wire.odata import (
    ARM_FUNCTIONS,
    STANDARD_FUNCTIONS,
    And,
    Call,
    Compare,
    Expr,
    In,
    Lambda,
    Literal,
    Not,
    ODataError,
    Or,
    Path,
    parse_filter,
)

GUID = "fe930be7-5e62-47db-91af-98c3a49a38b1"


def path(name: str) -> Path:
    return Path(tuple(name.split("/")))


def text(value: str) -> Literal:
    return Literal(value, "string")


def eq(name: str, value: str) -> Compare:
    return Compare("eq", path(name), text(value))


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        (f"principalId eq '{GUID}'", eq("principalId", GUID)),
        (f"principalId eq {GUID.upper()}", Compare("eq", path("principalId"), Literal(GUID, "guid"))),
        ("displayName eq 'O''Brien'", eq("displayName", "O'Brien")),
        ("displayName eq ''", eq("displayName", "")),
        ("displayName eq ''''", eq("displayName", "'")),
        ("a eq 'x' and b eq 'y'", And((eq("a", "x"), eq("b", "y")))),
        ("a eq 'x' AND b EQ 'y'", And((eq("a", "x"), eq("b", "y")))),
        ("a eq 'x' or b eq 'y' or c eq 'z'", Or((eq("a", "x"), eq("b", "y"), eq("c", "z")))),
        (
            "a eq 'x' or b eq 'y' and c eq 'z'",
            Or((eq("a", "x"), And((eq("b", "y"), eq("c", "z"))))),
        ),
        (
            "(a eq 'x' or b eq 'y') and c eq 'z'",
            And((Or((eq("a", "x"), eq("b", "y"))), eq("c", "z"))),
        ),
        ("((a eq 'x'))", eq("a", "x")),
        ("not (a eq 'x')", Not(eq("a", "x"))),
        ("not a eq 'x'", Not(eq("a", "x"))),
        ("not not(a eq 'x')", Not(Not(eq("a", "x")))),
        ("'x' eq a", eq("a", "x")),
        ("5 lt n", Compare("gt", path("n"), Literal(5, "number"))),
        ("a eq ('x')", eq("a", "x")),
        ("(a) eq 'x'", eq("a", "x")),
        ("appScopeId eq null", Compare("eq", path("appScopeId"), Literal(None, "null"))),
        ("isBuiltIn eq true", Compare("eq", path("isBuiltIn"), Literal(value=True, kind="boolean"))),
        ("isBuiltIn ne False", Compare("ne", path("isBuiltIn"), Literal(value=False, kind="boolean"))),
        ("isBuiltIn", path("isBuiltIn")),
        ("true", Literal(value=True, kind="boolean")),
        ("n ge -5", Compare("ge", path("n"), Literal(-5, "number"))),
        ("n le 1.5e3", Compare("le", path("n"), Literal(1500.0, "number"))),
        ("n gt 5L", Compare("gt", path("n"), Literal(5, "number"))),
        (
            "createdDateTime ge 2019-09-01T00:00:00Z",
            Compare("ge", path("createdDateTime"), Literal(datetime(2019, 9, 1, tzinfo=UTC), "datetime")),
        ),
        (
            "t ge 2019-09-01T02:00:00.1234567+02:00",
            Compare("ge", path("t"), Literal(datetime(2019, 9, 1, 0, 0, 0, 123456, UTC), "datetime")),
        ),
        (  # an unencoded + arrives as a space
            "t ge 2019-09-01T02:00:00 02:00 and b eq 'y'",
            And(
                (
                    Compare("ge", path("t"), Literal(datetime(2019, 9, 1, tzinfo=UTC), "datetime")),
                    eq("b", "y"),
                )
            ),
        ),
        (
            "t lt 2019-09-01",
            Compare("lt", path("t"), Literal(datetime(2019, 9, 1, tzinfo=UTC), "date")),
        ),
        (
            "t lt datetime'2019-09-01T00:00:00Z'",
            Compare("lt", path("t"), Literal(datetime(2019, 9, 1, tzinfo=UTC), "datetime")),
        ),
        (
            "d eq duration'PT8H'",
            Compare("eq", path("d"), Literal(Duration("PT8H", 0, 28_800), "duration")),
        ),
        (f"a eq guid'{GUID}'", Compare("eq", path("a"), Literal(GUID, "guid"))),
        (
            "status eq microsoft.graph.status'Granted'",
            Compare("eq", path("status"), Literal("Granted", "enum")),
        ),
        ("id in ('a','b')", In(path("id"), (text("a"), text("b")))),
        ("id in('a', null )", In(path("id"), (text("a"), Literal(None, "null")))),
        ("id in ()", In(path("id"), ())),
        ("startswith(displayName,'Ad')", Call("startswith", (path("displayName"), text("Ad")))),
        ("StartsWith( displayName , 'Ad' )", Call("startswith", (path("displayName"), text("Ad")))),
        (
            "startswith(displayName,'Ad') eq true",
            Compare(
                "eq",
                Call("startswith", (path("displayName"), text("Ad"))),
                Literal(value=True, kind="boolean"),
            ),
        ),
        ("substringof('x', a)", Call("contains", (path("a"), text("x")))),
        (
            "tolower(userPrincipalName) eq 'x'",
            Compare("eq", Call("tolower", (path("userPrincipalName"),)), text("x")),
        ),
        ("initiatedBy/user/id eq 'x'", eq("initiatedBy/user/id", "x")),
        (
            "targetResources/any(t:t/id eq 'x')",
            Lambda(path("targetResources"), "any", "t", eq("t/id", "x")),
        ),
        (
            "resourceProvisioningOptions/Any(x:x eq 'Team')",
            Lambda(path("resourceProvisioningOptions"), "any", "x", eq("x", "Team")),
        ),
        (
            "a/all(x: x/b/any(y: y eq 'z') or x/c eq 'd')",
            Lambda(
                path("a"), "all", "x", Or((Lambda(path("x/b"), "any", "y", eq("y", "z")), eq("x/c", "d")))
            ),
        ),
        ("a/any()", Lambda(path("a"), "any", None, None)),
        (
            "members/$count ne 0",
            Compare("ne", path("members/$count"), Literal(0, "number")),
        ),
        (
            "isof('microsoft.graph.ipNamedLocation')",
            Call("isof", (text("microsoft.graph.ipNamedLocation"),)),
        ),
        (
            f"(isof(principal,'microsoft.graph.user') and roleDefinitionId eq '{GUID}')",
            And(
                (
                    Call("isof", (path("principal"), text("microsoft.graph.user"))),
                    eq("roleDefinitionId", GUID),
                )
            ),
        ),
        (
            "contains(scope/microsoft.graph.accessReviewQueryScope/query, './members')",
            Call("contains", (path("scope/microsoft.graph.accessReviewQueryScope/query"), text("./members"))),
        ),
        (
            "microsoft.graph.countryNamedLocation/countriesAndRegions/any(c: c eq 'CA')",
            Lambda(
                path("microsoft.graph.countryNamedLocation/countriesAndRegions"), "any", "c", eq("c", "CA")
            ),
        ),
        (
            "scopeId eq '/' and scopeType eq 'DirectoryRole' and (roleDefinitionId eq 'a' or roleDefinitionId eq 'b')",
            And(
                (
                    eq("scopeId", "/"),
                    eq("scopeType", "DirectoryRole"),
                    Or((eq("roleDefinitionId", "a"), eq("roleDefinitionId", "b"))),
                )
            ),
        ),
        (
            "(subject/id eq 'x') and (assignmentState eq 'Eligible')",
            And((eq("subject/id", "x"), eq("assignmentState", "Eligible"))),
        ),
        (
            "resourceProvider eq Microsoft.Authorization",
            Compare("eq", path("resourceProvider"), path("Microsoft.Authorization")),
        ),
        ("\ta\neq 'x'  ", eq("a", "x")),
    ],
)
def test_reads(source: str, tree: Expr) -> None:
    assert parse_filter(source) == tree


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("asTarget()", Call("astarget", ())),
        ("atScope() and assignedTo('x')", And((Call("atscope", ()), Call("assignedto", (text("x"),))))),
        ("(principalId eq 'x') and atScope()", And((eq("principalId", "x"), Call("atscope", ())))),
    ],
)
def test_reads_the_functions_of_the_resource_manager_only_when_told_to(source: str, tree: Expr) -> None:
    assert parse_filter(source, functions={**STANDARD_FUNCTIONS, **ARM_FUNCTIONS}) == tree
    with pytest.raises(ODataError, match="is not known"):
        parse_filter(source)


@pytest.mark.parametrize(
    ("source", "says", "position"),
    [
        ("", "a value was expected", 0),
        ("   ", "a value was expected", 0),
        ("a eq", "a value was expected", 4),
        ("eq 'x'", "before 'eq'", 0),
        ("a eq 'x", "quoted string does not end", 5),
        ("a eq 'x' b", "'b' was not expected", 9),
        ("a eq 'x' and", "a value was expected", 12),
        ("a eq 'x')", "was not expected", 8),
        ("(a eq 'x'", "')' was expected", 9),
        ("a eq eq", "before 'eq'", 5),
        ("'x'", "constant alone", 0),
        ("a eq 'x' eq 'y'", "'eq' was not expected", 9),
        ("(a eq 'x') eq true", "condition cannot be compared", 0),
        ("a in ('x'", "',' was expected", 9),
        ("a in 'x'", "'(' was expected", 5),
        ("a in ('x' 'y')", "',' was expected", 10),
        ("a in (b)", "only constants", 6),
        ("a has 'x'", "operator has is not supported", 2),
        ("a add 1 eq 2", "operator add is not supported", 2),
        ("frobnicate(a)", "'frobnicate' is not known", 0),
        ("x and frobnicate(a)", "'frobnicate' is not known", 6),
        ("startswith(a)", "takes 2 argument", 0),
        ("startswith(a,'b','c')", "takes 2 argument", 0),
        ("isof()", "takes 1 or 2 argument", 0),
        ("startswith(a,'b'", "',' was expected", 16),
        ("a/any(t)", "':' was expected", 7),
        ("a/any('t':t eq 'x')", "a variable was expected", 6),
        ("a/all()", "a variable was expected", 6),
        ("a/b(c)", "was not expected", 3),
        ("a eq #", "cannot be read", 5),
        ("a == 'x'", "was not expected", 2),
        ("a eq 'x' && b eq 'y'", "cannot be read", 9),
        ("a eq 2019-13-01T00:00:00Z", "does not exist", 5),
        ("a eq 2019-13-01", "is no date", 5),
        ("a ge 2019-09-01T00:00:00", "no time zone", 5),
        ("a eq duration'x'", "neither ISO 8601", 5),
        ("a eq 5x", "cannot be read", 5),
        ("a eq " + "9" * 50, "cannot be read", 5),
        ("a eq 'x'\x00", "cannot be read", 8),
        ("ä eq 'x'", "cannot be read", 0),
    ],
)
def test_refuses_and_says_where(source: str, says: str, position: int) -> None:
    with pytest.raises(ODataError, match=re.escape(says)) as caught:
        parse_filter(source)
    error = caught.value
    assert str(error).startswith("$filter: ")
    assert error.option == "$filter"
    assert error.position == position


def test_a_long_list_of_alternatives_is_flat() -> None:
    source = " or ".join(f"id eq '{number}'" for number in range(600))
    tree = parse_filter(source)
    assert isinstance(tree, Or)
    assert len(tree.terms) == 600


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a eq '" + "x" * 20_000 + "'", "longer than"),
        ("(" * 5_000, "nested more than"),
        ("(" * 33 + "a" + ")" * 33, "nested more than"),
        ("not " * 4_000 + "a", "nested more than"),
        ("tolower(" * 2_000, "nested more than"),
        ("a/any(x:" * 1_900, "nested more than"),
        ("a in (" + ",".join(["1"] * 8_000) + ")", "has more than"),
        ("a or " * 3_200 + "'" + "x" * 300, "does not end"),
        (" " * 16_000 + "#", "cannot be read"),
        ("'" * 16_001, "does not end"),
    ],
)
def test_hostile_texts_are_refused_at_once(source: str, says: str) -> None:
    started = time.process_time()
    with pytest.raises(ODataError, match=says) as caught:
        parse_filter(source)
    assert time.process_time() - started < 2, "seconds of processor time: it does not grow with the text"
    assert len(str(caught.value)) < 300


def test_nesting_within_the_bound_is_read() -> None:
    assert parse_filter("(" * 32 + "a" + ")" * 32) == path("a")


WORDS = "a b/c eq ne and or not in ( ) , : 'x' '' 5 true null startswith( a/any( a/any(t: t/x ' - %"
FRAGMENTS = st.sampled_from([*WORDS.split(), GUID, "2019-09-01T00:00:00Z", "duration'PT1H'"])


@given(st.lists(FRAGMENTS, max_size=30).map(" ".join))
def test_any_mix_of_words_is_read_or_refused(source: str) -> None:
    try:
        parse_filter(source)
    except ODataError as error:
        position = error.position
    else:
        position = 0
    assert position is not None
    assert 0 <= position <= len(source)


@given(st.text(max_size=60))
def test_garbage_is_refused_with_the_one_error(source: str) -> None:
    try:
        parse_filter(source)
    except ODataError:
        return


@given(st.text(max_size=40))
def test_any_text_survives_quoting(value: str) -> None:
    quoted = value.replace("'", "''")
    assert parse_filter(f"a eq '{quoted}'") == eq("a", value)
