"""Role definitions, built-in (the same everywhere) and custom (of the tenant)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from openpim.core.directory import RoleDefinition
from openpim.core.query import Page, Query


class Roles(Protocol):
    def get(self, id: str) -> RoleDefinition | None: ...

    def many(self, ids: Collection[str]) -> dict[str, RoleDefinition]: ...

    def page(self, query: Query) -> Page[RoleDefinition]:
        """Fields: id, template_id, display_name, description, built_in, enabled, privileged, version,
        resource_scopes."""
        ...

    def all(self) -> tuple[RoleDefinition, ...]: ...

    def custom(self) -> tuple[RoleDefinition, ...]: ...

    def find_by_name(self, name: str) -> RoleDefinition | None:
        """Case does not matter; names are unique."""
        ...

    def add(self, role: RoleDefinition) -> None: ...

    def save(self, role: RoleDefinition) -> None: ...

    def remove(self, id: str) -> bool: ...
