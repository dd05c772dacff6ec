"""For how long something was asked, as it stands in a column: of requests, and of the schedules that they made."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache

from msgspec.json import decode

from openpim.core.grants import Duration, ExpirationType, Window


def window_text(window: Window) -> str:
    duration = window.duration
    return json.dumps(
        [
            window.start.isoformat() if window.start else None,
            window.type.value,
            window.end.isoformat() if window.end else None,
            [duration.iso, duration.months, duration.seconds] if duration else None,
        ],
        separators=(",", ":"),
    )


@lru_cache(maxsize=1000)  # most say the same: nothing
def window_value(text: str) -> Window:
    start, kind, end, duration = decode(text)
    return Window(
        start=datetime.fromisoformat(start) if start else None,
        type=ExpirationType(kind),
        end=datetime.fromisoformat(end) if end else None,
        duration=Duration(*duration) if duration else None,
    )
