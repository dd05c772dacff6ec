"""What nobody should send: none of it ends in a 500, and none of it changes anything."""

from __future__ import annotations

import pytest

from tests.faces.arm.client import AUTH, READER, VERSION

BODIES = [
    b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b'{"a":1,"A":2}', b'{"properties":[]}', b'{"properties":1}',
    b'{"properties":{"principalId":1}}', b'{"properties":{"principalId":"\\u0000"}}', b'{"properties":{"a":NaN}}',
    b'{"properties":{"principalId":"\\ud800"}}', b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500,
]  # fmt: skip
PATHS = [
    "/%00", "/subscriptions/%ff", "/subscriptions/..%2f..", "/subscriptions/a%2fb", "/" + "a/" * 200, "/subscriptions/" + "x" * 3000,
    "/subscriptions/{s}/resourceGroups/%00", "/subscriptions/{s}/resourceGroups/" + "y" * 400,
    "/providers/Microsoft.Management/managementGroups/%20", "/{s}/providers/Microsoft.Authorization/roleAssignments",
    "/subscriptions//providers/Microsoft.Authorization/roleAssignments", "/providers/providers/providers/providers",
    "/subscriptions/{s}/providers/a/b/c/d/e", "/subscriptions/{s}/providers/a/b/c/providers/Microsoft.Authorization/roleAssignments",
]  # fmt: skip
QUERIES = [
    "$filter=" + "(" * 200, "$filter=" + "a eq 1 and " * 3000 + "b eq 2", "$filter=%00", "$filter=%ff", "$top=-1", "$top=x",
    "$skiptoken=nonsense", "$skiptoken=W10", "$filter=principalId eq null", "$filter=principalId eq 1",
    "$filter=assignedTo(null)", "$filter=assignedTo()", "$filter=roleDefinitionId eq ''", "$filter=not asTarget()",
    "$filter=principalId eq '" + "x" * 5000 + "'", "$filter=createdOn gt 2020-01-01T00:00:00Z", "$filter=asTarget() eq true",
    "$filter=startDateTime ge 'x'",
]  # fmt: skip
LISTS = ["roleAssignments", "roleDefinitions", "denyAssignments", "roleEligibilitySchedules", "roleAssignmentScheduleInstances",
         "roleAssignmentScheduleRequests", "roleManagementPolicies", "roleManagementPolicyAssignments",
         "roleAssignmentApprovals", "eligibleChildResources"]  # fmt: skip


def calm(answer) -> None:
    assert answer.status_code < 500, (answer.request.url, answer.text)
    if answer.status_code >= 400:
        body = answer.json()
        assert set(body) == {"error"}
        assert body["error"]["code"]
        assert "Traceback" not in answer.text


def test_paths(arm):
    for path in PATHS:
        for method in ("GET", "PUT", "DELETE", "POST"):
            calm(arm.send(method, path.replace("{s}", arm.prod.rsplit("/", 1)[1]), arm.owner, {}))


def test_queries(arm):
    for name in LISTS:
        for query in QUERIES:
            calm(arm.get(f"{arm.prod}/{AUTH}/{name}?api-version={VERSION}&{query}", arm.owner))


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_bodies(arm, body):
    before = arm.world.snapshot()[:3]
    name = arm.world.new_id()
    for method, path in (
        ("PUT", f"{arm.prod}/{AUTH}/roleAssignmentScheduleRequests/{name}"),
        ("POST", f"{arm.prod}/{AUTH}/roleEligibilityScheduleRequests/{name}/validate"),
        ("PUT", f"{arm.prod}/{AUTH}/roleAssignments/{name}"),
        ("PUT", f"{arm.prod}/{AUTH}/roleDefinitions/{name}"),
        ("PUT", f"{arm.prod}/{AUTH}/denyAssignments/{name}"),
        ("PATCH", f"{arm.prod}/{AUTH}/roleManagementPolicies/{name}"),
        ("PUT", f"{arm.prod}/{AUTH}/roleAssignmentApprovals/{name}/stages/{name}"),
        ("PUT", f"{arm.web}/providers/Microsoft.Web/sites/x"),
        ("POST", "/batch"),
        ("POST", "/providers/OpenPIM/importResources"),
        ("POST", f"{arm.prod}/providers/Microsoft.Subscription/rename"),
    ):
        calm(arm.send(method, path, arm.owner, body))
    assert arm.world.snapshot()[:3] == before


def test_values_no_database_keeps(arm):
    bob = arm.world.bob
    for changes in (
        {"justification": "x" * 9000}, {"justification": "a\x00b"}, {"roleDefinitionId": "x" * 2000}, {"roleDefinitionId": 7},
        {"scheduleInfo": {"startDateTime": "9999-12-31T23:59:59Z"}}, {"scheduleInfo": {"expiration": {"duration": "P99999999Y"}}},
        {"scheduleInfo": {"expiration": {"type": "AfterDateTime", "endDateTime": "1900-01-01T00:00:00Z"}}},
        {"scheduleInfo": []}, {"ticketInfo": "x"}, {"requestType": "Everything"}, {"isValidationOnly": "perhaps", "principalId": "x"},
        {"targetRoleEligibilityScheduleId": "nonsense", "requestType": "AdminRemove"},
        {"linkedRoleEligibilityScheduleId": "nonsense", "requestType": "SelfActivate"},
    ):  # fmt: skip
        answer = arm.request("Eligibility", bob, arm.prod, arm.owner, **changes)
        calm(answer)
        assert answer.status_code >= 400, changes


def test_names_that_are_no_names(arm):
    for word in LISTS:
        for name in ("x", "%27", "..", "a" * 500, "%F0%9F%92%A9", READER + "_" + READER):
            calm(arm.get(f"{arm.prod}/{AUTH}/{word}/{name}", arm.owner))
            calm(arm.delete(f"{arm.prod}/{AUTH}/{word}/{name}", arm.owner))


def test_a_batch_of_bad_things(arm):
    for requests in ([], [1], [{}], [{"url": 1}], [{"url": "://"}], [{"url": "https://[x"}], [{"url": "/x", "httpMethod": "EVIL"}], "x", [{"url": "/batch"}] * 2,
                     [{"url": "/tenants?api-version=2022-12-01", "content": "\ud800"}], [{"url": "/tenants"}] * 501):  # fmt: skip
        calm(arm.post("/batch?api-version=2020-06-01", arm.owner, {"requests": requests}))


def test_too_large(arm):
    answer = arm.put(f"{arm.web}/providers/Microsoft.Web/sites/x", arm.owner, b"{" + b" " * 2_000_000 + b"}")
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "RequestEntityTooLarge"
