"""`$filter` decided in memory, with OData's idea of null and the directory's idea of equal texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.durations import parse
from openpim.wire.odata import (
    ARM_FUNCTIONS,
    ODataError,
    check_properties,
    conjuncts,
    mapping_lookup,
    matches,
    parse_filter,
    pinned,
    properties,
)

ROW: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.unifiedRoleDefinition",
    "id": "62e90394-69f5-4237-9190-012177145e10",
    "displayName": "Global Administrator",
    "description": None,
    "isBuiltIn": True,
    "version": 3,
    "createdDateTime": datetime(2026, 4, 14, 12, tzinfo=UTC),
    "modified": "2026-04-14T12:00:00.000Z",
    "maximumDuration": "PT8H",
    "longest": parse("P1D"),
    "target": {"caller": "Admin", "operations": ["all"], "enforced": []},
    "rolePermissions": [
        {"allowedResourceActions": ["microsoft.directory/users/read", "x"], "condition": None},
        {"allowedResourceActions": ["y"], "condition": "c"},
    ],
    "principal": {"@odata.type": "#microsoft.graph.user", "userType": "Member"},
}


@pytest.mark.parametrize(
    "source",
    [
        "displayName eq 'global administrator'",
        "DISPLAYNAME eq 'Global Administrator'",
        "displayName ne 'Reader'",
        "startswith(displayName,'glob')",
        "endswith(displayName,'TOR')",
        "contains(displayName,'al adm')",
        "not contains(displayName,'reader')",
        "startswith(displayName,'glob') eq true",
        "tolower(displayName) eq 'global administrator'",
        "length(displayName) eq 20",
        "indexof(displayName,'admin') gt 0",
        "concat(id,displayName) ne 'x'",
        "trim(toupper(target/caller)) eq 'ADMIN'",
        "displayName gt 'Fooo'",
        "displayName le 'Global Administrator'",
        "description eq null",
        "description ne 'x'",
        "missing eq null",
        "missing/deeper eq null",
        "null eq null",
        "isBuiltIn eq true",
        "isBuiltIn",
        "not (isBuiltIn eq false)",
        "version eq 3 and version lt 4 and version gt 2.5 and version ge 3 and version le 3",
        "version ne 'three'",
        "version in (1, 2, 3)",
        "id in ('x','62E90394-69F5-4237-9190-012177145E10')",
        "id eq 62e90394-69f5-4237-9190-012177145e10",
        "description in ('x', null)",
        "createdDateTime ge 2026-04-14T12:00:00Z",
        "createdDateTime ge 2026-04-14",
        "createdDateTime eq '2026-04-14T14:00:00+02:00'",
        "modified eq 2026-04-14T12:00:00Z",
        "maximumDuration eq duration'PT480M'",
        "longest gt duration'PT23H'",
        "longest eq 'PT24H'",
        "target/caller eq 'admin'",
        "target/operations/any(o:o eq 'ALL')",
        "target/operations/any()",
        "not target/enforced/any()",
        "target/enforced/all(e:e eq 'x')",
        "target/operations/$count eq 1",
        "target/caller/$count eq null",
        "rolePermissions/any(p:p/allowedResourceActions/any(a:startswith(a,'microsoft.directory/')))",
        "rolePermissions/any(p:p/condition eq 'c' and p/allowedResourceActions/any(a:a eq 'y'))",
        "not rolePermissions/all(p:p/condition eq 'c')",
        "isof('microsoft.graph.unifiedRoleDefinition')",
        "isof(principal,'microsoft.graph.user')",
        "isof(principal,microsoft.graph.user)",
        "principal/microsoft.graph.user/userType eq 'Member'",
        "displayName eq 'x' or isBuiltIn eq true",
        "description gt 'a' or isBuiltIn",
        "not (description gt 'a' and isBuiltIn eq false)",
    ],
)
def test_matches(source: str) -> None:
    assert matches(parse_filter(source), ROW)
    assert matches(parse_filter(source), mapping_lookup(ROW))


@pytest.mark.parametrize(
    "source",
    [
        "displayName eq 'Reader'",
        "displayName eq null",
        "displayName eq 5",
        "displayName gt 5",
        "not (displayName gt 5)",
        "description eq 'x'",
        "description gt 'a'",
        "not (description gt 'a')",
        "description ge null",
        "contains(description,'x')",
        "not contains(description,'x')",
        "isBuiltIn eq 1",
        "version eq true",
        "displayName",
        "false",
        "null",
        "not null",
        "not displayName",
        "id in ('x','y')",
        "id in ()",
        "createdDateTime gt 'soon'",
        "createdDateTime eq 5",
        "longest eq 5",
        "maximumDuration eq duration'PT9H'",
        "target eq 'x'",
        "target/operations eq 'all'",
        "displayName/any(c:c eq 'G')",
        "rolePermissions/any(p:p/condition eq 'd')",
        "isof('microsoft.graph.user')",
        "isof(5)",
        "description gt 'a' and isBuiltIn",
    ],
)
def test_does_not_match(source: str) -> None:
    assert not matches(parse_filter(source), ROW)


def test_a_function_of_another_dialect_cannot_be_evaluated() -> None:
    with pytest.raises(ODataError, match="cannot be used here"):
        matches(parse_filter("asTarget()", functions=ARM_FUNCTIONS), ROW)


def test_an_inner_variable_hides_an_outer_one() -> None:
    row = {"a": [{"b": ["x"]}], "x": "outside"}
    assert matches(parse_filter("a/any(x:x/b/any(x:x eq 'x'))"), row)


@given(st.text(max_size=20), st.text(max_size=20))
def test_equality_of_texts_ignores_case_and_ne_is_its_opposite(left: str, right: str) -> None:
    quoted = right.replace("'", "''")
    equal = matches(parse_filter(f"a eq '{quoted}'"), {"a": left})
    assert equal == (left.casefold() == right.casefold())
    assert matches(parse_filter(f"a ne '{quoted}'"), {"a": left}) is not equal


@given(st.integers(-50, 50), st.integers(-50, 50))
def test_orders_of_numbers(left: int, right: int) -> None:
    row = {"a": left}
    assert matches(parse_filter(f"a lt {right}"), row) == (left < right)
    assert matches(parse_filter(f"a ge {right}"), row) == (left >= right)
    assert matches(parse_filter(f"{right} gt a"), row) == (left < right)


def test_names_its_properties() -> None:
    expr = parse_filter(
        "a eq 'x' and (b/c ne null or not startswith(d,'y')) and e in (1) and f/any(t:t/g eq h and t eq i)"
    )
    assert [path.name for path in properties(expr)] == ["a", "b/c", "d", "e", "f", "h", "i"]
    assert list(properties(None)) == []
    check_properties(expr, {"a", "b/c", "d", "e", "f", "h", "i"})
    with pytest.raises(ODataError, match="could not find a property named 'b/c'"):
        check_properties(expr, {"a"})


def test_a_cast_is_no_part_of_a_name() -> None:
    expr = parse_filter(
        "microsoft.graph.user/country eq 'x' and a/b.c/d eq 'y' and resource eq Microsoft.Authorization"
    )
    names = [path.name for path in properties(expr)]
    assert names == ["country", "a/d", "resource", "Microsoft.Authorization"]
    assert next(properties(parse_filter("p/@odata.type eq 'x'"))).name == "p/@odata.type"


def test_takes_the_conjunction_apart() -> None:
    assert conjuncts(None) == ()
    assert len(conjuncts(parse_filter("a eq 'x' and b eq 'y' and c eq 'z'"))) == 3
    assert len(conjuncts(parse_filter("a eq 'x' or b eq 'y'"))) == 1


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("id eq 'X'", {"x"}),
        ("'X' eq ID", {"x"}),
        ("id eq null", {None}),
        ("id in ('a','B')", {"a", "b"}),
        ("id eq 'a' or id eq 'b'", {"a", "b"}),
        ("id eq 'a' or b eq 'b'", None),
        ("b eq 'c' and (id eq 'a' or id eq 'b')", {"a", "b"}),
        ("id eq 'a' and id eq 'b'", set()),
        ("id eq 'a' and (id eq 'a' or c eq 'd')", {"a"}),
        ("(id eq 'a' and c eq 'd') or (id eq 'b')", {"a", "b"}),
        ("id ne 'a'", None),
        ("not (id eq 'a')", None),
        ("not (id ne 'a')", None),
        ("startswith(id,'a')", None),
        ("x/any(id:id eq 'a')", None),
        ("tolower(id) eq 'a'", None),
        ("b eq 'a'", None),
        ("id eq b", None),
        ("id in ()", set()),
        ("b in ('a')", None),
        ("id eq 'STRASSE'", {"strasse"}),
        ("id eq 'Straße'", {"strasse"}),
        ("microsoft.graph.user/id eq 'a'", {"a"}),
    ],
)
def test_tells_to_which_values_a_property_is_pinned(source: str, values: set[str | None] | None) -> None:
    assert pinned(parse_filter(source), "id") == values


def test_no_filter_pins_nothing() -> None:
    assert pinned(None, "id") is None


TERMS = st.sampled_from(
    ["id eq 'a'", "id eq 'b'", "id in ('b','c')", "n eq 1", "id ne 'c'", "not (id eq 'a')"]
)
FILTERS = st.recursive(
    TERMS,
    lambda inner: st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(
        lambda t: f"({''.join(t)})"
    ),
    max_leaves=6,
)


@given(FILTERS, st.sampled_from(["a", "b", "c", "d"]), st.sampled_from([1, 2]))
def test_whatever_matches_is_among_the_pins(source: str, value: str, number: int) -> None:
    expr = parse_filter(source)
    pins = pinned(expr, "id")
    if pins is not None and matches(expr, {"id": value, "n": number}):
        assert value in pins
