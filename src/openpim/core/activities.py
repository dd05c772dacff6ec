"""Every activity the audit history can tell of: the one table of their names, categories, and the notices that follow.

Names that Microsoft Entra has are spelled as Entra spells them; the others are plain words in the same style. An act names
its activity where it writes it; tests/core/test_activities.py holds that this table and the code say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openpim.core.audit import Category


@dataclass(frozen=True, slots=True)
class Activity:
    """category: None where it is that of the provider (roles, groups or resources), or several acts share the name.
    notice: the topic (core/notices.py) that may follow; what it is about decides whether one does."""

    category: Category | None
    notice: str | None = None


ACTIVITIES: Final[dict[str, Activity]] = {
    # of the provider
    "Add eligible member to role in PIM canceled (renew)": Activity(None),
    "Add eligible member to role in PIM canceled (timebound)": Activity(None),
    "Add eligible member to role in PIM completed (permanent)": Activity(None, "assignedEligible"),
    "Add eligible member to role in PIM completed (timebound)": Activity(None, "assignedEligible"),
    "Add eligible member to role in PIM requested (permanent)": Activity(None),
    "Add eligible member to role in PIM requested (renew)": Activity(None, "approvalWanted"),
    "Add eligible member to role in PIM requested (timebound)": Activity(None),
    "Add member to role approval requested (PIM activation)": Activity(None, "approvalWanted"),
    "Add member to role canceled (PIM activation)": Activity(None),
    "Add member to role completed (PIM activation)": Activity(None, "activated"),
    "Add member to role in PIM canceled (renew)": Activity(None),
    "Add member to role in PIM canceled (timebound)": Activity(None),
    "Add member to role in PIM completed (permanent)": Activity(None, "assignedActive"),
    "Add member to role in PIM completed (timebound)": Activity(None, "assignedActive"),
    "Add member to role in PIM requested (permanent)": Activity(None),
    "Add member to role in PIM requested (renew)": Activity(None, "approvalWanted"),
    "Add member to role in PIM requested (timebound)": Activity(None),
    "Add member to role outside of PIM (permanent)": Activity(None, "assignedOutside"),
    "Add member to role request approved (PIM activation)": Activity(None, "approved"),
    "Add member to role request denied (PIM activation)": Activity(None, "denied"),
    "Add member to role requested (PIM activation)": Activity(None),
    "Approval asked of another system": Activity(None),
    "Approval escalated": Activity(None, "approvalWanted"),
    "Approval fell back to default approvers": Activity(None, "approvalWanted"),
    "Approval not answered by another system": Activity(None),
    "Approval passed on to people": Activity(None, "approvalWanted"),
    "Delete role definition": Activity(None),
    "PIM activation request expired": Activity(None, "requestExpired"),
    "Process request": Activity(None, "requestFailed"),
    "Process role update request": Activity(None),
    "Removal of access failed": Activity(None, "revocationFailed"),
    "Remove eligible member from role in PIM completed (permanent)": Activity(None),
    "Remove eligible member from role in PIM completed (timebound)": Activity(None, "ended"),
    "Remove eligible member from role in PIM requested (permanent)": Activity(None),
    "Remove eligible member from role in PIM requested (timebound)": Activity(None),
    "Remove member from group (PIM)": Activity(None),
    "Remove member from role (PIM activation expired)": Activity(None),
    "Remove member from role completed (PIM deactivate)": Activity(None),
    "Remove member from role in PIM completed (permanent)": Activity(None),
    "Remove member from role in PIM completed (timebound)": Activity(None, "ended"),
    "Remove member from role in PIM requested (permanent)": Activity(None),
    "Remove member from role in PIM requested (timebound)": Activity(None),
    "Remove member from role requested (PIM deactivate)": Activity(None),
    "Remove permanent direct role assignment": Activity(None),
    "Remove request": Activity(None),
    "Ticket checked": Activity(None),
    "Ticket closed": Activity(None),
    "Ticket reopened": Activity(None),
    "Update eligible member in PIM canceled (extend)": Activity(None),
    "Update eligible member in PIM requested (extend)": Activity(None, "extended"),
    "Update member in PIM canceled (extend)": Activity(None),
    "Update member in PIM completed (shortened)": Activity(None),
    "Update member in PIM requested (extend)": Activity(None, "extended"),
    "Update role setting in PIM": Activity(None),
    # ApplicationManagement
    "Add application": Activity("ApplicationManagement"),
    "Add delegated permission grant": Activity("ApplicationManagement"),
    "Add owner to application": Activity("ApplicationManagement"),
    "Add provisioning token": Activity("ApplicationManagement"),
    "Add service principal": Activity("ApplicationManagement"),
    "Consent to application": Activity("ApplicationManagement"),
    "Delete application": Activity("ApplicationManagement"),
    "Remove delegated permission grant": Activity("ApplicationManagement"),
    "Remove owner from application": Activity("ApplicationManagement"),
    "Remove provisioning token": Activity("ApplicationManagement"),
    "Remove service principal": Activity("ApplicationManagement"),
    "Update application": Activity("ApplicationManagement"),
    "Update delegated permission grant": Activity("ApplicationManagement"),
    "Update service principal": Activity("ApplicationManagement"),
    # Authentication
    "Add client secret": Activity("Authentication"),
    "Add passkey": Activity("Authentication"),
    "Approve device sign-in": Activity("Authentication"),
    "Change password": Activity("Authentication"),
    "Create the first administrator": Activity("Authentication"),
    "End access of application": Activity("Authentication"),
    "End all other sessions": Activity("Authentication"),
    "End session": Activity("Authentication"),
    "Enrol second factor": Activity("Authentication"),
    "Give second factor": Activity("Authentication"),
    "Make recovery codes": Activity("Authentication"),
    "Make set-up link": Activity("Authentication"),
    "Remove client secret": Activity("Authentication"),
    "Remove passkey": Activity("Authentication"),
    "Replace second factor": Activity("Authentication"),
    "Revoke sign-in sessions": Activity("Authentication"),
    "Revoke tokens": Activity("Authentication"),
    "Set up credentials": Activity("Authentication"),
    "Sign in": Activity("Authentication", "breakGlass"),
    "Sign out": Activity("Authentication"),
    "Use recovery code": Activity("Authentication"),
    # DirectoryManagement
    "Add administrative unit": Activity("DirectoryManagement"),
    "Add member to administrative unit": Activity("DirectoryManagement"),
    "Audit checkpoint refused": Activity("DirectoryManagement", "auditAlarm"),
    "Audit checkpoints resumed": Activity("DirectoryManagement"),
    "Audit record gone before it was in the log": Activity("DirectoryManagement", "auditAlarm"),
    "Audit record not made by this server": Activity("DirectoryManagement", "auditAlarm"),
    "Audit witness not reached": Activity("DirectoryManagement"),
    "Audit witness reached again": Activity("DirectoryManagement"),
    "Change audit log key": Activity("DirectoryManagement"),
    "Create tenant": Activity("DirectoryManagement"),
    "Delete administrative unit": Activity("DirectoryManagement"),
    "Remove audit events by retention": Activity("DirectoryManagement"),
    "Remove member from administrative unit": Activity("DirectoryManagement"),
    "Update administrative unit": Activity("DirectoryManagement"),
    # GroupManagement
    "Add group": Activity("GroupManagement"),
    "Add member to group": Activity("GroupManagement"),
    "Add owner to group": Activity("GroupManagement"),
    "Delete group": Activity("GroupManagement"),
    "Remove member from group": Activity("GroupManagement"),
    "Remove owner from group": Activity("GroupManagement"),
    "Update group": Activity("GroupManagement"),
    "Update provisioning of group": Activity("GroupManagement"),
    # Policy
    "Add authentication context": Activity("Policy"),
    "Add channel": Activity("Policy"),
    "Delete channel": Activity("Policy"),
    "Retry notification": Activity("Policy"),
    "Rotate secret of channel": Activity("Policy"),
    "Send test notification": Activity("Policy"),
    "Test channel": Activity("Policy"),
    "Update audit settings": Activity("Policy"),
    "Update authentication context": Activity("Policy"),
    "Update channel": Activity("Policy"),
    "Update organisation settings": Activity("Policy"),
    # ResourceManagement
    "Create or update deny assignment": Activity("ResourceManagement"),
    "Create or update role definition": Activity("ResourceManagement"),
    "Create resource": Activity("ResourceManagement"),
    "Delete deny assignment": Activity("ResourceManagement"),
    "Delete resource": Activity("ResourceManagement"),
    "Import resources": Activity("ResourceManagement"),
    "Move resource": Activity("ResourceManagement"),
    "Remove member from role completed (resource removed)": Activity("ResourceManagement"),
    # RoleManagement
    "Add role definition": Activity("RoleManagement"),
    "Delegate approvals": Activity("RoleManagement"),
    "Update role definition": Activity("RoleManagement"),
    "Withdraw delegation of approvals": Activity("RoleManagement"),
    # UserManagement
    "Add user": Activity("UserManagement"),
    "Delete user": Activity("UserManagement"),
    "Disable account": Activity("UserManagement"),
    "Enable account": Activity("UserManagement"),
    "Invite external user": Activity("UserManagement"),
    "Update user": Activity("UserManagement"),
}
