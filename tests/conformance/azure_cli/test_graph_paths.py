"""`az rest` on every path that PIM has in Graph: for roles of the directory, and for groups.

`az` finds the token by itself, since Graph's address is not the resource manager's.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from openpim.faces.graph.endpoints import ENDPOINTS
from openpim.faces.graph.table import Match, Table
from tests.conformance.azure_cli.pim import lasting

DIRECTORY = "roleManagement/directory"
GROUP = "identityGovernance/privilegedAccess/group"
POLICIES = "policies/roleManagementPol"
TABLE = Table(ENDPOINTS)
SECOND_FACTOR = b64encode(b'{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}').decode()


class Graph:
    """One person's calls; `called` gathers the endpoints that answered."""

    def __init__(self, az, called):
        self.az, self.called = az, called

    def __call__(self, method, path, body=None, *, version="v1.0", **more):
        found = self.az.graph(method, f"{version}/{path}", body, **more)
        match = TABLE.find(method.upper(), tuple(path.partition("?")[0].split("/")))
        assert isinstance(match, Match), path
        self.called.add(f"{match.endpoint.method} {match.endpoint.address}")
        return found

    def get(self, path, **more):
        return self("get", path, **more)


@dataclass(frozen=True)
class Sort:
    """What differs between roles of the directory and groups. scope, target: members of every body."""

    base: str
    prefix: str
    target: dict[str, str]
    policy: str
    approvals: str

    def noun(self, kind: str, what: str) -> str:
        """noun("Eligibility", "ScheduleRequests"): the collection's path."""
        word = f"{self.prefix}{kind}{what}"
        return f"{self.base}/{word[0].lower()}{word[1:]}"

    def body(self, action: str, principal_id: str, **more: Any) -> dict[str, Any]:
        return {
            "action": action,
            "principalId": principal_id,
            "justification": "Quarterly figures",
            **self.target,
            **more,
        }


