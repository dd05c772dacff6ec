"""PIM for Groups through msgraph-sdk: the six collections, every action, approval by stages, settings of a group, and
membership that is real in /groups at once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder as Groups
from msgraph.generated.models.approval_settings import ApprovalSettings
from msgraph.generated.models.approval_stage import ApprovalStage
from msgraph.generated.models.expiration_pattern import ExpirationPattern
from msgraph.generated.models.expiration_pattern_type import ExpirationPatternType as Pattern
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.privileged_access_group_assignment_schedule_request import (
    PrivilegedAccessGroupAssignmentScheduleRequest,
)
from msgraph.generated.models.privileged_access_group_assignment_type import (
    PrivilegedAccessGroupAssignmentType as AssignmentType,
)
from msgraph.generated.models.privileged_access_group_eligibility_schedule_request import (
    PrivilegedAccessGroupEligibilityScheduleRequest,
)
from msgraph.generated.models.privileged_access_group_member_type import (
    PrivilegedAccessGroupMemberType as MemberType,
)
from msgraph.generated.models.privileged_access_group_relationships import (
    PrivilegedAccessGroupRelationships as Access,
)
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.request_schedule import RequestSchedule
from msgraph.generated.models.schedule_request_actions import ScheduleRequestActions as Actions
from msgraph.generated.models.single_user import SingleUser
from msgraph.generated.models.ticket_info import TicketInfo
from msgraph.generated.models.unified_approval_stage import UnifiedApprovalStage
from msgraph.generated.models.unified_role_management_policy_approval_rule import (
    UnifiedRoleManagementPolicyApprovalRule,
)
from msgraph.generated.models.unified_role_management_policy_rule_target import (
    UnifiedRoleManagementPolicyRuleTarget,
)
from msgraph.generated.policies.role_management_policy_assignments.role_management_policy_assignments_request_builder import (
    RoleManagementPolicyAssignmentsRequestBuilder as Assignments,
)

from tests.conformance.graph_client import ERRORS, Seat, request

KINDS = {
    "assignment": PrivilegedAccessGroupAssignmentScheduleRequest,
    "eligibility": PrivilegedAccessGroupEligibilityScheduleRequest,
}
MFA = '{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}'
ME, APPROVER = "samir", "astrid"
COLLECTIONS = [
    f"{kind}_{what}" for kind in KINDS for what in ("schedules", "schedule_instances", "schedule_requests")
]
PACKAGE = "msgraph.generated.identity_governance.privileged_access.group"


def pim(graph):
    return graph.identity_governance.privileged_access.group


async def listed(graph, collection, **parameters):
    """One of the six, with query parameters as the SDK names them."""
    name = f"{collection}_request_builder"
    builder = getattr(import_module(f"{PACKAGE}.{collection}.{name}"), camel(name))
    asked = getattr(builder, f"{camel(name)}GetQueryParameters")(**parameters)
    return (await getattr(pim(graph), collection).get(RequestConfiguration(query_parameters=asked))).value


async def mine(graph, collection, on="principal"):
    found = await getattr(pim(graph), collection).filter_by_current_user_with_on(on).get()
    return found.value


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def body(kind, action, group_id, who, access=Access.Member, *, length=timedelta(hours=1), **more):
    """length: None for ever."""
    info = None
    if action not in {Actions.AdminRemove, Actions.SelfDeactivate}:
        pattern = ExpirationPattern(type=Pattern.NoExpiration)
        if length is not None:
            pattern = ExpirationPattern(type=Pattern.AfterDuration, duration=length)
        info = RequestSchedule(start_date_time=more.pop("start", datetime.now(UTC)), expiration=pattern)
    return KINDS[kind](
        action=action, access_id=access, group_id=group_id, principal_id=who, schedule_info=info,
        **{"justification": "Conformance", **more},
    )  # fmt: skip


async def ask(graph, kind, *given, **more):
    return await getattr(pim(graph), f"{kind}_schedule_requests").post(body(kind, *given, **more))


def one(graph, collection, key):
    singular = "privileged_access_group_" + collection.removesuffix("s")
    return getattr(getattr(pim(graph), collection), f"by_{singular}_id")(key)


async def ids(found):
    return {each.id for each in (await found).value}


@pytest.fixture
def seats(server, browsers, regulars):
    """Everybody has given a second factor: a group's settings demand it from the start."""
    made = {}

    def seat(key):
        if key not in made:
            made[key] = Seat(server, browsers, regulars(key))
            browsers.robot = made[key].robot
            made[key]._credential.authenticate(scopes=["https://graph.microsoft.com/.default"], claims=MFA)
        return made[key]

    return seat


