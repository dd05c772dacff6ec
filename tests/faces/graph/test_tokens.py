"""The face with real tokens: signed, checked live, of people and of applications."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette

from openpim.core.directory import Application, ServicePrincipal
from openpim.faces import graph as face
from openpim.faces.shared.request_ids import RequestIds
from openpim.services.signin.bearer import authenticate
from tests.faces.graph.client import ORIGIN, TestClient, error
from tests.faces.graph.test_life import REQUESTS, activation
from tests.signin_helper import access_token, app_token, fast_sign_in
from tests.world import World

APP = "cccccccc-0000-4000-8000-000000000001"


@pytest.fixture
def world(database_url: str) -> Any:
    found = World(database_url)
    yield found
    found.close()


class Signed:
    def __init__(self, world: World) -> None:
        self.world, self.signin = world, fast_sign_in(world.deps)
        who = partial(authenticate, world.deps, self.signin.tokens)
        app = RequestIds(Starlette(routes=face.routes(world.deps, who)), world.new_id)
        self.client = TestClient(app, base_url=ORIGIN)

    def send(self, token: str, method: str, path: str, **more: Any) -> Any:
        return self.client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)


def test_a_person_from_token_to_activation(world: World) -> None:
    signed = Signed(world)
    world.eligible(world.ann)
    weak = access_token(signed.signin, world.tenant_id, world.ann)
    assert signed.send(weak, "GET", "/v1.0/me").json()["id"] == world.ann
    answer = signed.send(weak, "POST", f"/v1.0{REQUESTS}", json=activation(world.ann))
    found = error(answer, 400, "RoleAssignmentRequestPolicyValidationFailed")
    assert found["message"] == 'The following policy rules failed: ["MfaRule"]'
    strong = access_token(signed.signin, world.tenant_id, world.ann, amr=("pwd", "otp", "mfa"))
    assert signed.send(strong, "POST", f"/v1.0{REQUESTS}", json=activation(world.ann)).status_code == 201


def test_step_up_with_and_without_the_capability(world: World) -> None:
    signed = Signed(world)
    world.eligible(world.ann)
    world.policy(activation_requires=frozenset(), context_enabled=True, context="c3")
    plain = access_token(signed.signin, world.tenant_id, world.ann, amr=("pwd", "mfa"))
    answer = signed.send(plain, "POST", f"/v1.0{REQUESTS}", json=activation(world.ann))
    assert "%22c3%22" in error(answer, 400, "RoleAssignmentRequestAcrsValidationFailed")["message"]
    able = access_token(signed.signin, world.tenant_id, world.ann, amr=("pwd", "mfa"), cp1=True)
    answer = signed.send(able, "POST", f"/v1.0{REQUESTS}", json=activation(world.ann))
    error(answer, 401, "InvalidAuthenticationToken")
    assert "insufficient_claims" in answer.headers["www-authenticate"]
    assert 'acr_values="c3"' in answer.headers["www-authenticate"]  # RFC 9470
    stepped = access_token(signed.signin, world.tenant_id, world.ann, amr=("pwd", "mfa"), acrs=("c3",))
    assert signed.send(stepped, "POST", f"/v1.0{REQUESTS}", json=activation(world.ann)).status_code == 201


def test_an_application_has_its_permissions_and_no_more(world: World) -> None:
    signed = Signed(world)

    def registered(tx: Any) -> None:
        tx.applications.add(Application(world.new_id(), APP, "Robot", world.now, tenant_id=world.tenant_id))
        permissions = ("RoleManagement.Read.Directory",)
        tx.service_principals.add(
            ServicePrincipal(world.new_id(), APP, "Robot", True, world.now, permissions)
        )

    world.write(registered)
    token = app_token(signed.signin, world.tenant_id, APP)
    path = "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"
    assert signed.send(token, "GET", path).status_code == 200
    error(signed.send(token, "GET", "/v1.0/users"), 403, "Authorization_RequestDenied")
    found = error(
        signed.send(token, "POST", f"/v1.0{REQUESTS}", json=activation(world.ann)), 403, "UnknownError"
    )
    assert "PermissionScopeNotGranted" in found["message"]
    assert "RoleManagement.ReadWrite.Directory" in found["innerError"]["requiredPermissions"]


def test_tokens_are_checked_against_the_live_directory(world: World) -> None:
    signed = Signed(world)
    token = access_token(signed.signin, world.tenant_id, world.ann)
    for bad in ("", "x", token[:-4] + "AAAA", "a.b.c"):
        error(signed.send(bad, "GET", "/v1.0/me"), 401, "InvalidAuthenticationToken")
    world.disable(world.ann)
    answer = signed.send(token, "GET", "/v1.0/me")
    error(answer, 401, "InvalidAuthenticationToken")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_another_tenants_administrator(world: World) -> None:
    signed = Signed(world)
    other = World(world.database)
    token = access_token(signed.signin, other.tenant_id, other.ga, amr=("pwd", "mfa"))
    error(signed.send(token, "GET", f"/v1.0/users/{world.ann}"), 404, "Request_ResourceNotFound")
    rows = signed.send(token, "GET", "/v1.0/roleManagement/directory/roleAssignments").json()["value"]
    assert rows
    assert not {row["principalId"] for row in rows} & {world.ga, world.ga2, world.pra}
