"""How far a follower of the audit log has come."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Cursors(Protocol):
    def position(self, name: str) -> int:
        """The first position that the follower has not dealt with; 0 when it is new."""
        ...

    def move(self, name: str, before: int, after: int, now: datetime) -> bool:
        """Compare and set: False, and nothing is changed, when it does not stand at `before` any more."""
        ...

    def drop(self, name: str) -> None:
        """Forget a follower that is gone."""
        ...