def the_life(sort, boss, me, approver, person_id, approver_id):
    """Policy, eligibility, activation that is called off, denied and approved, and the end; every list on the way."""
    # The policy, by its assignment; whole, and rule by rule.
    (held,) = boss.get(f"policies/roleManagementPolicyAssignments?$filter={sort.policy}&$expand=policy")[
        "value"
    ]
    policy = f"policies/roleManagementPolicies/{held['policyId']}"
    assert boss.get(f"policies/roleManagementPolicyAssignments/{held['id']}")["policyId"] == held["policyId"]
    listed = boss.get(f"policies/roleManagementPolicies?$filter={sort.policy.partition(' and roleDef')[0]}")
    assert held["policyId"] in {one["id"] for one in listed["value"]}
    assert boss.get(policy)["id"] == held["policyId"]
    rules = {one["id"]: one for one in boss.get(f"{policy}/rules")["value"]}
    assert rules.keys() == {one["id"] for one in boss.get(f"{policy}/effectiveRules")["value"]}
    assert len(rules) == 17
    name = "Approval_EndUser_Assignment"
    assert boss.get(f"{policy}/effectiveRules/{name}")["id"] == name
    approval = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
        "id": name,
        "target": rules[name]["target"],
        "setting": {
            "isApprovalRequired": True,
            "isApprovalRequiredForExtension": False,
            "isRequestorJustificationRequired": True,
            "approvalMode": "SingleStage",
            "approvalStages": [
                {
                    "approvalStageTimeOutInDays": 1,
                    "isApproverJustificationRequired": True,
                    "escalationTimeInMinutes": 0,
                    "isEscalationEnabled": False,
                    "primaryApprovers": [
                        {"@odata.type": "#microsoft.graph.singleUser", "userId": approver_id}
                    ],
                }
            ],
        },
    }
    boss("patch", f"{policy}/rules/{name}", approval)
    assert boss.get(f"{policy}/rules/{name}")["setting"]["isApprovalRequired"] is True
    name = "Enablement_EndUser_Assignment"
    whole = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule",
        "id": name,
        "enabledRules": ["Justification"],
        "target": rules[name]["target"],
    }
    boss("patch", policy, {"rules": [whole]})

    # Eligible.
    asks = sort.noun("Eligibility", "ScheduleRequests")
    wish = {"scheduleInfo": lasting("P30D")}
    made = boss("post", asks, sort.body("adminAssign", person_id, **wish))
    assert made["status"] == "Provisioned"
    assert boss.get(f"{asks}/{made['id']}")["id"] == made["id"]
    assert boss.get(f"{asks}?$filter=principalId eq '{person_id}'")["value"]
    assert me.get(f"{asks}/filterByCurrentUser(on='principal')")["value"]
    start = (datetime.now(UTC) + timedelta(days=60)).isoformat()
    later = boss("post", asks, sort.body("adminAssign", person_id, scheduleInfo=lasting("P5D", start)))
    boss("post", f"{asks}/{later['id']}/cancel")
    assert boss.get(f"{asks}/{later['id']}")["status"] == "Canceled"

    # Activated: called off, denied, approved.
    asks = sort.noun("Assignment", "ScheduleRequests")
    wish = {"scheduleInfo": lasting("PT1H")}
    asked = me("post", asks, sort.body("selfActivate", person_id, **wish))
    assert asked["status"] == "PendingApproval"
    me("post", f"{asks}/{asked['id']}/cancel")
    steps = sort.noun("Assignment", "Approvals")
    for word, verdict in (("stages", "Deny"), ("steps", "Approve")):
        asked = me("post", asks, sort.body("selfActivate", person_id, **wish))
        waiting = approver.get(f"{steps}/filterByCurrentUser(on='approver')", version=sort.approvals)
        assert asked["approvalId"] in {one["id"] for one in waiting["value"]}
        one = f"{steps}/{asked['approvalId']}"
        assert approver.get(one, version=sort.approvals)["id"] == asked["approvalId"]
        (step,) = approver.get(f"{one}/{word}", version=sort.approvals)["value"]
        path = f"{one}/{word}/{step['id']}"
        assert approver.get(path, version=sort.approvals)["assignedToMe"] is True
        approver("patch", path, {"reviewResult": verdict, "justification": "Seen"}, version=sort.approvals)
        assert (me.get(f"{asks}/{asked['id']}")["status"] == "Provisioned") is (verdict == "Approve")
    assert me.get(f"{asks}/filterByCurrentUser(on='principal')")["value"]
    assert boss.get(f"{asks}?$filter=principalId eq '{person_id}'")["value"]

    # Seen by him and by the administrator, all of them and one by one.
    for kind in ("Eligibility", "Assignment"):
        for what in ("Schedules", "ScheduleInstances"):
            path = sort.noun(kind, what)
            mine = me.get(f"{path}/filterByCurrentUser(on='principal')")["value"]
            (found,) = [one for one in mine if sort.target.items() <= one.items()]
            assert me.get(f"{path}/{found['id']}")["id"] == found["id"]
            # Of groups one asks for a principal's or a group's.
            every = boss.get(f"{path}?$filter=principalId eq '{person_id}'")["value"]
            assert found["id"] in {one["id"] for one in every}

    me("post", asks, sort.body("selfDeactivate", person_id))
    boss("post", sort.noun("Eligibility", "ScheduleRequests"), sort.body("adminRemove", person_id))


def rest_of(base, called, also=()):
    every = {f"{one.method} {one.address}" for one in ENDPOINTS if one.address.startswith((base, *also))}
    return every - called


