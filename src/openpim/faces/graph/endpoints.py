"""Every endpoint of this face, resource by resource. The authorization table of the tests is made from this list."""

from __future__ import annotations

from functools import cache

from openpim.faces.graph import (
    administrative_units,
    app_roles,
    application_changes,
    applications,
    approvals,
    audits,
    contexts,
    custom_extensions,
    directory_objects,
    directory_roles,
    groups,
    instances,
    invitations,
    member_objects,
    metadata,
    oauth2_permission_grants,
    openpim_agents,
    openpim_audit_events,
    openpim_audit_export,
    openpim_audit_log,
    openpim_audit_settings,
    openpim_audit_streams,
    openpim_channels,
    openpim_delegations,
    openpim_eligibilities,
    openpim_notifications,
    openpim_provisioning,
    openpim_targets,
    organization,
    policies,
    privileged_access_group_approvals,
    privileged_access_group_instances,
    privileged_access_group_requests,
    privileged_access_group_schedules,
    role_assignments,
    role_definitions,
    role_schedules,
    schedule_requests,
    schedules,
    scoped_role_members,
    users,
)
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.table import Endpoint

_OTHERS: tuple[Endpoint, ...] = (
    *users.ENDPOINTS,
    *groups.ENDPOINTS,
    *applications.ENDPOINTS,
    *application_changes.ENDPOINTS,
    *app_roles.ENDPOINTS,
    *oauth2_permission_grants.ENDPOINTS,
    *invitations.ENDPOINTS,
    *directory_objects.ENDPOINTS,
    *member_objects.ENDPOINTS,
    *organization.ENDPOINTS,
    *administrative_units.ENDPOINTS,
    *scoped_role_members.ENDPOINTS,
    *directory_roles.ENDPOINTS,
    *role_definitions.ENDPOINTS,
    *role_assignments.ENDPOINTS,
    *schedules.ENDPOINTS,
    *instances.ENDPOINTS,
    *role_schedules.ENDPOINTS,
    *schedule_requests.ENDPOINTS,
    *approvals.ENDPOINTS,
    *privileged_access_group_schedules.ENDPOINTS,
    *privileged_access_group_instances.ENDPOINTS,
    *privileged_access_group_requests.ENDPOINTS,
    *privileged_access_group_approvals.ENDPOINTS,
    *openpim_eligibilities.ENDPOINTS,
    *openpim_delegations.ENDPOINTS,
    *openpim_channels.ENDPOINTS,
    *openpim_targets.ENDPOINTS,
    *openpim_agents.ENDPOINTS,
    *openpim_notifications.ENDPOINTS,
    *custom_extensions.ENDPOINTS,
    *openpim_audit_events.ENDPOINTS,
    *openpim_audit_log.ENDPOINTS,
    *openpim_audit_settings.ENDPOINTS,
    *openpim_audit_export.ENDPOINTS,
    *openpim_audit_streams.ENDPOINTS,
    *openpim_provisioning.ENDPOINTS,
    *policies.ENDPOINTS,
    *audits.ENDPOINTS,
    *contexts.ENDPOINTS,
)


@cache
def _document() -> str:
    return metadata.document((one.method, one.address) for one in ENDPOINTS)


def _metadata(_call: Call) -> Answer:
    """The table itself, as OData's clients read it."""
    return Answer(200, _document(), {"Content-Type": "application/xml"})


ENDPOINTS: tuple[Endpoint, ...] = (*_OTHERS, Endpoint("GET", "$metadata", _metadata, ()))
