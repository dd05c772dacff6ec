"""What reverse proxies ask: whose word counts, what cannot be slipped in, and that anything odd lets nobody through."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Application, ServicePrincipal
from openpim.services.credentials import add_client_secret
from tests.faces.authzen.conftest import ALL, Site
from tests.signin_helper import fast_sign_in
from tests.world import TEAMS, World, ok

CHECK = "/access/v1/check"
SECRET = "a-secret-of-at-least-24-characters"


def basic(client: str, secret: str = SECRET) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


@pytest.fixture
def client_id(world: World) -> str:
    """An application with a secret that may ask about everybody."""
    return make_client(world)


def make_client(world: World, *permissions: str) -> str:
    app_id, signin = world.new_id(), fast_sign_in(world.deps)

    def work(tx: Any) -> None:
        tx.applications.add(
            Application(world.new_id(), app_id, "proxy", world.now, tenant_id=world.tenant_id)
        )
        tx.service_principals.add(ServicePrincipal(world.new_id(), app_id, "proxy", enabled=True, created_at=world.now, permissions=permissions or (ALL,)))  # fmt: skip
        ok(add_client_secret(tx, signin, app_id, secret=SECRET))

    world.write(work)
    return app_id


def status(site: Site, path: str = CHECK, authorization: str | None = "Bearer app", method: str = "GET", **headers: str) -> int:  # fmt: skip
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if authorization is not None:
        sent.append(("authorization", authorization))
    return int(site.client.request(method, path, headers=sent).status_code)


def test_by_a_person_s_own_token(site: Site, world: World) -> None:
    mine = f"Bearer {site.person(world.ann)}"
    there = f"{CHECK}?role={TEAMS}&scope=/"
    assert status(site, there, mine) == 403
    ok(world.assigned(world.ann, hours=2))
    assert status(site, there, mine) == 200
    answer = site.client.get(there, headers={"authorization": mine})
    assert answer.headers["x-openpim-user-id"] == world.ann
    assert answer.headers["x-openpim-until"] == "2026-11-02T11:10:00Z"
    assert answer.headers["cache-control"] == "no-store"
    for method in ("HEAD", "POST", "PUT", "DELETE"):
        assert status(site, there, mine, method) == 200, "Envoy asks with the person's own method"
    assert status(site, there, None) == 401
    assert status(site, there, "Bearer nonsense") == 401
    assert status(site, f"{there}&subject={world.ann}", mine) == 200
    assert status(site, f"{there}&subject={world.bob}", mine) == 403
    world.forward(hours=2)
    assert status(site, there, mine) == 403


def test_by_an_application_that_says_who(site: Site, world: World, client_id: str) -> None:
    ok(world.assigned(world.ann))
    name = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    asked = {"x_openpim_role": TEAMS, "x_openpim_scope": "/"}
    for proof in ("Bearer app", basic(client_id)):
        assert status(site, authorization=proof, **asked, x_openpim_subject=name) == 200
        assert status(site, authorization=proof, **asked, x_openpim_subject=world.ann) == 200
        assert status(site, authorization=proof, **asked, x_openpim_subject=world.bob) == 403
        assert status(site, authorization=proof, **asked, x_openpim_subject="nobody") == 403
        assert status(site, authorization=proof, **asked) == 400, "nobody in particular"
        assert status(site, authorization=proof, **asked, x_openpim_subject="") == 400
    for wrong in (
        basic(client_id, "x"),
        basic(world.new_id()),
        "Basic",
        "Basic ???",
        basic("", ""),
        basic("\u00e4"),
    ):
        assert status(site, authorization=wrong, **asked, x_openpim_subject=name) == 401
    other = make_client(world, "User.Read.All")
    assert status(site, authorization=basic(other), **asked, x_openpim_subject=name) == 403
    face = world.read(lambda tx: tx.service_principals.by_app_id(client_id))
    world.write(lambda tx: tx.service_principals.save(replace(face, enabled=False)))
    world.forward(seconds=1.5)
    assert status(site, authorization=basic(client_id), **asked, x_openpim_subject=name) == 401


def test_nothing_can_be_slipped_in(site: Site, world: World) -> None:
    """The proxy's configuration says what is asked for; the person behind it sends whatever he likes beside it."""
    group = world.group("team", [world.ann])
    mine = f"Bearer {site.person(world.ann)}"
    assert status(site, f"{CHECK}?group={group}", mine) == 200
    # The proxy writes the query; the person adds headers.
    for header in ("x_openpim_group", "x_openpim_role", "x_openpim_scope", "x_openpim_subject"):
        assert status(site, f"{CHECK}?role={TEAMS}&scope=/", mine, **{header: group}) == 400
    # The proxy sets headers; the person writes the path and the query.
    asked = {"x_openpim_role": TEAMS, "x_openpim_scope": "/"}
    for query in (f"?group={group}", f"?role={TEAMS}", "?scope=/x", "?subject=x", "?a=b&group=x", "?GROUP=x"):
        assert status(site, f"{CHECK}/any/path{query}", mine, **asked) == 400
    assert status(site, f"{CHECK}/any/path?a=b", mine, **asked) == 403
    assert status(site, f"{CHECK}/any", mine, **asked, x_openpim_group=group) == 400
    assert status(site, f"{CHECK}", mine, x_openpim_role=TEAMS) == 400, "the person could add a scope of his"
    twice = [("x-openpim-group", group), ("x-openpim-group", "x"), ("authorization", mine)]
    assert site.client.get(CHECK, headers=twice).status_code == 400
    two = [("authorization", mine), ("authorization", "Bearer app")]
    assert site.client.get(f"{CHECK}?group={group}", headers=two).status_code == 400


ODD = (
    "", "?", "?role=", "?role=x&role=y", "?group=a&role=b", "?group=a&scope=/", "?role=%ff", "?role=%00", "?scope=/",
    "?role=nonsense", "?role=x&scope=nonsense", f"?role={TEAMS}&scope=" + "/a" * 4000,
)  # fmt: skip


def test_what_cannot_be_decided_is_an_error(site: Site, world: World) -> None:
    mine = f"Bearer {site.person(world.ann)}"
    for query in ODD:
        assert status(site, CHECK + query, mine) in {400, 403}, query
        assert status(site, CHECK + query, None) in {400, 401}, query


def test_another_tenant_s_application(site: Site, world: World) -> None:
    ok(world.assigned(world.ann))
    there = World(world.database, number=80)
    away = make_client(there)
    asked = {"x_openpim_role": TEAMS, "x_openpim_scope": "/", "x_openpim_subject": world.ann}
    assert status(site, authorization=basic(away), **asked) == 403
    lent = Caller(there.tenant_id, there.new_id(), CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({ALL}))
    assert status(site, authorization=f"Bearer {site.token('away', lent)}", **asked) == 403
