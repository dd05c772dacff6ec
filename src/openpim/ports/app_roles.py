"""Who has which role of which application, in the tenant."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from openpim.core.query import Page, Query
from openpim.core.relying import AppRoleAssignment


class AppRoleAssignments(Protocol):
    def get(self, id: str) -> AppRoleAssignment | None: ...

    def of(self, principal_ids: Collection[str], resource_id: str) -> list[AppRoleAssignment]:
        """What any of these principals has at this application."""
        ...

    def find(self, principal_id: str, resource_id: str, app_role_id: str) -> AppRoleAssignment | None: ...

    def page(self, query: Query) -> Page[AppRoleAssignment]:
        """Fields: id, principal_id, resource_id, app_role_id, created_at."""
        ...

    def add(self, assignment: AppRoleAssignment) -> None: ...

    def remove(self, id: str) -> bool: ...

    def remove_role(self, resource_id: str, app_role_id: str) -> None:
        """The application has this role no more."""
        ...
