"""Failure counters. System-wide; keys are digests, so that no name or address stands in the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from openpim.core.signin.values import Counter


class Throttle(Protocol):
    def get(self, keys: Sequence[str]) -> dict[str, Counter]: ...
    def lock(self, keys: Sequence[str]) -> dict[str, Counter]:
        """Like get, and no other unit of work counts these keys meanwhile."""
        ...

    def put(self, counter: Counter) -> None: ...
    def clear(self, keys: Sequence[str]) -> None: ...
    def forget(self, before: datetime) -> int: ...
