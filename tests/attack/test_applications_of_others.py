"""Roles of applications and what they are told: nobody helps himself, and no tenant reaches into another."""

from __future__ import annotations

import pytest

from openpim.core.refusals import Code
from openpim.core.relying import DEFAULT_ROLE, AppRole, ClaimSettings, Named
from openpim.services.directory import app_roles
from openpim.services.directory.application_owners import add_owner
from openpim.services.directory.applications import (
    NewApplication,
    create_application,
    update_application,
)
from openpim.services.directory.service_principals import create_service_principal
from tests.world import World, ok, refused


def _payroll(world: World) -> tuple[str, str, str]:
    """(registration, service principal, role)."""
    role = AppRole(world.new_id(), "Payroll.Write", "Payroll writer")
    made = ok(create_application(world.deps, world.system, NewApplication("Payroll", app_roles=(role,))))
    return made.id, ok(create_service_principal(world.deps, world.system, made.app_id)).id, role.id


def test_nobody_gives_himself_a_role(world: World) -> None:
    _, face, role = _payroll(world)
    for who in (world.ann, world.pra):
        refused(app_roles.assign(world.deps, world.caller(who), who, face, role), Code.FORBIDDEN)
    denied = [one for one in world.events("Add app role assignment grant to user") if one.result == "failure"]
    assert len(denied) == 2


def test_owners_give_roles_of_theirs_and_of_no_other(world: World) -> None:
    registration, face, role = _payroll(world)
    _, other, others_role = _payroll(world)
    ok(add_owner(world.deps, world.system, registration, world.ann))
    caller = world.caller(world.ann)
    given = ok(app_roles.assign(world.deps, caller, world.bob, face, role))
    refused(app_roles.assign(world.deps, caller, world.bob, other, others_role), Code.FORBIDDEN)
    refused(app_roles.assign(world.deps, caller, world.bob, face, others_role), Code.INVALID)
    assert ok(app_roles.get(world.deps, caller, given.assignment.id)).role == "Payroll.Write"
    refused(app_roles.get(world.deps, world.caller(world.cyd), given.assignment.id), Code.NOT_FOUND)


def test_another_tenants_people_and_applications(world: World) -> None:
    other = World(world.database)
    _, face, role = _payroll(world)
    given = ok(app_roles.assign(world.deps, world.system, world.bob, face, role))
    stranger = other.caller(other.ga)
    refused(app_roles.assign(other.deps, stranger, other.ann, face, role), Code.NOT_FOUND)
    refused(app_roles.unassign(other.deps, stranger, given.assignment.id), Code.NOT_FOUND)
    refused(app_roles.get(other.deps, stranger, given.assignment.id), Code.NOT_FOUND)
    refused(app_roles.assign(world.deps, world.system, other.ann, face, role), Code.INVALID)


def test_who_goes_away_leaves_nothing_to_whoever_comes(world: World) -> None:
    _, face, role = _payroll(world)
    crew = world.group("Crew", role_assignable=False)
    for who in (world.bob, crew):
        ok(app_roles.assign(world.deps, world.system, who, face, role))
    world.delete(world.bob)
    from openpim.services.directory.delete_group import delete_group

    assert delete_group(world.deps, world.system, crew) is None
    assert world.read(lambda tx: tx.app_role_assignments.of([world.bob, crew], face)) == []


def test_an_enabled_role_is_not_removed(world: World) -> None:
    registration, face, role = _payroll(world)
    ok(app_roles.assign(world.deps, world.system, world.bob, face, role))
    no = refused(update_application(world.deps, world.system, registration, {"app_roles": ()}), Code.INVALID)
    assert "switch it off first" in no.message
    off = AppRole(role, "Payroll.Write", "Payroll writer", enabled=False)
    ok(update_application(world.deps, world.system, registration, {"app_roles": (off,)}))
    ok(update_application(world.deps, world.system, registration, {"app_roles": ()}))
    assert world.read(lambda tx: tx.app_role_assignments.of([world.bob], face)) == []
    refused(app_roles.assign(world.deps, world.system, world.bob, face, role), Code.INVALID)


@pytest.mark.parametrize(
    "value",
    ["", " ", "a b", 'a"b', "a\\b", ".a", "a\nb", "a\x00b", "ж", "x" * 121, "<script>\u202e"],
)
def test_values_that_would_break_a_claim(world: World, value: str) -> None:
    role = AppRole(world.new_id(), value, "Role")
    refused(
        create_application(world.deps, world.system, NewApplication("App", app_roles=(role,))), Code.INVALID
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"group_claims": "Everything"},
        {"group_claims": "None,All"},
        {"id_token": (Named("sub"),)},
        {"userinfo": (Named("email"),)},
        {"id_token": (Named("groups"), Named("groups"))},
        {"access_token": (Named("groups", ("emit_as_roles",)),)},
        {"id_token": tuple(Named(f"x{number}") for number in range(60))},
    ],
)
def test_settings_that_mean_nothing(world: World, claims: dict[str, object]) -> None:
    registration, _, _ = _payroll(world)
    no = refused(update_application(world.deps, world.system, registration, {"claims": claims}), Code.INVALID)
    assert no.member in {"claims", "group_claims"}
    assert world.read(lambda tx: tx.applications.get(registration)).claims == ClaimSettings()


@pytest.mark.parametrize(
    "url", ["https://user:pw@app.example/out", "ftp://app.example/", "http://app.example/out"]
)
def test_a_sign_out_address_is_judged_when_it_is_written(world: World, url: str) -> None:
    registration, _, _ = _payroll(world)
    refused(update_application(world.deps, world.system, registration, {"logout_uri": url}), Code.INVALID)


def test_access_without_a_role_is_no_role(world: World) -> None:
    _, face, _ = _payroll(world)
    given = ok(app_roles.assign(world.deps, world.system, world.bob, face, DEFAULT_ROLE))
    assert given.role == ""
    refused(app_roles.assign(world.deps, world.system, world.bob, face, DEFAULT_ROLE), Code.CONFLICT)
