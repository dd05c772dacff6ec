from __future__ import annotations

import pytest

from openpim.core import roles as r
from openpim.core.caller import system
from openpim.core.refusals import Code, Refusal
from openpim.services.directory.administrative_units import (
    add_unit_member,
    create_unit,
    delete_unit,
    remove_unit_member,
    update_unit,
)
from openpim.services.directory.create_tenant import create_tenant
from openpim.services.directory.custom_roles import NewRole, create_role, delete_role, update_role

READ = "microsoft.directory/applications/standard/read"
PASSWORDS = "microsoft.directory/users/password/update"


def test_units_and_their_members(world):
    caller = world.as_user(world.pra)
    unit = create_unit(world.deps, caller, "North", "cold")
    assert update_unit(world.deps, caller, unit.id, {"display_name": "South"}).display_name == "South"
    assert add_unit_member(world.deps, caller, unit.id, world.nobody) is None
    assert add_unit_member(world.deps, caller, unit.id, world.nobody).code is Code.CONFLICT
    assert add_unit_member(world.deps, caller, unit.id, "none").code is Code.SUBJECT_MISSING
    assert remove_unit_member(world.deps, caller, unit.id, world.nobody) is None
    assert remove_unit_member(world.deps, caller, unit.id, world.nobody).code is Code.NOT_FOUND
    grant = world.eligible(world.nobody, r.USER_ADMINISTRATOR, f"/administrativeUnits/{unit.id}")
    assert delete_unit(world.deps, caller, unit.id).code is Code.CONFLICT
    world.write(lambda tx: tx.connection.exec_driver_sql(f"DELETE FROM schedules WHERE id = '{grant}'"))
    assert delete_unit(world.deps, caller, unit.id) is None
    assert delete_unit(world.deps, caller, unit.id).code is Code.NOT_FOUND
    assert create_unit(world.deps, caller, "").member == "display_name"


@pytest.mark.parametrize("who", ["nobody", "useradmin", "groupsadmin", "appadmin"])
def test_others_manage_neither_units_nor_roles(world, who):
    caller = world.as_user(getattr(world, who))
    unit = create_unit(world.deps, world.system, "North")
    assert create_unit(world.deps, caller, "x").code is Code.FORBIDDEN
    assert update_unit(world.deps, caller, unit.id, {}).code is Code.FORBIDDEN
    assert delete_unit(world.deps, caller, unit.id).code is Code.FORBIDDEN
    assert add_unit_member(world.deps, caller, unit.id, world.ga).code is Code.FORBIDDEN
    assert remove_unit_member(world.deps, caller, unit.id, world.ga).code is Code.FORBIDDEN
    assert create_role(world.deps, caller, NewRole("x", (READ,))).code is Code.FORBIDDEN


def test_custom_roles(world):
    caller = world.as_user(world.pra)
    made = create_role(world.deps, caller, NewRole("App Reader", (READ,)))
    assert (made.privileged, made.built_in, made.template_id) == (False, False, made.id)
    assert create_role(world.deps, caller, NewRole("app reader", (READ,))).code is Code.CONFLICT
    assert create_role(world.deps, caller, NewRole("Global administrator", (READ,))).code is Code.CONFLICT
    changed = update_role(world.deps, caller, made.id, {"actions": (PASSWORDS,), "description": "x"})
    assert changed.privileged
    assert world.read(lambda tx: tx.roles.get(made.id)) == changed
    grant = world.eligible(world.nobody, made.id)
    assert delete_role(world.deps, caller, made.id).code is Code.CONFLICT
    world.write(lambda tx: tx.connection.exec_driver_sql(f"DELETE FROM schedules WHERE id = '{grant}'"))
    assert delete_role(world.deps, caller, made.id) is None
    assert delete_role(world.deps, caller, made.id).code is Code.NOT_FOUND


def test_built_in_roles_are_as_they_are(world):
    caller = world.as_user(world.ga)
    assert update_role(world.deps, caller, r.GLOBAL_READER, {"enabled": False}).code is Code.INVALID
    assert delete_role(world.deps, caller, r.GLOBAL_READER).code is Code.INVALID


@pytest.mark.parametrize(
    ("new", "member"),
    [
        (NewRole("", (READ,)), "display_name"),
        (NewRole("x", ()), "actions"),
        (NewRole("x", ("microsoft.directory/nothing",)), "actions"),
        (NewRole("x", (READ,), template_id="x"), "template_id"),
        (NewRole("x", (READ,), resource_scopes=("/a",)), "resource_scopes"),
    ],
)
def test_faults_of_roles_are_named(world, new, member):
    refusal = create_role(world.deps, world.as_user(world.ga), new)
    assert (refusal.code, refusal.member) == (Code.INVALID, member)


def test_tenants_are_made_by_the_system_alone(world):
    made = create_tenant(world.deps, system(""), "Third", "third.test", domains=("alias.third.test",))
    assert made.domains == ("third.test", "alias.third.test")
    assert world.read(lambda tx: tx.tenants.by_domain("ALIAS.third.test"), "").id == made.id
    assert create_tenant(world.deps, system(""), "Fourth", "THIRD.test").code is Code.CONFLICT
    assert create_tenant(world.deps, system(""), "F", "f.test", tenant_id=made.id).code is Code.CONFLICT
    assert create_tenant(world.deps, system(""), "Fifth", "no domain").member == "domain"
    assert create_tenant(world.deps, system(""), "", "f.test").member == "name"
    refusal = create_tenant(world.deps, world.as_user(world.ga), "Sixth", "sixth.test")
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.FORBIDDEN
