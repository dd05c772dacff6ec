"""Application registrations of the tenant, and the look-up by client id across all tenants."""

from __future__ import annotations

from typing import Protocol

from openpim.core.directory import Application, Principal
from openpim.core.query import Page, Query


class Applications(Protocol):
    def get(self, id: str) -> Application | None: ...

    def by_app_id(self, app_id: str) -> Application | None:
        """In any tenant, or one of the first-party clients (core/first_party.py)."""
        ...

    def by_uri(self, uri: str) -> Application | None:
        """The one of this tenant that goes by this identifier, in any case and with or without a slash at the end."""
        ...

    def page(self, query: Query) -> Page[Application]:
        """Fields: id, app_id, display_name, created_at, public."""
        ...

    def owners(self, id: str, query: Query) -> Page[Principal]:
        """Those of an application of this tenant, without the deleted ones. Fields: id, kind, display_name, enabled,
        created_at."""
        ...

    def is_owner(self, id: str, principal_id: str) -> bool: ...

    def owned(self, principal_id: str, query: Query) -> Page[Application]:
        """Fields: as of `page`."""
        ...

    def add_owner(self, id: str, principal_id: str) -> bool:
        """False where it is one already."""
        ...

    def remove_owner(self, id: str, principal_id: str) -> bool: ...

    def add(self, application: Application) -> None: ...

    def save(self, application: Application) -> None: ...

    def remove(self, id: str) -> bool:
        """With its owners."""
        ...
