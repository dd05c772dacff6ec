"""The life of a grant on a resource through azure-mgmt-authorization: eligible, activated at a narrower place, approved
by somebody else, in force, ended; and every other sort of request.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from azure.identity import InteractiveBrowserCredential

from tests.conformance.arm_client import (
    CONTRIBUTOR,
    MAJOR,
    OWNER,
    READER,
    Desk,
    minutes,
    model,
    refused,
    role_id,
)

LINKED = "Microsoft.Authorization/roleEligibilitySchedules/"


def approve(desk, approval_id, verdict="Approve"):
    """With the older major's own operations; the newer has none, and its users send the request themselves."""
    name = approval_id.rsplit("/", 1)[-1]
    if MAJOR == 4:
        (stage,) = desk.client.role_assignment_approval_steps.list(name).value
        body = model("RoleAssignmentApprovalStepProperties", review_result=verdict, justification="Go ahead")
        done = desk.client.role_assignment_approval_step.patch(name, stage.name, body)
        assert done.review_result == verdict
        assert done.principal_name == desk.person.name
        return
    stages = desk.send("GET", f"{approval_id}/stages", version="2021-01-01-preview").json()["value"]
    body = {"properties": {"reviewResult": verdict, "justification": "Go ahead"}}
    done = desk.send("PUT", stages[0]["id"] + "/", body, version="2021-01-01-preview")
    assert done.status_code == 200, done.text


def test_a_whole_life(field):
    life(field)


def test_a_whole_life_on_postgresql(postgres_field):
    life(postgres_field)


def life(field):
    """Eligible at the subscription; activated for one resource group, whose own policy demands approval."""
    me, approver = field.desk("viktor"), field.desk("zanele")
    given = field.eligible(me.id, field.subscription, CONTRIBUTOR)
    assert (given.status, given.request_type, given.principal_type) == ("Provisioned", "AdminAssign", "User")
    assert given.scope == field.subscription
    assert given.expanded_properties.principal.display_name == me.person.name
    assert given.expanded_properties.role_definition.display_name == "Contributor"
    assert given.expanded_properties.scope.type == "subscription"
    field.demand_approval(field.rg_a, CONTRIBUTOR, approver.id)

    (held,) = me.listed("role_eligibility_schedule_instances", field.subscription, "asTarget()")
    assert (held.member_type, held.principal_id) == ("Direct", me.id)
    assert held.role_eligibility_schedule_id.endswith(f"/{given.name}")
    link = held.role_eligibility_schedule_id
    narrower = me.client.eligible_child_resources.get(field.subscription)
    assert {each.name for each in narrower} >= {"rg-a", "rg-b"}
    wanted = list(
        me.client.eligible_child_resources.get(
            field.subscription, filter="resourceType eq 'subscription' or resourceType eq 'resourcegroup'"
        )
    )
    assert {each.type for each in wanted} == {"resourcegroup"}
    (there,) = me.listed("role_eligibility_schedule_instances", field.rg_a, "asTarget()")
    assert there.member_type == "Inherited"

    asked = me.activate(
        field.rg_a, CONTRIBUTOR, linked_role_eligibility_schedule_id=link, hours=2,
        ticket_info=model("RoleAssignmentScheduleRequestPropertiesTicketInfo", ticket_number="CHG-1", ticket_system="Changes"),
    )  # fmt: skip
    assert asked.status == "PendingApproval"
    assert asked.approval_id.startswith("/providers/Microsoft.Authorization/roleAssignmentApprovals/")
    assert asked.scope == field.rg_a
    assert asked.ticket_info.ticket_number == "CHG-1"
    assert asked.schedule_info.expiration.duration == "PT120M"
    assert me.active(field.rg_a) == []
    with refused("RoleAssignmentRequestExists"):
        me.activate(field.rg_a, CONTRIBUTOR)
    mine = me.listed("role_assignment_schedule_requests", field.subscription, "asRequestor()")
    assert [each.name for each in mine] == [asked.name]

    waiting = approver.listed("role_assignment_schedule_requests", "", "asApprover()")
    assert asked.name in {each.name for each in waiting}
    if MAJOR == 4:
        theirs = approver.client.role_assignment_approval.list(filter="asApprover()")
        assert asked.approval_id in {each.id for each in theirs}
        one = approver.client.role_assignment_approval.get_by_id(asked.approval_id.rsplit("/", 1)[-1])
        assert one.stages[0].assigned_to_me is True
        assert one.stages[0].status == "InProgress"
    approve(approver, asked.approval_id)

    (now,) = me.active(field.rg_a)
    assert (now.assignment_type, now.member_type, now.status) == ("Activated", "Direct", "Provisioned")
    assert now.scope == field.rg_a
    assert LINKED.lower() in now.linked_role_eligibility_schedule_id.lower()
    assert now.linked_role_eligibility_schedule_instance_id
    assert timedelta(minutes=119) < now.end_date_time - datetime.now(UTC) <= timedelta(hours=2)
    one = me.client.role_assignment_schedule_instances.get(field.rg_a, now.name)
    assert one.id == now.id
    backing = field.boss.client.role_assignments.get_by_id(now.origin_role_assignment_id)
    assert (backing.principal_id, backing.scope) == (me.id, field.rg_a)
    (schedule,) = me.listed("role_assignment_schedules", field.rg_a, "asTarget()")
    assert schedule.role_assignment_schedule_request_id.endswith(asked.name)
    assert me.client.role_assignment_schedules.get(field.rg_a, schedule.name).id == schedule.id
    again = me.client.role_assignment_schedule_requests.get(field.rg_a, asked.name)
    assert again.status == "Provisioned"
    assert [
        each.name
        for each in me.listed("role_eligibility_schedule_instances", field.subscription, "asTarget()")
    ] == [held.name]
    # In force there, and nowhere else.
    actions = {act for each in me.client.permissions.list_for_resource_group("rg-a") for act in each.actions}
    assert "*" in actions
    assert not any(each.actions for each in me.client.permissions.list_for_resource_group("rg-b"))
    with refused("RoleAssignmentExists"):
        me.activate(field.rg_a, CONTRIBUTOR)

    done = me.deactivate(field.rg_a, CONTRIBUTOR)
    assert (done.status, done.schedule_info) == ("Revoked", None)
    assert me.active(field.rg_a) == []
    with refused("RoleAssignmentDoesNotExist"):
        me.deactivate(field.rg_a, CONTRIBUTOR)
    gone = field.boss.ask("eligibility", field.subscription, "AdminRemove", me.id, CONTRIBUTOR)
    assert gone.status == "Revoked"
    assert me.listed("role_eligibility_schedule_instances", field.subscription, "asTarget()") == []


