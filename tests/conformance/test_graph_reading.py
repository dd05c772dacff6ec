"""msgraph-sdk reads the directory, roles and grants: shapes the SDK parses, paging, queries, errors it raises."""

from __future__ import annotations

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.headers_collection import HeadersCollection
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import (
    GetByIdsPostRequestBody,
)
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.models.administrative_unit import AdministrativeUnit
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.user import User
from msgraph.generated.role_management.directory.role_definitions.role_definitions_request_builder import (
    RoleDefinitionsRequestBuilder,
)
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

from tests.conformance.graph_client import Seat, as_application

Users = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters
Groups = GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters
Roles = RoleDefinitionsRequestBuilder.RoleDefinitionsRequestBuilderGetQueryParameters


def asking(parameters, **headers):
    made = RequestConfiguration(query_parameters=parameters, headers=HeadersCollection())
    for name, value in headers.items():
        made.headers.add(name.replace("_", "-"), value)
    return made


@pytest.fixture
def seat(server, browsers, regulars):
    return Seat(server, browsers, regulars("ines"))


def test_me(seat):
    async def story(graph):
        me = await graph.me.get()
        assert (me.id, me.user_principal_name) == (seat.person.id, seat.person.username)
        assert me.odata_type is None or me.odata_type == "#microsoft.graph.user"
        manager = await graph.me.manager.get()
        assert isinstance(manager, User)
        memberships = await graph.me.member_of.get()
        assert all(each.odata_type for each in memberships.value)
        transitive = await graph.me.transitive_member_of.graph_group.get()
        assert all(isinstance(each, Group) for each in transitive.value)

    seat.do(story)


def test_users_with_the_query_options(seat):
    async def story(graph):
        asked = Users(
            filter="startswith(displayName,'M') and accountEnabled eq true",
            select=["id", "displayName", "department"],
            orderby=["displayName"],
            count=True,
            top=5,
        )
        found = await graph.users.get(asking(asked, ConsistencyLevel="eventual"))
        names = [each.display_name for each in found.value]
        assert names == sorted(names)
        assert found.odata_count == len(names) >= 2
        assert found.value[0].department
        assert found.value[0].user_principal_name is None
        searched = Users(search='"displayName:Mira"', count=True)
        mira = await graph.users.get(asking(searched, ConsistencyLevel="eventual"))
        assert [each.id for each in mira.value] == [seat.server.people["mira"].id]
        one = await graph.users.by_user_id(seat.server.people["mira"].username).get()
        assert one.given_name == "Mira"

    seat.do(story)


def test_paging_with_the_page_iterator(seat):
    async def story(graph):
        first = await graph.users.get(asking(Users(top=7, select=["id", "displayName"])))
        assert first.odata_next_link.startswith(seat.server.origin)
        assert len(first.value) == 7
        seen = []
        pages = PageIterator(first, graph.request_adapter)
        await pages.iterate(lambda each: seen.append(each.id) or True)
        everybody = await graph.users.get(asking(Users(top=999)))
        assert len(seen) == len(set(seen)) == len(everybody.value) > 40
        assert everybody.odata_next_link is None

    seat.do(story)


def test_groups_members_and_units(seat):
    async def story(graph):
        asked = Groups(
            filter="isAssignableToRole eq true", select=["id", "displayName", "isAssignableToRole"]
        )
        groups = await graph.groups.get(asking(asked))
        assert all(each.is_assignable_to_role for each in groups.value)
        support = next(each for each in groups.value if each.display_name == "Support Operations")
        members = await graph.groups.by_group_id(support.id).members.get()
        assert {type(each) for each in members.value} == {User, Group}
        everyone = await graph.groups.by_group_id(support.id).transitive_members.get()
        assert len(everyone.value) > len(members.value)
        people = await graph.groups.by_group_id(support.id).transitive_members.graph_user.get()
        assert all(isinstance(each, User) for each in people.value)
        owners = await graph.groups.by_group_id(support.id).owners.get()
        assert owners.value
        units = await graph.directory.administrative_units.get()
        assert all(isinstance(each, AdministrativeUnit) for each in units.value)
        assert len(units.value) == 3
        inside = await graph.directory.administrative_units.by_administrative_unit_id(
            units.value[0].id
        ).members.get()
        assert inside.value

    seat.do(story)


