"""PIM for Groups: being member or owner of a group, for any group that is neither dynamic nor synced.

The role is "member" or "owner", the scope is the group's id. A group is taken in by its first assignment or change
of policy; nothing has to be switched on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import Kind, Provider
from openpim.core.policy import Policy, default_group_policy, policy_id
from openpim.core.query import Query
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import (
    DEFAULT_REVIEWERS,
    DIRECTORY_WRITERS,
    GROUPS_ADMINISTRATOR,
    IDENTITY_GOVERNANCE_ADMINISTRATOR,
    MANAGERS,
    USER_ADMINISTRATOR,
)
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities, limited, may_read_roles, roles_of
from openpim.services.power import protected

MEMBER = "member"
OWNER = "owner"
ORDINARY = MANAGERS | {  # may manage groups that give no power
    DIRECTORY_WRITERS,
    GROUPS_ADMINISTRATOR,
    IDENTITY_GOVERNANCE_ADMINISTRATOR,
    USER_ADMINISTRATOR,
}
MANAGING_PERMISSIONS = frozenset(
    {
        "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
        "PrivilegedAssignmentSchedule.Remove.AzureADGroup",
        "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
        "PrivilegedEligibilitySchedule.Remove.AzureADGroup",
        "PrivilegedAccess.ReadWrite.AzureADGroup",
        "RoleManagementPolicy.ReadWrite.AzureADGroup",
    }
)
_OWNERS = Query(limit=100)


class Groups:
    """See `ProviderRules`."""

    def chain(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        return (scope,)

    def hold(self, tx: Transaction, scope: str) -> None:
        """A group is contained in nothing."""

    def role_ids(self, tx: Transaction, scope: str) -> tuple[str, ...]:
        return (MEMBER, OWNER) if self.fault(tx, MEMBER, scope) is None else ()

    def role_name(self, tx: Transaction, role_id: str, scope: str) -> str:
        group = tx.groups.get(scope)
        return f"{role_id.capitalize()} of {group.display_name}" if group else role_id.capitalize()

    def fault(self, tx: Transaction, role_id: str, scope: str) -> Refusal | None:
        if role_id not in {MEMBER, OWNER}:
            return Refusal(Code.ROLE_MISSING, "A group has the roles member and owner.", member="accessId")
        group = tx.groups.get(scope)
        if group is None:
            return Refusal(Code.SCOPE_MISSING, f"There is no group {scope}.", member="groupId")
        if group.dynamic or group.synced:
            return Refusal(
                Code.INVALID,
                f"{group.display_name} is dynamic or synced: its members are decided elsewhere.",
                member="groupId",
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
        if principal.kind is PrincipalKind.GROUP and role_id == OWNER:
            return Refusal(Code.SUBJECT_NOT_ALLOWED, "A group cannot own a group.", member="principalId")
        inner = tx.groups.get(principal.id) if principal.kind is PrincipalKind.GROUP else None
        outer = tx.groups.get(scope)
        if inner is not None and outer is not None and outer.role_assignable and not inner.role_assignable:
            return Refusal(
                Code.SUBJECT_NOT_ALLOWED,
                f"Roles can be assigned to {outer.display_name}, so only groups of the same sort may be put in it.",
                member="principalId",
            )
        if principal.id == scope:
            return Refusal(Code.SUBJECT_NOT_ALLOWED, "A group cannot be in itself.", member="principalId")
        return None

    def may_manage(self, tx: Transaction, caller: Caller, role_id: str, scope: str, now: datetime) -> bool:
        if caller.kind is CallerKind.SERVICE_PRINCIPAL and caller.permissions & MANAGING_PERMISSIONS:
            return True
        group = tx.groups.get(scope)
        if group is None:
            return False
        roles = roles_of(tx, caller, now)
        if roles & MANAGERS or tx.groups.is_owner(scope, caller.principal_id, now):
            return True
        return bool(roles & ORDINARY) and not protected(tx, group, now)

    def may_read(self, tx: Transaction, caller: Caller, scope: str | None, now: datetime) -> bool:
        if may_read_roles(tx, caller, now):
            return True
        if scope is None:
            return bool(roles_of(tx, caller, now) & ORDINARY)
        return self.may_manage(tx, caller, MEMBER, scope, now)

    def readable_policies(
        self, tx: Transaction, caller: Caller, scope: str, now: datetime
    ) -> Callable[[str], bool]:
        """Guests: of the groups that they are in, own, or may get into."""
        if not limited(tx, caller, now):
            return lambda _role: True
        who = identities(tx, caller.principal_id, now)
        theirs = scope in who or tx.groups.is_owner(scope, caller.principal_id, now)
        theirs = theirs or bool(tx.schedules.of(who, provider=Provider.GROUP, scopes=[scope], live_at=now))
        return lambda _role: theirs

    def policy(self, tx: Transaction, deps: Deps, role_id: str, scope: str) -> Policy:
        stored = tx.policies.get(Provider.GROUP, role_id, scope)
        return stored or self.default_policy(tx.tenant_id, role_id, scope)

    def default_policy(self, tenant_id: str, role_id: str, scope: str) -> Policy:
        return default_group_policy(self.policy_id(tenant_id, role_id, scope), role_id, scope)

    def policy_id(self, tenant_id: str, role_id: str, scope: str) -> str:
        return policy_id(tenant_id, f"group/{scope}/{role_id}")

    def default_reviewers(self, tx: Transaction, role_id: str, scope: str, now: datetime) -> frozenset[str]:
        """The group's owners, and those who manage all roles."""
        owners = tx.groups.owners(scope, now, _OWNERS).items
        return DEFAULT_REVIEWERS | {owner.id for owner in owners if owner.kind is PrincipalKind.USER}
