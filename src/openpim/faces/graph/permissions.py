"""Which permissions let a token in, address by address: any one of a set. The names are Microsoft Graph's."""

from __future__ import annotations

_DIRECTORY_READ = ("Directory.Read.All", "Directory.ReadWrite.All")
_DIRECTORY_WRITE = ("Directory.ReadWrite.All",)

ME = (
    "User.Read",
    "User.ReadWrite",
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    *_DIRECTORY_READ,
)
USERS_READ = ("User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", *_DIRECTORY_READ)
USERS_WRITE = ("User.ReadWrite.All", *_DIRECTORY_WRITE)
GROUPS_READ = (
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    *_DIRECTORY_READ,
)
GROUPS_WRITE = ("Group.ReadWrite.All", *_DIRECTORY_WRITE)
MEMBERS_WRITE = ("GroupMember.ReadWrite.All", "Group.ReadWrite.All", *_DIRECTORY_WRITE)
ROLE_GROUPS_WRITE = (*GROUPS_WRITE, "RoleManagement.ReadWrite.Directory")
ROLE_MEMBERS_WRITE = (*MEMBERS_WRITE, "RoleManagement.ReadWrite.Directory")
OBJECTS_READ = (
    "User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All",
    "Application.Read.All", "Application.ReadWrite.All", *_DIRECTORY_READ,
)  # fmt: skip
APPLICATIONS_READ = ("Application.Read.All", "Application.ReadWrite.All", *_DIRECTORY_READ)
APPLICATIONS_WRITE = ("Application.ReadWrite.All", *_DIRECTORY_WRITE)
PRINCIPALS_WRITE = (*APPLICATIONS_WRITE, "AppRoleAssignment.ReadWrite.All")
APP_ROLES_READ = (
    "AppRoleAssignment.ReadWrite.All", "Application.Read.All", "Application.ReadWrite.All", *_DIRECTORY_READ,
)  # fmt: skip
APP_ROLES_WRITE = ("AppRoleAssignment.ReadWrite.All",)
CONSENTS_READ = (
    "DelegatedPermissionGrant.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Application.Read.All",
    "Application.ReadWrite.All", *_DIRECTORY_READ,
)  # fmt: skip
CONSENTS_WRITE = ("DelegatedPermissionGrant.ReadWrite.All", *_DIRECTORY_WRITE)
INVITATIONS_WRITE = ("User.Invite.All", "User.ReadWrite.All", *_DIRECTORY_WRITE)
SETUP_LINKS_WRITE = ("UserAuthenticationMethod.ReadWrite.All", "User.ReadWrite.All", *_DIRECTORY_WRITE)
SESSIONS_WRITE = ("User.RevokeSessions.All", "User.ReadWrite.All", *_DIRECTORY_WRITE)
UNITS_READ = ("AdministrativeUnit.Read.All", "AdministrativeUnit.ReadWrite.All", *_DIRECTORY_READ)
UNITS_WRITE = ("AdministrativeUnit.ReadWrite.All", *_DIRECTORY_WRITE)
ORGANIZATION_READ = (*ME, "Organization.Read.All", "Organization.ReadWrite.All")
TENANTS_READ = ("CrossTenantInformation.ReadBasic.All", *ORGANIZATION_READ)

