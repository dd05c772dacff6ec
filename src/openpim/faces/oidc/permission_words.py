"""What delegated permissions mean, for the person who is asked to allow them. Others are shown by name alone."""

from __future__ import annotations

from types import MappingProxyType

MEANINGS = MappingProxyType(
    {
        "openid": "sign you in",
        "profile": "see your name",
        "email": "see your mail address",
        "offline_access": "keep this access while you are away",
        "User.Read": "read your profile",
        "User.Read.All": "read the profiles of everybody",
        "User.ReadBasic.All": "see who everybody is",
        "User.ReadWrite.All": "change user accounts",
        "Group.Read.All": "read groups and who is in them",
        "Group.ReadWrite.All": "change groups and who is in them",
        "GroupMember.Read.All": "read who is in which group",
        "GroupMember.ReadWrite.All": "change who is in which group",
        "Directory.Read.All": "read the whole directory",
        "Directory.ReadWrite.All": "change the whole directory",
        "Directory.AccessAsUser.All": "do everything in the directory that you can do",
        "Application.Read.All": "read applications",
        "Application.ReadWrite.All": "change applications and their secrets",
        "AuditLog.Read.All": "read the history",
        "RoleManagement.Read.Directory": "read roles and who holds them",
        "RoleManagement.Read.All": "read roles and who holds them",
        "RoleManagement.ReadWrite.Directory": "give and take roles",
        "RoleAssignmentSchedule.Read.Directory": "read active roles",
        "RoleAssignmentSchedule.ReadWrite.Directory": "activate, give and take roles",
        "RoleEligibilitySchedule.Read.Directory": "read eligibilities",
        "RoleEligibilitySchedule.ReadWrite.Directory": "give and take eligibilities",
        "PrivilegedAccess-CustomExt.Read.All": "read which other systems are told and asked",
        "PrivilegedAccess-CustomExt.ReadWrite.All": "change which other systems are told and asked",
        "RoleManagementPolicy.Read.Directory": "read role settings",
        "RoleManagementPolicy.ReadWrite.Directory": "change role settings",
        "user_impersonation": "do everything there that you can do",
    }
)
