"""Azure-style resource roles: at a management group, subscription, resource group or resource, for all below it.

The role is a definition's guid, the scope a resource id (see core/resources.py). Policies are per role and scope,
made when first asked for, never inherited.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import Kind, Provider
from openpim.core.permissions import GIVE_ROLES, MANAGING_ROLES, OWNER
from openpim.core.policy import Policy, default_resource_policy, policy_id
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import canonical, contains
from openpim.core.roles import scoped_role_key
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.resource_access import allowed, concerns

READ = "Microsoft.Authorization/roleAssignments/read"


class ResourceRoles:
    """See `ProviderRules`."""

    def chain(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        return tx.resources.chain(scope)

    def hold(self, tx: Transaction, scope: str) -> None:
        tx.resources.hold(scope)

    def role_ids(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        return tuple(role.id for role in tx.resource_roles.all())

    def role_name(self, tx: Transaction, role_id: str, scope: str) -> str:
        role = tx.resource_roles.get(role_id)
        return role.name if role else ""

    def fault(self, tx: Transaction, role_id: str, scope: str) -> Refusal | None:
        role = tx.resource_roles.get(role_id)
        if role is None:
            return Refusal(
                Code.ROLE_MISSING, f"There is no role definition {role_id}.", member="roleDefinitionId"
            )
        chain = tx.resources.chain(scope)
        if not chain:
            return Refusal(Code.SCOPE_MISSING, f"There is no resource {scope}.", member="scope")
        places = {canonical(place) for place in role.assignable_scopes}
        if not any(contains(place, scope) or place in chain for place in places):
            return Refusal(
                Code.INVALID,
                f"The role {role.name} cannot be assigned at {scope}; see its assignable scopes.",
                member="scope",
            )
        return None

    def subject_fault(
        self, tx: Transaction, principal: Principal, kind: Kind, role_id: str, scope: str
    ) -> Refusal | None:
        if principal.kind is PrincipalKind.SERVICE_PRINCIPAL and kind is Kind.ELIGIBILITY:
            return Refusal(
                Code.SUBJECT_NOT_ALLOWED,
                "A service principal cannot be eligible, because it cannot activate. Assign it actively.",
                member="principalId",
            )
        return None

    def may_manage(self, tx: Transaction, caller: Caller, role_id: str, scope: str, now: datetime) -> bool:
        return allowed(tx, caller, GIVE_ROLES, scope, now)

    def may_read(self, tx: Transaction, caller: Caller, scope: str | None, now: datetime) -> bool:
        return allowed(tx, caller, READ, scope or "/", now)

    def readable_policies(
        self, tx: Transaction, caller: Caller, scope: str, now: datetime
    ) -> Callable[[str], bool]:
        """Theirs who hold or may activate anything there: at the place, above or below it."""
        concerned = concerns(tx, caller, now)(scope)
        return lambda _role: concerned

    def policy(self, tx: Transaction, deps: Deps, role_id: str, scope: str) -> Policy:
        stored = tx.policies.get(Provider.RESOURCE, role_id, scope)
        return stored or self.default_policy(tx.tenant_id, role_id, scope)

    def default_policy(self, tenant_id: str, role_id: str, scope: str) -> Policy:
        return default_resource_policy(self.policy_id(tenant_id, role_id, scope), role_id, scope)

    def policy_id(self, tenant_id: str, role_id: str, scope: str) -> str:
        return policy_id(tenant_id, f"resource/{scope}/{role_id}")

    def default_reviewers(self, tx: Transaction, role_id: str, scope: str, now: datetime) -> frozenset[str]:
        """Owners and user access administrators, here and above."""
        return frozenset(
            scoped_role_key(role, at) for at in tx.resources.chain(scope) for role in (OWNER, *MANAGING_ROLES)
        )
