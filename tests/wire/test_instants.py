"""Points in time: what Graph's clients send and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.instants import InstantError, MissingOffsetError, parse_datetime, render_datetime


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2022-04-13T08:52:32.6485851Z", datetime(2022, 4, 13, 8, 52, 32, 648585, UTC)),
        ("2022-04-14T00:00:00.000Z", datetime(2022, 4, 14, tzinfo=UTC)),
        ("2022-04-14T00:00:00+00:00", datetime(2022, 4, 14, tzinfo=UTC)),
        ("2022-04-14T02:30:00+02:30", datetime(2022, 4, 14, tzinfo=UTC)),
        ("2022-04-13T19:00:00-0500", datetime(2022, 4, 14, tzinfo=UTC)),
        ("2022-04-14T00:00Z", datetime(2022, 4, 14, tzinfo=UTC)),
        ("2022-04-14t00:00:00z", datetime(2022, 4, 14, tzinfo=UTC)),
        (" 2022-04-14T00:00:00Z ", datetime(2022, 4, 14, tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2024-02-29T12:00:00.5Z", datetime(2024, 2, 29, 12, 0, 0, 500000, UTC)),
    ],
)
def test_reads(text: str, value: datetime) -> None:
    parsed = parse_datetime(text)
    assert parsed == value
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not like"),
        ("now", "is not like"),
        ("2022-04-14", "is not like"),
        ("2022-04-14 00:00:00Z", "is not like"),
        ("2022-04-14T00:00:00.12345678Z", "is not like"),
        ("2022-4-14T00:00:00Z", "is not like"),
        ("٢٠٢٢-04-14T00:00:00Z", "is not like"),
        ("2022-13-14T00:00:00Z", "does not exist"),
        ("2023-02-29T00:00:00Z", "does not exist"),
        ("2022-04-14T24:00:00Z", "does not exist"),
        ("2022-04-14T00:00:60Z", "does not exist"),
        ("0000-01-01T00:00:00Z", "does not exist"),
        ("0001-01-01T00:00:00Z", "outside the years"),
        ("1969-12-31T23:59:59Z", "outside the years"),
        ("1970-01-01T00:00:00+01:00", "outside the years"),
        ("9999-12-31T23:59:59-01:00", "outside the years"),
        ("0001-01-01T00:00:00+01:00", "outside the years"),
        ("2022-04-14T00:00:00+15:00", "beyond 14 hours"),
        ("2022-04-14T00:00:00+01:75", "beyond 14 hours"),
        ("2" * 100_000, "too long"),
    ],
)
def test_refuses_and_says_why(text: str, says: str) -> None:
    with pytest.raises(InstantError, match=says) as caught:
        parse_datetime(text)
    assert not isinstance(caught.value, MissingOffsetError)


@pytest.mark.parametrize("text", ["2022-04-14T00:00:00", "2022-04-14T00:00:00.000", "2022-04-14T00:00"])
def test_a_missing_offset_is_its_own_error(text: str) -> None:
    with pytest.raises(MissingOffsetError, match="no time zone"):
        parse_datetime(text)


def test_a_client_may_read_the_year_one() -> None:
    assert parse_datetime("0001-01-01T08:00:00Z", first_year=1).year == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2022, 4, 14, tzinfo=UTC), "2022-04-14T00:00:00Z"),
        (datetime(2022, 4, 13, 8, 52, 32, 648585, UTC), "2022-04-13T08:52:32.648585Z"),
        (datetime(2022, 4, 13, 8, 52, 30, 500000, UTC), "2022-04-13T08:52:30.5Z"),
        (datetime(2022, 4, 13, 10, 0, 0, 0, timezone(timedelta(hours=2))), "2022-04-13T08:00:00Z"),
        (datetime(2022, 4, 13, 8, 52, 10, tzinfo=UTC), "2022-04-13T08:52:10Z"),
    ],
)
def test_writes(value: datetime, text: str) -> None:
    assert render_datetime(value) == text


def test_a_naive_time_is_a_bug() -> None:
    with pytest.raises(ValueError, match="time zone"):
        render_datetime(datetime(2022, 4, 14))  # noqa: DTZ001


FIRST = datetime(1970, 1, 3)  # noqa: DTZ001
LAST = datetime(9999, 12, 30)  # noqa: DTZ001


@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_what_is_written_reads_back(value: datetime) -> None:
    assert parse_datetime(render_datetime(value)) == value.astimezone(UTC)


@given(st.text(max_size=50))
def test_garbage_is_refused_with_the_one_error(text: str) -> None:
    try:
        parse_datetime(text)
    except InstantError:
        return
