"""Tenants and their verified domains. Not bound to a tenant: sign-in asks before it knows one."""

from __future__ import annotations

from typing import Protocol

from openpim.core.directory import Tenant


class Tenants(Protocol):
    def current(self) -> Tenant | None:
        """The tenant of this unit of work."""
        ...

    def get(self, id: str) -> Tenant | None: ...

    def by_domain(self, domain: str) -> Tenant | None:
        """Case does not matter."""
        ...

    def all(self) -> tuple[Tenant, ...]:
        """Oldest first."""
        ...

    def add(self, tenant: Tenant) -> None: ...

    def save(self, tenant: Tenant) -> None:
        """Name, default domain, and further domains; a verified domain is never taken away."""
        ...

    def lock(self) -> None:
        """Wait for, and hold until the commit, the right to change what concerns the whole tenant."""
        ...
