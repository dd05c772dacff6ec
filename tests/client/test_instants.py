"""Our arithmetic agrees with `datetime` and with the wire's own parsers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.client.instants import instant, iso, iso_duration, plain_seconds
from openpim.wire import durations

WHEN = st.datetimes(datetime(1971, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(WHEN, OFFSETS)
def test_reads_what_datetime_writes(when, offset):
    for text in (
        when.isoformat(),
        when.isoformat().replace("+00:00", "Z"),
        when.astimezone(offset).isoformat(),
    ):
        assert instant(text) == pytest.approx(when.timestamp(), abs=1e-4)


@given(st.integers(31_536_000, 253_402_300_799))
def test_writes_and_reads_back(seconds):
    assert instant(iso(seconds)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0001-01-01T08:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "x" * 20,
        None,
        5,
        "2026-01-01T99:00:00Z",
    ],
)
def test_none_for_what_is_no_time(text):
    assert instant(text) is None


def test_seven_digits():
    assert instant("2022-04-13T08:52:32.6485851Z") == pytest.approx(1649839952.6485851)


@given(st.integers(1, 86400 * 3))
def test_durations_agree_with_the_wire(seconds):
    assert durations.parse(iso_duration(seconds)).seconds == seconds
    assert plain_seconds(durations.render(seconds)) == seconds


@given(st.text("PT0123456789DHMSYW.", max_size=12))
def test_plain_seconds_reads_nothing_the_wire_would_not(text):
    seconds = plain_seconds(text)
    if seconds:
        try:
            assert durations.parse(text).seconds == seconds
        except durations.DurationError:
            # Only the order and repetition of units is not looked at: a server does not send that.
            assert text[0] == "P"
