"""Delegated permissions: what applications may do for people, in the tenant."""

from __future__ import annotations

from typing import Protocol

from openpim.core.query import Page, Query
from openpim.core.signin.consent import PermissionGrant


class PermissionGrants(Protocol):
    def get(self, id: str) -> PermissionGrant | None: ...

    def of(self, client_id: str, principal_id: str) -> list[PermissionGrant]:
        """Those that count when this application acts for this person: his own, and everybody's."""
        ...

    def of_client(self, client_id: str) -> list[PermissionGrant]: ...

    def page(self, query: Query) -> Page[PermissionGrant]:
        """Fields: id, client_id, resource_id, principal_id ("": everybody)."""
        ...

    def put(self, grant: PermissionGrant) -> None:
        """Insert, or replace the scope of the one with this id."""
        ...

    def find(self, client_id: str, resource_id: str, principal_id: str | None) -> PermissionGrant | None: ...

    def remove(self, id: str) -> bool: ...

    def remove_of(self, principal_id: str) -> None:
        """All that a person gave, or that an application holds or offers."""
        ...
