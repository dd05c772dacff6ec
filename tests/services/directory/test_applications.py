from __future__ import annotations

import pytest

from openpim.core import roles as r
from openpim.core.first_party import AZURE_CLI
from openpim.core.refusals import Code, Refusal
from openpim.services.directory.application_owners import add_owner, remove_owner
from openpim.services.directory.applications import (
    NewApplication,
    create_application,
    delete_application,
    update_application,
)
from openpim.services.directory.service_principals import (
    create_service_principal,
    delete_service_principal,
    update_service_principal,
)


def test_applications_live_with_their_service_principal(world):
    caller = world.as_user(world.appadmin)
    made = create_application(
        world.deps, caller, NewApplication("Deployer", redirect_uris=("https://d.test/cb",))
    )
    assert made.tenant_id == caller.tenant_id
    face = create_service_principal(world.deps, caller, made.app_id)
    assert (face.display_name, face.permissions) == ("Deployer", ())
    assert create_service_principal(world.deps, caller, made.app_id).code is Code.CONFLICT
    changed = update_application(
        world.deps, caller, made.id, {"public": True, "identifier_uris": ("api://d",)}
    )
    assert changed.public
    assert update_service_principal(world.deps, caller, face.id, {"enabled": False}).enabled is False
    assert delete_application(world.deps, caller, made.id) is None
    assert world.read(lambda tx: tx.service_principals.get(face.id)) is None
    assert world.read(lambda tx: tx.applications.by_app_id(made.app_id)) is None
    assert delete_application(world.deps, caller, made.id).code is Code.NOT_FOUND


def test_a_first_party_client_can_be_let_in(world):
    face = create_service_principal(world.deps, world.as_user(world.ga), AZURE_CLI)
    assert face.display_name == "Azure CLI"
    assert create_service_principal(world.deps, world.as_user(world.ga), "none").member == "app_id"


@pytest.mark.parametrize("who", ["nobody", "useradmin", "groupsadmin", "pra"])
def test_others_may_not(world, who):
    caller = world.as_user(getattr(world, who))
    assert create_application(world.deps, caller, NewApplication("x")).code is Code.FORBIDDEN
    assert create_service_principal(world.deps, caller, AZURE_CLI).code is Code.FORBIDDEN


def test_permissions_are_given_by_those_who_give_roles(world):
    face = create_service_principal(world.deps, world.system, AZURE_CLI)
    wanted = {"permissions": ("RoleManagement.ReadWrite.Directory",)}
    refused = update_service_principal(world.deps, world.as_user(world.appadmin), face.id, wanted)
    assert refused.code is Code.FORBIDDEN
    given = update_service_principal(world.deps, world.as_user(world.pra), face.id, wanted)
    assert given.permissions == wanted["permissions"]
    both = wanted | {"display_name": "x"}
    assert (
        update_service_principal(world.deps, world.as_user(world.pra), face.id, both).code is Code.FORBIDDEN
    )


def test_a_privileged_application_takes_a_role_manager_to_remove(world):
    face = create_service_principal(world.deps, world.system, AZURE_CLI)
    world.grant(face.id, r.GLOBAL_ADMINISTRATOR)
    assert delete_service_principal(world.deps, world.as_user(world.appadmin), face.id).code is Code.FORBIDDEN
    assert delete_service_principal(world.deps, world.as_user(world.ga), face.id) is None
    assert world.read(lambda tx: tx.schedules.of([face.id], live_at=world.now)) == []


@pytest.mark.parametrize(
    ("uri", "public", "good"),
    [
        ("https://a.test/cb", False, True),
        ("http://localhost:5000/cb", False, True),
        ("http://127.0.0.1", True, True),
        ("http://[::1]:80/", True, True),
        ("http://a.test/cb", False, False),
        ("https://a.test/cb#x", False, False),
        ("https://user@a.test/", False, False),
        ("https:///nothing", False, False),
        ("https://*.a.test/", False, False),
        ("javascript:alert(1)", True, False),
        ("com.example.app:/cb", True, True),
        ("com.example.app:/cb", False, False),
        ("https://[bad/", False, False),
        (7, False, False),
        ("", False, False),
    ],
)
def test_addresses_to_return_to(world, uri, public, good):
    made = create_application(
        world.deps, world.system, NewApplication("x", public=public, redirect_uris=(uri,))
    )
    assert isinstance(made, Refusal) is not good
    if not good:
        assert made.member == "redirect_uris"


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"display_name": ""}, "display_name"),
        ({"enabled": 1}, "enabled"),
        ({"permissions": (1,)}, "permissions"),
        ({"app_id": "x"}, "app_id"),
    ],
)
def test_faults_of_a_service_principal_are_named(world, changes, member):
    face = create_service_principal(world.deps, world.system, AZURE_CLI)
    refusal = update_service_principal(world.deps, world.as_user(world.ga), face.id, changes)
    assert (refusal.code, refusal.member) == (Code.INVALID, member)


def test_an_owner_needs_no_role_for_what_gives_no_power(world):
    made = create_application(world.deps, world.system, NewApplication("Orders"))
    owner = world.as_user(world.nobody)
    assert update_application(world.deps, owner, made.id, {"display_name": "x"}).code is Code.FORBIDDEN
    assert add_owner(world.deps, owner, made.id, world.nobody).code is Code.FORBIDDEN
    assert add_owner(world.deps, world.as_user(world.appadmin), made.id, world.nobody) is None
    assert add_owner(world.deps, world.as_user(world.appadmin), made.id, world.nobody).code is Code.CONFLICT
    assert update_application(world.deps, owner, made.id, {"display_name": "x"}).display_name == "x"
    face = create_service_principal(world.deps, owner, made.app_id)
    assert face.permissions == ()
    wanted = {"permissions": ("RoleManagement.ReadWrite.Directory",)}
    assert update_service_principal(world.deps, owner, face.id, wanted).code is Code.FORBIDDEN
    assert update_service_principal(world.deps, owner, face.id, {"enabled": False}).code is Code.FORBIDDEN
    assert create_service_principal(world.deps, owner, AZURE_CLI).code is Code.FORBIDDEN
    update_service_principal(world.deps, world.as_user(world.pra), face.id, wanted)
    changes = {"redirect_uris": ("https://evil.test/cb",)}
    assert update_application(world.deps, owner, made.id, changes).code is Code.FORBIDDEN
    for caller in (owner, world.as_user(world.appadmin)):
        assert add_owner(world.deps, caller, made.id, world.useradmin).code is Code.FORBIDDEN
    assert remove_owner(world.deps, owner, made.id, world.nobody) is None
    assert update_application(world.deps, owner, made.id, {"display_name": "y"}).code is Code.FORBIDDEN


def test_owners_go_with_their_application(world):
    made = create_application(world.deps, world.system, NewApplication("Orders"))
    add_owner(world.deps, world.system, made.id, world.nobody)
    assert delete_application(world.deps, world.as_user(world.nobody), made.id) is None
    assert not world.read(lambda tx: tx.applications.is_owner(made.id, world.nobody))
    assert add_owner(world.deps, world.system, made.id, world.nobody).code is Code.NOT_FOUND
