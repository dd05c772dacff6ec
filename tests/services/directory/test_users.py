from __future__ import annotations

import pytest

from openpim.core import roles as r
from openpim.core.directory import UserType
from openpim.core.grants import Kind
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.services.directory.create_user import NewUser, create_user
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.invite_guest import invite_guest
from openpim.services.directory.update_user import set_enabled, update_user
from tests.services.directory.conftest import ELSEWHERE, HOME

ADA = NewUser("Ada Lind", "ada@home.test", given_name="Ada", department="Labs")


@pytest.mark.parametrize("who", ["ga", "useradmin"])
def test_administrators_create_users(world, who):
    caller = world.as_user(getattr(world, who))
    made = create_user(world.deps, caller, ADA)
    assert made.user_type is UserType.MEMBER
    assert world.read(lambda tx: tx.users.by_upn("ADA@home.test")) == made
    event = world.last_event()
    assert (event.activity, event.result, event.actor_id) == ("Add user", "success", caller.principal_id)
    assert event.targets[0].id == made.id


@pytest.mark.parametrize("who", ["nobody", "pra", "groupsadmin", "appadmin"])
def test_others_do_not_and_it_is_on_record(world, who):
    refusal = create_user(world.deps, world.as_user(getattr(world, who)), ADA)
    assert refusal.code is Code.FORBIDDEN
    assert world.read(lambda tx: tx.users.by_upn("ada@home.test")) is None
    assert (world.last_event().activity, world.last_event().result) == ("Add user", "failure")


def test_an_eligibility_gives_nothing_until_it_is_activated(world):
    world.eligible(world.nobody, r.USER_ADMINISTRATOR)
    assert create_user(world.deps, world.as_user(world.nobody), ADA).code is Code.FORBIDDEN


def test_applications_need_a_permission(world):
    assert create_user(world.deps, world.as_app("User.Read.All"), ADA).code is Code.FORBIDDEN
    assert not isinstance(create_user(world.deps, world.as_app("User.ReadWrite.All"), ADA), Refusal)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"display_name": " "}, "display_name"),
        ({"display_name": 7}, "display_name"),
        ({"display_name": "x" * 257}, "display_name"),
        ({"display_name": "a\x00b"}, "display_name"),
        ({"user_principal_name": "ada"}, "user_principal_name"),
        ({"user_principal_name": "ada@foreign.test"}, "user_principal_name"),
        ({"user_principal_name": "a b@home.test"}, "user_principal_name"),
        ({"user_principal_name": None}, "user_principal_name"),
        ({"mail": "nothing"}, "mail"),
        ({"enabled": "yes"}, "enabled"),
        ({"job_title": "x" * 129}, "job_title"),
        ({"manager_id": 5}, "manager_id"),
        ({"manager_id": "00000000-0000-4000-8000-00000000ffff"}, "manager_id"),
    ],
)
def test_faults_are_named(world, change, member):
    values = {"display_name": "Ada", "user_principal_name": "ada@home.test"} | change
    refusal = create_user(world.deps, world.as_user(world.ga), NewUser(**values))
    assert (refusal.code, refusal.member) == (Code.INVALID, member)
    refusal = update_user(world.deps, world.as_user(world.ga), world.nobody, change)
    assert (refusal.code, refusal.member) == (Code.INVALID, member)


def test_a_sign_in_name_is_given_once(world):
    create_user(world.deps, world.system, ADA)
    again = create_user(world.deps, world.system, NewUser("Other", "ADA@HOME.test"))
    assert (again.code, again.member) == (Code.CONFLICT, "user_principal_name")
    taken = update_user(world.deps, world.system, world.nobody, {"user_principal_name": "ada@home.test"})
    assert taken.code is Code.CONFLICT


def test_a_user_is_changed_and_the_audit_says_how(world):
    changes = {"department": "Field", "manager_id": world.ga}
    changed = update_user(world.deps, world.as_user(world.useradmin), world.nobody, changes)
    assert (changed.department, changed.manager_id) == ("Field", world.ga)
    assert ("department", None, "Field") in world.last_event().targets[0].changes
    before = len(world.events())
    assert update_user(world.deps, world.system, world.nobody, changes) == changed
    assert len(world.events()) == before


def test_some_attributes_are_nobodys_to_change(world):
    for name in ("id", "user_type", "created_at", "deleted_at", "home_user_id", "nonsense"):
        refusal = update_user(world.deps, world.as_user(world.ga), world.nobody, {name: "x"})
        assert (refusal.code, refusal.member) == (Code.INVALID, name)


def test_an_unknown_user_is_not_found(world):
    for act in (
        lambda: update_user(world.deps, world.system, "x", {}),
        lambda: delete_user(world.deps, world.system, "x"),
    ):
        assert act().code is Code.NOT_FOUND


def privileged_by_assignment(world):
    world.grant(world.nobody, r.SECURITY_ADMINISTRATOR)


def privileged_by_eligibility(world):
    world.eligible(world.nobody, r.GLOBAL_ADMINISTRATOR)


def privileged_in_a_unit(world):
    world.grant(world.nobody, r.USER_ADMINISTRATOR, "/administrativeUnits/x")


def privileged_through_a_group(world):
    outer = world.group("outer", role_assignable=True)
    inner = world.group("inner", [world.nobody], role_assignable=True)
    world.write(lambda tx: tx.groups.add_member(outer, tx.principals.get(inner)))
    world.eligible(outer, r.GLOBAL_ADMINISTRATOR)


