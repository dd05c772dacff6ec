"""Every endpoint of this face, resource by resource. The authorization table of the tests is made from this list."""

from __future__ import annotations

from openpim.faces.graph import (
    administrative_units,
    application_changes,
    applications,
    approvals,
    audits,
    contexts,
    directory_objects,
    directory_roles,
    groups,
    instances,
    invitations,
    organization,
    policies,
    privileged_access_group_approvals,
    privileged_access_group_instances,
    privileged_access_group_requests,
    privileged_access_group_schedules,
    role_assignments,
    role_definitions,
    schedule_requests,
    schedules,
    users,
)
from openpim.faces.graph.table import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *users.ENDPOINTS,
    *groups.ENDPOINTS,
    *applications.ENDPOINTS,
    *application_changes.ENDPOINTS,
    *invitations.ENDPOINTS,
    *directory_objects.ENDPOINTS,
    *organization.ENDPOINTS,
    *administrative_units.ENDPOINTS,
    *directory_roles.ENDPOINTS,
    *role_definitions.ENDPOINTS,
    *role_assignments.ENDPOINTS,
    *schedules.ENDPOINTS,
    *instances.ENDPOINTS,
    *schedule_requests.ENDPOINTS,
    *approvals.ENDPOINTS,
    *privileged_access_group_schedules.ENDPOINTS,
    *privileged_access_group_instances.ENDPOINTS,
    *privileged_access_group_requests.ENDPOINTS,
    *privileged_access_group_approvals.ENDPOINTS,
    *policies.ENDPOINTS,
    *audits.ENDPOINTS,
    *contexts.ENDPOINTS,
)
