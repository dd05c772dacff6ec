"""The names of the permissions that our own APIs look at, for those who give them: Microsoft Graph's own names.

The addresses ask for them (faces/graph/permissions.py); a test holds the two lists together. Other names may be given
too: they mean something to the applications they are for.
"""

from __future__ import annotations

from typing import Final

from openpim.core.provisioning import PRIVILEGED, PROVISION
from openpim.core.signals import PERMISSIONS as SIGNALS

GRAPH_PERMISSIONS: Final = (
    "AdministrativeUnit.Read.All",
    "AdministrativeUnit.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "AuthenticationContext.Read.All",
    "AuthenticationContext.ReadWrite.All",
    "CrossTenantInformation.ReadBasic.All",
    "DelegatedPermissionGrant.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Policy.Read.All",
    "Policy.Read.ConditionalAccess",
    "Policy.ReadWrite.ConditionalAccess",
    "PrivilegedAccess-CustomExt.Read.All",
    "PrivilegedAccess-CustomExt.ReadWrite.All",
    "PrivilegedAccess.Read.AzureAD",
    "PrivilegedAccess.Read.AzureADGroup",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.Remove.AzureADGroup",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "PrivilegedEligibilitySchedule.Remove.AzureADGroup",
    "RoleAssignmentSchedule.Read.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleAssignmentSchedule.Remove.Directory",
    "RoleEligibilitySchedule.Read.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.Remove.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagementPolicy.Read.AzureADGroup",
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.ReadWrite.Directory",
    "User.Invite.All",
    "User.Read",
    "User.Read.All",
    "User.ReadBasic.All",
    "User.ReadWrite",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "UserAuthenticationMethod.ReadWrite.All",
)

# Of the decision API. EVALUATE_ALL: about everybody in the tenant; EVALUATE: about the person whose token it is;
# REQUEST: to ask, for him, for what he could activate.
EVALUATE_ALL: Final = "Decision.Evaluate.All"
EVALUATE: Final = "Decision.Evaluate"
REQUEST: Final = "Decision.Request"

# Of our own, for applications alone: see core/provisioning.py and core/signals.py.
OWN_PERMISSIONS: Final = (EVALUATE_ALL, PROVISION, PRIVILEGED, *SIGNALS)