def test_denied(field):
    me, approver = field.desk("liam"), field.desk("zanele")
    field.eligible(me.id, field.rg_b, OWNER)
    field.demand_approval(field.rg_b, OWNER, approver.id)
    asked = me.activate(field.rg_b, OWNER)
    with refused("AuthorizationFailed", 403) if MAJOR == 4 else pytest.raises(AssertionError):
        approve(me, asked.approval_id)
    approve(approver, asked.approval_id, "Deny")
    assert me.client.role_assignment_schedule_requests.get(field.rg_b, asked.name).status in {
        "Denied",
        "AdminDenied",
    }
    assert me.active(field.rg_b) == []


def test_every_administrators_action(field):
    boss, who = field.boss, field.desk("liam").id
    for kind in ("assignment", "eligibility"):
        made = boss.ask(kind, field.rg_b, "AdminAssign", who, hours=24 * 20)
        schedules = f"role_{kind}_schedules"
        (one,) = [
            each
            for each in boss.listed(schedules, field.rg_b, f"principalId eq '{who}'")
            if each.scope == field.rg_b and role_id(field.rg_b, READER) == each.role_definition_id
        ]
        assert one.name == made.name
        for action, hours in (("AdminUpdate", 24 * 10), ("AdminExtend", 24 * 15)):
            done = boss.ask(kind, field.rg_b, action, who, hours=hours)
            assert done.status == "Provisioned", (kind, action)
            same = getattr(boss.client, schedules).get(field.rg_b, one.name)
            assert same.end_date_time != one.end_date_time
        assert boss.ask(kind, field.rg_b, "AdminRemove", who).status == "Revoked"
        with refused("RoleAssignmentDoesNotExist"):
            boss.ask(kind, field.rg_b, "AdminRemove", who)


def test_ones_own_extension_is_an_administrators_to_grant(field):
    me = field.desk("greta")
    field.eligible(me.id, field.rg_b, hours=24)
    asked = me.ask("eligibility", field.rg_b, "SelfExtend", me.id, hours=48)
    assert asked.status == "PendingAdminDecision"
    me.client.role_eligibility_schedule_requests.cancel(field.rg_b, asked.name)
    assert me.client.role_eligibility_schedule_requests.get(field.rg_b, asked.name).status == "Canceled"


