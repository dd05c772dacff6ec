"""Paths: what clients vary is levelled, what could mean two things is refused."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.odata import parse_function_segment
from openpim.wire.paths import BadPath, SplitPath, fold, split_path


@pytest.mark.parametrize(
    ("raw", "segments"),
    [
        ("", ()),
        ("/", ()),
        ("///", ()),
        ("/v1.0/me", ("v1.0", "me")),
        ("//v1.0///me//", ("v1.0", "me")),
        ("/beta/roleManagement/directory/", ("beta", "roleManagement", "directory")),
        ("/v1.0/%24batch", ("v1.0", "$batch")),
        ("/x/filterByCurrentUser(on=%27principal%27)", ("x", "filterByCurrentUser(on='principal')")),
        ("/x/filterByCurrentUser%28on='principal'%29", ("x", "filterByCurrentUser(on='principal')")),
        ("/x/a%2520b", ("x", "a%20b")),
        ("/x/a+b", ("x", "a+b")),
        ("/x/%C3%A4", ("x", "ä")),
        ("/x/ä", ("x", "ä")),
        ("/x/...", ("x", "...")),
        ("/x/100%", ("x", "100%")),
    ],
)
def test_splits(raw: str, segments: tuple[str, ...]) -> None:
    for path in (raw, raw.encode()):
        assert split_path(path) == SplitPath(segments, tuple(segment.lower() for segment in segments))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("v1.0/me", "does not start"),
        ("/x/../y", "dot segment"),
        ("/x/./y", "dot segment"),
        ("/x/%2e%2E/y", "dot segment"),
        ("/x/a%2Fb", "encoded slash"),
        ("/x/a%2fb", "encoded slash"),
        ("/x/a\\b", "backslash"),
        ("/x/a%5Cb", "backslash"),
        ("/x/a%00", "control character"),
        ("/x/a%0d%0aSet-Cookie", "control character"),
        ("/x/%7f", "control character"),
        ("/x/%ff", "not UTF-8"),
        ("/x/%c0%af", "not UTF-8"),
        ("/x/\udcff", "not UTF-8"),
        ("/" + "x" * 9000, "longer than"),
        ("/x" * 65, "more than 64"),
    ],
)
def test_refuses_and_says_why(raw: str, reason: str) -> None:
    found = split_path(raw)
    assert isinstance(found, BadPath)
    assert reason in found.reason


def test_folding_leaves_letters_alone_that_only_look_ascii() -> None:
    assert fold("RoleManagement") == "rolemanagement"
    assert fold("roleManagement".replace("M", "\N{KELVIN SIGN}")) != "rolekanagement"  # Kelvin lowers to k


def test_a_called_segment_survives_both_encodings() -> None:
    for raw in ("/filterByCurrentUser(on='principal')", "/" + quote("filterByCurrentUser(on='principal')")):
        found = split_path(raw)
        assert isinstance(found, SplitPath)
        assert parse_function_segment(found.segments[0]) == ("filterbycurrentuser", {"on": "principal"})


@given(st.binary(max_size=60))
def test_any_bytes_are_split_or_refused(raw: bytes) -> None:
    found = split_path(b"/" + raw)
    if isinstance(found, SplitPath):
        assert all(
            segment and ("/" not in segment or "'" in segment) and segment not in {".", ".."}
            for segment in found.segments
        )


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=8), max_size=5))
def test_what_is_encoded_comes_back(segments: list[str]) -> None:
    found = split_path("/" + "/".join(quote(segment, safe="") for segment in segments))
    if isinstance(found, SplitPath):
        assert list(found.segments) == segments


@pytest.mark.parametrize(
    ("raw", "segments"),
    [
        (b"/a/f(x='/')/b", ("a", "f(x='/')", "b")),
        (b"/a/f(x=%27%2F%27,y='/u/1')", ("a", "f(x='/',y='/u/1')")),
        (b"/a/f%28x=%27/%27%29/b", ("a", "f(x='/')", "b")),
        (b"/a/f('/')", ("a", "f('/')")),
        # Quotes that are not an argument's, or are not closed, hide no slash.
        (b"/it's/o'brien", ("it's", "o'brien")),
        (b"/a(b/c'd/e'f", ("a(b", "c'd", "e'f")),
        (b"/a(b='c/d", ("a(b='c", "d")),
    ],
)
def test_a_slash_in_a_quoted_argument(raw: bytes, segments: tuple[str, ...]) -> None:
    found = split_path(raw)
    assert isinstance(found, SplitPath), found
    assert found.segments == segments


@pytest.mark.parametrize(
    "raw", [b"/a/f(x=%2F)", b"/a/x%2Fy'z'", b"/a/f(x='/'%2Fy)", b"/a/f(x='\\')", b"/a'%2F'"]
)
def test_a_slash_anywhere_else_stays_refused(raw: bytes) -> None:
    assert isinstance(split_path(raw), BadPath)
