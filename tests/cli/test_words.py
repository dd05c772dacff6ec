"""Names, times and what is printed: the small parts."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.cli import times
from openpim.cli.exits import EXITS, combined, exit_code
from openpim.cli.match import fits
from openpim.cli.output import Printer, clean, one_line, short
from openpim.client import clock
from openpim.client.errors import KINDS, PimError

ROLES = [
    "Global Administrator",
    "Global Reader",
    "Teams Administrator",
    "Teams Communications Administrator",
    "Gate Attendant",
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("teams administrator", ["Teams Administrator"]),
        ("  TEAMS   administrator ", ["Teams Administrator"]),
        ("teams", ["Teams Administrator", "Teams Communications Administrator"]),
        ("communi", ["Teams Communications Administrator"]),
        ("gr", ["Global Reader"]),
        ("ga", ["Gate Attendant"]),  # a prefix comes before initials
        ("tca", ["Teams Communications Administrator"]),
        (
            "administrator",
            ["Global Administrator", "Teams Administrator", "Teams Communications Administrator"],
        ),
        ("", []),
        ("xyz", []),
    ],
)
def test_exact_then_prefix_then_substring_then_initials(wanted, found):
    assert fits(wanted, ROLES, lambda name: (name,)) == found


@given(st.text())
def test_nothing_printed_can_command_a_terminal(text):
    assert one_line(text).isprintable()
    assert all(char.isprintable() or char == "\n" for char in clean(text))
    out = io.StringIO()
    Printer(out, "json", colour=False).rows([{"a": text}], [("a", "A")])
    assert out.getvalue().replace("\n", "").isprintable()
    assert json.loads(out.getvalue()) == [{"a": text}] or not text.isprintable()
    out = io.StringIO()
    Printer(out, "tsv", colour=False).rows([{"a": text}], [("a", "A")])
    assert len(out.getvalue().split("\n")) == 3
    assert "\t" not in out.getvalue()


def test_tables_are_aligned_also_for_wide_letters():
    out = io.StringIO()
    rows = [{"a": "日本", "b": 1}, {"a": "abcdef", "b": True}, {"a": "x", "b": ["p", "q"]}]
    Printer(out, "table", colour=False).rows(rows, [("a", "A"), ("b", "B"), ("c", "never shown")])
    assert out.getvalue() == "A       B\n日本    1\nabcdef  yes\nx       p, q\n"


def test_colours_only_when_wanted():
    for colour in (True, False):
        out = io.StringIO()
        Printer(out, "table", colour).rows([{"s": "active"}], [("s", "STATE")])
        assert ("\x1b[" in out.getvalue()) is colour


def test_short():
    assert [short(s) for s in (0, 59, 60, 3599, 3600, 5400, 86400, 90000, 31_536_000)] == [
        "0 s", "59 s", "1 min", "59 min", "1 h", "1 h 30 min", "1 d", "1 d 1 h", "365 d",
    ]  # fmt: skip


NOW = 1_795_000_000.0


@pytest.fixture
def at(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    import time

    time.tzset()
    monkeypatch.setattr(clock, "now", lambda: NOW)
    yield
    monkeypatch.undo()
    time.tzset()


def test_moments(at):
    # NOW is 2026-11-18 12:06:40 in Berlin
    assert times.moment("now", "--until") == NOW
    assert times.moment("+2h", "--until") == NOW + 7200
    assert times.moment("18:00", "--until") == NOW + 6 * 3600 - 400
    assert times.moment("9:30", "--until") == times.moment("tomorrow 9:30", "--until")
    assert times.moment("2026-11-18T18:00", "--until") == times.moment("18:00", "--until")
    assert times.moment("2026-11-18T17:00Z", "--until") == times.moment("18:00", "--until")
    assert times.moment("today 18:00", "--until") == times.moment("18:00", "--until")
    for wrong in ("soon", "25:00", "tomorrow noon", "12:60", "99999-01-01", "+2"):
        with pytest.raises(PimError) as caught:
            times.moment(wrong, "--until")
        assert caught.value.kind == "usage"


def test_exit_codes():
    assert [code for code, *_ in EXITS] == [*range(13), 130]
    assert {kind for _, kind, _, _ in EXITS} == {"done", *KINDS}
    assert exit_code("no such kind") == 1
    assert [combined(codes) for codes in ([], [0], [6], [8, 8], [0, 3], [0, 8], [3, 8], [6, 8])] == [
        0,
        0,
        6,
        8,
        3,
        10,
        10,
        10,
    ]