def test_objects_by_ids_applications_and_the_organization(seat):
    async def story(graph):
        principals = await graph.service_principals.get()
        assert all(isinstance(each, ServicePrincipal) for each in principals.value)
        ids = [seat.person.id, principals.value[0].id]
        body = GetByIdsPostRequestBody(ids=ids, types=["user", "servicePrincipal"])
        found = await graph.directory_objects.get_by_ids.post(body)
        assert {type(each) for each in found.value} == {User, ServicePrincipal}
        organization = await graph.organization.get()
        assert organization.value[0].id == seat.server.tenant_id
        assert organization.value[0].verified_domains[0].name == seat.server.domain
        applications = await graph.applications.get()
        assert seat.server.facts["application"]["app_id"] in {each.app_id for each in applications.value}

    seat.do(story)


def test_role_definitions(seat):
    async def story(graph):
        definitions = graph.role_management.directory.role_definitions
        found = await definitions.get(asking(Roles(filter="displayName eq 'Teams Administrator'")))
        (teams,) = found.value
        assert teams.is_built_in
        assert teams.template_id == teams.id
        assert teams.role_permissions[0].allowed_resource_actions
        custom = await definitions.get(
            asking(Roles(filter="isBuiltIn eq false", select=["id", "displayName"]))
        )
        assert "App Registration Auditor" in {each.display_name for each in custom.value}
        one = await definitions.by_unified_role_definition_id(teams.id).get()
        assert one.display_name == "Teams Administrator"

    seat.do(story)


def test_schedules_instances_and_requests_of_everybody(seat):
    """A Global Reader sees all of them; each list parses, and each item can be read by its id."""

    async def story(graph):
        directory = graph.role_management.directory
        eligibilities = await directory.role_eligibility_schedules.get()
        assert len(eligibilities.value) > 20
        one = await directory.role_eligibility_schedules.by_unified_role_eligibility_schedule_id(
            eligibilities.value[0].id
        ).get()
        assert one.principal_id == eligibilities.value[0].principal_id
        assignments = await directory.role_assignment_schedules.get()
        assert {each.assignment_type for each in assignments.value} == {"Assigned", "Activated"}
        instances = await directory.role_assignment_schedule_instances.get()
        assert all(each.start_date_time for each in instances.value if each.assignment_type == "Activated")
        again = await (
            directory.role_assignment_schedule_instances.by_unified_role_assignment_schedule_instance_id(
                instances.value[0].id
            ).get()
        )
        assert again.role_definition_id == instances.value[0].role_definition_id
        able = await directory.role_eligibility_schedule_instances.get()
        assert {each.member_type for each in able.value} >= {"Direct"}
        requests = await directory.role_assignment_schedule_requests.get()
        statuses = {each.status for each in requests.value}
        assert statuses >= {"Provisioned", "PendingApproval", "Denied"}
        one = (
            await directory.role_assignment_schedule_requests.by_unified_role_assignment_schedule_request_id(
                requests.value[0].id
            ).get()
        )
        assert one.created_date_time == requests.value[0].created_date_time
        plain = await directory.role_assignments.get()
        assert plain.value

    seat.do(story)


def test_an_application_reads_too(server):
    async def story(graph):
        found = await graph.users.get(asking(Users(top=3)))
        assert len(found.value) == 3
        schedules = await graph.role_management.directory.role_eligibility_schedules.get()
        assert schedules.value
        with pytest.raises(ODataError) as refused:
            await graph.me.get()
        assert refused.value.response_status_code == 400

    as_application(server, story)


def test_errors_are_raised_with_code_and_message(seat):
    async def story(graph):
        with pytest.raises(ODataError) as missing:
            await graph.users.by_user_id("00000000-0000-4000-8000-000000000000").get()
        assert missing.value.response_status_code == 404
        assert missing.value.error.code == "Request_ResourceNotFound"
        assert missing.value.error.message
        assert missing.value.error.inner_error.request_id
        with pytest.raises(ODataError) as wrong:
            await graph.users.get(asking(Users(filter="displayName eq")))
        assert wrong.value.response_status_code == 400
        assert wrong.value.error.message
        with pytest.raises(ODataError) as policies:
            await graph.policies.role_management_policies.get()
        assert policies.value.error.code == "UnknownError"  # the policy endpoints wrap, as Graph's do
        assert '"errorCode":"MissingProvider"' in policies.value.error.message
        group = Group(display_name="No", mail_enabled=False, mail_nickname="no", security_enabled=True)
        with pytest.raises(ODataError) as forbidden:
            await graph.groups.post(group)
        assert forbidden.value.response_status_code == 403
        assert forbidden.value.error.code == "Authorization_RequestDenied"

    seat.do(story)
