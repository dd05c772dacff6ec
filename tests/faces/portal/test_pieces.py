"""The pieces that are made once for what they say: nothing in them escapes being escaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from openpim.faces.portal.pages import environment
from openpim.faces.portal.pieces import badge, left

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
