"""Directory roles: built-in and custom, at the tenant, an administrative unit, or one application object."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import Kind, Provider
from openpim.core.policy import Policy, default_directory_policy, policy_id
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import DEFAULT_REVIEWERS
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT, directory_chain
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities, limited, may_manage_roles, may_read_roles


class DirectoryRoles:
    """See `ProviderRules`."""

    def chain(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        return directory_chain(scope)

    def hold(self, tx: Transaction, scope: str) -> None:
        """What contains a scope never changes."""

    def role_ids(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        return tuple(role.id for role in tx.roles.all())

    def role_name(self, tx: Transaction, role_id: str, scope: str) -> str:
        role = tx.roles.get(role_id)
        return role.display_name if role else ""

    def fault(self, tx: Transaction, role_id: str, scope: str) -> Refusal | None:
        role = tx.roles.get(role_id)
        if role is None:
            return Refusal(
                Code.ROLE_MISSING, f"There is no role definition {role_id}.", member="roleDefinitionId"
            )
        if not role.enabled:
            return Refusal(
                Code.INVALID, f"The role {role.display_name} is disabled.", member="roleDefinitionId"
            )
        if not self._scope_exists(tx, scope):
            return Refusal(
                Code.SCOPE_MISSING,
                f'There is no scope "{scope}". Use "/", "/administrativeUnits/{{id}}" or "/{{object id}}".',
                member="directoryScopeId",
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
        if principal.kind is PrincipalKind.GROUP:
            group = tx.groups.get(principal.id)
            if group is None or not group.role_assignable:
                return Refusal(
                    Code.SUBJECT_NOT_ALLOWED,
                    f"The group {principal.display_name} is not role-assignable. Use one that was created so.",
                    member="principalId",
                )
        return None

    def may_manage(self, tx: Transaction, caller: Caller, role_id: str, scope: str, now: datetime) -> bool:
        return may_manage_roles(tx, caller, now)

    def may_read(self, tx: Transaction, caller: Caller, scope: str | None, now: datetime) -> bool:
        return may_read_roles(tx, caller, now)

    def readable_policies(
        self, tx: Transaction, caller: Caller, scope: str, now: datetime
    ) -> Callable[[str], bool]:
        """Guests: of the roles that they have, or may activate."""
        if not limited(tx, caller, now):
            return lambda _role: True
        who = identities(tx, caller.principal_id, now)
        held = tx.schedules.of(who, provider=Provider.DIRECTORY, live_at=now)
        return frozenset(one.role_id for one in held).__contains__

    def policy(self, tx: Transaction, deps: Deps, role_id: str, scope: str) -> Policy:
        stored = tx.policies.get(Provider.DIRECTORY, role_id, TENANT)
        return stored or self.default_policy(tx.tenant_id, role_id, scope)

    def default_policy(self, tenant_id: str, role_id: str, scope: str) -> Policy:
        return default_directory_policy(self.policy_id(tenant_id, role_id, scope), role_id)

    def policy_id(self, tenant_id: str, role_id: str, scope: str) -> str:
        return policy_id(tenant_id, f"directory/{role_id}")

    def default_reviewers(self, tx: Transaction, role_id: str, scope: str, now: datetime) -> frozenset[str]:
        return DEFAULT_REVIEWERS

    def _scope_exists(self, tx: Transaction, scope: str) -> bool:
        if scope == TENANT:
            return True
        if scope.startswith(ADMINISTRATIVE_UNITS):
            return tx.administrative_units.get(scope.removeprefix(ADMINISTRATIVE_UNITS)) is not None
        object_id = scope.removeprefix(TENANT)
        if "/" in object_id:
            return False
        principal = tx.principals.get(object_id)
        if principal is not None:
            return principal.kind is PrincipalKind.SERVICE_PRINCIPAL
        return tx.applications.get(object_id) is not None
