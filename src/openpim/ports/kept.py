"""What was worked out, and is kept because it may still be true when it is asked for again: whoever keeps a thing says by
what he will know. One for a process; to lose it costs time and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any

MOST = 64


class Kept:
    """At most MOST values: then what was kept first goes. Several threads may use it."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}
        self._gate = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """None: it is not there."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: Any) -> None:
        with self._gate:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > MOST:
                del self._values[next(iter(self._values))]