@pytest.mark.timeout(900)
def test_roles_of_the_directory(server, desk):
    called: set[str] = set()
    boss, me, approver = (Graph(desk(who), called) for who in ("emergency1", "hanne", "oskar"))
    person, other = server.people["hanne"].id, server.people["oskar"].id
    roles = f"{DIRECTORY}/roleDefinitions"
    (role,) = boss.get(f"{roles}?$filter=displayName eq 'Reports Reader'")["value"]
    sort = Sort(
        base=DIRECTORY,
        prefix="role",
        target={"roleDefinitionId": role["id"], "directoryScopeId": "/"},
        policy=f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{role['id']}'",
        approvals="beta",
    )
    the_life(sort, boss, me, approver, person, other)

    # Both kinds of schedules in one list, and what a role builds on.
    for name in ("roleSchedules", "roleScheduleInstances"):
        path = f"{DIRECTORY}/{name}(directoryScopeId='%2F',principalId='{person}')"
        assert isinstance(boss.get(path, version="beta")["value"], list)
    assert boss.get(f"{roles}/{role['id']}/inheritsPermissionsFrom")["value"] is not None

    # Outside PIM: a role of one's own, and an assignment that just is.
    body = {
        "displayName": "Group Watcher",
        "isEnabled": True,
        "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/groups/allProperties/read"]}],
    }
    own = boss("post", roles, body)
    boss("patch", f"{roles}/{own['id']}", {"description": "Looks at groups"})
    assert boss.get(f"{roles}/{own['id']}")["description"] == "Looks at groups"
    given = boss("post", f"{DIRECTORY}/roleAssignments",
                 {"principalId": person, "roleDefinitionId": own["id"], "directoryScopeId": "/"})  # fmt: skip
    assert boss.get(f"{DIRECTORY}/roleAssignments/{given['id']}")["principalId"] == person
    asked = f"$filter=principalId eq '{person}'"
    assert given["id"] in {one["id"] for one in boss.get(f"{DIRECTORY}/roleAssignments?{asked}")["value"]}
    eventual = ("--headers", "ConsistencyLevel=eventual")
    assert boss.get(f"{DIRECTORY}/transitiveRoleAssignments?$count=true&{asked}", options=eventual)["value"]
    boss("delete", f"{DIRECTORY}/roleAssignments/{given['id']}")
    boss("delete", f"{roles}/{own['id']}")
    assert rest_of(DIRECTORY, called, (POLICIES,)) == set()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("access", ["member", "owner"])
def test_groups(server, desk, access):
    called: set[str] = set()
    boss, me, approver = (Graph(desk(who), called) for who in ("emergency1", "hanne", "oskar"))
    person, other = server.people["hanne"].id, server.people["oskar"].id
    az = boss.az
    group = az(
        "ad", "group", "create", "--display-name", f"Figures {access}", "--mail-nickname", f"f{access}"
    )
    sort = Sort(
        base=GROUP,
        prefix="",
        target={"groupId": group["id"], "accessId": access},
        policy=f"scopeId eq '{group['id']}' and scopeType eq 'Group' and roleDefinitionId eq '{access}'",
        approvals="v1.0",
    )
    the_life(sort, boss, me, approver, person, other)
    assert rest_of(GROUP, called) == set()


def test_a_membership_that_is_active_is_seen_by_az(server, desk, regulars):
    """An eligible member is none; who has activated is one, in every command. By default that takes a second factor,
    which az is told to ask for.
    """
    boss, me, person = desk("emergency1"), desk("hanne"), server.people["hanne"].id
    group = boss("ad", "group", "create", "--display-name", "Night shift", "--mail-nickname", "night")["id"]
    sort = Sort(GROUP, "", {"groupId": group, "accessId": "member"}, "", "v1.0")
    asks = sort.noun("Eligibility", "ScheduleRequests")
    boss.graph("post", f"v1.0/{asks}", sort.body("adminAssign", person, scheduleInfo=lasting("P30D")))

    def members():
        return {one["id"] for one in boss("ad", "group", "member", "list", "--group", group)}

    assert person not in members()
    asks = sort.noun("Assignment", "ScheduleRequests")
    body = sort.body("selfActivate", person, scheduleInfo=lasting("PT1H"))
    assert "MfaRule" in me.graph("post", f"v1.0/{asks}", body, refused=True)
    me("login", "--claims-challenge", SECOND_FACTOR, "--scope", f"{server.origin}/.default", "--use-device-code",
       "--tenant", server.tenant_id, "--allow-no-subscriptions", robot=regulars("hanne"))  # fmt: skip
    made = me.graph("post", f"v1.0/{asks}", body)
    assert made["status"] == "Provisioned"
    assert person in members()
    me.graph("post", f"v1.0/{asks}", sort.body("selfDeactivate", person))
    assert person not in members()
