"""Words of the audit log, by run of 256 positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from openpim.core.audit import AuditEvent
from openpim.core.query import Condition


class AuditSearch(Protocol):
    def enter(self, run: int, found: Sequence[str]) -> None:
        """The different words of a run, once."""
        ...

    def leave(self, run: int, words: Sequence[str]) -> None:
        """These words are in the run no more."""
        ...

    def runs(self, beginnings: Sequence[str], before: int, limit: int) -> list[int]:
        """The runs below `before` that have a word with each of these beginnings, the newest first."""
        ...

    def between(
        self, first: int, end: int, where: Condition | None, beginnings: Sequence[str]
    ) -> list[AuditEvent]:
        """The events of positions [first, end), the newest first, that meet the condition; perhaps not all that lack
        the words are left out."""
        ...