_ROLES_READ = (
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
)
_ROLES_WRITE = ("RoleManagement.ReadWrite.Directory",)
# Personal tools ask for the schedule permissions alone, and still show the names of roles.
ROLE_DEFINITIONS_READ = (
    *_ROLES_READ, *_DIRECTORY_READ, "RoleAssignmentSchedule.Read.Directory", "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.Read.Directory", "RoleEligibilitySchedule.ReadWrite.Directory",
)  # fmt: skip
ROLE_DEFINITIONS_WRITE = _ROLES_WRITE
ROLE_ASSIGNMENTS_READ = (*_ROLES_READ, *_DIRECTORY_READ)
ROLE_ASSIGNMENTS_WRITE = _ROLES_WRITE
ASSIGNMENT_READ = (
    "RoleAssignmentSchedule.Read.Directory", "RoleAssignmentSchedule.ReadWrite.Directory", *_ROLES_READ,
)  # fmt: skip
ASSIGNMENT_WRITE = (
    "RoleAssignmentSchedule.ReadWrite.Directory",
    *_ROLES_WRITE,
    "RoleAssignmentSchedule.Remove.Directory",
)
ELIGIBILITY_READ = (
    "RoleEligibilitySchedule.Read.Directory", "RoleEligibilitySchedule.ReadWrite.Directory", *_ROLES_READ,
)  # fmt: skip
ELIGIBILITY_WRITE = (
    "RoleEligibilitySchedule.ReadWrite.Directory", *_ROLES_WRITE, "RoleEligibilitySchedule.Remove.Directory",
)  # fmt: skip
# An address that only takes away: the .Remove permissions let in, but for nothing else (see schedule_requests.py).
REMOVE_ONLY = frozenset(
    {
        "RoleAssignmentSchedule.Remove.Directory",
        "RoleEligibilitySchedule.Remove.Directory",
        "PrivilegedAssignmentSchedule.Remove.AzureADGroup",
        "PrivilegedEligibilitySchedule.Remove.AzureADGroup",
    }
)
_GROUPS_PIM_READ = ("PrivilegedAccess.Read.AzureADGroup", "PrivilegedAccess.ReadWrite.AzureADGroup")
_GROUPS_PIM_WRITE = ("PrivilegedAccess.ReadWrite.AzureADGroup",)
GROUP_ASSIGNMENT_READ = (
    "PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    *_GROUPS_PIM_READ,
)  # fmt: skip
GROUP_ASSIGNMENT_WRITE = (
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", *_GROUPS_PIM_WRITE,
    "PrivilegedAssignmentSchedule.Remove.AzureADGroup",
)  # fmt: skip
GROUP_ELIGIBILITY_READ = (
    "PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    *_GROUPS_PIM_READ,
)  # fmt: skip
GROUP_ELIGIBILITY_WRITE = (
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup", *_GROUPS_PIM_WRITE,
    "PrivilegedEligibilitySchedule.Remove.AzureADGroup",
)  # fmt: skip
GROUP_APPROVALS_READ = GROUP_ASSIGNMENT_READ
GROUP_APPROVALS_WRITE = ("PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", *_GROUPS_PIM_WRITE)
APPROVALS_READ = (
    "PrivilegedAccess.Read.AzureAD", "PrivilegedAccess.ReadWrite.AzureAD", "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
)  # fmt: skip
APPROVALS_WRITE = (
    "PrivilegedAccess.ReadWrite.AzureAD", "RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory",
)  # fmt: skip
# One address serves the policies of roles and of groups: `policies.py` looks again at which of them it is about.
ROLE_POLICIES_READ = (
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.ReadWrite.Directory",
    *_ROLES_READ,
)
ROLE_POLICIES_WRITE = ("RoleManagementPolicy.ReadWrite.Directory", *_ROLES_WRITE)
GROUP_POLICIES_READ = (
    "RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.ReadWrite.AzureADGroup",
)  # fmt: skip
GROUP_POLICIES_WRITE = ("RoleManagementPolicy.ReadWrite.AzureADGroup",)
POLICIES_READ = (*ROLE_POLICIES_READ, *GROUP_POLICIES_READ)
POLICIES_WRITE = (*ROLE_POLICIES_WRITE, *GROUP_POLICIES_WRITE)
AUDIT_STREAMS_WRITE = _DIRECTORY_WRITE
AUDIT_SETTINGS_WRITE = _DIRECTORY_WRITE
AUDITS_READ = ("AuditLog.Read.All", *_DIRECTORY_READ)
TARGETS_READ = ROLE_POLICIES_READ
TARGETS_WRITE = ROLE_POLICIES_WRITE
# One's own effects and credentials: what lets a person activate lets him use what he has activated.
TARGETS_OWN = (*ASSIGNMENT_WRITE, *GROUP_ASSIGNMENT_WRITE)
PREFERENCES_WRITE = ("User.ReadWrite", "User.ReadWrite.All", *_DIRECTORY_WRITE)
CHANNELS_READ = ("PrivilegedAccess-CustomExt.Read.All", "PrivilegedAccess-CustomExt.ReadWrite.All")
CHANNELS_WRITE = ("PrivilegedAccess-CustomExt.ReadWrite.All",)
CONTEXTS_READ = ("AuthenticationContext.Read.All", "AuthenticationContext.ReadWrite.All", "Policy.Read.All",
                 "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess")  # fmt: skip
CONTEXTS_WRITE = ("AuthenticationContext.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess")
