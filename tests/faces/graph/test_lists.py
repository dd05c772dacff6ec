"""Lists of grants and of the history: filters, order, pages, expansions; and who may read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openpim.core.grants import Action, Kind, Provider
from tests.faces.graph.client import ORIGIN, Graph, error
from tests.faces.graph.test_life import ELIGIBLE, REQUESTS
from tests.world import HELPDESK, TEAMS, ok

BASE = "/roleManagement/directory"
AUDITS = "/auditLogs/directoryAudits"


def test_requests_by_filter_and_order(graph: Graph) -> None:
    world = graph.world
    made = []
    for who in (world.ann, world.bob, world.cyd):
        made.append(world.eligible(who).id)
        world.forward(minutes=1)
    since = (world.now - timedelta(minutes=2, seconds=30)).isoformat().replace("+00:00", "Z")
    rows = graph.rows(
        f"{ELIGIBLE}?$filter=createdDateTime ge {since}&$orderby=createdDateTime desc&$top=999", world.pra
    )
    assert [row["id"] for row in rows] == made[:0:-1]
    some = f"principalId eq '{world.ann}' or principalId eq '{world.cyd}'"
    rows = graph.rows(
        f"{ELIGIBLE}?$filter=({some}) and status ne 'Revoked' and appScopeId eq null", world.pra
    )
    assert {row["principalId"] for row in rows} == {world.ann, world.cyd}
    assert graph.rows(f"{ELIGIBLE}?$filter=status eq 'ScheduleCreated'", world.pra) == []
    assert (
        len(
            graph.rows(
                f"{ELIGIBLE}?$filter=action eq 'AdminAssign' and targetScheduleId eq '{made[0]}'", world.pra
            )
        )
        == 1
    )
    page = graph.ok(f"{ELIGIBLE}?$top=2&$count=true&$orderby=createdDateTime", world.pra)
    assert page["@odata.count"] == 3
    rest = graph.ok(page["@odata.nextLink"], world.pra)
    assert [row["id"] for row in page["value"] + rest["value"]] == made


def test_select_and_expand(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    query = "$select=principalId,action,roleDefinitionId,roleDefinition&$expand=roleDefinition,principal($select=displayName),targetSchedule,directoryScope"
    answer = graph.ok(f"{ELIGIBLE}?{query}", world.pra)
    assert answer["@odata.context"] == (
        f"{ORIGIN}/v1.0/$metadata#roleManagement/directory/roleEligibilityScheduleRequests"
        "(principalId,action,roleDefinitionId,roleDefinition(),principal(displayName),targetSchedule(),directoryScope())"
    )
    row = answer["value"][0]
    assert list(row) == [
        "principalId",
        "action",
        "roleDefinitionId",
        "roleDefinition",
        "principal",
        "targetSchedule",
        "directoryScope",
    ]
    assert row["principal"] == {"@odata.type": "#microsoft.graph.user", "displayName": "ann"}
    assert row["directoryScope"] == {"id": "/"}
    assert row["targetSchedule"]["scheduleInfo"]["expiration"]["type"] == "noExpiration"
    found = error(graph.get(f"{ELIGIBLE}?$select=nope", world.pra), 400, "BadRequest")
    assert "'nope'" in found["message"]
    error(graph.get(f"{ELIGIBLE}?$expand=nope", world.pra), 400, "BadRequest")


def test_units_as_scope(graph: Graph) -> None:
    world = graph.world
    scope = world.unit("North")
    world.eligible(world.ann, HELPDESK, scope)
    rows = graph.rows(
        f"{BASE}/roleEligibilityScheduleInstances?$filter=directoryScopeId eq '{scope.upper()}'&$expand=directoryScope",
        world.pra,
    )
    assert rows[0]["id"].endswith("-2-e")
    assert rows[0]["directoryScope"]["displayName"] == "North"
    assert (
        graph.ok(f"{BASE}/roleEligibilityScheduleInstances/{rows[0]['id']}", world.ann)["directoryScopeId"]
        == scope
    )


def test_others_assignments_need_a_reading_role(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    for name in (
        "roleEligibilitySchedules",
        "roleEligibilityScheduleInstances",
        "roleEligibilityScheduleRequests",
        "roleAssignments",
    ):
        error(graph.get(f"{BASE}/{name}", world.bob), 403, "Authorization_RequestDenied")
        error(
            graph.get(f"{BASE}/{name}?$filter=principalId eq '{world.ann}'", world.bob),
            403,
            "Authorization_RequestDenied",
        )
        assert graph.get(f"{BASE}/{name}?$filter=principalId eq '{world.bob}'", world.bob).status_code == 200
        either = f"principalId eq '{world.bob}' or roleDefinitionId eq '{TEAMS}'"
        error(graph.get(f"{BASE}/{name}?$filter={either}", world.bob), 403, "Authorization_RequestDenied")


def test_transitive_assignments(graph: Graph) -> None:
    world = graph.world
    team = world.group("Team", [world.ann])
    world.assigned(team, HELPDESK)
    path = f"/beta{BASE}/transitiveRoleAssignments?$count=true&$filter=principalId eq '{world.ann}'"
    error(graph.get(path, world.ann), 400, "Request_UnsupportedQuery")
    eventual = {"ConsistencyLevel": "eventual"}
    for who in (world.ann, world.pra):
        rows = graph.rows(path, who, headers=eventual)
        assert [(row["principalId"], row["roleDefinitionId"]) for row in rows] == [(team, HELPDESK)]
    error(graph.get(path, world.bob, headers=eventual), 403, "Authorization_RequestDenied")
    error(graph.get(f"/beta{BASE}/transitiveRoleAssignments", world.pra, headers=eventual), 400, "BadRequest")


def test_member_type(graph: Graph) -> None:
    world = graph.world
    team = world.group("Team", [world.ann])
    world.eligible(team)
    world.eligible(world.ann, HELPDESK)
    mine = f"{BASE}/roleEligibilitySchedules/filterByCurrentUser(on='principal')"
    assert len(graph.rows(mine, world.ann)) == 2
    assert [row["principalId"] for row in graph.rows(f"{mine}?$filter=memberType eq 'Group'", world.ann)] == [
        team
    ]
    assert [
        row["principalId"] for row in graph.rows(f"{mine}?$filter=memberType eq 'direct'", world.ann)
    ] == [world.ann]
    error(graph.get(mine.replace("principal", "approver"), world.ann), 400, "InvalidRoleAssignmentRequest")
    error(graph.get(mine.replace("principal", "nobody"), world.ann), 400, "BadRequest")


def test_the_history(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    world.activate(world.ann)
    world.forward(minutes=1)
    rows = graph.rows(
        f"{AUDITS}?$filter=loggedByService eq 'PIM' and initiatedBy/user/id eq '{world.ann}'&$orderby=activityDateTime desc&$top=5",
        world.pra,
    )
    assert rows
    assert {row["initiatedBy"]["user"]["id"] for row in rows} == {world.ann}
    assert rows[0]["targetResources"][0]["type"] == "Role"
    keys = {one["key"] for one in rows[0]["additionalDetails"]}
    assert {"RoleDefinitionOriginId", "TemplateId", "oid", "tid"} <= keys
    one = graph.ok(f"{AUDITS}/{rows[0]['id']}", world.pra)
    assert one["id"] == rows[0]["id"]
    assert one["id"].startswith("PIM_")
    error(graph.get(f"{AUDITS}/nothing", world.pra), 404, "Request_ResourceNotFound")
    since = world.now.isoformat().replace("+00:00", "Z")
    assert graph.rows(f"{AUDITS}?$filter=activityDateTime ge {since}", world.pra) == []
    assert graph.rows(
        f"{AUDITS}?$filter=category eq 'RoleManagement' and startswith(activityDisplayName,'Add member')",
        world.pra,
    )
    assert not graph.rows(f"{AUDITS}?$filter=loggedByService eq 'Core Directory'", world.pra)
    mine = graph.rows(AUDITS, world.ann)
    assert all(world.ann in str(row) for row in mine)
    assert graph.rows(AUDITS, world.dan) == []


def test_memberships_that_are_activated_are_pim_s_history_and_plain_ones_the_directory_s(
    graph: Graph,
) -> None:
    world = graph.world
    group = world.group("Crane drivers")
    given = world.ask(Action.ADMIN_ASSIGN, world.ann, "member", group, kind=Kind.ELIGIBILITY, days=30)
    ok(world.submit(replace(given, provider=Provider.GROUP), world.pra))
    asked = world.ask(Action.SELF_ACTIVATE, world.ann, "member", group)
    ok(world.submit(replace(asked, provider=Provider.GROUP), world.ann))
    pim = graph.rows(
        f"{AUDITS}?$filter=loggedByService eq 'PIM' and category eq 'GroupManagement'", world.pra
    )
    assert "Add member to role requested (PIM activation)" in {row["activityDisplayName"] for row in pim}
    body = {"@odata.id": f"{ORIGIN}/v1.0/directoryObjects/{world.dan}"}
    assert graph.post(f"/groups/{group}/members/$ref", world.pra, body).status_code == 204
    plain = graph.rows(f"{AUDITS}?$filter=loggedByService eq 'Core Directory'", world.pra)
    assert [row["activityDisplayName"] for row in plain] == ["Add member to group"]


def test_what_was_cancelled_stays_listed(graph: Graph) -> None:
    world = graph.world
    later = world.eligible(world.ann, start=world.now + timedelta(days=1), permanent=True)
    assert graph.post(f"{ELIGIBLE}/{later.id}/cancel", world.pra).status_code == 204
    world.forward(days=400)
    rows = graph.rows(f"{ELIGIBLE}/filterByCurrentUser(on='principal')", world.ann)
    assert [(row["id"], row["status"]) for row in rows] == [(later.id, "Canceled")]
    error(graph.get(f"{BASE}/roleEligibilitySchedules/{later.id}", world.ann), 404, "ResourceNotFound")
    assert REQUESTS.startswith(BASE)
