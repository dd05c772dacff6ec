from __future__ import annotations

import pytest

from openpim.core import roles as r
from openpim.core.grants import AssignmentType, Kind, Provider
from openpim.core.query import Query
from openpim.core.refusals import Code, Refusal
from openpim.services.directory.create_group import NewGroup, create_group
from openpim.services.directory.delete_group import delete_group
from openpim.services.directory.group_members import add_member, remove_member
from openpim.services.directory.group_owners import add_owner, remove_owner
from openpim.services.directory.update_group import update_group


def members(world, group):
    return {each.id for each in world.read(lambda tx: tx.groups.members(group, world.now, Query())).items}


def owners(world, group):
    return {each.id for each in world.read(lambda tx: tx.groups.owners(group, world.now, Query())).items}


@pytest.mark.parametrize(
    ("who", "plain", "assignable"),
    [
        ("ga", True, True),
        ("pra", False, True),
        ("useradmin", True, False),
        ("groupsadmin", True, False),
        ("appadmin", False, False),
        ("nobody", False, False),
    ],
)
def test_who_may_do_what_with_groups(world, who, plain, assignable):
    caller = world.as_user(getattr(world, who))
    for role_assignable, may in ((False, plain), (True, assignable)):
        made = create_group(world.deps, caller, NewGroup("Made", role_assignable=role_assignable))
        assert isinstance(made, Refusal) is not may
        group = world.group("There", [world.ga2], [world.ga], role_assignable=role_assignable)
        for act in (
            lambda: update_group(world.deps, caller, group, {"description": "x"}),  # noqa: B023
            lambda: add_member(world.deps, caller, group, world.appadmin),  # noqa: B023
            lambda: remove_member(world.deps, caller, group, world.appadmin),  # noqa: B023
            lambda: add_owner(world.deps, caller, group, world.appadmin),  # noqa: B023
            lambda: remove_owner(world.deps, caller, group, world.appadmin),  # noqa: B023
            lambda: delete_group(world.deps, caller, group),  # noqa: B023
        ):
            done = act()
            allowed = may or (who == "ga")
            assert (isinstance(done, Refusal) and done.code is Code.FORBIDDEN) is not allowed


def test_owners_manage_their_own_group(world):
    group = world.group("Mine", owners=[world.nobody], role_assignable=True)
    caller = world.as_user(world.nobody)
    assert add_member(world.deps, caller, group, world.ga) is None
    assert add_owner(world.deps, caller, group, world.ga2) is None
    assert remove_member(world.deps, caller, group, world.ga) is None
    assert (
        update_group(world.deps, caller, group, {"display_name": "Still mine"}).display_name == "Still mine"
    )
    assert remove_owner(world.deps, caller, group, world.nobody) is None
    assert add_member(world.deps, caller, group, world.ga).code is Code.FORBIDDEN


def test_the_maker_of_a_role_assignable_group_owns_it(world):
    made = create_group(world.deps, world.as_user(world.pra), NewGroup("Admins", role_assignable=True))
    assert owners(world, made.id) == {world.pra}
    other = create_group(
        world.deps,
        world.as_user(world.pra),
        NewGroup("Others", role_assignable=True, owners=[world.nobody], members=[world.ga, world.ga]),
    )
    assert (owners(world, other.id), members(world, other.id)) == ({world.nobody}, {world.ga})


@pytest.mark.parametrize(
    ("new", "member"),
    [
        (NewGroup(""), "display_name"),
        (NewGroup("x", role_assignable=True, membership_rule="user.department -eq 1"), "membership_rule"),
        (NewGroup("x", role_assignable=True, security_enabled=False), "security_enabled"),
        (NewGroup("x", role_assignable="yes"), "role_assignable"),
        (NewGroup("x", description="x" * 1025), "description"),
    ],
)
def test_faults_are_named(world, new, member):
    refusal = create_group(world.deps, world.as_user(world.ga), new)
    assert (refusal.code, refusal.member) == (Code.INVALID, member)


def test_a_group_that_could_not_be_filled_was_never_made(world):
    new = NewGroup("Half", members=[world.nobody, "00000000-0000-4000-8000-00000000ffff"])
    assert create_group(world.deps, world.system, new).code is Code.SUBJECT_MISSING
    assert world.read(lambda tx: tx.groups.search("Half")) == ()
    new = NewGroup("Half", owners=[world.group("g")])
    assert create_group(world.deps, world.system, new).code is Code.SUBJECT_NOT_ALLOWED
    assert world.read(lambda tx: tx.groups.search("Half")) == ()


def test_being_role_assignable_is_for_ever(world):
    group = world.group("Plain")
    refusal = update_group(world.deps, world.as_user(world.ga), group, {"role_assignable": True})
    assert (refusal.code, refusal.member) == (Code.INVALID, "role_assignable")
    same = update_group(world.deps, world.as_user(world.ga), group, {"role_assignable": False})
    assert same.role_assignable is False
    refusal = update_group(world.deps, world.as_user(world.ga), group, {"membership_rule": "x"})
    assert refusal.member == "membership_rule"


@pytest.mark.parametrize("more", [{"membership_rule": "user.department -eq 'x'"}, {"synced": True}])
def test_nobody_writes_the_members_of_dynamic_and_synchronised_groups(world, more):
    group = world.group("Auto", [world.nobody], **more)
    caller = world.as_user(world.ga)
    assert add_member(world.deps, caller, group, world.ga).code is Code.SUBJECT_NOT_ALLOWED
    assert remove_member(world.deps, caller, group, world.nobody).code is Code.SUBJECT_NOT_ALLOWED
    assert members(world, group) == {world.nobody}


