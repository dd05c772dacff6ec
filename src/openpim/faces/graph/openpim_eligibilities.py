"""`openPim/eligibilities`, an addition of ours: everything the caller may activate, of all providers, in one answer.

Microsoft Graph needs three APIs and several calls each for it, and leaves out what comes through groups. See
docs/reference/extensions.md. A token sees the providers that its permissions are about.
"""

from __future__ import annotations

from typing import Any, Final

from openpim.core.grants import Provider, Request, Schedule
from openpim.core.policy import Policy, Requirement
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph import privileged_access_group as pag
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.dispatch import lets_in
from openpim.faces.graph.faults import Style
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services import eligibilities
from openpim.services.eligibilities import Activatable
from openpim.wire.odata import ODataError, check_properties, matches

PATH: Final = "openPim/eligibilities"
PAGE: Final = 999
_NEEDED = {
    Provider.DIRECTORY: p.ELIGIBILITY_READ,
    Provider.GROUP: p.GROUP_ELIGIBILITY_READ,
    Provider.RESOURCE: (),  # only a token that acts as the person
}


def row(_call: Call, one: Activatable) -> Row:
    held = one.eligibility
    return {
        "id": held.id,
        "provider": held.provider.value,
        "roleDefinitionId": held.role_id,
        "roleDisplayName": one.role_name,
        "scope": one.scope_path,
        "scopeDisplayName": one.scope_name,
        "principalId": held.principal_id,
        "memberType": "Group" if one.through else "Direct",
        "through": [{"id": key, "displayName": name} for key, name in one.through],
        "eligibilityScheduleId": _schedule_id(held),
        "startDateTime": grants.when(held.starts_at),
        "endDateTime": grants.when(held.ends_at),
        "state": one.state.value,
        "assignments": [_assignment(each) for each in one.held],
        "requests": [_request(each) for each in one.requests],
        "policy": demands(one.policy),
    }


def _schedule_id(schedule: Schedule) -> str:
    return pag.schedule_id(schedule) if schedule.provider is Provider.GROUP else schedule.id


def _assignment(schedule: Schedule) -> Row:
    return {
        "assignmentScheduleId": _schedule_id(schedule),
        "assignmentType": schedule.assignment_type.value if schedule.assignment_type is not None else None,
        "principalId": schedule.principal_id,
        "scope": schedule.scope,
        "startDateTime": grants.when(schedule.starts_at),
        "endDateTime": grants.when(schedule.ends_at),
    }


def _request(request: Request) -> Row:
    return {
        "id": request.id,
        "status": request.status.value,
        "createdDateTime": grants.when(request.created_at),
        "startDateTime": grants.when(request.window.start),
    }


def demands(policy: Policy) -> Row:
    """What an activation must bring."""
    wanted, approval = policy.activation_requires, policy.approval
    maximum = policy.activation.maximum
    justified = approval.required and approval.requestor_justification_required
    return {
        "maximumDuration": maximum.iso if maximum is not None else None,
        "isMultiFactorAuthenticationRequired": Requirement.MFA in wanted,
        "isJustificationRequired": Requirement.JUSTIFICATION in wanted or justified,
        "isTicketRequired": Requirement.TICKETING in wanted,
        "isApprovalRequired": approval.required,
        "authenticationContext": policy.context if policy.context_enabled else None,
    }


ELIGIBILITIES: Resource[Activatable] = Resource(
    path=PATH, type="openPim.eligibility", render=row, page_size=PAGE
)
_KNOWN = frozenset(
    {
        "id", "provider", "roledefinitionid", "roledisplayname", "scope", "scopedisplayname", "principalid",
        "membertype", "eligibilityscheduleid", "startdatetime", "enddatetime", "state", "policy/maximumduration",
        "policy/ismultifactorauthenticationrequired", "policy/isjustificationrequired", "policy/isticketrequired",
        "policy/isapprovalrequired", "policy/authenticationcontext",
    }
)  # fmt: skip


def index(call: Call) -> Answer:
    options = call.options
    if options.orderby:
        raise ODataError("$orderby", "this list is always by the names of role and scope")
    expr = options.filter
    check_properties(expr, _KNOWN)
    providers = [one for one, needed in _NEEDED.items() if lets_in(call.caller, needed)]
    found: tuple[Any, ...] = eligibilities.mine(call.deps, call.caller, providers)
    kept = [one for one in found if expr is None or matches(expr, row(call, one))]
    return ELIGIBILITIES.collection(call, plain_page(kept, options, default=PAGE))


ENDPOINTS = (
    Endpoint(
        "GET", PATH, index, (*p.ELIGIBILITY_READ, *p.GROUP_ELIGIBILITY_READ), Style.PIM, people_only=True
    ),
)
