"""Administration through msgraph-sdk: eligibilities and assignments given, changed, extended and taken away; roles of
one's own; assignments outside PIM; groups and people; requests in a batch.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.expiration_pattern import ExpirationPattern
from msgraph.generated.models.expiration_pattern_type import ExpirationPatternType
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.request_schedule import RequestSchedule
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.models.unified_role_assignment_schedule_request import (
    UnifiedRoleAssignmentScheduleRequest,
)
from msgraph.generated.models.unified_role_definition import UnifiedRoleDefinition
from msgraph.generated.models.unified_role_eligibility_schedule_request import (
    UnifiedRoleEligibilityScheduleRequest,
)
from msgraph.generated.models.unified_role_permission import UnifiedRolePermission
from msgraph.generated.models.unified_role_schedule_request_actions import UnifiedRoleScheduleRequestActions
from msgraph.generated.role_management.directory.role_assignments.role_assignments_request_builder import (
    RoleAssignmentsRequestBuilder,
)
from msgraph.generated.role_management.directory.role_eligibility_schedules.role_eligibility_schedules_request_builder import (
    RoleEligibilitySchedulesRequestBuilder as Eligibilities,
)
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent

from tests.conformance.graph_client import ERRORS, Seat, as_application

Actions = UnifiedRoleScheduleRequestActions
Pattern = ExpirationPatternType
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"
MESSAGE_READER = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"


@pytest.fixture
def seat(server, browsers, regulars):
    return Seat(server, browsers, regulars("emergency1"))


def given(kind, action, principal_id, role_id, expiration=None, **more):
    schedule = None
    if expiration is not None:
        schedule = RequestSchedule(start_date_time=datetime.now(UTC), expiration=expiration)
    return kind(
        action=action,
        principal_id=principal_id,
        role_definition_id=role_id,
        directory_scope_id="/",
        justification="Conformance",
        schedule_info=schedule,
        **more,
    )


def lasting(duration):
    return ExpirationPattern(type=Pattern.AfterDuration, duration=duration)


def test_the_life_of_an_eligibility(seat, server):
    who = server.people["astrid"].id
    kind = UnifiedRoleEligibilityScheduleRequest

    async def story(graph):
        directory = graph.role_management.directory
        requests = directory.role_eligibility_schedule_requests

        async def schedule():
            asked = Eligibilities.RoleEligibilitySchedulesRequestBuilderGetQueryParameters(
                filter=f"principalId eq '{who}' and roleDefinitionId eq '{HELPDESK}'",
                expand=["principal", "roleDefinition"],
            )
            found = await directory.role_eligibility_schedules.get(
                RequestConfiguration(query_parameters=asked)
            )
            return found.value

        made = await requests.post(
            given(kind, Actions.AdminAssign, who, HELPDESK, lasting(timedelta(days=30)))
        )
        assert made.status == "Provisioned"
        assert made.target_schedule_id
        (now,) = await schedule()
        assert now.id == made.target_schedule_id
        assert now.principal.display_name == server.people["astrid"].name
        assert now.role_definition.display_name == "Helpdesk Administrator"
        with pytest.raises(ODataError) as twice:
            await requests.post(given(kind, Actions.AdminAssign, who, HELPDESK, lasting(timedelta(days=30))))
        assert twice.value.error.code == "RoleAssignmentExists"
        until = datetime.now(UTC) + timedelta(days=60)
        by_date = ExpirationPattern(type=Pattern.AfterDateTime, end_date_time=until)
        changed = await requests.post(
            given(kind, Actions.AdminUpdate, who, HELPDESK, by_date, target_schedule_id=now.id)
        )
        assert changed.status == "Provisioned"
        (now,) = await schedule()
        assert abs(now.schedule_info.expiration.end_date_time - until) < timedelta(seconds=1)
        longer = ExpirationPattern(type=Pattern.AfterDateTime, end_date_time=until + timedelta(days=30))
        extended = await requests.post(
            given(kind, Actions.AdminExtend, who, HELPDESK, longer, target_schedule_id=now.id)
        )
        assert extended.status == "Provisioned"
        removed = await requests.post(given(kind, Actions.AdminRemove, who, HELPDESK))
        assert removed.status == "Revoked"
        assert await schedule() == []
        with pytest.raises(ODataError) as nothing:
            await requests.post(given(kind, Actions.AdminRemove, who, HELPDESK))
        assert nothing.value.error.code == "RoleAssignmentDoesNotExist"

    seat.do(story)


def test_the_life_of_an_active_assignment(seat, server):
    who = server.people["samir"].id
    kind = UnifiedRoleAssignmentScheduleRequest

    async def story(graph):
        directory = graph.role_management.directory
        requests = directory.role_assignment_schedule_requests
        made = await requests.post(
            given(kind, Actions.AdminAssign, who, MESSAGE_READER, lasting(timedelta(hours=8)))
        )
        assert made.status == "Provisioned"
        assert made.created_by.user.id == seat.person.id
        schedules = directory.role_assignment_schedules
        one = await schedules.by_unified_role_assignment_schedule_id(made.target_schedule_id).get()
        assert one.assignment_type == "Assigned"
        removed = await requests.post(given(kind, Actions.AdminRemove, who, MESSAGE_READER))
        assert removed.status == "Revoked"
        for role, principal in ((MESSAGE_READER, "no such person"), ("no such role", who)):
            with pytest.raises(ODataError) as unknown:
                await requests.post(
                    given(kind, Actions.AdminAssign, principal, role, lasting(timedelta(hours=1)))
                )
            assert unknown.value.response_status_code in {400, 404}

    seat.do(story)


def test_assignments_outside_pim(seat, server):
    who = server.people["nadia"].id

    async def story(graph):
        assignments = graph.role_management.directory.role_assignments
        made = await assignments.post(
            UnifiedRoleAssignment(principal_id=who, role_definition_id=REPORTS_READER, directory_scope_id="/")
        )
        assert made.principal_id == who
        asked = RoleAssignmentsRequestBuilder.RoleAssignmentsRequestBuilderGetQueryParameters(
            filter=f"principalId eq '{who}'", expand=["principal"]
        )
        found = await assignments.get(RequestConfiguration(query_parameters=asked))
        assert [each.id for each in found.value] == [made.id]
        assert found.value[0].principal.id == who
        one = assignments.by_unified_role_assignment_id(made.id)
        assert (await one.get()).role_definition_id == REPORTS_READER
        await one.delete()
        with pytest.raises(ODataError) as gone:
            await one.get()
        assert gone.value.response_status_code == 404

    seat.do(story)


def test_roles_of_ones_own(seat):
    async def story(graph):
        definitions = graph.role_management.directory.role_definitions
        permissions = UnifiedRolePermission(
            allowed_resource_actions=["microsoft.directory/applications/basic/update"]
        )
        made = await definitions.post(
            UnifiedRoleDefinition(
                display_name="Conformance Role",
                description="For a test",
                is_enabled=True,
                role_permissions=[permissions],
            )
        )
        assert made.is_built_in is False
        one = definitions.by_unified_role_definition_id(made.id)
        await one.patch(UnifiedRoleDefinition(description="Changed", role_permissions=[permissions]))
        assert (await one.get()).description == "Changed"
        await one.delete()
        with pytest.raises(ODataError) as gone:
            await one.get()
        assert gone.value.response_status_code == 404
        with pytest.raises(ODataError) as built_in:
            await definitions.by_unified_role_definition_id(REPORTS_READER).delete()
        assert built_in.value.response_status_code in {400, 403}

    seat.do(story)


def test_groups(seat, server):
    async def story(graph):
        made = await graph.groups.post(
            Group(
                display_name="Conformance Group",
                mail_enabled=False,
                mail_nickname="conformance",
                security_enabled=True,
                is_assignable_to_role=True,
            )
        )
        assert made.is_assignable_to_role
        group = graph.groups.by_group_id(made.id)
        reference = f"{server.origin}/v1.0/directoryObjects/{server.people['samir'].id}"
        await group.members.ref.post(ReferenceCreate(odata_id=reference))
        assert [each.id for each in (await group.members.get()).value] == [server.people["samir"].id]
        await group.members.by_directory_object_id(server.people["samir"].id).ref.delete()
        assert (await group.members.get()).value == []
        await group.delete()

    seat.do(story)


def test_a_batch(seat, server):
    async def story(graph):
        content = BatchRequestContent()
        content.add_request_information(graph.me.to_get_request_information())
        content.add_request_information(graph.users.to_get_request_information())
        nobody = graph.users.by_user_id("00000000-0000-4000-8000-000000000000")
        content.add_request_information(nobody.to_get_request_information())
        role = UnifiedRoleAssignmentScheduleRequest(
            action=Actions.AdminAssign,
            principal_id=server.people["viktor"].id,
            role_definition_id=REPORTS_READER,
            directory_scope_id="/",
            justification="In a batch",
            schedule_info=RequestSchedule(
                start_date_time=datetime.now(UTC), expiration=lasting(timedelta(hours=2))
            ),
            is_validation_only=True,
        )
        requests = graph.role_management.directory.role_assignment_schedule_requests
        content.add_request_information(requests.to_post_request_information(role))
        builder = BatchRequestBuilder(graph.request_adapter, error_map=ERRORS)
        answer = await builder.post(content)
        me, users, missing, assign = content.requests  # the SDK chooses the ids itself
        assert answer.get_response_status_codes() == {me: 200, users: 200, missing: 404, assign: 201}
        # The bodies as sent: kiota-serialization-json 1.16 loses bodies that are JSON objects.
        info = await builder.to_post_request_information(content)
        raw = json.loads(await graph.request_adapter.send_primitive_async(info, "bytes", ERRORS))
        bodies = {each["id"]: each["body"] for each in raw["responses"]}
        assert bodies[me]["id"] == seat.person.id
        assert len(bodies[users]["value"]) > 20
        assert bodies[missing]["error"]["code"] == "Request_ResourceNotFound"
        assert bodies[assign]["isValidationOnly"] is True

    seat.do(story)


def test_an_application_administers(server):
    """With an application permission, without a person."""
    who = server.people["zanele"].id
    kind = UnifiedRoleEligibilityScheduleRequest

    async def story(graph):
        requests = graph.role_management.directory.role_eligibility_schedule_requests
        made = await requests.post(
            given(kind, Actions.AdminAssign, who, MESSAGE_READER, lasting(timedelta(days=3)))
        )
        assert made.status == "Provisioned"
        assert made.created_by.application.id or made.created_by.user.id
        removed = await requests.post(given(kind, Actions.AdminRemove, who, MESSAGE_READER))
        assert removed.status == "Revoked"

    as_application(server, story)
