"""Favourites and bundles of roles, each person's own."""

from __future__ import annotations

from typing import Protocol

from openpim.core.bundles import Bundle


class Bundles(Protocol):
    def of(self, principal_id: str) -> tuple[Bundle, ...]:
        """By name, the favourites first."""
        ...

    def put(self, principal_id: str, bundle: Bundle) -> None:
        """Instead of the one of that name, if there is one."""
        ...

    def remove(self, principal_id: str, name: str) -> bool: ...
