"""People, groups, applications, units and roles: reading, searching, paging, changing."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.faces.graph.client import ORIGIN, Graph, error, person
from tests.world import GA, READER, TEAMS

EVENTUAL = {"ConsistencyLevel": "eventual"}


def test_me(graph: Graph) -> None:
    me = graph.ok("/me", graph.world.ann)
    assert me["@odata.context"] == f"{ORIGIN}/v1.0/$metadata#users/$entity"
    assert list(me)[:3] == ["@odata.context", "businessPhones", "displayName"]
    assert me["id"] == graph.world.ann
    assert "accountEnabled" not in me
    chosen = graph.ok("/beta/me?$select=id,AccountEnabled", graph.world.ann)
    assert list(chosen) == ["@odata.context", "id", "accountEnabled"]
    assert chosen["@odata.context"] == f"{ORIGIN}/beta/$metadata#users(id,AccountEnabled)/$entity"
    app = graph.app(graph.world.app("Robot"), "User.Read.All")
    error(graph.get("/me", app), 400, "BadRequest")


def test_paths_in_every_spelling(graph: Graph) -> None:
    for path in (
        "/V1.0/ME",
        f"{ORIGIN}//v1.0//me/",
        "/v1.0/%6De",
        "/BETA/me?%24select=id",
        "/v1.0/me?select=id",
    ):
        assert graph.ok(path, graph.world.ann)["id"] == graph.world.ann, path
    ann = graph.world.ann
    for path in (f"/users/{ann}", f"/users('{ann}')", f"/Users/{ann.upper()}/", f"/users(id='{ann}')"):
        assert graph.ok(path, ann)["id"] == ann, path


def test_users_by_name_filter_and_search(graph: Graph) -> None:
    world = graph.world
    upn = graph.ok("/me", world.ann)["userPrincipalName"]
    assert graph.ok(f"/users/{quote(upn)}", world.bob)["id"] == world.ann
    assert [row["id"] for row in graph.rows("/users?$filter=displayName eq 'ANN'", world.bob)] == [world.ann]
    assert [row["id"] for row in graph.rows(f"/users?$filter=userPrincipalName eq '{upn}'", world.bob)] == [
        world.ann
    ]
    some = graph.rows(
        f"/users?$filter=id in ('{world.ann}','{world.bob}')&$orderby=displayName desc", world.bob
    )
    assert [row["displayName"] for row in some] == ["bob", "ann"]
    assert graph.rows(
        "/users?$filter=startswith(displayName,'G') and accountEnabled eq true&$select=displayName", world.bob
    ) == [
        {"displayName": "Gala"},
        {"displayName": "Gustav"},
    ]
    error(graph.get('/users?$search="displayName:an"', world.bob), 400, "Request_UnsupportedQuery")
    found = graph.rows('/users?$search="displayName:an" OR "mail:x"', world.bob, headers=EVENTUAL)
    assert [row["id"] for row in found] == [world.ann]
    assert graph.get("/users/$count", world.bob, headers=EVENTUAL).text == "7"


def test_pages(graph: Graph) -> None:
    world = graph.world
    page = graph.ok("/users?$top=3&$count=true&$select=id", world.ann)
    assert page["@odata.count"] == 7
    seen = [row["id"] for row in page["value"]]
    while "@odata.nextLink" in page:
        assert page["@odata.nextLink"].startswith(f"{ORIGIN}/v1.0/users?$top=3")
        page = graph.ok(page["@odata.nextLink"], world.ann)
        seen += [row["id"] for row in page["value"]]
    assert len(seen) == len(set(seen)) == 7
    for token in ("x", "W10", "WyJcdTAwMDAiLCJhIl0", "WyJcdWQ4MDAiLCJhIl0", "é"):
        error(graph.get(f"/users?$skiptoken={quote(token)}", world.ann), 400, "BadRequest")


def test_managers(graph: Graph) -> None:
    world = graph.world
    ref = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{world.bob}"}
    assert graph.send("PUT", f"/users/{world.ann}/manager/$ref", world.ga, ref).status_code == 204
    assert graph.ok("/me/manager", world.ann)["@odata.type"] == "#microsoft.graph.user"
    assert [row["id"] for row in graph.rows("/me/directReports", world.bob)] == [world.ann]
    me = graph.ok("/me?$select=id&$expand=manager($select=displayName)", world.ann)
    assert me["manager"] == {"@odata.type": "#microsoft.graph.user", "displayName": "bob"}
    assert me["@odata.context"].endswith("#users(id,manager(displayName))/$entity")
    error(graph.get("/me/manager", world.cyd), 404, "Request_ResourceNotFound")


def test_groups_from_making_to_deleting(graph: Graph) -> None:
    world = graph.world
    body = {
        "displayName": "Helpers",
        "mailEnabled": False,
        "mailNickname": "helpers",
        "securityEnabled": True,
        "isAssignableToRole": True,
        "owners@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{world.bob}"],
        "members@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{world.ann}"],
    }
    error(graph.post("/groups", world.ann, body), 403, "Authorization_RequestDenied")
    made = graph.post("/groups", world.pra, body)
    assert made.status_code == 201, made.text
    group = made.json()
    assert made.headers["location"] == f"{ORIGIN}/v1.0/groups/{group['id']}"
    assert group["isAssignableToRole"] is True
    address = f"/groups/{group['id']}"
    assert [row["id"] for row in graph.rows(f"{address}/members", world.cyd)] == [world.ann]
    assert [row["id"] for row in graph.rows(f"{address}/owners", world.cyd)] == [world.bob]
    ref = {"@odata.id": f"{ORIGIN}/v1.0/directoryObjects/{world.cyd}"}
    assert graph.post(f"{address}/members/$ref", world.bob, ref).status_code == 204
    error(
        graph.post(f"{address}/members/$ref", world.bob, ref), 400, "Request_MultipleObjectsWithSameKeyValue"
    )
    members = graph.ok(f"{address}/members/microsoft.graph.user?$count=true", world.ann, headers=EVENTUAL)
    assert members["@odata.count"] == 2
    assert members["@odata.context"] == f"{ORIGIN}/v1.0/$metadata#users"
    assert [row["id"] for row in graph.rows("/me/memberOf/microsoft.graph.group", world.cyd)] == [group["id"]]
    assert graph.rows(f"/groups?$filter=id in ('{group['id']}')", world.cyd)
    expanded = graph.ok(f"{address}?$expand=members($select=id)&$select=id", world.ann)
    assert {row["id"] for row in expanded["members"]} == {world.ann, world.cyd}
    assert graph.delete(f"{address}/members/{world.cyd}/$ref", world.bob).status_code == 204
    error(graph.delete(f"{address}/members/{world.cyd}/$ref", world.bob), 404, "Request_ResourceNotFound")
    assert graph.patch(address, world.pra, {"description": "helps"}).status_code == 204
    assert graph.ok(address, world.ann)["description"] == "helps"
    assert graph.delete(address, world.pra).status_code == 204
    error(graph.get(address, world.ann), 404, "Request_ResourceNotFound")


def test_users_from_making_to_deleting(graph: Graph) -> None:
    world = graph.world
    domain = graph.ok("/organization", world.ann)["value"][0]["verifiedDomains"][0]["name"]
    body = {
        "accountEnabled": True,
        "displayName": "Aline Dupuy",
        "mailNickname": "AlineD",
        "userPrincipalName": f"AlineD@{domain}",
        "passwordProfile": {"forceChangePasswordNextSignIn": True, "password": "xWwvJ]6NMw+bWH-d"},
    }
    error(graph.post("/users", world.ann, body), 403, "Authorization_RequestDenied")
    made = graph.post("/users", world.ga, body)
    assert made.status_code == 201, made.text
    address = f"/users/{made.json()['id']}"
    assert (
        graph.patch(address, world.ga, {"jobTitle": "Engineer", "accountEnabled": False}).status_code == 204
    )
    assert graph.ok(f"{address}?$select=jobTitle,accountEnabled", world.ann)["accountEnabled"] is False
    error(graph.patch(address, world.ga, {}), 400, "BadRequest")
    error(graph.patch(address, world.ga, {"accountEnabled": "yes"}), 400, "Request_BadRequest")
    assert graph.delete(address, world.ga).status_code == 204
    error(graph.get(address, world.ga), 404, "Request_ResourceNotFound")


def test_objects_of_all_kinds(graph: Graph) -> None:
    world = graph.world
    robot, team, unit = world.app("Robot"), world.group("Team"), world.unit("North")
    ids = [world.ann, robot, team, unit.rsplit("/", 1)[1], "00000000-0000-0000-0000-000000000000", "junk"]
    rows = graph.post("/directoryObjects/getByIds", world.bob, {"ids": ids}).json()["value"]
    assert [row["@odata.type"].rpartition(".")[2] for row in rows] == [
        "user",
        "servicePrincipal",
        "group",
        "administrativeUnit",
    ]
    only = graph.post(
        "/directoryObjects/microsoft.graph.getByIds", world.bob, {"ids": ids, "types": ["group"]}
    ).json()
    assert [row["id"] for row in only["value"]] == [team]
    assert graph.ok(f"/directoryObjects/{team}", world.bob)["@odata.type"] == "#microsoft.graph.group"
    principal = graph.ok(f"/servicePrincipals/{robot}", world.bob)
    assert graph.ok(f"/servicePrincipals(appId='{principal['appId']}')", world.bob)["id"] == robot
    assert graph.ok(f"/servicePrincipals('{robot}')", world.bob)["id"] == robot
    assert graph.rows(f"/servicePrincipals?$filter=appId eq '{principal['appId']}'", world.bob)
    assert graph.rows("/applications", world.bob) == []


def test_applications_and_their_owners(graph: Graph) -> None:
    """An owner needs the scope like everybody, and no role; guests, groups and strangers own nothing."""
    world = graph.world
    made = graph.post("/applications", world.ga, {"displayName": "Orders"}).json()
    address = f"/applications/{made['id']}"
    ref = {"@odata.id": f"{ORIGIN}/v1.0/users/{world.ann}"}
    error(graph.post(f"{address}/owners/$ref", world.ann, ref), 403, "Authorization_RequestDenied")
    assert graph.post(f"{address}/owners/$ref", world.ga, ref).status_code == 204
    assert graph.post(f"{address}/owners/$ref", world.ga, ref).status_code in {400, 409}
    assert [row["id"] for row in graph.rows(f"{address}/owners", world.bob)] == [world.ann]
    for other in (world.guest("Gus"), world.group("Team"), world.new_id()):
        bad = {"@odata.id": f"{ORIGIN}/v1.0/directoryObjects/{other}"}
        assert graph.post(f"{address}/owners/$ref", world.ann, bad).status_code in {400, 404}
    assert graph.patch(address, world.ann, {"displayName": "Order desk"}).status_code == 204
    assert (
        graph.patch(
            address, person(world.ann, scopes=frozenset({"User.Read"})), {"displayName": "x"}
        ).status_code
        == 403
    )
    assert graph.patch(address, world.bob, {"displayName": "x"}).status_code == 403
    assert graph.ok(address, world.bob)["displayName"] == "Order desk"
    assert graph.delete(f"{address}/owners/{world.ann}/$ref", world.ann).status_code == 204
    assert graph.rows(f"{address}/owners", world.bob) == []
    error(graph.delete(f"{address}/owners/{world.ann}/$ref", world.ga), 404, "Request_ResourceNotFound")


def test_administrative_units(graph: Graph) -> None:
    world = graph.world
    made = graph.post("/directory/administrativeUnits", world.pra, {"displayName": "West"})
    assert made.status_code == 201
    address = f"/administrativeUnits/{made.json()['id']}"
    ref = {"@odata.id": f"{ORIGIN}/v1.0/users/{world.ann}"}
    assert graph.post(f"{address}/members/$ref", world.pra, ref).status_code == 204
    assert [row["id"] for row in graph.rows(f"/directory{address}/members", world.bob)] == [world.ann]
    assert graph.patch(address, world.pra, {"description": "the west"}).status_code == 204
    assert graph.delete(f"{address}/members/{world.ann}/$ref", world.pra).status_code == 204
    assert graph.delete(address, world.pra).status_code == 204
    error(graph.patch(address, world.pra, {"description": "gone"}), 404, "Request_ResourceNotFound")


def test_directory_roles(graph: Graph) -> None:
    world = graph.world
    role = graph.ok(f"/directoryRoles(roleTemplateId='{GA}')", world.pra)
    assert role["displayName"] == "Global Administrator"
    assert graph.ok(f"/directoryRoles('{GA}')", world.pra)["id"] == role["id"]
    members = graph.rows(f"/directoryRoles(roletemplateid='{GA}')/members?$select=id", world.pra)
    assert {row["id"] for row in members} == {world.ga, world.ga2}
    assert len(graph.rows("/directoryRoleTemplates", world.pra)) > 100
    mine = graph.rows("/me/transitiveMemberOf/microsoft.graph.directoryRole", world.pra)
    assert [row["displayName"] for row in mine] == ["Privileged Role Administrator"]


def test_role_definitions(graph: Graph) -> None:
    world = graph.world
    found = graph.rows(
        "/roleManagement/directory/roleDefinitions?$filter=displayName eq 'teams administrator'", world.ann
    )
    assert [row["id"] for row in found] == [TEAMS]
    everything = graph.rows(
        "/roleManagement/directory/roleDefinitions?$filter=isBuiltIn eq true&$select=id,displayName",
        world.ann,
    )
    assert len(everything) > 100
    body = {
        "displayName": "App reader",
        "description": "reads",
        "isEnabled": "true",
        "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/standard/read"]}],
    }
    error(
        graph.post("/roleManagement/directory/roleDefinitions", world.ann, body),
        403,
        "Authorization_RequestDenied",
    )
    made = graph.post("/roleManagement/directory/roleDefinitions", world.pra, body)
    assert made.status_code == 201, made.text
    address = f"/roleManagement/directory/roleDefinitions/{made.json()['id']}"
    assert made.json()["templateId"] == made.json()["id"]
    assert graph.patch(address, world.pra, {"displayName": "Application reader"}).status_code == 204
    assert graph.ok(address, world.ann)["displayName"] == "Application reader"
    error(
        graph.patch(f"/roleManagement/directory/roleDefinitions/{TEAMS}", world.pra, {"description": "x"}),
        400,
        "Request_BadRequest",
    )
    assert graph.delete(address, world.pra).status_code == 204


def test_guests_see_little(graph: Graph) -> None:
    world = graph.world
    guest = world.guest("Gus")
    team = world.group("Team", [guest])
    world.group("Other")
    assert [row["id"] for row in graph.rows("/users", guest)] == [guest]
    assert [row["id"] for row in graph.rows("/groups", guest)] == [team]
    error(graph.get(f"/users/{world.ann}", guest), 403, "Authorization_RequestDenied")
    error(graph.get("/roleManagement/directory/roleDefinitions", guest), 403, "Authorization_RequestDenied")
    assert (
        graph.post("/directoryObjects/getByIds", guest, {"ids": [world.ann, team]}).json()["value"][0]["id"]
        == team
    )
    world.assigned(guest, READER)
    world.forward(minutes=1)
    assert len(graph.rows("/users", guest)) > 5


def test_organization_and_other_tenants(graph: Graph) -> None:
    world = graph.world
    row = graph.ok("/organization", world.ann)["value"][0]
    assert row["id"] == world.tenant_id
    found = graph.ok(
        f"/tenantRelationships/findTenantInformationByTenantId(tenantId='{world.tenant_id}')", world.ann
    )
    assert found["displayName"] == row["displayName"]
    error(graph.get(f"/organization/{world.ann}", world.ann), 404, "Request_ResourceNotFound")


def test_without_metadata(graph: Graph) -> None:
    answer = graph.get(
        "/users?$top=1", graph.world.ann, headers={"Accept": "application/json;odata.metadata=none"}
    )
    assert set(answer.json()) == {"@odata.nextLink", "value"}
    assert "odata.metadata=none" in answer.headers["content-type"]


def test_headers(graph: Graph) -> None:
    answer = graph.get("/me", graph.world.ann, headers={"client-request-id": "mine-1"})
    assert answer.headers["client-request-id"] == "mine-1"
    assert answer.headers["request-id"]
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")
    nobody = graph.get("/me", None)
    error(nobody, 401, "InvalidAuthenticationToken")
    assert nobody.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "path", ["/nothing", "/users/x/y/z", "/roleManagement/directory/roleAssignmentBlahs"]
)
def test_unknown_addresses(graph: Graph, path: str) -> None:
    found = error(graph.get(path, graph.world.ann), 400, "BadRequest")
    assert found["message"].startswith("Resource not found for the segment")


def test_wrong_methods(graph: Graph) -> None:
    answer = graph.delete("/organization", graph.world.ann)
    error(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "GET"


def test_a_token_without_the_permission(graph: Graph) -> None:
    little = person(graph.world.ann, scopes=frozenset({"User.Read"}))
    assert graph.ok("/me", little)["id"]
    error(graph.get("/users", little), 403, "Authorization_RequestDenied")
