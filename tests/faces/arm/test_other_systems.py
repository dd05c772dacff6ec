"""Other systems in the role settings of resources: in the rules of this dialect, and when they are asked."""

from __future__ import annotations

import json

from tests.faces.arm.client import READER
from tests.faces.arm.test_policies import one, rule
from tests.notify.hostile import replies, serve
from tests.services.channels.helper import channel


def says(asked):
    data = json.loads(asked.body)
    if data.get("type") == "ticket.asked":
        return 200, {"state": "valid"}
    return 200, {"evaluationOutcome": "AutoApproved", "reason": ["On call"]}


def test_rules_carry_them_and_they_are_asked(arm):
    world = arm.world
    with serve(replies(says)) as server:
        desk = channel(world, server.url(), timeout_ms=5000).channel.id
        policy = one(arm, arm.prod)
        callout = {"customExtensionId": desk, "whenDown": "wait", "mayAutoApprove": True}
        tickets = {
            "patterns": ["INC#+"],
            "customExtensionId": desk,
            "whenDown": "refuse",
            "endsWithTicket": True,
        }
        rules = [
            {
                "id": "Approval_EndUser_Assignment",
                "ruleType": "RoleManagementPolicyApprovalRule",
                "setting": {
                    "isApprovalRequired": True,
                    "approvalStages": [{"openPim": {"callout": callout}}],
                },
            },
            {
                "id": "Enablement_EndUser_Assignment",
                "ruleType": "RoleManagementPolicyEnablementRule",
                "enabledRules": ["Justification"],
                "openPim": {"tickets": tickets},
            },
        ]
        answer = arm.patch(policy["id"], arm.owner, {"properties": {"rules": rules}})
        assert answer.status_code == 200, answer.text
        after = one(arm, arm.prod)
        (stage,) = rule(after, "Approval_EndUser_Assignment")["setting"]["approvalStages"]
        assert stage["openPim"]["callout"] == callout
        assert rule(after, "Enablement_EndUser_Assignment")["openPim"]["tickets"] == tickets
        again = arm.patch(policy["id"], arm.owner, {"properties": {"rules": after["properties"]["rules"]}})
        assert again.json()["properties"]["rules"] == after["properties"]["rules"]

        arm.eligible(world.bob, READER, arm.prod)
        # Below the scope of the eligibility both policies hold: nobody gets around them there.
        for scope in (arm.prod, arm.web):
            refused = arm.activate(world.bob, scope, ticketInfo={"ticketNumber": "x", "ticketSystem": "Desk"})
            assert refused.status_code == 400, refused.text
            asked = arm.activate(
                world.bob, scope, ticketInfo={"ticketNumber": "INC1", "ticketSystem": "Desk"}
            )
            assert asked.status_code == 201, asked.text
            assert asked.json()["properties"]["status"] == "PendingApproval"
        world.work()
    questions = [json.loads(one.body) for one in server.asked]
    about = [one["properties"] for one in questions if "properties" in one]
    assert {one["scope"] for one in about} == {arm.prod, arm.web}
    assert {one["requestType"] for one in about} == {"SelfActivate"}
    held = world.events("Add member to role completed (PIM activation)")
    assert len(held) == 2