@pytest.fixture
def boss(seats):
    return seats("emergency1")


@pytest.fixture
def group(boss):
    """The id of a group that nobody is in."""

    async def make(graph):
        name = f"conformance-{uuid.uuid4().hex[:8]}"
        made = await graph.groups.post(
            Group(display_name=name, mail_nickname=name, mail_enabled=False, security_enabled=True)
        )
        return made.id

    return boss.do(make)


def demand_approval(seat, group_id, approver_id):
    async def story(graph):
        asked = Assignments.RoleManagementPolicyAssignmentsRequestBuilderGetQueryParameters(
            filter=f"scopeId eq '{group_id}' and scopeType eq 'Group' and roleDefinitionId eq 'member'",
            expand=["policy($expand=rules)"],
        )
        found = await graph.policies.role_management_policy_assignments.get(
            RequestConfiguration(query_parameters=asked)
        )
        (held,) = found.value
        assert (held.scope_id, held.scope_type, held.role_definition_id) == (group_id, "Group", "member")
        assert len(held.policy.rules) == 17
        rule = UnifiedRoleManagementPolicyApprovalRule(
            odata_type="#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
            id="Approval_EndUser_Assignment",
            target=UnifiedRoleManagementPolicyRuleTarget(
                caller="EndUser", operations=["All"], level="Assignment"
            ),
            setting=ApprovalSettings(
                is_approval_required=True,
                approval_mode="SingleStage",
                approval_stages=[
                    UnifiedApprovalStage(
                        approval_stage_time_out_in_days=1,
                        is_approver_justification_required=True,
                        primary_approvers=[
                            SingleUser(odata_type="#microsoft.graph.singleUser", user_id=approver_id)
                        ],
                    )
                ],
            ),
        )
        policies = graph.policies.role_management_policies
        policy = policies.by_unified_role_management_policy_id(held.policy_id)
        await policy.rules.by_unified_role_management_policy_rule_id(rule.id).patch(rule)
        again = await policy.rules.by_unified_role_management_policy_rule_id(rule.id).get()
        assert again.setting.is_approval_required is True
        assert again.setting.approval_stages[0].primary_approvers[0].user_id == approver_id

    seat.do(story)


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_a_whole_life(seats, boss, group, version):
    """Eligible, asked for, approved (through stages, and in beta through steps), a member everywhere, ended."""
    me, approver = seats(ME), seats(APPROVER)
    demand_approval(boss, group, approver.person.id)

    async def give(graph):
        made = await ask(
            graph, "eligibility", Actions.AdminAssign, group, me.person.id, length=timedelta(days=30)
        )
        assert made.status == "Provisioned"
        assert made.target_schedule_id.startswith(f"{group}_member_")
        return made

    async def wish(graph):
        (held,) = [each for each in await mine(graph, "eligibility_schedules") if each.group_id == group]
        assert (held.access_id, held.member_type) == (Access.Member, MemberType.Direct)
        assert held.id == given.target_schedule_id
        made = await ask(
            graph, "assignment", Actions.SelfActivate, group, me.person.id, length=timedelta(hours=2),
            ticket_info=TicketInfo(ticket_number="CHG-1", ticket_system="Changes"),
        )  # fmt: skip
        assert made.status == "PendingApproval"
        assert made.approval_id == made.id
        with pytest.raises(ODataError) as twice:
            await ask(graph, "assignment", Actions.SelfActivate, group, me.person.id)
        assert twice.value.error.code == "PendingRoleAssignmentRequest"
        return made

    async def nobody(graph):
        assert not await ids(graph.groups.by_group_id(group).members.get())

    async def decide(graph):
        waiting = await mine(graph, "assignment_schedule_requests", "approver")
        assert asked.id in {each.id for each in waiting}
        approvals = pim(graph).assignment_approvals
        assert asked.id in {
            each.id for each in (await approvals.filter_by_current_user_with_on("approver").get()).value
        }
        verdict = ApprovalStage(review_result="Approve", justification="Go ahead")
        if version == "beta":
            path = f"{BASE}/assignmentApprovals/{asked.approval_id}/steps/{asked.approval_id}"
            info = request(graph, Method.PATCH, path, verdict)
            await graph.request_adapter.send_no_response_content_async(info, ERRORS)
            return
        approval = approvals.by_approval_id(asked.approval_id)
        (stage,) = (await approval.stages.get()).value
        assert (stage.assigned_to_me, stage.status, stage.review_result) == (
            True,
            "InProgress",
            "NotReviewed",
        )
        await approval.stages.by_approval_stage_id(stage.id).patch(verdict)
        done = await approval.stages.by_approval_stage_id(stage.id).get()
        assert (done.status, done.review_result) == ("Completed", "Approve")
        assert done.reviewed_by.display_name == approver.person.name

    async def in_force(graph):
        found = await listed(
            graph,
            "assignment_schedule_instances",
            filter=f"groupId eq '{group}'",
            expand=["principal", "group"],
        )
        (now,) = found
        assert (now.assignment_type, now.member_type) == (AssignmentType.Activated, MemberType.Direct)
        assert now.principal.display_name == me.person.name
        assert now.group.id == group
        assert timedelta(minutes=118) < now.end_date_time - datetime.now(UTC) <= timedelta(hours=2)
        by_id = await one(graph, "assignment_schedule_instances", now.id).get()
        assert by_id.id == now.id == now.assignment_schedule_id
        assert await ids(graph.groups.by_group_id(group).members.get()) == {me.person.id}
        assert await ids(graph.groups.by_group_id(group).transitive_members.get()) == {me.person.id}

    async def end(graph):
        assert group in await ids(graph.me.member_of.get())
        (now,) = [
            each for each in await mine(graph, "assignment_schedule_instances") if each.group_id == group
        ]
        assert now.activated_using is None
        again = await one(graph, "assignment_schedule_requests", asked.id).get()
        assert again.status == "Provisioned"
        assert again.target_schedule_id == now.id
        done = await ask(graph, "assignment", Actions.SelfDeactivate, group, me.person.id)
        assert done.status == "Revoked"
        assert [each for each in await mine(graph, "assignment_schedules") if each.group_id == group] == []
        with pytest.raises(ODataError) as missing:
            await ask(graph, "assignment", Actions.SelfDeactivate, group, me.person.id)
        assert missing.value.error.code == "RoleAssignmentDoesNotExist"

    given = boss.do(give, version)
    asked = me.do(wish, version)
    boss.do(nobody, version)
    approver.do(decide, version)
    boss.do(in_force, version)
    me.do(end, version)
    boss.do(nobody, version)