def privileged_as_owner(world):
    world.group("owned", owners=[world.nobody, world.ga], role_assignable=True)


@pytest.mark.parametrize(
    "make",
    [
        privileged_by_assignment,
        privileged_by_eligibility,
        privileged_in_a_unit,
        privileged_through_a_group,
        privileged_as_owner,
    ],
)
def test_a_user_administrator_cannot_touch_the_privileged(world, make):
    make(world)
    caller = world.as_user(world.useradmin)
    assert set_enabled(world.deps, caller, world.nobody, False).code is Code.FORBIDDEN
    assert delete_user(world.deps, caller, world.nobody).code is Code.FORBIDDEN
    upn = {"user_principal_name": "n@home.test"}
    assert update_user(world.deps, caller, world.nobody, upn).code is Code.FORBIDDEN
    app = world.as_app("User.ReadWrite.All", "Directory.ReadWrite.All")
    assert delete_user(world.deps, app, world.nobody).code is Code.FORBIDDEN
    assert not isinstance(update_user(world.deps, caller, world.nobody, {"department": "x"}), Refusal)
    world.grant(world.useradmin, r.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
    assert set_enabled(world.deps, caller, world.nobody, False).enabled is False
    assert delete_user(world.deps, caller, world.nobody) is None


def test_a_user_administrator_of_a_unit_reaches_only_its_members(world):
    from openpim.core.directory import AdministrativeUnit

    unit = world.new_id()
    world.write(lambda tx: tx.administrative_units.add(AdministrativeUnit(unit, "North", world.now)))
    local = world.user("Local")
    inside, outside = world.user("Inside"), world.user("Outside")
    world.write(lambda tx: tx.administrative_units.add_member(unit, inside))
    world.grant(local, r.USER_ADMINISTRATOR, f"/administrativeUnits/{unit}")
    caller = world.as_user(local)
    assert update_user(world.deps, caller, inside, {"job_title": "x"}).job_title == "x"
    assert set_enabled(world.deps, caller, inside, False).enabled is False
    assert update_user(world.deps, caller, outside, {"job_title": "x"}).code is Code.FORBIDDEN
    assert create_user(world.deps, caller, ADA).code is Code.FORBIDDEN


def test_the_last_administrators_stay(world):
    caller = world.as_user(world.ga)
    assert set_enabled(world.deps, caller, world.pra, False).code is Code.LAST_ADMINISTRATOR
    assert delete_user(world.deps, caller, world.pra).code is Code.LAST_ADMINISTRATOR
    assert set_enabled(world.deps, caller, world.ga2, False).enabled is False
    assert set_enabled(world.deps, caller, world.ga, False).code is Code.LAST_ADMINISTRATOR
    assert world.read(lambda tx: tx.users.get(world.ga)).enabled
    assert world.last_event().result == "failure"
    assert delete_user(world.deps, caller, world.ga2) is None
    assert delete_user(world.deps, caller, world.ga).code is Code.LAST_ADMINISTRATOR
    assert world.read(lambda tx: tx.users.get(world.ga)) is not None


def test_what_a_deleted_user_had_ends(world):
    eligibility = world.eligible(world.nobody, r.GLOBAL_READER)
    assert delete_user(world.deps, world.as_user(world.ga), world.nobody) is None
    schedule = world.read(lambda tx: tx.schedules.get(eligibility))
    assert schedule.status is ScheduleStatus.REVOKED
    assert not schedule.in_force(world.now)
    assert create_user(world.deps, world.system, NewUser("Nora again", "nora@home.test")).enabled
    assert (
        world.read(lambda tx: tx.schedules.of([world.nobody], kind=Kind.ELIGIBILITY, live_at=world.now)) == []
    )


def test_the_last_owner_of_a_powerful_group_is_kept(world):
    group = world.group("Powerful", owners=[world.nobody], role_assignable=True)
    caller = world.as_user(world.ga)
    assert delete_user(world.deps, caller, world.nobody).code is Code.LAST_ADMINISTRATOR
    assert set_enabled(world.deps, caller, world.nobody, False).code is Code.LAST_ADMINISTRATOR
    world.write(lambda tx: tx.groups.add_owner(group, world.ga))
    assert set_enabled(world.deps, caller, world.nobody, False).enabled is False
    assert delete_user(world.deps, caller, world.nobody) is None


def test_a_guest_of_another_tenant_signs_in_with_the_account_there(world):
    home_id = world.user("Greta", ELSEWHERE)
    guest = invite_guest(world.deps, world.as_user(world.useradmin), "Greta@elsewhere.test")
    assert (guest.home_tenant_id, guest.home_user_id) == (ELSEWHERE, home_id)
    assert guest.user_type is UserType.GUEST
    assert guest.user_principal_name == "Greta_elsewhere.test#EXT#@home.test"
    assert world.read(lambda tx: tx.users.accounts_of(ELSEWHERE, home_id), "") == ((HOME, guest),)
    assert invite_guest(world.deps, world.system, "greta@elsewhere.test").id == guest.id


def test_a_guest_may_come_from_nowhere_we_know_but_not_from_here(world):
    guest = invite_guest(world.deps, world.system, "someone@mail.example", "Some One")
    assert (guest.home_user_id, guest.display_name, guest.mail) == (None, "Some One", "someone@mail.example")
    assert invite_guest(world.deps, world.system, "nora@home.test").code is Code.INVALID
    assert invite_guest(world.deps, world.system, "no address").code is Code.INVALID
    assert invite_guest(world.deps, world.as_user(world.nobody), "x@mail.example").code is Code.FORBIDDEN
