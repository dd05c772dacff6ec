"""How long to wait before the next try: a while, doubled with each failure up to a bound."""

from __future__ import annotations

from datetime import timedelta

SECOND = timedelta(seconds=1)
_MOST_DOUBLINGS = 20


def doubled(failures: int, longest: timedelta, first: timedelta = SECOND) -> timedelta:
    """failures: in a row; after the first of them (or none) it is `first`."""
    factor: int = 2 ** min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(first * factor, longest)