BASE = "identityGovernance/privilegedAccess/group"


def test_every_administrators_action(boss, group, server):
    who = server.people["matteo"].id

    async def story(graph):
        for kind in KINDS:
            first = await ask(graph, kind, Actions.AdminAssign, group, who, length=timedelta(days=20))
            assert first.status == "Provisioned"
            schedules = f"{kind}_schedules"
            before = await one(graph, schedules, first.target_schedule_id).get()
            assert before.access_id == Access.Member
            for action, days in ((Actions.AdminUpdate, 10), (Actions.AdminExtend, 15)):
                done = await ask(
                    graph,
                    kind,
                    action,
                    group,
                    who,
                    length=timedelta(days=days),
                    target_schedule_id=first.target_schedule_id,
                )
                assert done.status == "Provisioned"
                now = await one(graph, schedules, done.target_schedule_id).get()
                assert (
                    now.schedule_info.expiration.end_date_time
                    != before.schedule_info.expiration.end_date_time
                )
            gone = await ask(graph, kind, Actions.AdminRemove, group, who)
            assert gone.status == "Revoked"
            with pytest.raises(ODataError) as missing:
                await one(graph, schedules, done.target_schedule_id).get()
            assert missing.value.response_status_code == 404

    boss.do(story)


def test_owners(boss, seats, group):
    me = seats("osei")

    async def give(graph):
        made = await ask(
            graph,
            "eligibility",
            Actions.AdminAssign,
            group,
            me.person.id,
            Access.Owner,
            length=timedelta(days=30),
        )
        assert made.target_schedule_id.startswith(f"{group}_owner_")

    async def use(graph):
        made = await ask(graph, "assignment", Actions.SelfActivate, group, me.person.id, Access.Owner)
        assert made.status == "Provisioned"
        assert await ids(graph.groups.by_group_id(group).owners.get()) == {me.person.id}
        # An owner may put somebody in.
        reference = ReferenceCreate(
            odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{me.server.people['wen'].id}"
        )
        await graph.groups.by_group_id(group).members.ref.post(reference)
        assert await ids(graph.groups.by_group_id(group).members.get()) == {me.server.people["wen"].id}
        done = await ask(graph, "assignment", Actions.SelfDeactivate, group, me.person.id, Access.Owner)
        assert done.status == "Revoked"
        with pytest.raises(ODataError) as refused:
            await graph.groups.by_group_id(group).members.ref.post(reference)
        assert refused.value.response_status_code == 403

    boss.do(give)
    me.do(use)


