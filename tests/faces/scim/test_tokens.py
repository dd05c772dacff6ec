"""Who may provision: an application with the permission, by an access token or by a secret that is pasted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Application
from openpim.core.provisioning import PROVISION, tenant_of_token
from openpim.core.refusals import Code
from openpim.services.provisioning import people, tokens
from openpim.services.provisioning.people import Wanted
from tests.faces.scim.client import Scim
from tests.signin_helper import access_token, app_token
from tests.world import World, ok, refused


def test_a_token_is_shown_once_and_kept_as_a_digest(scim: Scim) -> None:
    pra = scim.world.caller(scim.world.pra)
    made = ok(tokens.create(scim.deps, pra, scim.client_id, "Entra tenant"))
    assert scim.get("/Users?count=0", token=made.text).status_code == 200
    kept = ok(tokens.all_of(scim.deps, pra))
    assert made.token in kept
    assert made.text not in repr(kept)
    assert made.text.rpartition("_")[2] not in repr(kept)
    told = scim.world.events("Add provisioning token")[-1]
    assert told.actor_id == scim.world.pra
    assert made.text not in repr(told)


def test_a_token_ends_when_it_is_removed_or_its_time_has_come(scim: Scim) -> None:
    pra = scim.world.caller(scim.world.pra)
    made = ok(tokens.create(scim.deps, pra, scim.client_id, "removed"))
    assert tokens.remove(scim.deps, pra, made.token.id) is None
    assert scim.get("/Users", token=made.text).status_code == 401
    refused(tokens.remove(scim.deps, pra, made.token.id), Code.NOT_FOUND)
    ends = scim.world.now + timedelta(days=1)
    made = ok(tokens.create(scim.deps, pra, scim.client_id, "ends", ends))
    scim.world.now = ends - timedelta(microseconds=1)
    assert scim.get("/Users?count=0", token=made.text).status_code == 200
    scim.world.now = ends
    assert scim.get("/Users?count=0", token=made.text).status_code == 401


def test_a_token_is_worth_what_its_application_is(scim: Scim) -> None:
    scim.grant(scim.client_id, "User.ReadWrite.All")
    assert scim.get("/Users").status_code == 401
    scim.grant(scim.client_id, PROVISION)
    assert scim.get("/Users?count=0").status_code == 200

    def disabled(tx: Any) -> None:
        principal = tx.service_principals.get(scim.client_id)
        tx.service_principals.save(replace(principal, enabled=False))

    scim.world.write(disabled)
    assert scim.get("/Users").status_code == 401


def test_only_those_who_grant_permissions_make_tokens(scim: Scim) -> None:
    for who in (scim.world.ann, Caller(scim.world.tenant_id, scim.client_id, CallerKind.SERVICE_PRINCIPAL,
                                       permissions=frozenset({PROVISION}))):  # fmt: skip
        refused(tokens.create(scim.deps, scim.world.caller(who), scim.client_id, "mine"), Code.FORBIDDEN)
        refused(tokens.all_of(scim.deps, scim.world.caller(who)), Code.FORBIDDEN)
    other, _ = scim.provisioner("Poor", "User.Read.All")
    refused(tokens.create(scim.deps, scim.world.caller(scim.world.pra), other, "x"), Code.INVALID)
    refused(tokens.create(scim.deps, scim.world.caller(scim.world.pra), scim.world.ann, "x"), Code.NOT_FOUND)


@pytest.mark.parametrize(
    "text", ["", "x", "pimscim_", "pimscim_x_y", f"pimscim_{'0' * 32}_secret", "pimscim_" + "é" * 40]
)
def test_nonsense_is_no_token(scim: Scim, text: str) -> None:
    headers = {"Authorization": f"Bearer {text}".encode()} if text else {}
    answer = scim.http.get("/scim/v2/Users", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_a_token_opens_its_own_tenant_alone(scim: Scim) -> None:
    other = World(scim.world.database)
    assert tenant_of_token(scim.token) == scim.world.tenant_id
    moved = scim.token.replace(scim.world.tenant_id.replace("-", ""), other.tenant_id.replace("-", ""))
    assert moved != scim.token
    assert scim.get("/Users", token=moved).status_code == 401


def test_people_and_other_applications_do_not_provision(scim: Scim) -> None:
    for caller in (
        scim.world.caller(scim.world.ga),
        Caller(scim.world.tenant_id, scim.client_id, CallerKind.SERVICE_PRINCIPAL,
               permissions=frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})),
    ):  # fmt: skip
        refused(people.create(scim.deps, caller, Wanted("eve", "Eve", record=None)), Code.FORBIDDEN)  # type: ignore[arg-type]
        refused(people.get(scim.deps, caller, scim.world.ann), Code.FORBIDDEN)
        refused(people.delete(scim.deps, caller, scim.world.ann), Code.FORBIDDEN)


def test_an_access_token_by_client_credentials_will_do(scim: Scim) -> None:
    """As an application gets it from our own OpenID Provider: the permission is read live. A person's will not."""
    app_id = scim.world.read(lambda tx: tx.service_principals.get(scim.client_id)).app_id
    registered = Application(
        scim.world.new_id(), app_id, "Entra", scim.world.now, tenant_id=scim.world.tenant_id
    )
    scim.world.write(lambda tx: tx.applications.add(registered))
    token = app_token(scim.signin, scim.world.tenant_id, app_id)
    assert scim.get("/Users?count=0", token=token).status_code == 200
    scim.grant(scim.client_id, "User.ReadWrite.All")
    assert scim.get("/Users?count=0", token=token).status_code == 403
    person = access_token(scim.signin, scim.world.tenant_id, scim.world.ga)
    assert scim.get("/Users?count=0", token=person).status_code == 403
