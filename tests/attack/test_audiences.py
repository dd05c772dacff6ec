"""A token is for one API: every endpoint of the resource manager refuses one for Graph, and every endpoint of Graph and
of the older dialect one for the resource manager, unless it is of the public tools, which have every permission anyway.
Neither API lets in who is disabled. With real tokens."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette

from openpim.core.signin.consent import ARM_RESOURCE
from openpim.faces import arm, graph, legacy
from openpim.faces.arm.endpoints import ENDPOINTS as MANAGER
from openpim.faces.graph.endpoints import ENDPOINTS as GRAPH
from openpim.faces.legacy.dispatch import ENDPOINTS as OLDER
from openpim.services.signin import bearer
from tests.signin_helper import access_token
from tests.signin_world import ADA, WEB, A, World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ARM_SCOPE = "https://management.azure.com/user_impersonation"
# Hundreds of addresses each; whether a token is let in is no matter of the database.
ONE_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
A_PLACE = "/subscriptions/11111111-1111-4111-8111-111111111111"


def client(world: World, *, manager: bool) -> Any:
    authenticate: Callable[..., Any] = partial(bearer.authenticate, world.deps, world.signin.tokens)
    if manager:
        app: Any = arm.application(world.deps, partial(authenticate, accepts=bearer.ARM))
    else:
        routes = [
            *graph.routes(world.deps, authenticate, world.signin),
            *legacy.routes(world.deps, authenticate),
        ]
        app = Starlette(routes=routes)
    return TestClient(app, base_url="https://localhost:8443")


def filled(address: str) -> str:
    path = address.replace("{scope}", A_PLACE).replace("{resource}", f"{A_PLACE}/providers/Microsoft.X/y/z")
    return "/" + path.replace("{", "").replace("}", "").lstrip("/")


def statuses(found: Any, world: World, token: str, *, manager: bool) -> set[int]:
    asked = (
        [(one.method, f"{filled(one.address)}?api-version=2022-04-01") for one in MANAGER if not one.public]
        + [("POST", "/batch?api-version=2020-06-01")]
        if manager
        else [(one.method, f"/v1.0{filled(one.address)}") for one in GRAPH]
        + [("POST", "/v1.0/$batch")]
        + [(one.method, f"/api/v2/privilegedAccess{filled(one.address)}") for one in OLDER]
    )
    headers = {"Authorization": f"Bearer {token}"}
    return {found.request(method, path, headers=headers, json={}).status_code for method, path in asked}


@ONE_DATABASE
@pytest.mark.parametrize("manager", [True, False], ids=["resource manager", "graph"])
def test_a_token_for_the_other_api(signin_world: World, manager: bool) -> None:
    found = client(signin_world, manager=manager)
    signin_world.allow("User.Read")
    signin_world.allow("user_impersonation", resource=ARM_RESOURCE)
    theirs = partial(access_token, signin_world.signin, A, ADA, client_id=WEB)
    here, there = ("User.Read", ARM_SCOPE) if not manager else (ARM_SCOPE, "User.Read")
    assert statuses(found, signin_world, theirs(scope=there), manager=manager) == {401}
    assert statuses(found, signin_world, theirs(scope=here), manager=manager) != {401}
    assert statuses(found, signin_world, "nonsense", manager=manager) == {401}


def test_the_public_tools_use_one_token_for_both(signin_world: World) -> None:
    token = signin_world.browser().tokens(scope=ARM_SCOPE)["access_token"]
    answer = client(signin_world, manager=False).get("/v1.0/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    other = signin_world.browser().tokens(scope="User.Read")["access_token"]
    path = "/subscriptions?api-version=2022-12-01"
    answer = client(signin_world, manager=True).get(path, headers={"Authorization": f"Bearer {other}"})
    assert answer.status_code == 401


@ONE_DATABASE
@pytest.mark.parametrize("manager", [True, False], ids=["resource manager", "graph"])
def test_who_is_disabled_gets_in_nowhere(signin_world: World, manager: bool) -> None:
    found = client(signin_world, manager=manager)
    scope = ARM_SCOPE if manager else "User.Read"
    token = signin_world.browser().tokens(scope=scope)["access_token"]
    assert statuses(found, signin_world, token, manager=manager) != {401}
    signin_world.write(A, lambda tx: tx.users.save(replace(tx.users.get(ADA), enabled=False)))
    assert statuses(found, signin_world, token, manager=manager) == {401}
