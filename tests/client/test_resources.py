"""The resource manager's words and Graph's, in both directions."""

from __future__ import annotations

import re

import pytest

from openpim.client import clock
from openpim.client.arm import VERSION, at, versioned
from openpim.client.discovery import MEMBER, arm_in
from openpim.client.policy import Demand, demand_of, rule_in, rule_out, stricter
from openpim.client.profiles import NO_ARM
from openpim.client.resources import contains, flat, kind_of, of_everything, properties, role_path, step
from openpim.client.roles import Asked, Holding

GROUP = "/providers/Microsoft.Management/managementGroups/IT"
SUB = "/subscriptions/10000000-0000-4000-8000-000000000001"
WEB = f"{SUB}/resourceGroups/rg-web"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "/"), (GROUP, "mg"), (SUB, "sub"), (SUB + "/", "sub"), (WEB, "rg"), (f"{WEB}/providers/A.B/c/d", "resource"),
     (f"{GROUP}/providers/A.B/c/d", "resource")],
)  # fmt: skip
def test_what_a_path_names(path, kind):
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [(SUB, WEB, True), (SUB, SUB.upper(), True), ("/", WEB, True), ("/", GROUP, True), (WEB, SUB, False),
     (SUB, SUB + "0", False), (GROUP, SUB, None), (GROUP, WEB, None), (GROUP, "/", False), (SUB, GROUP, False)],
)  # fmt: skip
def test_what_contains_what_as_far_as_paths_tell(outer, inner, inside):
    assert contains(outer, inner) is inside


def test_role_ids_name_the_subscription_from_there_on():
    assert role_path(OWNER, WEB) == f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"
    assert role_path(OWNER, GROUP) == f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"


def test_addresses():
    assert (
        at("/", "x", "asTarget()")
        == f"/providers/Microsoft.Authorization/x?api-version={VERSION}&$filter=asTarget()"
    )
    assert (
        versioned(f"{SUB}/resourceGroups/a b?c#d", "1") == f"{SUB}/resourceGroups/a%20b%3Fc%23d?api-version=1"
    )


ENTITY = {
    "id": f"{WEB}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/r1", "name": "r1",
    "properties": {
        "scope": WEB, "roleDefinitionId": role_path(OWNER.upper(), WEB), "principalId": "p1", "requestType": "SelfActivate",
        "status": "PendingApproval", "createdOn": "2026-11-21T10:00:00.1234567Z", "requestorId": "p2", "justification": "x",
        "approvalId": "/providers/Microsoft.Authorization/roleAssignmentApprovals/a1",
        "targetRoleAssignmentScheduleId": f"{WEB}/providers/Microsoft.Authorization/roleAssignmentSchedules/s1",
        "ticketInfo": {"ticketNumber": "1", "ticketSystem": "OPS"},
        "scheduleInfo": {"startDateTime": "2026-11-21T10:00:00+00:00", "expiration": {"type": "AfterDuration", "duration": "PT2H"}},
        "expandedProperties": {
            "principal": {"displayName": "Anna", "email": "anna@contoso.com"}, "roleDefinition": {"displayName": "Owner"},
            "scope": {"displayName": "rg-web", "type": "resourcegroup"},
        },
    },
}  # fmt: skip


def test_a_request_of_the_resource_manager():
    asked = Asked(flat(ENTITY))
    assert (asked.provider, asked.id, asked.role, asked.role_id) == ("resource", "r1", "Owner", OWNER)
    assert (asked.scope, asked.scope_name, asked.action) == (WEB, "rg-web", "selfActivate")
    assert (asked.principal, asked.upn, asked.created_by) == ("Anna", "anna@contoso.com", "p2")
    assert (asked.ticket, asked.target) == ("OPS:1", "s1")
    assert asked.ends - asked.starts == 7200


@pytest.mark.parametrize(
    "broken", [{}, {"properties": None}, {"properties": {"scope": 3, "expandedProperties": []}}]
)
def test_broken_rows_break_nothing(broken):
    Asked(flat(broken))
    Holding(flat(broken), eligible=True)
    Holding(of_everything(broken), eligible=True)
    step(broken)


def test_a_request_on_its_way():
    row = {
        "action": "selfActivate", "principalId": "p1", "roleDefinitionId": OWNER, "resourceScopeId": WEB, "justification": None,
        "linkedRoleEligibilityScheduleId": "e1", "isValidationOnly": False, "ticketInfo": {"ticketNumber": "1"},
        "scheduleInfo": {"expiration": {"type": "afterDateTime", "endDateTime": "2026-11-21T12:00:00Z"}},
    }  # fmt: skip
    assert properties(row) == {
        "properties": {
            "principalId": "p1", "roleDefinitionId": role_path(OWNER, WEB), "requestType": "SelfActivate",
            "linkedRoleEligibilityScheduleId": "e1", "ticketInfo": {"ticketNumber": "1"},
            "scheduleInfo": {"expiration": {"type": "AfterDateTime", "endDateTime": "2026-11-21T12:00:00Z"}},
        }
    }  # fmt: skip


def test_approvers_both_ways():
    rule = {
        "id": "Approval_EndUser_Assignment", "ruleType": "RoleManagementPolicyApprovalRule",
        "setting": {"isApprovalRequired": True, "approvalStages": [{
            "primaryApprovers": [{"id": "u1", "userType": "User", "description": "Ben", "isBackup": False}],
            "escalationApprovers": [{"id": "g1", "userType": "Group", "isBackup": False}],
        }]},
    }  # fmt: skip
    stage = rule_in(rule)["setting"]["approvalStages"][0]
    assert stage["primaryApprovers"][0]["userId"] == "u1"
    assert stage["escalationApprovers"][0]["@odata.type"] == "#microsoft.graph.groupMembers"
    assert rule_out(rule_in(rule)) == rule


def test_the_stricter_of_two_policies():
    one = demand_of({"maximumDuration": "PT8H", "isTicketRequired": True, "authenticationContext": "c1"})
    other = demand_of({"maximumDuration": "PT2H", "isApprovalRequired": True})
    both = stricter(one, other)
    assert (both.longest, both.ticket, both.approval, both.context, both.mfa) == (
        7200,
        True,
        True,
        "c1",
        False,
    )
    assert stricter(one, Demand(None)).longest == 8 * 3600


@pytest.mark.parametrize(
    "document", [None, [], {}, {MEMBER: 3}, {MEMBER: "nowhere"}, {MEMBER: "https://a b"}, {MEMBER: "ftp://x"}]
)
def test_a_server_that_names_no_resource_manager(document):
    assert arm_in(document) == NO_ARM
    assert arm_in({MEMBER: "https://arm.example/"}) == "https://arm.example"


def test_new_ids_are_random_guids():
    made = {clock.new_guid() for _ in range(50)}
    assert len(made) == 50
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one)
        for one in made
    )
