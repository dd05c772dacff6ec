"""What the live resource manager was recorded to say, and what its specification shows, made anew over HTTPS: every
request is accepted as it stands (only ids are those of things that exist here, and dates lie in the future), and every
answer has the same members of the same types.

The texts are not part of this project. They lie beside a clone of it (`../shared/wire/data/arm`) where it is developed;
elsewhere these tests are skipped, and tests/faces/arm/test_recordings.py holds the shapes.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.conformance.arm_client import CONTRIBUTOR, OWNER, READER, ROOT, Field, minutes, model, role_id
from tests.conformance.examples import FOLDER as GRAPH
from tests.conformance.examples import differences

FOLDER = GRAPH.parents[1] / "arm"
FILES = [
    f"{folder}/{file.stem}"
    for folder in ("wire-recordings", "spec-examples")
    for file in sorted((FOLDER / folder).glob("*.json"))
]
pytestmark = pytest.mark.skipif(not FILES, reason=f"the recordings are not at {FOLDER}")

# Not made anew, and why.
NOT_SERVED = {
    "spec-examples/GetAccessReviewInstanceDecisions": "access reviews are not served yet",
    "spec-examples/PutAccessReviewScheduleDefinition": "access reviews are not served yet",
}
# What an answer there has and ours has not, and why.
LACKING = {
    "condition": "conditions are refused: nothing would look at them",
    "conditionVersion": "conditions are refused: nothing would look at them",
}
# What ours has beyond that.
OURS = {
    "createdBy": "of what somebody here has made",
    "updatedBy": "of what somebody here has made",
    "email": "of whoever has an address; some recordings leave it out",
    "effectiveRules": "only the newer versions show it; they are one with the older here",
    "id": "of whoever changed a policy",
    "linkedRoleEligibilityScheduleId": "of activations",
    "linkedRoleEligibilityScheduleInstanceId": "of activations",
    "originRoleAssignmentId": "the specification's example leaves it out",
    "reviewedBy": "once there is one",
    "endDateTime": "of what ends",
    "duration": "of what was asked for by it",
    "isValidationOnly": "of what was only tried",
    "justification": "of what was given one",
    "ticketInfo": "always, as recorded; the specification's example leaves it out where it is empty",
    "targetRoleEligibilityScheduleId": "always, as recorded",
}
ITS_OWN = "2020-10-01"


def bare(value):
    """Without what is null: that may be left out."""
    if isinstance(value, dict):
        return {
            name: bare(inner)
            for name, inner in value.items()
            if inner is not None and not name.startswith("_")
        }
    return [bare(one) for one in value] if isinstance(value, list) else value


def same(documented, ours, *, nulls=False):
    """nulls: whether there are any in such answers; elsewhere they are left out."""
    assert nulls or bare(ours) == ours
    found = differences(bare(documented), bare(ours))
    left = []
    for each in found:
        path, _, what = each.partition(": ")
        name = path.rpartition(".")[2]
        if (what == "missing" and name in LACKING) or (what == "not documented" and name in OURS):
            continue
        left.append(each)
    assert not left, "\n".join([*left, json.dumps(ours, indent=1)])


class Stage:
    """viktor holds something of every sort: eligible and activated, Contributor at the subscription; a plain Reader."""

    def __init__(self, server, robots):
        self.field = field = Field(server, robots)
        self.boss, self.me, self.approver = field.boss, field.desk("viktor"), field.desk("zanele")
        self.spare = [
            server.people[key].id for key in ("greta", "matteo", "samir", "astrid", "osei", "wen", "rui")
        ]
        field.eligible(self.me.id, field.subscription, CONTRIBUTOR)
        ticket = model(
            "RoleAssignmentScheduleRequestPropertiesTicketInfo", ticket_number="1", ticket_system="x"
        )
        self.me.activate(field.subscription, CONTRIBUTOR, ticket_info=ticket)
        self.boss.ask("assignment", field.subscription, "AdminAssign", self.me.id, READER, hours=24)
        field.eligible(self.me.id, field.rg_b, READER, hours=24 * 10)
        self.me.activate(field.rg_b)
        self.me.deactivate(field.rg_b)
        self.me.ask("eligibility", field.rg_b, "SelfExtend", self.me.id, hours=24 * 40)

    def somebody(self):
        return self.spare.pop()

    def get(self, desk, path, status=200):
        answer = desk.send("GET", path, version=ITS_OWN)
        assert answer.status_code == status, answer.text
        return answer.json()

    def one(self, path, desk=None, **wanted):
        """The first of a list whose properties are these."""
        rows = self.get(desk or self.me, path)["value"]
        for row in rows:
            if all(row["properties"].get(name) == value for name, value in wanted.items()):
                return row
        raise AssertionError(f"{wanted} is not among {rows}")

    def put(self, desk, path, body, status=201):
        answer = desk.send("PUT", path, body)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture(scope="module")
def stage(server, regulars):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
        made = Stage(server, regulars)
        yield made
        made.field.close()


def here(stage, body, who, role=READER):
    """The body of a recorded request, about somebody here."""
    said = json.loads(json.dumps(body))
    said["properties"]["principalId"] = who
    written = said["properties"]["roleDefinitionId"]
    said["properties"]["roleDefinitionId"] = role_id(stage.field.subscription, role)[
        not written.startswith("/") :
    ]
    return said


# ---------------------------------------------------------------- recorded


def assignments(stage, data):
    path = f"{stage.field.subscription}{ROOT}/roleAssignments?$filter=principalId eq '{stage.me.id}'&api-version=2022-04-01"
    same(data["value"][0], stage.one(path, stage.boss, scope=stage.field.subscription), nulls=True)


def child_resources(stage, data):
    rows = stage.get(stage.me, f"{stage.field.subscription}{ROOT}/eligibleChildResources")["value"]
    assert {row["type"] for row in rows} == {row["type"] for row in data["value"]}
    same(data["value"][0], rows[0])


def definitions(stage, data):
    name = str(uuid.uuid4())
    body = {"properties": {**data["value"][0]["properties"], "roleName": f"Recorded {name}"}}
    body["properties"] |= {"assignableScopes": [stage.field.subscription], "description": "Recorded"}
    path = f"{stage.field.subscription}{ROOT}/roleDefinitions"
    made = stage.put(stage.boss, f"{path}/{name}", body).json()
    (listed,) = stage.get(stage.boss, f"{path}?$filter=type eq 'CustomRole' and name eq '{name}'")["value"]
    (reader,) = stage.get(stage.boss, f"{path}?$filter=roleName eq 'Storage Blob Data Contributor'")["value"]
    for documented in data["value"]:
        for ours in (made, listed):
            same(documented, ours, nulls=True)
        when = {
            name: made["properties"][name] for name in ("createdOn", "updatedOn")
        }  # not kept of built-in roles
        same(documented, {**reader, "properties": {**reader["properties"], **when}}, nulls=True)


def default_policy(stage, data):
    shown = stage.get(stage.boss, policy_path(stage, OWNER))["properties"]["rules"]
    ours = {one["id"]: one for one in shown}
    assert {one["id"] for one in data} == ours.keys()
    for documented in data:
        same(documented, ours[documented["id"]])
        for name in ("ruleType", "target", "recipientType", "notificationType", "notificationLevel"):
            assert ours[documented["id"]].get(name) == documented.get(name), documented["id"]


def policy_path(stage, role):
    name = stage.field.policy(stage.field.rg_b, role).name
    return f"{stage.field.rg_b}{ROOT}/roleManagementPolicies/{name}"


def requests_of_every_sort(stage, data):
    path = f"{stage.field.subscription}{ROOT}/role{{}}ScheduleRequests?$filter=asTarget()"
    deactivated, assigned, activated, extended = data["value"]
    same(deactivated, stage.one(path.format("Assignment"), requestType="SelfDeactivate"))
    until = stage.boss.body("assignment", stage.field.rg_b, "AdminAssign", stage.somebody())
    body = {"properties": {
        "principalId": until.principal_id, "roleDefinitionId": until.role_definition_id, "requestType": "AdminAssign",
        "justification": "Until then",
        "scheduleInfo": {"startDateTime": minutes(0).isoformat(),
                         "expiration": {"type": "AfterDateTime", "endDateTime": minutes(600).isoformat()}},
    }}  # fmt: skip
    made = stage.put(
        stage.boss, f"{stage.field.rg_b}{ROOT}/roleAssignmentScheduleRequests/{uuid.uuid4()}", body
    )
    same(assigned, made.json())
    same(activated, stage.one(path.format("Assignment"), requestType="SelfActivate"))
    waiting = stage.one(path.format("Eligibility"), requestType="SelfExtend")
    assert waiting["properties"]["status"] == "PendingAdminDecision"
    assert stage.me.send("POST", f"{waiting['id']}/cancel").status_code == 200
    waiting = stage.get(stage.me, waiting["id"])
    assert waiting["properties"]["status"] == extended["properties"]["status"] == "Canceled"
    for name, value in extended["properties"].items():
        assert type(waiting["properties"][name]) is type(value), name


def patch_of_a_policy(stage, data):
    answer = stage.boss.send(
        "PATCH", policy_path(stage, CONTRIBUTOR), data["request"]["body"], "2020-10-01-preview"
    )
    assert answer.status_code == data["response"]["status"], answer.text
    documented, ours = data["response"]["body"], answer.json()
    for asked in data["request"]["body"]["properties"]["rules"]:
        (now,) = [one for one in ours["properties"]["rules"] if one["id"] == asked["id"]]
        assert {name: now.get(name) for name in asked} == asked
    same(documented, ours)


def future_start_then_cancel(stage, data):
    put, cancel = data["put"], data["cancel"]
    start = (datetime.now(UTC) + timedelta(days=27)).strftime("%Y-%m-%dT%H:%M:%S") + ".7711006-08:00"
    assert len(start) == len(put["request_startDateTime"])
    theirs = put["response_body"]["properties"]
    body = here(stage, {"properties": {
        name: theirs[name] for name in ("principalId", "roleDefinitionId", "requestType", "justification", "scheduleInfo")
    }}, stage.somebody())  # fmt: skip
    body["properties"]["scheduleInfo"]["startDateTime"] = start
    path = f"{stage.field.subscription}{ROOT}/roleAssignmentScheduleRequests/{uuid.uuid4()}"
    made = stage.put(stage.boss, path, body, put["response_status"]).json()
    assert made["properties"]["status"] == theirs["status"]
    same(put["response_body"], made)
    done = stage.boss.send(cancel["method"], f"{path}/cancel", version="2020-10-01-preview")
    assert (done.status_code, done.content) == (cancel["response_status"], b"")
    assert done.headers["Content-Length"] == str(cancel["content_length"])


def put_assignment(stage, data):
    """The recorded address too: slashes doubled, an offset in the start, which lies in the past."""
    asked, answered = data["request"], data["response"]
    path = asked["url"].split(".com", 1)[1]
    theirs = path.split("/subscriptions/")[1].split("/")[0]
    name = path.rpartition("/")[2].partition("?")[0]
    path = path.replace(theirs, stage.field.subscription_id).replace(name, str(uuid.uuid4()))
    assert "//" in path
    made = stage.put(stage.boss, path, here(stage, asked["body"], stage.somebody()), answered["status"])
    for header in answered["headers"]:
        if not header.startswith(("Access-Control", "Strict-Transport", "x-ms-client", "Content", "Date")):
            assert header in made.headers, header
    assert made.json()["properties"]["status"] == answered["body"]["properties"]["status"]
    same(answered["body"], made.json())


def put_eligibility(stage, data):
    path = f"{stage.field.subscription}{ROOT}/roleEligibilityScheduleRequests/{uuid.uuid4()}"
    body = here(stage, data["request"]["body"], stage.somebody())
    made = stage.put(stage.boss, path, body, data["response"]["status"])
    assert made.json()["properties"]["status"] == data["response"]["body"]["properties"]["status"]
    same(data["response"]["body"], made.json())


def instances(stage, data):
    path = f"{stage.field.subscription}{ROOT}/roleAssignmentScheduleInstances?$filter=asTarget()"
    documented = list(data["value"])
    if "activated_2020-10-01_shape" in data:
        documented.append(data["activated_2020-10-01_shape"])
    for each in documented:
        same(each, stage.one(path, assignmentType=each["properties"]["assignmentType"]))


def policy_assignments(stage, data):
    """Of a policy that somebody has changed."""
    longest = model(
        "RoleManagementPolicyExpirationRule", id="Expiration_EndUser_Assignment", maximum_duration="PT7H"
    )
    stage.field.set_rules(stage.field.subscription, READER, longest)
    path = f"{stage.field.subscription}{ROOT}/roleManagementPolicyAssignments?$filter=roleDefinitionId eq '{READER}'"
    (ours,) = stage.get(stage.boss, path)["value"]
    same(data["value"][0], ours)


# ---------------------------------------------------------------- documented


def documented_list(stage, data):
    """GET with the documented form of scope and filter."""
    said, answered = data["parameters"], data["responses"]["200"]["body"]
    (kind,) = {row["id"].rpartition("/")[0].rpartition("/")[2] for row in answered["value"]}
    scope = f"providers/Microsoft.Subscription{stage.field.subscription}"
    asked = said["$filter"].replace("a3bb8764-cb92-4276-9d2a-ca1e895e55ea", stage.me.id)
    path = f"/{scope}{ROOT}/{kind}?$filter={asked}&api-version={said['api-version']}"
    wanted = answered["value"][0]["properties"]
    linked = "linkedRoleEligibilityScheduleId" in wanted  # an activation, whatever the example calls it
    more = {"assignmentType": "Activated"} if linked else {}
    same(answered["value"][0], stage.one(path, scope=stage.field.subscription, **more))


def documented_children(stage, data):
    said, answered = data["parameters"], data["responses"]["200"]["body"]
    scope = f"providers/Microsoft.Subscription{stage.field.subscription}"
    path = (
        f"/{scope}{ROOT}/eligibleChildResources?$filter={said['$filter']}&api-version={said['api-version']}"
    )
    answer = stage.get(stage.me, path)
    same(answered, answer)
    assert {row["type"] for row in answer["value"]} == {"resourcegroup"}


def documented_request(stage, data):
    """An activation by its bare link; its condition is left out, and refused where it is not."""
    said = data["parameters"]
    (status, answered), *_ = sorted(data["responses"].items(), reverse=True)
    me, field = stage.field.desk("liam"), stage.field
    held = me.listed("role_eligibility_schedules", field.subscription, "asTarget()")
    link = held[0].name if held else field.eligible(me.id, field.subscription, OWNER).name
    body = here(stage, said["parameters"], me.id, OWNER)
    body["properties"]["linkedRoleEligibilityScheduleId"] = link
    body["properties"]["justification"] = "The policy here demands one"
    scope = f"/{said['scope'].rpartition('/')[0]}/{field.subscription_id}"
    path = f"{scope}{ROOT}/roleAssignmentScheduleRequests/{uuid.uuid4()}"
    method = "PUT" if status == "201" else "POST"
    path += f"{'' if method == 'PUT' else '/validate'}?api-version={said['api-version']}"
    refused = me.send(method, path, body)
    assert refused.status_code == 400
    assert "condition" in refused.text
    del body["properties"]["condition"], body["properties"]["conditionVersion"]
    answer = me.send(method, path, body)
    assert answer.status_code == int(status), answer.text
    assert answer.json()["properties"]["status"] == answered["body"]["properties"]["status"]
    same(answered["body"], answer.json())
    if method == "PUT":
        me.deactivate(field.subscription, OWNER)


def waiting_approval(stage):
    """The approval of a request that waits for zanele."""
    me, field = stage.field.desk("helene"), stage.field
    if not me.listed("role_eligibility_schedules", field.rg_a, "asTarget()"):
        field.eligible(me.id, field.rg_a, CONTRIBUTOR)
        field.demand_approval(field.rg_a, CONTRIBUTOR, stage.approver.id)
    waiting = [
        one for one in me.listed("role_assignment_schedule_requests", field.rg_a, "asTarget()")
        if one.status == "PendingApproval"
    ]  # fmt: skip
    return (waiting or [me.activate(field.rg_a, CONTRIBUTOR)])[0].approval_id


def documented_approval(stage, data):
    answer = stage.get(
        stage.approver, f"{waiting_approval(stage)}?api-version={data['parameters']['api-version']}"
    )
    same(data["responses"]["200"]["body"], answer)


def documented_decision(stage, data):
    said = data["parameters"]
    version = f"?api-version={said['api-version']}"
    approval = stage.get(stage.approver, waiting_approval(stage) + version)
    stage_id = approval["properties"]["stages"][0]["id"]
    answer = stage.approver.send("PATCH", stage_id + version, said["body"])
    assert answer.status_code == 200, answer.text
    same(data["responses"]["200"]["body"], answer.json())
    assert answer.json()["properties"]["reviewResult"] == said["body"]["properties"]["reviewResult"]


REPLAYS = {
    "wire-recordings/assignments": assignments,
    "wire-recordings/child-resources": child_resources,
    "wire-recordings/default-policy-17-rules": default_policy,
    "wire-recordings/definitions": definitions,
    "wire-recordings/list-roleAssignmentScheduleRequests-shapes": requests_of_every_sort,
    "wire-recordings/patch-roleManagementPolicy-partial": patch_of_a_policy,
    "wire-recordings/put-future-start-then-cancel": future_start_then_cancel,
    "wire-recordings/put-roleAssignmentScheduleRequest-AdminAssign-immediate": put_assignment,
    "wire-recordings/put-roleEligibilityScheduleRequest-AdminAssign": put_eligibility,
    "wire-recordings/role-assignments": instances,
    "wire-recordings/roleAssignmentScheduleInstances-list-shapes": instances,
    "wire-recordings/roleManagementPolicyAssignments-list-shape": policy_assignments,
    "spec-examples/GetEligibleChildResourcesByScope": documented_children,
    "spec-examples/GetRoleAssignmentApprovalById": documented_approval,
    "spec-examples/GetRoleAssignmentScheduleInstancesByScope": documented_list,
    "spec-examples/GetRoleAssignmentSchedulesByScope": documented_list,
    "spec-examples/GetRoleEligibilityScheduleInstancesByScope": documented_list,
    "spec-examples/GetRoleEligibilitySchedulesByScope": documented_list,
    "spec-examples/PatchRoleAssignmentApprovalStepById": documented_decision,
    "spec-examples/PutRoleAssignmentScheduleRequest": documented_request,
    "spec-examples/ValidateRoleAssignmentScheduleRequestByName": documented_request,
}


def test_every_file_is_known():
    """21 made anew, 2 not, and each of those with its reason."""
    assert set(FILES) == REPLAYS.keys() | NOT_SERVED.keys()
    assert not REPLAYS.keys() & NOT_SERVED.keys()


@pytest.mark.parametrize("name", FILES)
def test_example(stage, name):
    if name in NOT_SERVED:
        pytest.skip(NOT_SERVED[name])
    REPLAYS[name](stage, json.loads((FOLDER / f"{name}.json").read_text("utf-8")))
