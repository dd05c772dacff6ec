"""The pieces that are made once for what they say: nothing in them escapes being escaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from markupsafe import Markup

from openpim.faces.portal.pages import environment
from openpim.faces.portal.paging import page_number
from openpim.faces.portal.pieces import badge, left
from openpim.faces.portal.words import moment

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_what_somebody_wrote_is_escaped() -> None:
    evil = "<script>'\"</script>"
    made = badge(evil, "note", evil)
    assert "<script>" not in made
    assert 'title="&lt;script&gt;&#39;&#34;' in made


def test_what_is_escaped_already_is_kept_apart_from_what_is_not() -> None:
    """They are equal, and have one hash: the one must not answer for the other."""
    assert "<b>x</b>" in badge(Markup("<b>x</b>"))
    assert "<b>" not in badge("<b>x</b>")


def test_a_badge_without_a_tone_or_a_title() -> None:
    assert badge("Guest") == '<span class="badge">Guest</span>'


def test_the_time_that_is_left() -> None:
    made = left(NOW - timedelta(hours=1), NOW + timedelta(hours=3), NOW)
    assert 'max="14400" value="10800"' in made
    assert "3 h left" in made
    assert 'value="0"' in left(NOW - timedelta(hours=2), NOW - timedelta(hours=1), NOW)
    assert "Permanent" in left(NOW, None, NOW)


def test_every_symbol_is_drawn() -> None:
    icon = environment().globals["one_icon"]
    assert "<path" in icon("star")
    assert icon("star") is icon("star")
    assert icon("star") != icon("key")


@pytest.mark.parametrize(
    ("typed", "number"),
    [("", 1), ("1", 1), ("3", 3), ("9", 4), ("0", 1), ("-2", 1), ("two", 1), ("²", 1), ("9" * 5000, 1)],
)
def test_which_page_is_meant(typed: str, number: int) -> None:
    assert page_number(typed, 4) == number


def test_a_moment_is_the_same_whatever_its_zone() -> None:
    """They are kept, and two that are equal are one."""
    when = datetime(2026, 11, 21, 23, 5, tzinfo=UTC)
    there = when.astimezone(timezone(timedelta(hours=2)))
    assert moment(when) == moment(there) == moment(when, "none")
    assert "21 Nov 2026, 23:05 UTC" in moment(there)
    assert moment(None) != moment(None, "none")