def test_validation_only_cancel_a_later_start_and_an_extension(boss, seats, group):
    me = seats("greta")

    async def give(graph):
        await ask(graph, "eligibility", Actions.AdminAssign, group, me.person.id, length=timedelta(days=5))

    async def story(graph):
        dry = await ask(
            graph, "assignment", Actions.SelfActivate, group, me.person.id, is_validation_only=True
        )
        assert dry.is_validation_only is True
        assert [each for each in await mine(graph, "assignment_schedules") if each.group_id == group] == []
        with pytest.raises(ODataError) as refused:
            await ask(
                graph,
                "assignment",
                Actions.SelfActivate,
                group,
                me.person.id,
                length=timedelta(days=2),
                justification=None,
            )
        assert refused.value.error.code == "RoleAssignmentRequestPolicyValidationFailed"
        for rule in ("ExpirationRule", "JustificationRule"):
            assert rule in refused.value.error.message
        later = await ask(
            graph,
            "assignment",
            Actions.SelfActivate,
            group,
            me.person.id,
            start=datetime.now(UTC) + timedelta(hours=3),
        )
        assert later.status == "Granted"
        await one(graph, "assignment_schedule_requests", later.id).cancel.post()
        assert (await one(graph, "assignment_schedule_requests", later.id).get()).status == "Canceled"
        wish = await ask(
            graph, "eligibility", Actions.SelfExtend, group, me.person.id, length=timedelta(days=20)
        )
        assert wish.status == "PendingAdminDecision"
        await one(graph, "eligibility_schedule_requests", wish.id).cancel.post()
        assert (await one(graph, "eligibility_schedule_requests", wish.id).get()).status == "Canceled"

    boss.do(give)
    me.do(story)


