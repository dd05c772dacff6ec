"""Users, groups and service principals seen alike: one id space, one name, one answer to "does it exist"."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from openpim.core.directory import Principal, PrincipalKind
from openpim.core.query import Page, Query


class Principals(Protocol):
    def get(self, id: str, *, deleted: bool = False) -> Principal | None:
        """deleted: also those that were deleted (their names are still wanted in the history)."""
        ...

    def many(self, ids: Collection[str], *, deleted: bool = False) -> dict[str, Principal]: ...

    def page(self, query: Query, kinds: Collection[PrincipalKind] = ()) -> Page[Principal]:
        """Fields: id, kind, display_name, enabled, created_at."""
        ...

    def search(
        self, text: str, kinds: Collection[PrincipalKind] = (), limit: int = 20
    ) -> tuple[Principal, ...]:
        """Those whose display name starts with the text, by name."""
        ...

    def find_by_name(self, name: str, kind: PrincipalKind | None = None) -> tuple[Principal, ...]:
        """Those with exactly this display name (case does not matter), at most 50."""
        ...

    def lock(self, *ids: str) -> None:
        """Hold the rows of principals until the commit: two units of work about one go one after the other."""
        ...
