"""Roles of applications, who has them, and which claims an application is told, as Graph says it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faces.graph.client import Graph

ROLE = {
    "allowedMemberTypes": ["User"],
    "description": "Writes",
    "displayName": "Payroll writer",
    "id": "11111111-2222-4333-8444-555555555555",
    "isEnabled": True,
    "origin": "Application",
    "value": "Payroll.Write",
}


@pytest.fixture
def app(graph: Graph) -> dict[str, Any]:
    made = graph.post("/applications", graph.world.ga, {"displayName": "Payroll", "appRoles": [ROLE]})
    assert made.status_code == 201, made.text
    face = graph.post("/servicePrincipals", graph.world.ga, {"appId": made.json()["appId"]})
    return {**made.json(), "face": face.json()["id"]}


def test_roles_stand_in_the_application_and_its_service_principal(graph: Graph, app: dict[str, Any]) -> None:
    assert app["appRoles"] == [ROLE]
    face = graph.get(f"/servicePrincipals/{app['face']}", graph.world.ga).json()
    assert face["appRoles"] == [ROLE]
    named = graph.get(f"/servicePrincipals(appId='{app['appId']}')?$select=id,appRoles", graph.world.ga)
    assert named.json()["appRoles"] == [ROLE]
    assert "appRoles" not in graph.get(f"/servicePrincipals/{app['face']}?$select=id", graph.world.ga).json()


def test_who_has_them_from_every_side(graph: Graph, app: dict[str, Any]) -> None:
    world = graph.world
    group = world.group("Payroll admins", [world.ann], role_assignable=False)
    body = {"principalId": group, "resourceId": app["face"], "appRoleId": ROLE["id"]}
    made = graph.post(f"/servicePrincipals/{app['face']}/appRoleAssignedTo", world.ga, body)
    assert made.status_code == 201, made.text
    row = made.json()
    assert (row["principalType"], row["principalDisplayName"]) == ("Group", "Payroll admins")
    assert row["resourceDisplayName"] == "Payroll"
    assert row["id"] in made.headers["location"]
    for path in (
        f"servicePrincipals/{app['face']}/appRoleAssignedTo",
        f"groups/{group}/appRoleAssignments",
        f"servicePrincipals/{app['face']}/appRoleAssignedTo?$filter=principalId eq {group}",
    ):
        rows = graph.get(f"/{path}", world.ga).json()["value"]
        assert [one["id"] for one in rows] == [row["id"]], path
    again = graph.post(f"/groups/{group}/appRoleAssignments", world.ga, body)
    assert again.status_code == 400
    assert graph.get(f"/servicePrincipals/{app['face']}/appRoleAssignedTo", world.bob).json()["value"] == []
    wrong = graph.delete(f"/users/{world.ann}/appRoleAssignments/{row['id']}", world.ga)
    assert wrong.status_code == 404  # it is not hers
    assert graph.delete(f"/groups/{group}/appRoleAssignments/{row['id']}", world.ga).status_code == 204


def test_my_own(graph: Graph, app: dict[str, Any]) -> None:
    world = graph.world
    body = {"principalId": world.ann, "resourceId": app["face"], "appRoleId": ROLE["id"]}
    assert graph.post(f"/users/{world.ann}/appRoleAssignments", world.ga, body).status_code == 201
    assert len(graph.get("/me/appRoleAssignments", world.ann).json()["value"]) == 1
    assert graph.get("/me/appRoleAssignments", world.bob).json()["value"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"principalId": "x"},
        {"principalId": None, "resourceId": None, "appRoleId": None},
        {"principalId": "11111111-1111-4111-8111-111111111111"},
    ],
)
def test_bodies_that_lack_something(graph: Graph, app: dict[str, Any], body: dict[str, Any]) -> None:
    answer = graph.post(f"/servicePrincipals/{app['face']}/appRoleAssignedTo", graph.world.ga, body)
    assert answer.status_code == 400


def test_the_body_must_be_about_the_address(graph: Graph, app: dict[str, Any]) -> None:
    world = graph.world
    body = {"principalId": world.ann, "resourceId": app["face"], "appRoleId": ROLE["id"]}
    assert graph.post(f"/users/{world.bob}/appRoleAssignments", world.ga, body).status_code == 400


def test_claim_settings_are_kept_as_they_were_written(graph: Graph, app: dict[str, Any]) -> None:
    written = {
        "groupMembershipClaims": "SecurityGroup",
        "optionalClaims": {
            "idToken": [
                {
                    "name": "groups",
                    "source": None,
                    "essential": False,
                    "additionalProperties": ["cloud_displayname"],
                }
            ],
            "accessToken": [{"name": "email", "essential": True}],
            "saml2Token": [],
        },
        "openPim": {"userInfoClaims": [{"name": "roles"}], "onlyNamedClaims": True, "logoutWhen": "loss"},
    }
    assert graph.patch(f"/applications/{app['id']}", graph.world.ga, written).status_code == 204
    found = graph.get(f"/applications/{app['id']}", graph.world.ga).json()
    assert found["groupMembershipClaims"] == "SecurityGroup"
    assert found["optionalClaims"]["idToken"] == written["optionalClaims"]["idToken"]
    assert found["optionalClaims"]["accessToken"][0]["essential"] is True
    assert found["openPim"]["logoutWhen"] == "loss"
    assert [one["name"] for one in found["openPim"]["userInfoClaims"]] == ["roles"]
    # What a body does not name stays; null takes it back.
    some = {"optionalClaims": None, "openPim": {"userInfoClaims": None}}
    assert graph.patch(f"/applications/{app['id']}", graph.world.ga, some).status_code == 204
    found = graph.get(f"/applications/{app['id']}", graph.world.ga).json()
    assert (found["optionalClaims"], found["groupMembershipClaims"]) == (None, "SecurityGroup")
    assert found["openPim"] == {"logoutWhen": "loss", "onlyNamedClaims": True, "userInfoClaims": None}
    assert found["appRoles"] == [ROLE]


@pytest.mark.parametrize(
    "body",
    [
        {"groupMembershipClaims": "Everybody"},
        {"optionalClaims": {"idToken": [{"name": "password"}]}},
        {"optionalClaims": {"saml2Token": [{"name": "email"}]}},
        {"optionalClaims": {"idToken": [{"name": "groups", "additionalProperties": ["emit_as_roles"]}]}},
        {"optionalClaims": {"idToken": "groups"}},
        {"optionalClaims": [1]},
        {"openPim": {"logoutWhen": "never"}},
        {"openPim": {"onlyNamedClaims": "yes"}},
        {"openPim": {"userInfoClaims": [{"name": 5}]}},
        {"appRoles": [{**ROLE, "value": "two words"}]},
        {"appRoles": [{**ROLE, "id": "x"}]},
        {"appRoles": [{**ROLE, "allowedMemberTypes": []}]},
        {"appRoles": [{**ROLE, "allowedMemberTypes": ["Robot"]}]},
        {"appRoles": [ROLE, ROLE]},
        {"appRoles": "none"},
        {"appRoles": []},
        {"web": {"logoutUrl": "http://app.example/out"}},
    ],
)
def test_what_means_nothing_is_refused(graph: Graph, app: dict[str, Any], body: dict[str, Any]) -> None:
    answer = graph.patch(f"/applications/{app['id']}", graph.world.ga, body)
    assert answer.status_code == 400, answer.text
    assert graph.get(f"/applications/{app['id']}", graph.world.ga).json()["appRoles"] == [ROLE]
