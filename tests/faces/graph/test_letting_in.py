"""Letting people and applications in: set-up links, invitations, applications, their secrets and permissions."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.directory import Application, ServicePrincipal
from tests.faces.graph.client import ORIGIN, Graph, error
from tests.world import World

APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"


def test_a_setup_link(graph: Graph) -> None:
    world = graph.world
    address = f"/users/{world.ann}/createSetupLink"
    error(graph.post(address, world.bob), 403, "Authorization_RequestDenied")
    answer = graph.post(address, world.ga)
    assert answer.status_code == 200, answer.text
    assert answer.json()["value"].startswith(f"{ORIGIN}/setup/")
    error(graph.post("/users/nobody/createSetupLink", world.ga), 404, "Request_ResourceNotFound")


def test_an_invitation(graph: Graph) -> None:
    world = graph.world
    other = World(world.database)
    home = graph.world.database.read(other.tenant_id, lambda tx: tx.users.get(other.ann))
    body = {
        "invitedUserEmailAddress": home.user_principal_name,
        "inviteRedirectUrl": "https://portal.example/",
    }
    error(graph.post("/invitations", world.ann, body), 403, "Authorization_RequestDenied")
    made = graph.post("/invitations", world.ga, body)
    assert made.status_code == 201, made.text
    guest = graph.ok(f"/users/{made.json()['invitedUser']['id']}?$select=id,userType", world.bob)
    assert guest["userType"] == "Guest"
    assert made.json()["status"] == "Completed"
    error(graph.post("/invitations", world.ga, {"invitedUserEmailAddress": "x"}), 400, "Request_BadRequest")


def test_an_application_with_its_secret(graph: Graph) -> None:
    world = graph.world
    body = {"displayName": "Deployer", "web": {"redirectUris": ["https://deploy.example/cb"]}}
    error(graph.post("/applications", world.ann, body), 403, "Authorization_RequestDenied")
    made = graph.post("/applications", world.ga, body)
    assert made.status_code == 201, made.text
    address = f"/applications/{made.json()['id']}"
    assert made.json()["web"]["redirectUris"] == ["https://deploy.example/cb"]
    assert graph.patch(address, world.ga, {"displayName": "The deployer"}).status_code == 204
    ends = (world.now + timedelta(days=90)).isoformat()
    secret = graph.post(
        f"{address}/addPassword", world.ga, {"passwordCredential": {"displayName": "ci", "endDateTime": ends}}
    ).json()
    assert len(secret["secretText"]) >= 24
    principal = graph.post("/servicePrincipals", world.ga, {"appId": made.json()["appId"]})
    assert principal.status_code == 201, principal.text
    robot = f"/servicePrincipals/{principal.json()['id']}"
    wanted = {"openPim": {"permissions": ["RoleManagement.Read.Directory"]}}
    assert graph.patch(robot, world.ga, wanted).status_code == 204
    assert graph.ok(robot, world.ann)["openPim"] == wanted["openPim"]
    assert graph.patch(robot, world.ga, {"accountEnabled": False}).status_code == 204
    assert graph.post(f"{address}/removePassword", world.ga, {"keyId": secret["keyId"]}).status_code == 204
    error(
        graph.post(f"{address}/removePassword", world.ga, {"keyId": secret["keyId"]}),
        404,
        "Request_ResourceNotFound",
    )
    assert graph.delete(robot, world.ga).status_code == 204
    assert graph.delete(address, world.ga).status_code == 204


def test_a_powerful_applications_secret_is_not_for_application_administrators(graph: Graph) -> None:
    """Else that role would be a way to every other role."""
    world = graph.world
    world.assigned(world.ann, APPLICATION_ADMINISTRATOR)
    weak = Application(world.new_id(), world.new_id(), "Weak", world.now, tenant_id=world.tenant_id)
    strong = Application(world.new_id(), world.new_id(), "Strong", world.now, tenant_id=world.tenant_id)
    permissions = ("RoleManagement.ReadWrite.Directory",)
    world.write(lambda tx: [
        tx.applications.add(weak),
        tx.applications.add(strong),
        tx.service_principals.add(ServicePrincipal(world.new_id(), strong.app_id, "Strong", True, world.now, permissions)),
    ])  # fmt: skip
    assert graph.post(f"/applications/{weak.id}/addPassword", world.ann, {}).status_code == 200
    error(
        graph.post(f"/applications/{strong.id}/addPassword", world.ann, {}),
        403,
        "Authorization_RequestDenied",
    )
    assert graph.post(f"/applications/{strong.id}/addPassword", world.ga, {}).status_code == 200
