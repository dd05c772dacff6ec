"""Service principals of the tenant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.directory import ServicePrincipal
from openpim.core.query import Page, Query


class ServicePrincipals(Protocol):
    def get(self, id: str) -> ServicePrincipal | None: ...

    def by_app_id(self, app_id: str) -> ServicePrincipal | None: ...

    def many(self, ids: Collection[str]) -> dict[str, ServicePrincipal]: ...

    def page(self, query: Query) -> Page[ServicePrincipal]:
        """Fields: id, app_id, display_name, enabled, created_at."""
        ...

    def add(self, service_principal: ServicePrincipal) -> None: ...

    def save(self, service_principal: ServicePrincipal) -> None:
        """Name, enabled, permissions."""
        ...

    def remove(self, id: str, now: datetime) -> bool: ...
