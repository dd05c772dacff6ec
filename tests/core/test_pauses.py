"""Pauses double up to a bound, however long something fails."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.pauses import doubled


def test_pauses_double_up_to_a_bound() -> None:
    longest = timedelta(minutes=5)
    seconds = [doubled(failures, longest).total_seconds() for failures in (0, 1, 2, 3, 9, 10, 10**9)]
    assert seconds == [1, 1, 2, 4, 256, 300, 300]
    assert doubled(3, longest, timedelta(seconds=30)) == timedelta(minutes=2)
