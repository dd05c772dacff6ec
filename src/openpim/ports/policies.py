"""Role settings, kept once somebody has changed or looked at them; until then the default holds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from openpim.core.grants import Provider
from openpim.core.policy import Policy


class Policies(Protocol):
    def get(self, provider: Provider, role_id: str, scope: str, *, lock: bool = False) -> Policy | None: ...

    def by_id(self, policy_id: str, *, lock: bool = False) -> tuple[Provider, Policy] | None: ...

    def many(self, policy_ids: Collection[str]) -> dict[str, Policy]:
        """Those that are stored, by id, whatever they are of."""
        ...

    def at_scope(
        self, provider: Provider, scope: str, role_ids: Collection[str] | None = None
    ) -> list[Policy]: ...

    def remove_at(self, provider: Provider, scopes: Collection[str]) -> None:
        """What they are of is gone: whatever is made there again starts with the default."""
        ...

    def approver_in(self, ids: Collection[str]) -> frozenset[tuple[Provider, str]]:
        """(provider, scope) of every policy that requires an approval and names one of these users or groups for it."""
        ...

    def put(self, provider: Provider, policy: Policy) -> None:
        """Insert, or replace the settings of the same (provider, role, scope)."""
        ...
