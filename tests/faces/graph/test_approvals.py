"""Approvals with several stages and a quorum, as the face tells of them."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.policy import Reviewers, Stage
from tests.faces.graph.client import Graph, error
from tests.faces.graph.test_life import REQUESTS, activation

APPROVALS = "/roleManagement/directory/roleAssignmentApprovals"
YES = {"reviewResult": "Approve", "justification": "fine"}


def test_two_stages_and_a_quorum(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    world.approval(stages=(
        Stage(primary=Reviewers((world.bob, world.cyd)), quorum=2),
        Stage(primary=Reviewers((world.dan,))),
    ))  # fmt: skip
    request = graph.post(REQUESTS, world.ann, activation(world.ann)).json()
    approval = graph.ok(f"{APPROVALS}/{request['id']}", world.bob)
    first, second = approval["stages"]
    assert first["id"] == request["id"] != second["id"]
    assert (first["status"], second["status"]) == ("InProgress", "NotStarted")
    assert first["@openpim.stage"]["quorum"] == 2
    assert [
        row["id"] for row in graph.rows(f"{APPROVALS}/filterByCurrentUser(on='approver')", world.cyd)
    ] == [request["id"]]
    assert graph.rows(f"{APPROVALS}/filterByCurrentUser(on='approver')", world.dan) == []

    address = f"{APPROVALS}/{request['id']}/stages"
    assert graph.patch(f"{address}/{first['id']}", world.bob, YES).status_code == 204
    error(
        graph.patch(f"{address}/{first['id']}", world.bob, YES), 400, "RoleAssignmentRequestAlreadyApproved"
    )
    half = graph.ok(f"{address}/{first['id']}", world.cyd)
    assert half["reviewResult"] == "NotReviewed"
    assert [one["reviewedBy"]["displayName"] for one in half["@openpim.stage"]["decisions"]] == ["bob"]
    assert graph.ok(f"{REQUESTS}/{request['id']}", world.ann)["status"] == "PendingApproval"
    assert graph.patch(f"{address}/{first['id']}", world.cyd, YES).status_code == 204
    error(graph.patch(f"{address}/{second['id']}", world.bob, YES), 403, "Authorization_RequestDenied")
    assert (
        graph.patch(f"/beta{APPROVALS}/{request['id']}/steps/{second['id']}", world.dan, YES).status_code
        == 204
    )
    assert graph.ok(f"{REQUESTS}/{request['id']}", world.ann)["status"] == "Provisioned"


def test_a_denial_needs_a_reason_and_ends_it(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    world.approval(world.bob)
    request = graph.post(REQUESTS, world.ann, activation(world.ann)).json()
    step = f"{APPROVALS}/{request['id']}/steps/{request['id']}"
    silent = error(
        graph.patch(step, world.bob, {"reviewResult": "Deny"}),
        400,
        "RoleAssignmentRequestPolicyValidationFailed",
    )
    assert silent["innerError"]["failedRules"] == ["JustificationRule"]
    error(graph.patch(step, world.bob, {"reviewResult": "NotReviewed"}), 400, "InvalidRoleAssignmentRequest")
    assert graph.patch(step, world.bob, {"reviewResult": "Deny", "justification": "no"}).status_code == 204
    assert graph.ok(f"{REQUESTS}/{request['id']}", world.ann)["status"] == "Denied"
    error(graph.patch(step, world.bob, YES), 400, "RoleAssignmentRequestAlreadyApproved")
    unknown = "00000000-0000-4000-8000-0000000000ff"
    error(graph.get(f"{APPROVALS}/{unknown}", world.bob), 404, "ResourceNotFound")
    error(graph.patch(f"{APPROVALS}/{unknown}/steps/{unknown}", world.bob, YES), 404, "ResourceNotFound")
    error(graph.get(f"{APPROVALS}/{request['id']}", world.cyd), 403, "Authorization_RequestDenied")


def test_nobody_decides_for_himself(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.bob)
    world.approval(world.bob, world.cyd)
    request = graph.post(REQUESTS, world.bob, activation(world.bob)).json()
    approval = graph.ok(f"{APPROVALS}/{request['id']}?$expand=stages", world.bob)
    assert approval["stages"][0]["assignedToMe"] is False
    assert approval["@odata.context"].endswith("roleAssignmentApprovals(stages())/$entity")
    step = f"{APPROVALS}/{request['id']}/steps/{request['id']}"
    error(graph.patch(step, world.bob, YES), 403, "Authorization_RequestDenied")


def test_an_approver_on_leave(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    world.approval(world.bob)
    upn = graph.ok("/me", world.cyd)["userPrincipalName"]
    until = (world.now + timedelta(days=14)).isoformat()
    made = graph.post("/openPim/delegations", world.bob, {"delegateId": upn, "endDateTime": until})
    assert made.status_code == 201, made.text
    assert [row["approverId"] for row in graph.rows("/openPim/delegations", world.cyd)] == [world.bob]
    request = graph.post(REQUESTS, world.ann, activation(world.ann)).json()
    step = f"{APPROVALS}/{request['id']}/steps/{request['id']}"
    assert graph.ok(step, world.cyd)["assignedToMe"] is True
    assert graph.delete(f"/openPim/delegations/{world.cyd}", world.bob).status_code == 204
    error(graph.patch(step, world.cyd, YES), 403, "Authorization_RequestDenied")
    error(graph.delete(f"/openPim/delegations/{world.cyd}", world.bob), 404, "Request_ResourceNotFound")
    assert (
        graph.post(
            "/openPim/delegations", world.bob, {"delegateId": world.cyd, "endDateTime": until}
        ).status_code
        == 201
    )
    assert graph.patch(step, world.cyd, YES).status_code == 204
    for body in (
        {"delegateId": world.bob, "endDateTime": until},
        {"delegateId": world.cyd, "endDateTime": "2020-01-01T00:00:00Z"},
        {"delegateId": world.cyd, "endDateTime": "2999-01-01T00:00:00Z"},
        {"delegateId": world.guest("Gus"), "endDateTime": until},
        {"delegateId": world.cyd},
    ):
        error(graph.post("/openPim/delegations", world.bob, body), 400, "Request_BadRequest")


def test_a_request_that_fails_says_why(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann, hours=2)
    world.approval(world.bob)
    request = graph.post(REQUESTS, world.ann, activation(world.ann)).json()
    assert "@openpim.failure" not in request
    world.forward(hours=3)
    step = f"{APPROVALS}/{request['id']}/steps/{request['id']}"
    assert graph.patch(step, world.bob, YES).status_code == 204
    found = graph.ok(f"{REQUESTS}/{request['id']}", world.ann)
    assert found["status"] == "Failed"
    assert found["@openpim.failure"]