def test_groups_nest_but_not_in_circles(world):
    outer, inner, innermost = (world.group(name) for name in ("outer", "inner", "innermost"))
    assert add_member(world.deps, world.system, outer, inner) is None
    assert add_member(world.deps, world.system, inner, innermost) is None
    for into, what in ((outer, outer), (inner, outer), (innermost, outer)):
        refusal = add_member(world.deps, world.system, into, what)
        assert (refusal.code, refusal.member) == (Code.INVALID, "member_id")


def test_only_role_assignable_groups_go_into_role_assignable_groups(world):
    outer = world.group("outer", role_assignable=True)
    refusal = add_member(world.deps, world.as_user(world.ga), outer, world.group("plain"))
    assert refusal.code is Code.SUBJECT_NOT_ALLOWED
    inner = world.group("inner", role_assignable=True)
    assert add_member(world.deps, world.as_user(world.ga), outer, inner) is None


def test_members_and_owners_are_there_once(world):
    group = world.group("g", [world.nobody], [world.ga])
    assert add_member(world.deps, world.system, group, world.nobody).code is Code.CONFLICT
    assert add_owner(world.deps, world.system, group, world.ga).code is Code.CONFLICT
    assert remove_member(world.deps, world.system, group, world.ga).code is Code.NOT_FOUND
    assert remove_owner(world.deps, world.system, group, world.nobody).code is Code.NOT_FOUND
    assert remove_owner(world.deps, world.system, group, world.ga).code is Code.LAST_ADMINISTRATOR
    assert owners(world, group) == {world.ga}
    disabled = world.user("Off", enabled=False)
    add_owner(world.deps, world.system, group, disabled)
    assert remove_owner(world.deps, world.system, group, world.ga).code is Code.LAST_ADMINISTRATOR


def test_the_last_administrator_cannot_be_taken_out_of_his_group(world):
    admins = world.group("Admins", [world.nobody], role_assignable=True)
    world.grant(admins, r.GLOBAL_ADMINISTRATOR)
    for person in (world.ga, world.ga2):
        world.write(lambda tx, person=person: tx.users.remove(person, world.now))
    caller = world.system
    assert remove_member(world.deps, caller, admins, world.nobody).code is Code.LAST_ADMINISTRATOR
    assert delete_group(world.deps, caller, admins).code is Code.LAST_ADMINISTRATOR
    assert members(world, admins) == {world.nobody}
    add_member(world.deps, caller, admins, world.appadmin)
    assert remove_member(world.deps, caller, admins, world.nobody) is None


def activated(world, group, person, role=r.GLOBAL_READER):
    eligibility = world.eligible(group, role)
    return world.grant(person, role, assignment_type=AssignmentType.ACTIVATED, hours=8, linked=eligibility)


def in_force(world, schedule):
    return world.read(lambda tx: tx.schedules.get(schedule)).in_force(world.now)


def test_who_leaves_a_group_loses_what_he_activated_through_it(world):
    group = world.group("g", [world.nobody, world.appadmin], role_assignable=True)
    mine, other = activated(world, group, world.nobody), activated(world, group, world.appadmin)
    assert remove_member(world.deps, world.system, group, world.nobody) is None
    assert not in_force(world, mine)
    assert in_force(world, other)


def test_another_eligibility_carries_the_activation_on(world):
    group = world.group("g", [world.nobody], role_assignable=True)
    mine = activated(world, group, world.nobody)
    own = world.eligible(world.nobody, r.GLOBAL_READER)
    assert remove_member(world.deps, world.system, group, world.nobody) is None
    assert in_force(world, mine)
    assert world.read(lambda tx: tx.schedules.get(mine)).linked_id == own


@pytest.mark.parametrize(
    "act", ["remove the inner group", "delete the inner group", "delete the outer group"]
)
def test_the_same_holds_for_those_in_inner_groups(world, act):
    inner = world.group("inner", [world.nobody], role_assignable=True)
    outer = world.group("outer", [inner], role_assignable=True)
    mine = activated(world, outer, world.nobody)
    assert in_force(world, mine)
    done = {
        "remove the inner group": lambda: remove_member(world.deps, world.system, outer, inner),
        "delete the inner group": lambda: delete_group(world.deps, world.system, inner),
        "delete the outer group": lambda: delete_group(world.deps, world.system, outer),
    }[act]()
    assert done is None
    assert not in_force(world, mine)


def test_a_deleted_group_gives_nothing_any_more(world):
    group = world.group("g", [world.nobody], role_assignable=True)
    world.grant(group, r.GLOBAL_READER)
    assert delete_group(world.deps, world.as_user(world.pra), group) is None
    live = world.read(lambda tx: tx.schedules.of([group], kind=Kind.ASSIGNMENT, live_at=world.now))
    assert live == []
    assert delete_group(world.deps, world.as_user(world.pra), group).code is Code.NOT_FOUND


def test_what_was_given_in_a_deleted_group_ends(world):
    group = world.group("g")
    given = [
        world.grant(world.nobody, role, group, kind, provider=Provider.GROUP)
        for role in ("member", "owner")
        for kind in Kind
    ]
    assert members(world, group) == {world.nobody}
    assert delete_group(world.deps, world.system, group) is None
    assert not any(in_force(world, each) for each in given)
