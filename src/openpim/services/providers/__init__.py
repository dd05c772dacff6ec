"""What differs between directory roles, groups and resources: which roles and scopes exist, who may hold and manage
them, which policy holds. Everything else about the life of a grant is the same and lives in the acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Kind, Provider
from openpim.core.policy import Policy
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.providers.directory import DirectoryRoles
from openpim.services.providers.groups import Groups
from openpim.services.providers.resources import ResourceRoles


class ProviderRules(Protocol):
    """One provider. `chain`: the scope and all that contain it, nearest first."""

    def chain(self, tx: Transaction, scope: str) -> tuple[str, ...]: ...

    def hold(self, tx: Transaction, scope: str) -> None:
        """Keep the scope where it is until the commit. The first thing an act does."""
        ...

    def role_ids(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        """Every role that has a policy at the scope."""
        ...

    def role_name(self, tx: Transaction, role_id: str, scope: str) -> str: ...

    def fault(self, tx: Transaction, role_id: str, scope: str) -> Refusal | None:
        """Why this role at this scope cannot be granted at all (unknown role, unknown scope, …)."""
        ...

    def subject_fault(
        self, tx: Transaction, principal: Principal, kind: Kind, role_id: str, scope: str
    ) -> Refusal | None:
        """Why this principal cannot hold it."""
        ...

    def may_manage(
        self, tx: Transaction, caller: Caller, role_id: str, scope: str, now: datetime
    ) -> bool: ...

    def may_read(self, tx: Transaction, caller: Caller, scope: str | None, now: datetime) -> bool:
        """Scope None: everywhere."""
        ...

    def readable_policies(
        self, tx: Transaction, caller: Caller, scope: str, now: datetime
    ) -> Callable[[str], bool]:
        """By role id, whether the settings of a role at the scope are the caller's business."""
        ...

    def policy(self, tx: Transaction, deps: Deps, role_id: str, scope: str) -> Policy:
        """The stored policy, or the default with an id derived from what it is of (nothing is written)."""
        ...

    def default_policy(self, tenant_id: str, role_id: str, scope: str) -> Policy:
        """The policy while nobody has changed it."""
        ...

    def policy_id(self, tenant_id: str, role_id: str, scope: str) -> str:
        """The id of a policy: the same for ever, and known before anybody has stored it."""
        ...

    def default_reviewers(self, tx: Transaction, role_id: str, scope: str, now: datetime) -> frozenset[str]:
        """Reviewer keys when a policy names none, and when those it names can no longer decide."""
        ...


PROVIDERS: dict[Provider, ProviderRules] = {
    Provider.DIRECTORY: DirectoryRoles(),
    Provider.GROUP: Groups(),
    Provider.RESOURCE: ResourceRoles(),
}
