"""Administrative units and their members (users and groups)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.directory import AdministrativeUnit, Principal
from openpim.core.query import Page, Query


class AdministrativeUnits(Protocol):
    def get(self, id: str) -> AdministrativeUnit | None: ...

    def many(self, ids: Collection[str]) -> dict[str, AdministrativeUnit]: ...

    def page(self, query: Query) -> Page[AdministrativeUnit]:
        """Fields: id, display_name, description, created_at."""
        ...

    def add(self, unit: AdministrativeUnit) -> None: ...

    def save(self, unit: AdministrativeUnit) -> None: ...

    def remove(self, id: str, now: datetime) -> bool: ...

    def members(self, unit_id: str, query: Query) -> Page[Principal]:
        """Fields as `Principals.page`."""
        ...

    def is_member(self, unit_id: str, principal_id: str) -> bool: ...

    def add_member(self, unit_id: str, member_id: str) -> bool: ...

    def remove_member(self, unit_id: str, member_id: str) -> bool: ...

    def units_of(self, principal_id: str) -> frozenset[str]:
        """Ids of the units it is directly in."""
        ...