def test_validate_cancel_and_a_start_in_the_future(field):
    me = field.desk("matteo")
    field.eligible(me.id, field.rg_b)
    name = str(uuid.uuid4())
    body = me.body("assignment", field.rg_b, "SelfActivate", me.id)
    valid = me.client.role_assignment_schedule_requests.validate(field.rg_b, name, body)
    assert (valid.name, valid.principal_id) == (name, me.id)
    assert me.active(field.rg_b) == []
    assert me.listed("role_assignment_schedule_requests", field.rg_b, "asTarget()") == []
    with refused("RoleAssignmentRequestPolicyValidationFailed", message="JustificationRule"):
        me.client.role_assignment_schedule_requests.validate(
            field.rg_b, name, me.body("assignment", field.rg_b, "SelfActivate", me.id, justification=None)
        )
    later = me.activate(field.rg_b, name=name, start=minutes(90))
    assert (later.status, later.name) == ("Granted", name)
    assert later.schedule_info.start_date_time > minutes(80)
    assert me.active(field.rg_b) == []
    assert me.client.role_assignment_schedule_requests.cancel(field.rg_b, name) is None
    assert me.client.role_assignment_schedule_requests.get(field.rg_b, name).status == "Canceled"
    given = field.boss.body("eligibility", field.rg_a, "AdminAssign", me.id)
    shown = field.boss.client.role_eligibility_schedule_requests.validate(
        field.rg_a, str(uuid.uuid4()), given
    )
    assert shown.principal_id == me.id
    assert me.listed("role_eligibility_schedules", field.rg_a, "asTarget()") == []


def test_the_errors_that_tools_match(field):
    me, boss = field.desk("samir"), field.boss
    with refused("InsufficientPermissions", message="asTarget()"):
        me.listed("role_eligibility_schedule_instances", field.subscription)
    with refused("AuthorizationFailed", 403, message="does not have authorization to perform action"):
        me.ask("eligibility", field.subscription, "AdminAssign", me.id)
    with refused("RoleAssignmentDoesNotExist"):
        me.activate(field.subscription)
    with refused("SubjectNotFound"):
        boss.ask("eligibility", field.subscription, "AdminAssign", str(uuid.uuid4()))
    with refused("RoleAssignmentRequestPolicyValidationFailed", message="ExpirationRule"):
        boss.ask("assignment", field.subscription, "AdminAssign", me.id, hours=24 * 400)
    field.eligible(me.id, field.subscription)
    with refused("RoleAssignmentRequestPolicyValidationFailed", message="ExpirationRule"):
        me.activate(field.subscription, hours=24)
    with refused("RoleAssignmentExists"):
        field.eligible(me.id, field.subscription)
    with refused("SubscriptionNotFound", 404):
        boss.ask("eligibility", f"/subscriptions/{uuid.uuid4()}", "AdminAssign", me.id)
    with refused("ResourceGroupNotFound", 404):
        boss.ask("eligibility", f"{field.subscription}/resourceGroups/none", "AdminAssign", me.id)


def test_step_up(field, browsers):
    """The policy demands an authentication context. An SDK that says it can answers the 401 by itself: its token is
    redeemed anew with the claims, the person gives a second factor, the request is repeated. Others get the claims in
    the message, to give them to their credential. (DeviceCodeCredential tells nobody of the claims before the code is
    shown, so it cannot do it.)"""
    plain = field.desk("wen")
    browsers.robot = plain.robot
    credential = InteractiveBrowserCredential(
        authority=field.server.origin, disable_instance_discovery=True, tenant_id=field.server.tenant_id
    )
    able = Desk(field.server, plain.robot, field.subscription_id, credential, enable_cae=True)
    field.eligible(plain.id, field.rg_b)
    context = "RoleManagementPolicyAuthenticationContextRule"
    rule = {"id": "AuthenticationContext_EndUser_Assignment"}
    field.set_rules(field.rg_b, READER, model(context, **rule, is_enabled=True, claim_value="c1"))
    with refused(
        "RoleAssignmentRequestAcrsValidationFailed", message="&claims=%7B%22access_token%22"
    ) as caught:
        plain.activate(field.rg_b)
    assert '"value":"c1"' in unquote(caught.value.error.message).replace(" ", "")
    able.listed("role_eligibility_schedules", field.rg_b, "asTarget()")
    assert len(browsers.opened) == 1
    assert able.activate(field.rg_b).status == "Provisioned"
    assert len(browsers.opened) == 2
    assert "enrol" in able.robot.steps
    assert plain.deactivate(field.rg_b).status == "Revoked"
    able.close()
    field.set_rules(field.rg_b, READER, model(context, **rule, is_enabled=False))