def test_the_six_collections(boss, seats, group):
    """Of a group, of a principal, and one's own; counted, chosen from, expanded; and nothing without saying of whom."""
    me = seats("helene")

    async def give(graph):
        await ask(graph, "eligibility", Actions.AdminAssign, group, me.person.id, length=timedelta(days=5))

    async def use(graph):
        await ask(graph, "assignment", Actions.SelfActivate, group, me.person.id)
        for collection in COLLECTIONS:
            found = [each for each in await mine(graph, collection) if each.group_id == group]
            assert len(found) == 1, collection
            assert found[0].principal_id == me.person.id
        asked = await mine(graph, "assignment_schedule_requests", "createdBy")
        assert group in {each.group_id for each in asked}
        assert not {each.group_id for each in await mine(graph, "eligibility_schedule_requests", "createdBy")}

    async def look(graph):
        for collection in COLLECTIONS:
            for asked in (
                f"groupId eq '{group}'",
                f"principalId eq '{me.person.id}' and groupId eq '{group}'",
            ):
                found = await listed(
                    graph, collection, filter=asked, expand=["group", "principal"], count=True, top=5
                )
                assert [each.principal.id for each in found] == [me.person.id], (collection, asked)
                assert found[0].group.id == group
                assert (await one(graph, collection, found[0].id).get()).id == found[0].id
            with pytest.raises(ODataError) as refused:
                await listed(graph, collection)
            assert refused.value.response_status_code == 400
        newest = await listed(
            graph, "assignment_schedule_requests", filter=f"groupId eq '{group}'", orderby=["createdDateTime desc"],
            select=["id", "status"], expand=["targetSchedule", "activatedUsing"],
        )  # fmt: skip
        assert newest[0].activated_using.group_id == group
        assert newest[0].target_schedule.principal_id == me.person.id

    boss.do(give)
    me.do(use)
    boss.do(look)


def test_a_group_in_a_group(boss, seats, group):
    """Who is in a group that is eligible activates for himself alone."""
    me = seats("viktor")

    async def give(graph):
        asked = Groups.GroupsRequestBuilderGetQueryParameters(filter="displayName eq 'Field Service'")
        (inner,) = (await graph.groups.get(RequestConfiguration(query_parameters=asked))).value
        outer = await graph.groups.post(
            Group(display_name=group, mail_nickname=group, mail_enabled=False, security_enabled=True)
        )
        reference = ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{group}")
        await graph.groups.by_group_id(outer.id).members.ref.post(reference)
        made = await ask(graph, "eligibility", Actions.AdminAssign, group, inner.id, length=timedelta(days=5))
        assert made.status == "Provisioned"
        return inner.id, outer.id

    async def use(graph):
        (held,) = [
            each for each in await mine(graph, "eligibility_schedule_instances") if each.group_id == group
        ]
        assert (held.principal_id, held.member_type) == (inner, MemberType.Group)
        made = await ask(graph, "assignment", Actions.SelfActivate, group, me.person.id)
        assert made.status == "Provisioned"
        assert await ids(graph.groups.by_group_id(group).members.get()) == {me.person.id}
        above = graph.groups.by_group_id(outer)
        assert await ids(above.transitive_members.get()) == {group, me.person.id}
        await ask(graph, "assignment", Actions.SelfDeactivate, group, me.person.id)
        assert await ids(above.transitive_members.get()) == {group}
        assert await ids(above.members.get()) == {group}

    inner, outer = boss.do(give)
    me.do(use)


def test_others_groups_are_not_ones_business(seats, group):
    async def story(graph):
        for collection in COLLECTIONS:
            with pytest.raises(ODataError) as refused:
                await listed(graph, collection, filter=f"groupId eq '{group}'")
            assert refused.value.response_status_code == 403, collection
        for kind in KINDS:
            with pytest.raises(ODataError) as refused:
                await ask(graph, kind, Actions.AdminAssign, group, seats(ME).person.id)
            assert refused.value.response_status_code == 403
        with pytest.raises(ODataError) as missing:
            await ask(graph, "eligibility", Actions.AdminAssign, str(uuid.uuid4()), seats(ME).person.id)
        assert missing.value.response_status_code in {403, 404}

    seats(ME).do(story)
