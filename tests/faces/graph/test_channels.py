"""Other systems through Graph: `openPim/channels`, Entra's custom extensions, and in the rules of role settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faces.graph.client import Graph
from tests.notify.hostile import replies, serve
from tests.world import TEAMS, ok

CHANNELS = "/beta/openPim/channels"
EXTENSIONS = "/beta/identityGovernance/privilegedAccess/customExtensions"


def send(graph: Graph, method: str, path: str, body: Any = None, *, status: int = 200, who: str = "") -> Any:
    answer = graph.send(method, path, who or graph.world.ga, body)
    good = {200, 204} if status == 200 else {status}  # a PATCH of a rule answers with nothing
    assert answer.status_code in good, answer.text
    return answer.json() if answer.content else None


def policy_path(graph: Graph) -> str:
    found = send(
        graph,
        "GET",
        "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole' and "
        f"roleDefinitionId eq '{TEAMS}'",
    )
    return f"/v1.0/policies/roleManagementPolicies/{found['value'][0]['policyId']}/rules"


def test_a_webhooks_life(graph: Graph) -> None:
    made = send(
        graph, "POST", CHANNELS, {"kind": "webhook", "displayName": "Hook", "address": "https://example.com/x?k=SECRET", "notices": ["*"]}, status=201
    )  # fmt: skip
    assert made["secret"].startswith("whsec_")
    assert made["address"] == "https://example.com/x?…"
    path = f"{CHANNELS}/{made['id']}"
    assert "secret" not in send(graph, "GET", path)
    assert send(graph, "PATCH", path, {"isEnabled": False, "notices": ["activated"]})["notices"] == [
        "activated"
    ]
    fresh = send(graph, "POST", f"{path}/rotateSecret")
    assert fresh["secret"] not in {None, made["secret"]}
    assert fresh["previousSecretUntilDateTime"]
    assert send(graph, "GET", CHANNELS)["value"][0]["displayName"] == "Hook"
    send(graph, "DELETE", path, status=204)
    send(graph, "GET", path, status=404)


def test_a_chats_address_never_comes_back(graph: Graph) -> None:
    address = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    made = send(
        graph, "POST", CHANNELS, {"kind": "chat", "displayName": "Chat", "address": address}, status=201
    )
    assert "A1BRTD4JD" not in json.dumps(made)
    assert made["secret"] is None
    assert "A1BRTD4JD" not in json.dumps(send(graph, "GET", f"{CHANNELS}/{made['id']}"))


@pytest.mark.parametrize(
    "body",
    [
        {}, {"kind": "webhook"}, {"kind": "x", "displayName": "a", "address": "https://example.com"},
        {"kind": "webhook", "displayName": "a", "address": "http://169.254.169.254/latest"},
        {"kind": "webhook", "displayName": "a", "address": "https://[::ffff:169.254.169.254]/"},
        {"kind": "webhook", "displayName": "a", "address": 1}, {"kind": "webhook", "displayName": "a", "address": "https://example.com", "notices": "all"},
        {"kind": "chat", "displayName": "a", "address": "dbus://"},
        {"kind": "extension", "displayName": "a", "address": "https://example.com", "timeoutInMilliseconds": 1.5},
    ],
)  # fmt: skip
def test_what_cannot_be(graph: Graph, body: dict[str, Any]) -> None:
    send(graph, "POST", CHANNELS, body, status=400)
    assert send(graph, "GET", CHANNELS)["value"] == []


def test_entras_custom_extensions(graph: Graph) -> None:
    body = {
        "@odata.type": "#microsoft.graph.roleManagementCustomCalloutExtension",
        "displayName": "Ticket validation",
        "description": "Validates tickets",
        "endpointConfiguration": {
            "@odata.type": "#microsoft.graph.httpRequestEndpoint",
            "targetUrl": "https://api.example.com/webhooks/role-assignments",
        },
        "clientConfiguration": {
            "@odata.type": "#microsoft.graph.customExtensionClientConfiguration",
            "timeoutInMilliseconds": 10000,
            "maximumRetries": 3,
        },
        "resourceType": "entraRoles",
        "customAttributes": [],
    }
    made = send(graph, "POST", EXTENSIONS, body, status=201)
    assert made["openPim"]["secret"].startswith("whsec_")
    found = send(graph, "GET", f"{EXTENSIONS}/{made['id']}")
    assert found["endpointConfiguration"] == body["endpointConfiguration"]
    assert found["clientConfiguration"] == body["clientConfiguration"]
    assert "secret" not in found["openPim"]
    changed = send(
        graph, "PATCH", f"{EXTENSIONS}/{made['id']}", {"clientConfiguration": {"maximumRetries": 0}}
    )
    assert changed["clientConfiguration"]["maximumRetries"] == 0
    token = {"@odata.type": "#microsoft.graph.azureAdTokenAuthentication", "resourceId": "api://x"}
    send(graph, "POST", EXTENSIONS, {**body, "authenticationConfiguration": token}, status=400)
    hook = send(
        graph,
        "POST",
        CHANNELS,
        {"kind": "webhook", "displayName": "Hook", "address": "https://example.com"},
        status=201,
    )
    send(graph, "GET", f"{EXTENSIONS}/{hook['id']}", status=404)
    send(graph, "DELETE", f"{EXTENSIONS}/{hook['id']}", status=404)
    send(graph, "DELETE", f"{EXTENSIONS}/{made['id']}", status=204)


def test_role_settings_carry_them_there_and_back(graph: Graph) -> None:
    made = send(
        graph,
        "POST",
        EXTENSIONS,
        {"displayName": "Ask", "endpointConfiguration": {"targetUrl": "https://example.com"}},
        status=201,
    )
    path = policy_path(graph)
    bob = {"@odata.type": "#microsoft.graph.singleUser", "userId": graph.world.bob}
    callout = {"customExtensionId": made["id"], "whenDown": "people", "mayAutoApprove": True}
    stages = [{"openPim": {"callout": callout, "timeOutInMinutes": 10}}, {"primaryApprovers": [bob]}]
    setting = {"isApprovalRequired": True, "approvalMode": "Serial", "approvalStages": stages}
    send(graph, "PATCH", f"{path}/Approval_EndUser_Assignment", {"setting": setting})
    rule = send(graph, "GET", f"{path}/Approval_EndUser_Assignment")
    first, second = rule["setting"]["approvalStages"]
    assert first["openPim"] == {"timeOutInMinutes": 10, "callout": callout}
    assert first["primaryApprovers"] == []
    assert second["primaryApprovers"][0]["userId"] == graph.world.bob
    send(graph, "PATCH", f"{path}/Approval_EndUser_Assignment", rule)  # what was read can be sent back
    assert send(graph, "GET", f"{path}/Approval_EndUser_Assignment") == rule

    tickets = {
        "patterns": ["INC#######"],
        "customExtensionId": made["id"],
        "whenDown": "accept",
        "endsWithTicket": True,
    }
    ticketing = f"{path}/Enablement_EndUser_Assignment"
    before = send(graph, "GET", ticketing)
    assert "openPim" not in before
    send(graph, "PATCH", ticketing, {"openPim": {"tickets": tickets}})
    after = send(graph, "GET", ticketing)
    assert after["openPim"]["tickets"] == tickets
    assert after["enabledRules"] == before["enabledRules"]
    send(
        graph, "PATCH", ticketing, {"enabledRules": ["Justification"]}
    )  # a client that does not know them keeps them
    assert send(graph, "GET", ticketing)["openPim"]["tickets"] == tickets
    send(graph, "PATCH", ticketing, {"openPim": {"tickets": None}})
    assert "openPim" not in send(graph, "GET", ticketing)

    for wrong in (
        {"openPim": {"tickets": {"patterns": ["x" * 101]}}},
        {"openPim": {"tickets": {"customExtensionId": graph.world.bob}}},
        {"openPim": {"tickets": {"endsWithTicket": True}}},
        {"openPim": {"tickets": {"whenDown": "people"}}},
        {"openPim": {"tickets": {"patterns": "INC"}}},
    ):
        send(graph, "PATCH", ticketing, wrong, status=400)
    elsewhere = f"{path}/Enablement_Admin_Assignment"
    send(graph, "PATCH", elsewhere, {"openPim": {"tickets": tickets}}, status=400)


def test_an_approval_that_a_system_decided_can_be_read(graph: Graph) -> None:
    world = graph.world
    with serve(replies(lambda _: (200, {"evaluationOutcome": "Approved", "reason": ["On call"]}))) as server:
        body = {"displayName": "Ask", "endpointConfiguration": {"targetUrl": server.url()}}
        made = send(graph, "POST", EXTENSIONS, body, status=201)
        bob = {"@odata.type": "#microsoft.graph.singleUser", "userId": world.bob}
        stages = [{"openPim": {"callout": {"customExtensionId": made["id"]}}}, {"primaryApprovers": [bob]}]
        setting = {"isApprovalRequired": True, "approvalStages": stages}
        send(graph, "PATCH", f"{policy_path(graph)}/Approval_EndUser_Assignment", {"setting": setting})
        world.eligible(world.ann)
        request = ok(world.activate(world.ann, hours=1))
        approval = f"/beta/roleManagement/directory/roleAssignmentApprovals/{request.id}"
        send(graph, "GET", approval, who=world.ann)  # while the system is asked
        world.work()
    found = send(graph, "GET", f"{approval}?$expand=steps", who=world.bob)
    first = next(one for one in found["steps"] if one["id"] == request.id)
    assert (first["reviewResult"], first["justification"]) == ("Approve", "On call")
    assert first["reviewedBy"]["id"] == made["id"]
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)
    events = send(graph, "GET", "/v1.0/auditLogs/directoryAudits?$top=50")["value"]
    decided = next(one for one in events if one["resultReason"] == "On call")
    assert "approved" in decided["activityDisplayName"]
    named = decided["initiatedBy"]["app"] or decided["initiatedBy"]["user"]
    assert named["displayName"] == "Ask"
