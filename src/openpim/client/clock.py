"""The only clock and the only chance of `client` and `cli`: tests replace these functions.

Nothing else in these two rooms reads the time, sleeps or draws random values, so that a test can move
time by hand and a run can be repeated.
"""

from __future__ import annotations

import os
import time

__all__ = ["local_parts", "monotonic", "new_guid", "new_secret", "now", "sleep", "utc_text", "written"]


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


def utc_text(seconds: int) -> str:
    """`2026-11-21T18:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def local_parts(seconds: float) -> time.struct_time:
    """The point in time on the wall clock of the local zone."""
    return time.localtime(seconds)


def written(form: str, parts: time.struct_time) -> str:
    """`time.strftime`."""
    return time.strftime(form, parts)


def new_secret(nbytes: int = 32) -> str:
    """Unguessable text of the URL-safe alphabet, from the operating system."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(os.urandom(nbytes)).rstrip(b"=").decode("ascii")


def new_guid() -> str:
    """A random UUID (RFC 9562, version 4); `uuid` itself is slow to import."""
    octets = bytearray(os.urandom(16))
    octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
