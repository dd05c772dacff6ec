"""Durations: every form a client sends, nothing else, and no surprise for one that reads its own back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.durations import Duration, DurationError, parse, parse_human, render, render_human

HOUR = 3600
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "iso", "months", "seconds"),
    [
        ("PT480M", "PT480M", 0, 8 * HOUR),
        ("PT8H", "PT8H", 0, 8 * HOUR),
        ("pt8h", "PT8H", 0, 8 * HOUR),
        (" PT8H ", "PT8H", 0, 8 * HOUR),
        ("PT1H30M", "PT1H30M", 0, 5400),
        ("P6M", "P6M", 6, 0),
        ("P1Y", "P1Y", 12, 0),
        ("P1Y6M", "P1Y6M", 18, 0),
        ("P365D", "P365D", 0, 365 * DAY),
        ("P1DT12H", "P1DT12H", 0, 36 * HOUR),
        ("P2W", "P2W", 0, 14 * DAY),
        ("P1MT1M", "P1MT1M", 1, 60),
        ("PT1.5H", "PT1.5H", 0, 5400),
        ("PT0,5H", "PT0,5H", 0, 1800),
        ("PT28800.000S", "PT28800.000S", 0, 8 * HOUR),
        ("P0.5Y", "P0.5Y", 6, 0),
        ("P0DT1H", "P0DT1H", 0, HOUR),
        ("5:00:00", "PT5H", 0, 5 * HOUR),
        ("05:30:15", "PT5H30M15S", 0, 5 * HOUR + 1815),
        ("365 days, 0:00:00", "P365D", 0, 365 * DAY),
        ("1 day, 12:00:00", "P1DT12H", 0, 36 * HOUR),
        ("1 day 12:00:00", "P1DT12H", 0, 36 * HOUR),
        ("1.02:00:00", "P1DT2H", 0, DAY + 2 * HOUR),
        ("36:00:00", "P1DT12H", 0, 36 * HOUR),
        ("8:00:00.0000000", "PT8H", 0, 8 * HOUR),
        ("P100Y", "P100Y", 1200, 0),
        ("P36525D", "P36525D", 0, 36_525 * DAY),
    ],
)
def test_reads_every_form(text: str, iso: str, months: int, seconds: int) -> None:
    assert parse(text) == Duration(iso, months, seconds)
    assert str(parse(text)) == iso


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("P", "not ISO 8601"),
        ("PT", "not ISO 8601"),
        ("P1DT", "not ISO 8601"),
        ("P1H", "not ISO 8601"),
        ("PT1D", "not ISO 8601"),
        ("PT1M1H", "not ISO 8601"),
        ("PT8H\n1", "not ISO 8601"),
        ("PT٨H", "not ISO 8601"),
        ("PT99999999999999999999H", "not ISO 8601"),
        ("-PT8H", "negative"),
        ("PT-8H", "negative"),
        ("-1 day, 23:00:00", "negative"),
        ("PT0S", "zero"),
        ("P0D", "zero"),
        ("0:00:00", "zero"),
        ("PT0.5S", "finer than a whole second"),
        ("P0.1M", "finer than a whole month"),
        ("PT1.5H30M", "only its last number"),
        ("8:00:00.5", "finer"),
        ("8:60:00", "59"),
        ("8:00:60", "59"),
        ("8:00", "neither"),
        ("8", "neither"),
        ("8 hours", "neither"),
        ("P101Y", "longer than 100 years"),
        ("P1201M", "longer than 100 years"),
        ("P36526D", "longer than 100 years"),
        ("PT999999999999999999H", "longer than 100 years"),
        ("999999999999999999:00:00", "longer than 100 years"),
        ("P" + "1" * 100_000 + "D", "too long"),
    ],
)
def test_refuses_and_says_why(text: str, says: str) -> None:
    with pytest.raises(DurationError, match=says) as caught:
        parse(text)
    assert len(str(caught.value)) < 200


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=36_500)))
def test_reads_what_pythons_sdk_sends(delta: timedelta) -> None:
    delta = timedelta(days=delta.days, seconds=delta.seconds) or timedelta(seconds=1)
    parsed = parse(str(delta))
    assert (parsed.months, parsed.seconds) == (0, int(delta.total_seconds()))
    assert parse(parsed.iso) == parsed


@given(st.integers(0, 1200), st.integers(0, 100 * 365 * DAY))
def test_what_is_written_reads_back(months: int, seconds: int) -> None:
    text = render(seconds, months=months)
    if not months and not seconds:
        assert text == "PT0S"
        return
    if months * 2_629_800 + seconds <= 36_525 * DAY:
        assert parse(text) == Duration(text, months, seconds)


@given(st.text(max_size=80))
def test_garbage_is_refused_with_the_one_error(text: str) -> None:
    for read in (parse, parse_human):
        try:
            parsed = read(text)
        except DurationError:
            continue
        assert parsed.seconds or parsed.months
        assert read(parsed.iso) == parsed


@pytest.mark.parametrize(
    ("seconds", "months", "text"),
    [
        (8 * HOUR, 0, "PT8H"),
        (DAY, 0, "P1D"),
        (0, 6, "P6M"),
        (0, 12, "P1Y"),
        (60, 14, "P1Y2MT1M"),
        (0, 0, "PT0S"),
    ],
)
def test_renders(seconds: int, months: int, text: str) -> None:
    assert render(seconds, months=months) == text


def test_a_negative_length_cannot_be_written() -> None:
    with pytest.raises(DurationError):
        render(-1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 2 * HOUR),
        ("90m", 5400),
        ("1h30m", 5400),
        ("1h 30min", 5400),
        ("1 h 30 min", 5400),
        ("1.5h", 5400),
        ("8H", 8 * HOUR),
        ("3d", 3 * DAY),
        ("2 hours, 5 minutes", 7500),
        ("1w", 7 * DAY),
        ("45s", 45),
        ("PT8H", 8 * HOUR),
        ("8:00:00", 8 * HOUR),
    ],
)
def test_reads_what_people_type(text: str, seconds: int) -> None:
    assert parse_human(text).seconds == seconds


def test_people_may_name_months() -> None:
    assert parse_human("6mo") == Duration("P6M", 6, 0)
    assert parse_human("1y") == Duration("P1Y", 12, 0)
    assert parse_human("1.5 years") == Duration("P1Y6M", 18, 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("8", "write 8h or 8m"),
        ("1.5", "no unit"),
        ("h", "not like"),
        ("2x", "not like"),
        ("2h2h", "twice"),
        ("0h", "zero"),
        ("0.0001m", "finer"),
        ("-2h", "negative"),
        ("", "empty"),
        ("200y", "longer"),
        ("1" * 200 + "h", "too long"),
    ],
)
def test_refuses_what_people_mistype(text: str, says: str) -> None:
    with pytest.raises(DurationError, match=says):
        parse_human(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5400, "1 h 30 min"),
        (8 * HOUR, "8 h"),
        (3 * DAY + 4 * HOUR, "3 d 4 h"),
        (45, "45 s"),
        (0, "0 s"),
        (-60, "-1 min"),
    ],
)
def test_shows_people(seconds: int, text: str) -> None:
    assert render_human(seconds) == text


@given(st.integers(1, 36_500 * DAY))
def test_what_people_see_can_be_typed(seconds: int) -> None:
    assert parse_human(render_human(seconds)).seconds == seconds
