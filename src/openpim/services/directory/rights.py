"""Who may change what in the directory: asked of the live store, never of claims in a token.

People need a role in force; an application needs an application permission (or a role of its own).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from openpim.core import roles as r
from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Group, User
from openpim.core.refusals import Refusal
from openpim.core.scopes import ADMINISTRATIVE_UNITS
from openpim.ports.store import Transaction
from openpim.services.authority import roles_at, roles_of
from openpim.services.connecting.renaming import called_otherwise
from openpim.services.directory.performing import forbidden
from openpim.services.power import is_privileged, protected

GUEST_INVITER = "95e79109-95c0-4d8e-aee3-d01accf2d47b"
CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"

MANAGE_DIRECTORY = "Directory.ReadWrite.All"
MANAGE_ROLES = "RoleManagement.ReadWrite.Directory"


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller holds at one moment. everything: the system itself."""

    roles: frozenset[str]
    permissions: frozenset[str]
    everything: bool = False

    def any(self, roles: frozenset[str], permissions: frozenset[str] = frozenset()) -> bool:
        """Global Administrators may always."""
        return (
            self.everything
            or r.GLOBAL_ADMINISTRATOR in self.roles
            or bool(self.roles & roles)
            or bool(self.permissions & permissions)
        )


def rights_of(tx: Transaction, caller: Caller, now: datetime) -> Rights:
    """What the caller may anywhere in the tenant."""
    if caller.kind is CallerKind.SYSTEM:
        return Rights(frozenset(), frozenset(), everything=True)
    permissions = caller.permissions if caller.kind is CallerKind.SERVICE_PRINCIPAL else frozenset[str]()
    return Rights(roles_of(tx, caller, now), permissions)


def rights_over(tx: Transaction, caller: Caller, target_id: str, now: datetime) -> Rights:
    """The same for one ordinary principal: roles in the administrative units it is in count too.

    Never ask this about somebody powerful: what they reach goes beyond the unit, so only roles over the whole
    tenant have a say over them (docs/decisions/0031-approvers-are-privileged.md).
    """
    rights = rights_of(tx, caller, now)
    if rights.everything:
        return rights
    roles = set(rights.roles)
    for unit in tx.administrative_units.units_of(target_id):
        roles |= roles_at(tx, caller, ADMINISTRATIVE_UNITS + unit, now)
    return Rights(frozenset(roles), rights.permissions)


USER_MANAGERS = frozenset({r.USER_ADMINISTRATOR})
USER_PERMISSIONS = frozenset({"User.ReadWrite.All", MANAGE_DIRECTORY})
GROUP_MANAGERS = frozenset({r.USER_ADMINISTRATOR, r.GROUPS_ADMINISTRATOR})
GROUP_PERMISSIONS = frozenset({"Group.ReadWrite.All", MANAGE_DIRECTORY})
MEMBER_PERMISSIONS = GROUP_PERMISSIONS | {"GroupMember.ReadWrite.All"}
ROLE_MANAGERS = frozenset({r.PRIVILEGED_ROLE_ADMINISTRATOR})
ROLE_PERMISSIONS = frozenset({MANAGE_ROLES})
APPLICATION_MANAGERS = frozenset({r.APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR})
APPLICATION_PERMISSIONS = frozenset({"Application.ReadWrite.All", MANAGE_DIRECTORY})
UNIT_PERMISSIONS = frozenset({"AdministrativeUnit.ReadWrite.All", MANAGE_DIRECTORY})
PRIVILEGED_USER_MANAGERS = frozenset({r.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR})


