"""Every endpoint of this face, resource by resource. The authorization table of the tests is made from this list."""

from __future__ import annotations

from openpim.faces.arm import (
    access,
    activity_log,
    approvals,
    deny_assignments,
    imports,
    management_groups,
    metadata,
    policies,
    resource_groups,
    resources,
    role_assignments,
    role_definitions,
    schedule_requests,
    schedules,
    subscriptions,
)
from openpim.faces.arm.table import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *metadata.ENDPOINTS,
    *subscriptions.ENDPOINTS,
    *management_groups.ENDPOINTS,
    *resource_groups.ENDPOINTS,
    *resources.ENDPOINTS,
    *imports.ENDPOINTS,
    *role_definitions.ENDPOINTS,
    *role_assignments.ENDPOINTS,
    *deny_assignments.ENDPOINTS,
    *access.ENDPOINTS,
    *schedules.ENDPOINTS,
    *schedule_requests.ENDPOINTS,
    *policies.ENDPOINTS,
    *approvals.ENDPOINTS,
    *activity_log.ENDPOINTS,
)
