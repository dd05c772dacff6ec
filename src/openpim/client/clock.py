"""The only clock and the only chance of `client` and `cli`: tests replace these functions.

Nothing else in these two rooms reads the time, sleeps or draws random values, so that a test can move
time by hand and a run can be repeated.
"""

from __future__ import annotations

import os
import time

__all__ = ["monotonic", "new_secret", "now", "sleep"]


def now() -> float:
    """Seconds since 1970 by the machine's clock."""
    return time.time()


def monotonic() -> float:
    """Seconds that never go back: for timeouts."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Do nothing for a while; never for a negative one."""
    if seconds > 0:
        time.sleep(seconds)


def new_secret(nbytes: int = 32) -> str:
    """Unguessable text of the URL-safe alphabet, from the operating system."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(os.urandom(nbytes)).rstrip(b"=").decode("ascii")