def may_create_users(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    if rights_of(tx, caller, now).any(USER_MANAGERS, USER_PERMISSIONS):
        return None
    return forbidden("To create users, activate User Administrator or Global Administrator first.")


def may_invite(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    inviters = USER_MANAGERS | {GUEST_INVITER}
    if rights_of(tx, caller, now).any(inviters, USER_PERMISSIONS | {"User.Invite.All"}):
        return None
    return forbidden("To invite guests, activate Guest Inviter or User Administrator first.")


def may_change_user(tx: Transaction, caller: Caller, user_id: str, now: datetime) -> Refusal | None:
    """Attributes that give nobody anything: name, department, manager."""
    if rights_over(tx, caller, user_id, now).any(USER_MANAGERS, USER_PERMISSIONS):
        return None
    return forbidden("To change this user, activate User Administrator or Global Administrator first.")


def may_rename(tx: Transaction, caller: Caller, old: User, new: User, now: datetime) -> Refusal | None:
    """What somebody is called in real systems, where he has or could get access, is for those who say who has it there."""
    if rights_of(tx, caller, now).any(ROLE_MANAGERS, ROLE_PERMISSIONS):
        return None
    target = called_otherwise(tx, old, new, now)
    if not target:
        return None
    return forbidden(
        f"This person has, or can activate, access to {target}, and would have another name there by this: whoever has that "
        "name there would have the access. Activate Privileged Role Administrator first, or have one set the person's name "
        "there (pim connector name), which then stays."
    )


def may_control_user(tx: Transaction, caller: Caller, user_id: str, now: datetime) -> Refusal | None:
    """Whatever locks a person out or lets another one in: disable, delete, new sign-in name, new password.

    Someone who has power over others, or could get it, is out of reach of a User Administrator: else that role would be
    a way to every other role.
    """
    if is_privileged(tx, user_id, now):
        if may_control_privileged(tx, caller, now):
            return None
        return forbidden(
            "This person holds or can activate a privileged role, or one that gives roles on resources, or approves for "
            "one: only Global Administrators and Privileged Authentication Administrators of the whole tenant may do this. Activate one of these "
            "roles first."
        )
    if rights_over(tx, caller, user_id, now).any(USER_MANAGERS | PRIVILEGED_USER_MANAGERS, USER_PERMISSIONS):
        return None
    return forbidden("To do this, activate User Administrator or Global Administrator first.")


def may_control_privileged(tx: Transaction, caller: Caller, now: datetime) -> bool:
    """Whether the caller could do the same to somebody privileged: by a role over the whole tenant."""
    return rights_of(tx, caller, now).any(PRIVILEGED_USER_MANAGERS)


def may_create_groups(
    tx: Transaction, caller: Caller, now: datetime, *, role_assignable: bool
) -> Refusal | None:
    rights = rights_of(tx, caller, now)
    if role_assignable:
        if rights.any(ROLE_MANAGERS, ROLE_PERMISSIONS):
            return None
        return forbidden(
            "To create a group that roles can be assigned to, activate Privileged Role Administrator first."
        )
    if rights.any(GROUP_MANAGERS, GROUP_PERMISSIONS):
        return None
    return forbidden("To create groups, activate Groups Administrator or User Administrator first.")


def may_change_group(
    tx: Transaction, caller: Caller, group: Group, now: datetime, *, members_only: bool = False
) -> Refusal | None:
    """Owners may change their own groups; those that give power (see services/power.py) are otherwise for those who manage
    roles."""
    if caller.principal_id and tx.groups.is_owner(group.id, caller.principal_id, now):
        return None
    rights = rights_over(tx, caller, group.id, now)
    if protected(tx, group, now):
        if rights_of(tx, caller, now).any(ROLE_MANAGERS, ROLE_PERMISSIONS):
            return None
        why = (
            "Roles can be assigned to this group"
            if group.role_assignable
            else "Whoever is in this group gives roles to others, or could get so far"
        )
        return forbidden(
            f"{why}: only its owners and Privileged Role Administrators may change it. Activate Privileged Role "
            "Administrator first."
        )
    if rights.any(GROUP_MANAGERS, MEMBER_PERMISSIONS if members_only else GROUP_PERMISSIONS):
        return None
    return forbidden(
        "To change this group, be one of its owners, or activate Groups Administrator or User Administrator."
    )


def may_manage_applications(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    if rights_of(tx, caller, now).any(APPLICATION_MANAGERS, APPLICATION_PERMISSIONS):
        return None
    return forbidden("To manage applications, activate Application Administrator first.")


def may_manage_application(
    tx: Transaction, caller: Caller, application_id: str, now: datetime
) -> Refusal | None:
    """One that is registered: its owners too. What gives power is decided apart (may_grant_permissions)."""
    if caller.kind is CallerKind.USER and tx.applications.is_owner(application_id, caller.principal_id):
        return None
    if rights_of(tx, caller, now).any(APPLICATION_MANAGERS, APPLICATION_PERMISSIONS):
        return None
    return forbidden(
        "To manage this application, be one of its owners, or activate Application Administrator first."
    )


def may_grant_permissions(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    """Permissions of applications reach as far as roles do, so they are given by those who give roles."""
    if rights_of(tx, caller, now).any(ROLE_MANAGERS, frozenset({"AppRoleAssignment.ReadWrite.All"})):
        return None
    return forbidden("To grant permissions to applications, activate Privileged Role Administrator first.")


def may_grant_delegated(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    """What an application may do for people: an administrator who follows its link lends it all his power."""
    if rights_of(tx, caller, now).any(ROLE_MANAGERS, frozenset({"DelegatedPermissionGrant.ReadWrite.All"})):
        return None
    return forbidden("To grant permissions to applications, activate Privileged Role Administrator first.")


def may_manage_units(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    """A unit is a scope of roles: whoever moves members between units moves the reach of those roles."""
    if rights_of(tx, caller, now).any(ROLE_MANAGERS, UNIT_PERMISSIONS):
        return None
    return forbidden("To manage administrative units, activate Privileged Role Administrator first.")


def may_manage_roles(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    if rights_of(tx, caller, now).any(ROLE_MANAGERS, ROLE_PERMISSIONS):
        return None
    return forbidden("To manage role definitions, activate Privileged Role Administrator first.")
