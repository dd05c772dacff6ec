"""The life of a grant through the resource manager's face."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from openpim.core.grants import hours
from openpim.core.policy import Expiry
from tests.faces.arm.client import AUTH, CONTRIBUTOR, OWNER, READER, UAA, Arm, Who, error

ASSIGNMENTS = f"/{AUTH}/roleAssignmentScheduleInstances"
ELIGIBILITIES = f"/{AUTH}/roleEligibilityScheduleInstances"
REQUESTS = f"/{AUTH}/roleAssignmentScheduleRequests"
MINE = "?$filter=asTarget()"


def test_from_eligible_to_active_to_over(arm):
    bob, name = arm.world.bob, arm.world.new_id()
    made = arm.request(
        "Eligibility", bob, arm.prod, arm.owner, name=name,
        scheduleInfo={"startDateTime": "2022-02-10T16:20:33.9232179-08:00", "expiration": {"type": "AfterDuration", "duration": "P10D"}},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    body = made.json()
    found = body["properties"]
    assert body["name"] == name
    assert body["id"] == f"{arm.prod}/{AUTH}/roleEligibilityScheduleRequests/{name}"
    assert body["type"] == "Microsoft.Authorization/roleEligibilityScheduleRequests"
    assert found["status"] == "Provisioned"
    assert found["targetRoleEligibilityScheduleId"].endswith(f"/roleEligibilitySchedules/{name}")
    assert found["roleDefinitionId"] == f"{arm.prod}/{AUTH}/roleDefinitions/{READER}"
    assert (
        found["scheduleInfo"]["startDateTime"] == arm.world.now.isoformat().replace("+00:00", "") + "+00:00"
    )
    assert found["ticketInfo"] == {}
    assert found["expandedProperties"]["scope"] == {
        "id": arm.prod,
        "displayName": "Production",
        "type": "subscription",
    }
    assert found["expandedProperties"]["roleDefinition"]["type"] == "BuiltInRole"
    assert found["expandedProperties"]["principal"]["type"] == "User"
    assert found["requestorId"] == arm.owner
    assert "approvalId" not in found
    (mine,) = arm.rows(ELIGIBILITIES + MINE, bob)
    assert mine["properties"]["memberType"] == "Direct"
    assert mine["properties"]["roleEligibilityScheduleId"].endswith(name)
    # He activates it, and may read the tree now.
    error(arm.get(arm.web, bob), 403, "AuthorizationFailed")
    active = arm.activate(
        bob, arm.prod, linkedRoleEligibilityScheduleId=mine["properties"]["roleEligibilityScheduleId"]
    )
    assert active.status_code == 201, active.text
    assert active.json()["properties"]["status"] == "Provisioned"
    assert active.json()["properties"]["linkedRoleEligibilityScheduleId"].endswith(name)
    arm.ok(arm.web, bob)
    (held,) = arm.rows(ASSIGNMENTS + MINE, bob)
    assert held["properties"]["assignmentType"] == "Activated"
    assert held["properties"]["linkedRoleEligibilityScheduleInstanceId"].endswith(name)
    assert held["properties"]["originRoleAssignmentId"].endswith(f"/roleAssignments/{held['name']}")
    assert arm.ok(held["properties"]["originRoleAssignmentId"], arm.owner)["properties"]["principalId"] == bob
    # Too early, then over.
    error(
        arm.request("Assignment", bob, arm.prod, bob, requestType="SelfDeactivate"),
        400,
        "ActiveDurationTooShort",
    )
    error(arm.activate(bob, arm.prod), 400, "RoleAssignmentExists")
    arm.world.forward(minutes=6)
    over = arm.request("Assignment", bob, arm.prod, bob, requestType="SelfDeactivate", scheduleInfo=None)
    assert over.status_code == 201, over.text
    assert over.json()["properties"]["status"] == "Revoked"
    assert not {"scheduleInfo", "targetRoleAssignmentScheduleId"} & over.json()["properties"].keys()
    error(
        arm.request("Assignment", bob, arm.prod, bob, requestType="SelfDeactivate"),
        400,
        "RoleAssignmentDoesNotExist",
    )
    error(arm.get(arm.web, bob), 403, "AuthorizationFailed")
    arm.activate(bob, arm.prod)
    arm.world.forward(hours=5)  # no worker has run
    error(arm.get(arm.web, bob), 403, "AuthorizationFailed")
    assert arm.rows(ASSIGNMENTS + MINE, bob) == []


def test_the_same_request_again_is_the_same_request(arm):
    name = arm.world.new_id()
    first = arm.request("Assignment", arm.world.bob, arm.prod, arm.owner, name=name)
    again = arm.request("Assignment", arm.world.bob, arm.prod, arm.owner, name=name)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    error(
        arm.request("Assignment", arm.world.cyd, arm.prod, arm.owner, name=name),
        400,
        "RoleAssignmentRequestExists",
    )
    error(arm.request("Assignment", arm.world.bob, arm.prod, arm.owner), 400, "RoleAssignmentExists")


def test_narrower_than_the_eligibility(arm):
    bob = arm.world.bob
    link = arm.eligible(bob, CONTRIBUTOR, arm.it).id
    children = arm.rows(
        f"{arm.prod}/{AUTH}/eligibleChildResources?$filter=resourceType+eq+'resourcegroup'", bob
    )
    assert {(one["name"], one["type"]) for one in children} == {
        ("Web", "resourcegroup"),
        ("data", "resourcegroup"),
    }
    active = arm.activate(bob, arm.web, CONTRIBUTOR, linkedRoleEligibilityScheduleId=link)
    assert active.status_code == 201, active.text
    assert active.json()["properties"]["scope"] == arm.path(arm.web)
    assert "/managementGroups/IT/" in active.json()["properties"]["linkedRoleEligibilityScheduleId"]
    assert arm.put(f"{arm.web}/providers/Microsoft.Web/sites/a", bob, {}).status_code == 201
    error(arm.put(f"{arm.data}/providers/Microsoft.Web/sites/a", bob, {}), 403, "AuthorizationFailed")
    # What is above shows as inherited, from wherever it is asked.
    (seen,) = arm.rows(
        f"{arm.vm}/{AUTH}/roleEligibilityScheduleInstances?$filter=atScope() and assignedTo('{bob}')",
        arm.owner,
    )
    assert seen["properties"]["memberType"] == "Inherited"
    # An eligibility further down, or somebody else's, carries nothing.
    other = arm.eligible(arm.world.cyd, CONTRIBUTOR, arm.it).id
    error(
        arm.activate(bob, arm.data, CONTRIBUTOR, linkedRoleEligibilityScheduleId=other),
        400,
        "RoleAssignmentDoesNotExist",
    )
    error(arm.activate(bob, arm.staff, CONTRIBUTOR), 400, "RoleAssignmentDoesNotExist")


def test_the_stricter_of_both_policies_gates_it(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.prod)
    arm.approval(READER, arm.prod, arm.owner)
    assert arm.activate(bob, arm.web).json()["properties"]["status"] == "PendingApproval"
    arm.policy(READER, arm.vm, activation=Expiry(required=True, maximum=hours(1)))
    error(arm.activate(bob, arm.vm), 400, "RoleAssignmentRequestPolicyValidationFailed")


def test_through_a_group(arm):
    bob = arm.world.bob
    team = arm.world.group("Team", [bob], role_assignable=False)
    link = arm.eligible(team, READER, arm.prod).id
    (mine,) = arm.rows(ELIGIBILITIES + MINE, bob)
    assert mine["properties"]["memberType"] == "Group"
    assert (mine["properties"]["principalId"], mine["properties"]["principalType"]) == (team, "Group")
    assert arm.request("Assignment", team, arm.prod, bob, requestType="SelfActivate").status_code == 403
    assert arm.activate(bob, arm.prod, linkedRoleEligibilityScheduleId=link).status_code == 201
    (held,) = arm.rows(ASSIGNMENTS + MINE, bob)
    assert (held["properties"]["memberType"], held["properties"]["principalId"]) == ("Group", bob)


def test_approval_by_stage(arm):
    bob, cyd = arm.world.bob, arm.world.cyd
    arm.eligible(bob, READER, arm.web)
    arm.approval(READER, arm.web, cyd)
    asked = arm.activate(bob, arm.web, ticketInfo={"ticketNumber": "7", "ticketSystem": "T"}).json()
    approval = asked["properties"]["approvalId"]
    assert approval == f"/{AUTH}/roleAssignmentApprovals/{asked['name']}"
    error(arm.activate(bob, arm.web), 400, "RoleAssignmentRequestExists")
    (work,) = arm.rows(f"{REQUESTS}?$filter=asApprover()", cyd)
    assert work["name"] == asked["name"]
    assert arm.rows(f"{REQUESTS}?$filter=asApprover()", arm.world.dan) == []
    assert len(arm.rows(f"{REQUESTS}?$filter=asApprover() and principalId eq '{bob}'", cyd)) == 1
    assert arm.rows(f"{REQUESTS}?$filter=asApprover() and principalId eq '{cyd}'", cyd) == []
    assert [one["name"] for one in arm.rows(f"{REQUESTS}?$filter=asRequestor()", bob)] == [asked["name"]]
    (row,) = arm.rows(f"/{AUTH}/roleAssignmentApprovals?$filter=asApprover()", cyd)
    (stage,) = arm.rows(f"{row['id']}/stages?api-version=2021-01-01-preview", cyd)
    assert stage["properties"]["assignedToMe"]
    assert stage["properties"]["reviewResult"] == "NotReviewed"
    decision = {"reviewResult": "Approve", "justification": "fine"}
    error(arm.put(stage["id"], arm.world.dan, decision), 403, "AuthorizationFailed")
    error(arm.put(stage["id"], bob, decision), 403, "AuthorizationFailed")
    done = arm.put(f"{stage['id']}/", cyd, {"properties": decision})
    assert done.status_code == 200, done.text
    assert done.json()["properties"]["status"] == "Completed"
    assert done.json()["properties"]["reviewedBy"]["principalId"] == cyd
    arm.ok(arm.web, bob)
    error(arm.patch(stage["id"], cyd, decision), 400, "RoleAssignmentRequestAlreadyDecided")
    # Again, flat and denied.
    arm.world.forward(hours=9)
    asked = arm.activate(bob, arm.web).json()
    address = f"{arm.web}{asked['properties']['approvalId']}/stages/{asked['name']}"
    assert arm.patch(address, cyd, {"reviewResult": "Deny", "justification": "no"}).status_code == 200
    assert arm.ok(asked["id"], bob)["properties"]["status"] == "Denied"


def test_future_starts_are_granted_and_can_be_cancelled(arm):
    start = (arm.world.now + timedelta(days=2)).isoformat()
    info = {"startDateTime": start, "expiration": {"type": "AfterDuration", "duration": "PT30M"}}
    made = arm.request("Assignment", arm.world.bob, arm.prod, arm.owner, scheduleInfo=info).json()
    assert made["properties"]["status"] == "Granted"
    assert arm.rows(
        f"{arm.prod}/{AUTH}/roleAssignmentSchedules?$filter=principalId eq {arm.world.bob}", arm.owner
    )
    assert (
        arm.rows(
            f"{arm.prod}/{AUTH}/roleAssignmentScheduleInstances?$filter=principalId eq '{arm.world.bob}'",
            arm.owner,
        )
        == []
    )
    cancelled = arm.post(f"{made['id']}/cancel?api-version=2020-10-01-preview", arm.owner)
    assert (cancelled.status_code, cancelled.content) == (200, b"")
    assert arm.ok(made["id"], arm.owner)["properties"]["status"] == "Canceled"
    error(arm.post(f"{made['id']}/cancel", arm.owner), 400, "RoleAssignmentRequestCannotBeCancelled")


def test_validate_changes_nothing(arm):
    arm.eligible(arm.world.bob, READER, arm.prod)
    before = arm.world.snapshot()
    body = {
        "Properties": {
            "PrincipalId": arm.world.bob,
            "RoleDefinitionId": f"{AUTH}/roleDefinitions/{READER}",
            "RequestType": "selfactivate",
            "Justification": "because",
            "ScheduleInfo": {
                "Expiration": {"Type": "AfterDuration", "Duration": "PT1H", "EndDateTime": None}
            },
            "isValidationOnly": True,
        }
    }
    path = f"{arm.prod}/{AUTH}/roleAssignmentScheduleRequests/{arm.world.new_id()}"
    answer = arm.post(f"{path}/validate", arm.world.bob, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == path.rsplit("/", 1)[1]
    body["Properties"]["ScheduleInfo"]["Expiration"]["Duration"] = "PT9H"
    found = error(
        arm.post(f"{path}/validate", arm.world.bob, body), 400, "RoleAssignmentRequestPolicyValidationFailed"
    )
    assert found["message"] == 'The following policy rules failed: ["ExpirationRule"]'
    assert arm.put(path, arm.world.bob, body).status_code == 400
    body["Properties"]["ScheduleInfo"]["Expiration"]["Duration"] = "PT1H"
    assert arm.put(path, arm.world.bob, body).status_code == 201
    assert arm.world.snapshot()[:3] == before[:3]


def test_every_failed_rule_is_named(arm):
    arm.eligible(arm.world.bob, READER, arm.prod)
    info = {"expiration": {"type": "AfterDuration", "duration": "PT20H"}}
    found = error(
        arm.activate(arm.world.bob, arm.prod, justification="", scheduleInfo=info),
        400,
        "RoleAssignmentRequestPolicyValidationFailed",
    )
    assert found["message"] == 'The following policy rules failed: ["ExpirationRule","JustificationRule"]'


def test_step_up(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.prod)
    arm.policy(READER, arm.prod, context_enabled=True, context="c1")
    found = error(arm.activate(bob, arm.prod), 400, "RoleAssignmentRequestAcrsValidationFailed")
    assert found["message"].startswith("&claims=%7B%22access_token")
    answer = arm.request(
        "Assignment", bob, arm.prod, Who(bob, capabilities=frozenset({"cp1"})), requestType="SelfActivate"
    )
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["error"]["code"] == "RoleAssignmentRequestAcrsValidationFailed"
    done = arm.request(
        "Assignment", bob, arm.prod, Who(bob, acrs=frozenset({"c1"})), requestType="SelfActivate"
    )
    assert done.status_code == 201, done.text


def test_removal_by_an_administrator(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.prod)
    arm.activate(bob, arm.prod)
    gone = arm.request("Eligibility", bob, arm.prod, arm.owner, requestType="AdminRemove", scheduleInfo=None)
    assert gone.status_code == 201, gone.text
    assert gone.json()["properties"]["status"] == "Revoked"
    error(arm.get(arm.web, bob), 403, "AuthorizationFailed")
    again = arm.request("Eligibility", bob, arm.prod, arm.owner, requestType="AdminRemove")
    error(again, 400, "RoleAssignmentDoesNotExist")


def test_who_may_administer(arm):
    bob, cyd = arm.world.bob, arm.world.cyd
    error(arm.request("Eligibility", cyd, arm.prod, arm.world.ga), 403, "AuthorizationFailed")
    arm.assigned(bob, UAA, arm.web)
    assert arm.request("Eligibility", cyd, arm.web, bob).status_code == 201
    error(arm.request("Eligibility", cyd, arm.prod, bob), 403, "AuthorizationFailed")
    error(arm.request("Assignment", cyd, arm.data, bob), 403, "AuthorizationFailed")
    # An administrator who only could become one, cannot yet.
    arm.eligible(cyd, OWNER, arm.prod)
    error(arm.request("Assignment", arm.world.dan, arm.prod, cyd), 403, "AuthorizationFailed")


def test_what_cannot_be_given(arm):
    bob = arm.world.bob
    error(arm.request("Eligibility", arm.world.new_id(), arm.prod, arm.owner), 400, "SubjectNotFound")
    error(
        arm.request("Eligibility", bob, arm.prod, arm.owner, role=arm.world.new_id()),
        400,
        "InvalidRoleDefinitionId",
    )
    error(
        arm.request("Eligibility", bob, f"/subscriptions/{arm.world.new_id()}", arm.owner),
        404,
        "SubscriptionNotFound",
    )
    app = arm.world.app("Robot")
    error(arm.request("Eligibility", app, arm.prod, arm.owner), 400, "InvalidRoleAssignmentRequest")
    assert arm.request("Assignment", app, arm.prod, arm.owner).status_code == 201
    conditional = arm.request(
        "Eligibility", bob, arm.prod, arm.owner, condition="@Resource[x] StringEquals 'y'"
    )
    error(conditional, 400, "InvalidRoleAssignmentRequest")
    error(
        arm.request("Eligibility", bob, arm.prod, arm.owner, name="not-a-guid"),
        400,
        "InvalidRoleAssignmentRequest",
    )


def test_extension_and_renewal(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.prod, days=10)
    asked = arm.request(
        "Eligibility", bob, arm.prod, bob, requestType="SelfExtend",
        justification='{"RequestorReason":"more","AdminReason":""}',
        scheduleInfo={"expiration": {"type": "AfterDuration", "duration": "P60D"}},
    )  # fmt: skip
    assert asked.status_code == 201, asked.text
    assert asked.json()["properties"]["status"] == "PendingAdminDecision"
    stage = f"{asked.json()['properties']['approvalId']}/stages/{asked.json()['name']}"
    assert arm.put(stage, arm.owner, {"reviewResult": "Approve", "justification": "ok"}).status_code == 200
    arm.world.forward(days=30)
    assert len(arm.rows(ELIGIBILITIES + MINE, bob)) == 1


@pytest.mark.parametrize("version", ["2020-10-01-preview", "2020-10-01", "2022-04-01-preview", "2024-02-01-preview", "2024-09-01-preview"])  # fmt: skip
def test_all_versions_are_one(arm, version):
    arm.eligible(arm.world.bob, READER, arm.prod)
    assert len(arm.rows(f"{ELIGIBILITIES}{MINE}&api-version={version}", arm.world.bob)) == 1


# ---------------------------------------------------------------- lists and filters


@pytest.fixture
def populated(arm: Arm) -> Arm:
    """bob is eligible at every level, cyd at the staff's subscription, and a group of dan's at prod."""
    for scope in (arm.root, arm.it, arm.prod, arm.web, arm.vm):
        arm.eligible(arm.world.bob, READER, scope)
    arm.eligible(arm.world.cyd, READER, arm.staff)
    arm.eligible(arm.world.group("Team", [arm.world.dan], role_assignable=False), CONTRIBUTOR, arm.prod)
    return arm


def scopes(arm: Arm, rows: list) -> list[str]:
    return [row["properties"]["scope"].lower().replace(arm.root, "root") for row in rows]


def test_reach(populated):
    arm = populated
    at_prod = f"{arm.prod}/{AUTH}/roleEligibilitySchedules"
    bob = f"principalId eq '{arm.world.bob}'"
    assert len(arm.rows(f"{at_prod}", arm.owner)) == 6
    assert scopes(arm, arm.rows(f"{at_prod}?$filter=({bob}) and atScope()", arm.owner)) == [
        "root",
        arm.it,
        arm.prod,
    ]
    assert scopes(arm, arm.rows(f"{at_prod}?$filter={bob} and atScopeAndBelow()", arm.owner)) == [
        arm.prod,
        arm.web,
        arm.vm,
    ]
    assert len(arm.rows(f"{at_prod}?$filter=atScope()", arm.owner)) == 4
    assert len(arm.rows(f"{at_prod}?$filter=atScopeAndBelow()", arm.owner)) == 4
    at_it = f"{arm.it}/{AUTH}/roleEligibilitySchedules"
    assert len(arm.rows(at_it, arm.owner)) == 6
    assert len(arm.rows(f"{at_it}?$filter=atScopeAndBelow()", arm.owner)) == 5
    assert (
        len(arm.rows(f"{arm.hr}/{AUTH}/roleEligibilitySchedules?$filter=atScopeAndBelow()", arm.owner)) == 1
    )
    assert len(arm.rows(f"{arm.root}/{AUTH}/roleEligibilitySchedules", arm.owner)) == 7
    members = [row["properties"]["memberType"] for row in arm.rows(f"{at_prod}?$filter={bob}", arm.owner)]
    assert members == ["Inherited", "Inherited", "Direct", "Direct", "Direct"]


def test_filters_of_every_form(populated):
    arm, bob, dan = populated, populated.world.bob, populated.world.dan
    at_prod = f"{arm.prod}/{AUTH}/roleEligibilityScheduleInstances"

    def count(text: str, who: str = "") -> int:
        return len(arm.rows(f"{at_prod}?{text}", who or arm.owner))

    assert count(f"$filter=principalId eq {bob}") == 5
    assert count(f"%24filter=principalId+eq+%27{bob.upper()}%27") == 5
    assert (
        count(
            f"$filter=(principalId eq '{bob}' and roleDefinitionId eq '{arm.prod}/{AUTH}/roleDefinitions/{READER}')"
        )
        == 5
    )
    assert count(f"$filter=principalId eq '{bob}' and roleDefinitionId eq '{CONTRIBUTOR}'") == 0
    assert count(f"$filter=atScope() and assignedTo('{dan}')") == 1
    assert count(f"$filter=assignedTo('{dan}') and principalId eq '{dan}'") == 0
    assert count("$filter=asTarget()", dan) == 1
    assert count("$filter=asTarget() and status eq 'Provisioned'", dan) == 1
    assert count("$filter=asTarget() and memberType eq 'Group'", dan) == 1
    assert count("$filter=") == 6
    assert count(f"$filter=principalId eq '{bob}' or principalId eq '{arm.world.cyd}'") == 5
    for wrong in (
        "asTarget() or atScope()",
        "nonsense eq 1",
        "asTarget(",
        "assignedTo('x')",
        "atScope() and atScopeAndBelow()",
    ):
        error(arm.get(f"{at_prod}?$filter={wrong}", arm.owner), 400, "InvalidFilter")


def test_other_peoples_need_the_right_to_read(populated):
    arm, bob = populated, populated.world.bob
    found = error(arm.get(f"{arm.prod}/{AUTH}/roleEligibilitySchedules", bob), 400, "InsufficientPermissions")
    assert bob in found["message"]
    assert "asTarget()" in found["message"]
    error(arm.get(ELIGIBILITIES, bob), 400, "InsufficientPermissions")
    error(
        arm.get(f"{ELIGIBILITIES}?$filter=principalId eq '{arm.world.cyd}'", bob),
        400,
        "InsufficientPermissions",
    )
    error(
        arm.get(f"{ELIGIBILITIES}?$filter=assignedTo('{arm.world.cyd}')", bob), 400, "InsufficientPermissions"
    )
    assert len(arm.rows(f"{ELIGIBILITIES}?$filter=principalId eq '{bob}'", bob)) == 5
    assert len(arm.rows(f"{ELIGIBILITIES}?$filter=assignedTo('{bob}')", bob)) == 5
    error(arm.get(REQUESTS, bob), 400, "InsufficientPermissions")
    error(arm.get(f"/{AUTH}/roleAssignments", bob), 403, "AuthorizationFailed")


def test_pages(populated):
    arm = populated
    first = arm.ok(f"{arm.prod}/{AUTH}/roleEligibilitySchedules?$top=4", arm.owner)
    assert len(first["value"]) == 4
    assert first["nextLink"].startswith("https://localhost:8444/subscriptions/")
    second = arm.ok(first["nextLink"].removeprefix("https://localhost:8444"), arm.owner)
    assert len(second["value"]) == 2
    assert "nextLink" not in second
    names = {one["name"] for one in first["value"]} | {one["name"] for one in second["value"]}
    assert len(names) == 6


def test_one_by_its_name(populated):
    arm = populated
    for word in ("roleEligibilitySchedules", "roleEligibilityScheduleInstances"):
        (row, *_) = arm.rows(f"{arm.web}/{AUTH}/{word}?$filter=atScopeAndBelow()", arm.owner)
        assert arm.ok(row["id"], arm.owner)["name"] == row["name"]
        assert arm.ok(row["id"], arm.world.bob)["name"] == row["name"]
        error(arm.get(row["id"], arm.world.cyd), 403, "AuthorizationFailed")
        error(arm.get(f"{arm.data}/{AUTH}/{word}/{row['name']}", arm.owner), 404, "ResourceNotFound")


# ---------------------------------------------------------------- batch, log


def test_batch(arm):
    arm.eligible(arm.world.bob, READER, arm.prod)
    items = [
        {"httpMethod": "GET", "url": f"{ELIGIBILITIES}{MINE}&api-version=2020-10-01", "name": "a"},
        {"httpMethod": "GET", "url": "https://localhost:8444/subscriptions?api-version=2022-12-01"},
        {"httpMethod": "GET", "relativeUrl": "/subscriptions"},
    ]
    answer = arm.post("/batch?api-version=2020-06-01", arm.world.bob, {"requests": items})
    assert answer.status_code == 200, answer.text
    found = answer.json()["responses"]
    assert [one["httpStatusCode"] for one in found] == [200, 200, 400]
    assert (found[0]["name"], len(found[0]["content"]["value"])) == ("a", 1)
    error(arm.post("/batch?api-version=2020-06-01", None, {"requests": items}), 401, "AuthenticationFailed")
    nested = {"requests": [{"httpMethod": "POST", "url": "/batch?api-version=2020-06-01"}]}
    error(arm.post("/batch?api-version=2020-06-01", arm.world.bob, nested), 400, "InvalidRequestContent")


def test_the_activity_log(arm):
    arm.request("Eligibility", arm.world.bob, arm.web, arm.owner)
    arm.request("Eligibility", arm.world.bob, arm.staff, arm.owner)
    log = "providers/Microsoft.Insights/eventtypes/management/values"
    since = (arm.world.now - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    until = arm.world.now.isoformat().replace("+00:00", "Z")
    asked = f"api-version=2015-04-01&$filter=resourceProvider eq Microsoft.Authorization and eventTimestamp ge {since} and eventTimestamp le {until}"
    rows = arm.rows(f"{arm.prod}/{log}?{asked}", arm.owner)
    assert rows
    assert {row["resourceId"] for row in rows} == {arm.path(arm.web)}
    assert {row["caller"] for row in rows} == {arm.owner}
    assert arm.rows(f"{arm.it}/{log}?{asked}", arm.owner) == rows
    assert len(arm.rows(f"{arm.root}/{log}?{asked}", arm.owner)) >= 2 * len(rows)
    error(arm.get(f"{arm.prod}/{log}?{asked}", arm.world.bob), 403, "AuthorizationFailed")
    error(arm.get(f"{arm.prod}/{log}?$filter=eventTimestamp is today", arm.owner), 400, "InvalidFilter")


def test_the_activity_log_tells_begin_and_end_of_plain_assignments(arm):
    """az role assignment list-changelogs pairs the two by operationId, and reads the bodies."""
    name = arm.world.new_id()
    path = f"{arm.web}/{AUTH}/roleAssignments/{name}"
    facts = {"principalId": arm.world.bob, "roleDefinitionId": f"{arm.prod}/{AUTH}/roleDefinitions/{READER}"}
    assert arm.put(path, arm.owner, {"properties": facts}).status_code == 201
    assert arm.delete(path, arm.owner).status_code == 200
    log = "providers/Microsoft.Insights/eventtypes/management/values"
    rows = arm.rows(f"{arm.prod}/{log}?$filter=resourceProvider eq Microsoft.Authorization", arm.owner)
    told = [one for one in rows if "/roleAssignments/" in one["operationName"]["value"]]
    assert [(one["httpRequest"]["method"], one["status"]["value"]) for one in told] == [
        ("DELETE", "Succeeded"),
        ("DELETE", "Started"),
        ("PUT", "Succeeded"),
        ("PUT", "Started"),
    ]
    removed, _, made, asked = told
    assert made["operationId"] == asked["operationId"] != removed["operationId"]
    assert len({one["eventDataId"] for one in told}) == 4
    for text in (asked["properties"]["requestbody"], removed["properties"]["responseBody"]):
        body = json.loads(text)["properties"]
        assert body["principalId"] == arm.world.bob
        assert body["roleDefinitionId"].endswith(READER)
        assert body["scope"] == arm.path(arm.web)
