"""PIM for Groups on the one engine: who may give what, what a membership makes real, and that it is gone in time.

Membership that is active is real everywhere at once and gone the instant it ends, with every worker dead: no test
here lets a worker run unless it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from openpim.core.grants import Action, AssignmentType, Kind, Provider
from openpim.core.policy import ApprovalSettings
from openpim.core.query import Query
from openpim.core.refusals import Code
from openpim.core.roles import GROUPS_ADMINISTRATOR, USER_ADMINISTRATOR
from openpim.services import authority, schedules
from openpim.services.directory import delete_group, delete_user, group_members, group_owners
from openpim.services.reading import Whose
from openpim.services.signin.roles import InForce, roles_in_force
from tests.services.groups import GroupWorld
from tests.world import (
    ASSIGNMENT,
    DENY,
    ELIGIBILITY,
    GA,
    HELPDESK,
    MICROSECOND,
    READER,
    TEAMS,
    World,
    ok,
    refused,
)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def groups(world: World) -> GroupWorld:
    return GroupWorld(world)


# ---------------------------------------------------------------- who may give what


def test_a_group_is_taken_in_by_its_first_assignment(world, groups):
    for name, role_assignable in (("Powerful", True), ("Ordinary", False)):
        group = world.group(name, role_assignable=role_assignable)
        ok(groups.give(group, world.ann))
        ok(groups.give(group, world.bob, "owner"))
        ok(groups.activate(group, world.ann))
        assert groups.members(group) == {world.ann}
        assert groups.owners(group) == set()


def test_permanent_eligibility_must_be_allowed_first(world, groups):
    group = world.group("Admins")
    found = refused(groups.give(group, world.ann, permanent=True), Code.POLICY)
    assert found.rules == ("ExpirationRule",)
    present = ok(groups.policy(group))
    from dataclasses import replace

    ok(groups.policy(group, eligibility=replace(present.eligibility, required=False)))
    ok(groups.give(group, world.ann, permanent=True))


def test_who_manages_a_group(world, groups):
    powerful, ordinary = world.group("Powerful"), world.group("Ordinary", role_assignable=False)
    helper, reader = world.user("Groups admin"), world.user("Reader")
    people = world.user("User admin")
    world.assigned(helper, GROUPS_ADMINISTRATOR)
    world.assigned(people, USER_ADMINISTRATOR)
    world.assigned(reader, READER)
    for by in (world.pra, world.ga, helper, people):
        ok(groups.give(ordinary, world.user("Somebody"), by=by))
    for by in (helper, people, reader, world.bob):
        refused(groups.give(powerful, world.ann, by=by), Code.FORBIDDEN)
    for by in (reader, world.bob):
        refused(groups.give(ordinary, world.ann, by=by), Code.FORBIDDEN)
    world.write(lambda tx: tx.groups.add_owner(powerful, world.bob))
    ok(groups.give(powerful, world.ann, by=world.bob))
    ok(groups.policy(powerful, by=world.bob, approval=ApprovalSettings()))
    refused(groups.policy(ordinary, by=world.bob, approval=ApprovalSettings()), Code.FORBIDDEN)
    # An owner for two hours is an owner for two hours.
    ok(groups.give(powerful, world.cyd, "owner"))
    refused(groups.give(powerful, world.dan, by=world.cyd), Code.FORBIDDEN)
    ok(groups.activate(powerful, world.cyd, "owner", hours=2))
    ok(groups.give(powerful, world.dan, by=world.cyd))
    world.forward(hours=2)
    refused(groups.take(powerful, world.dan, by=world.cyd), Code.FORBIDDEN)


def test_an_eligible_owner_gives_himself_nothing(world, groups):
    group = world.group("Powerful")
    ok(groups.give(group, world.ann, "owner"))
    refused(groups.give(group, world.ann, "member", ASSIGNMENT, by=world.ann, hours=2), Code.FORBIDDEN)
    refused(groups.activate(group, world.ann, "member"), Code.ASSIGNMENT_MISSING)


def test_who_cannot_hold_what(world, groups):
    powerful, ordinary = world.group("Powerful"), world.group("Ordinary", role_assignable=False)
    robot = world.app("Robot")
    refused(groups.give(ordinary, robot), Code.SUBJECT_NOT_ALLOWED)
    ok(groups.give(ordinary, robot, kind=ASSIGNMENT))
    refused(groups.give(ordinary, powerful, "owner"), Code.SUBJECT_NOT_ALLOWED)
    refused(groups.give(ordinary, ordinary), Code.SUBJECT_NOT_ALLOWED)
    refused(groups.give(powerful, ordinary), Code.SUBJECT_NOT_ALLOWED)
    for other in (
        world.group("Dynamic", role_assignable=False, membership_rule="user.department -eq 1"),
        world.group("Synced", role_assignable=False, synced=True),
    ):
        for access in ("member", "owner"):
            for kind in (ELIGIBILITY, ASSIGNMENT):
                refused(groups.give(other, world.ann, access, kind), Code.INVALID)
    refused(groups.give(world.new_id(), world.ann), Code.SCOPE_MISSING)
    refused(groups.give(ordinary, world.ann, "guest"), Code.ROLE_MISSING)


# ---------------------------------------------------------------- what a membership makes real


def test_membership_is_real_at_once_and_ends_by_itself(world, groups):
    group, outer = world.group("Helpers"), world.group("Outer")
    world.write(lambda tx: tx.groups.add_member(outer, tx.principals.get(group)))
    world.assigned(group, HELPDESK)
    world.eligible(outer, TEAMS)
    ok(groups.give(group, world.ann))
    assert not world.holds(world.ann, HELPDESK)
    refused(world.activate(world.ann, TEAMS), Code.ASSIGNMENT_MISSING)

    ok(groups.activate(group, world.ann, hours=2))
    assert groups.members(group) == {world.ann}
    assert groups.members(outer) == {group}
    assert groups.members(outer, transitive=True) == {group, world.ann}
    assert world.read(lambda tx: authority.identities(tx, world.ann, world.now)) == {world.ann, group, outer}
    assert world.holds(world.ann, HELPDESK)
    ok(world.activate(world.ann, TEAMS, hours=8))
    assert world.holds(world.ann, TEAMS)

    end = world.now + timedelta(hours=2)
    world.at(end - MICROSECOND)
    assert groups.members(group) == {world.ann}
    assert world.holds(world.ann, HELPDESK)
    world.at(end)
    assert groups.members(group) == set()
    assert groups.members(outer, transitive=True) == {group}
    assert world.read(lambda tx: authority.identities(tx, world.ann, world.now)) == {world.ann}
    assert not world.holds(world.ann, HELPDESK)


def test_what_was_activated_through_the_group_ends_with_it(world, groups):
    group = world.group("Helpers")
    world.eligible(group, TEAMS)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann, hours=2))
    ok(world.activate(world.ann, TEAMS, hours=8))
    world.forward(minutes=10)
    ok(groups.deactivate(group, world.ann))
    assert groups.members(group) == set()
    assert not world.holds(world.ann, TEAMS)
    ended = [one for one in world.schedules() if one.principal_id == world.ann and one.role_id == TEAMS]
    assert [one.status.value for one in ended] == ["Revoked"]


def test_and_when_the_membership_ends_by_time_with_every_worker_dead(world, groups):
    group = world.group("Helpers")
    world.eligible(group, TEAMS)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann, hours=2))
    request = ok(world.activate(world.ann, TEAMS, hours=8))
    end = world.now + timedelta(hours=2)
    assert world.schedule(request).ends_at == end
    world.at(end - MICROSECOND)
    assert world.holds(world.ann, TEAMS)
    world.at(end)
    assert not world.holds(world.ann, TEAMS)
    world.work()
    assert not world.holds(world.ann, TEAMS)


def test_a_token_does_not_outlive_the_membership_its_roles_rest_on(world, groups):
    group = world.group("Helpers")
    world.assigned(group, HELPDESK)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann, minutes=20))
    held = world.read(lambda tx: roles_in_force(tx, world.ann, world.now))
    assert held == InForce((HELPDESK,), (world.now + timedelta(minutes=20),))
    world.forward(minutes=20)
    assert world.read(lambda tx: roles_in_force(tx, world.ann, world.now)) == InForce()


def test_the_longest_way_into_the_group_counts(world, groups):
    """Two ways in: through a team for an hour, directly for three. And a standing one lasts for ever."""
    team, group = world.group("Team"), world.group("Helpers")
    world.eligible(group, TEAMS)
    ok(groups.give(group, team, kind=ASSIGNMENT, days=2))
    for one in (team, group):
        ok(groups.give(one, world.ann))
    ok(groups.activate(team, world.ann, hours=1))
    short = ok(world.activate(world.ann, TEAMS, hours=8))
    assert world.schedule(short).ends_at == world.now + timedelta(hours=1)
    ok(groups.activate(group, world.ann, hours=3))
    longer = ok(world.extend(world.ann, TEAMS, hours=8))
    assert world.schedule(longer).ends_at == world.now + timedelta(hours=3)
    world.write(lambda tx: tx.groups.add_member(group, tx.principals.get(world.ann)))
    longest = ok(world.extend(world.ann, TEAMS, hours=8))
    assert world.schedule(longest).ends_at == world.now + timedelta(hours=8)


def test_a_membership_that_follows_on_leaves_no_gap(world, groups):
    group = world.group("Helpers")
    world.eligible(group, TEAMS)
    ok(groups.give(group, world.ann, kind=ASSIGNMENT, hours=1))
    ok(groups.give(group, world.ann, kind=ASSIGNMENT, hours=3, start=world.now + timedelta(hours=1)))
    request = ok(world.activate(world.ann, TEAMS, hours=8))
    assert world.schedule(request).ends_at == world.now + timedelta(hours=4)


def test_a_membership_made_shorter_shortens_what_rests_on_it(world, groups):
    """All the way: the membership of a team, that in the group the team is eligible for, and the role there."""
    team, group = world.group("Team"), world.group("Helpers")
    world.eligible(group, TEAMS)
    ok(groups.give(group, team))
    ok(groups.give(team, world.ann, kind=ASSIGNMENT, days=1))
    member = ok(groups.activate(group, world.ann, hours=6))
    role = ok(world.activate(world.ann, TEAMS, hours=5))
    world.forward(minutes=10)
    ok(groups.give(team, world.ann, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, hours=2))
    end = world.now + timedelta(hours=2)
    assert world.schedule(member).ends_at == end
    assert world.schedule(role).ends_at == end


def test_nested_groups_activate_for_the_asker_alone(world, groups):
    team = world.group("Team", [world.ann, world.bob], role_assignable=False)
    target = world.group("Target", role_assignable=False)
    ok(groups.give(target, team))
    assert groups.members(target, transitive=True) == set()
    request = ok(groups.activate(target, world.ann))
    assert request.principal_id == world.ann
    assert groups.members(target, transitive=True) == {world.ann}
    held = world.schedule(request)
    assert held.assignment_type is AssignmentType.ACTIVATED
    refused(groups.activate(target, world.cyd), Code.ASSIGNMENT_MISSING)
    # Nobody activates for the team as a whole, nor for somebody else.
    ask = groups.ask(Action.SELF_ACTIVATE, target, team)
    refused(world.submit(ask, world.ann), Code.FORBIDDEN)
    refused(world.submit(groups.ask(Action.SELF_ACTIVATE, target, world.bob), world.ann), Code.FORBIDDEN)
    page = ok(
        schedules.page(
            world.deps, world.caller(world.bob), Provider.GROUP, ELIGIBILITY, Whose.PRINCIPAL, Query()
        )
    )
    assert [one.principal_id for one in page.items] == [team]
    # Leaving the team ends it.
    world.forward(minutes=10)
    assert group_members.remove_member(world.deps, world.caller(world.ga), team, world.ann) is None
    assert groups.members(target, transitive=True) == set()


def test_standing_and_activated_membership_are_a_union(world, groups):
    group = world.group("Helpers", [world.ann], role_assignable=False)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann, hours=1))
    world.forward(minutes=10)
    ok(groups.deactivate(group, world.ann))
    assert groups.members(group) == {world.ann}


def test_an_active_membership_given_for_a_time(world, groups):
    group = world.group("Helpers")
    world.assigned(group, HELPDESK)
    request = ok(
        groups.give(group, world.ann, kind=ASSIGNMENT, hours=3, start=world.now + timedelta(hours=1))
    )
    assert not world.holds(world.ann, HELPDESK)
    world.forward(hours=1)
    assert world.holds(world.ann, HELPDESK)
    assert world.schedule(request).assignment_type is AssignmentType.ASSIGNED
    world.forward(hours=3)
    assert not world.holds(world.ann, HELPDESK)


# ---------------------------------------------------------------- ends


def test_a_deleted_group_takes_all_with_it(world, groups):
    group = world.group("Helpers", role_assignable=False)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann))
    groups.approval(group, world.cyd)
    ok(groups.give(group, world.bob))
    waiting = ok(groups.activate(group, world.bob))
    world.forward(minutes=10)
    assert delete_group.delete_group(world.deps, world.caller(world.ga), group) is None
    for kind in Kind:
        found = world.read(
            lambda tx, kind=kind: tx.schedules.page(Provider.GROUP, kind, Query(), live_at=world.now)
        )
        assert found.items == ()
    assert world.request(waiting.id).status.value == "Canceled"
    refused(groups.give(group, world.ann), Code.SCOPE_MISSING)
    refused(groups.activate(group, world.ann), Code.SCOPE_MISSING)
    refused(world.review(waiting, world.cyd), Code.ALREADY_DECIDED)


def test_a_deleted_user_is_out_of_every_group(world, groups):
    group = world.group("Helpers", role_assignable=False)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann))
    world.forward(minutes=10)
    assert delete_user.delete_user(world.deps, world.caller(world.ga), world.ann) is None
    assert groups.members(group) == set()
    assert groups.members(group, transitive=True) == set()


def test_removing_the_eligibility_ends_the_membership(world, groups):
    group = world.group("Helpers")
    world.assigned(group, HELPDESK)
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann))
    world.forward(minutes=10)
    ok(groups.take(group, world.ann))
    assert not world.holds(world.ann, HELPDESK)
    assert groups.members(group) == set()


# ---------------------------------------------------------------- the last owner


def test_the_last_owner_stays_by_every_road(world, groups):
    group = world.group("Powerful")
    world.write(lambda tx: tx.groups.add_owner(group, world.bob))
    ga = world.caller(world.ga)
    refused(group_owners.remove_owner(world.deps, ga, group, world.bob), Code.LAST_ADMINISTRATOR)
    refused(delete_user.delete_user(world.deps, ga, world.bob), Code.LAST_ADMINISTRATOR)
    from openpim.services.directory import update_user

    assert update_user is not None
    # One who owns it for a time does not count: when the time is over nobody would be left.
    ok(groups.give(group, world.cyd, "owner", ASSIGNMENT, days=2))
    refused(group_owners.remove_owner(world.deps, ga, group, world.bob), Code.LAST_ADMINISTRATOR)
    ok(groups.give(group, world.dan, "owner"))
    ok(groups.activate(group, world.dan, "owner"))
    refused(group_owners.remove_owner(world.deps, ga, group, world.bob), Code.LAST_ADMINISTRATOR)
    assert groups.owners(group) == {world.bob, world.cyd, world.dan}


def test_the_last_owner_by_assignment_stays_too(world, groups):
    from dataclasses import replace

    group = world.group("Powerful")
    present = ok(groups.policy(group, "owner"))
    ok(groups.policy(group, "owner", assignment=replace(present.assignment, required=False)))
    ok(groups.give(group, world.bob, "owner", ASSIGNMENT, permanent=True))
    world.forward(minutes=10)
    refused(groups.take(group, world.bob, "owner", ASSIGNMENT), Code.LAST_ADMINISTRATOR)
    changed = groups.give(group, world.bob, "owner", ASSIGNMENT, action=Action.ADMIN_UPDATE, hours=2)
    refused(changed, Code.LAST_ADMINISTRATOR)
    world.write(lambda tx: tx.groups.add_owner(group, world.cyd))
    ok(groups.take(group, world.bob, "owner", ASSIGNMENT))
    assert groups.owners(group) == {world.cyd}


# ---------------------------------------------------------------- last administrator through a group


def test_the_last_administrator_cannot_be_lost_through_a_group(world, groups):
    """Global Administrators who are so through a group: only standing membership lasts."""
    group = world.group("Admins", [world.ann])
    world.assigned(group, GA)
    ok(groups.give(group, world.bob, kind=ASSIGNMENT, days=2))
    for one in (world.ga, world.ga2):
        outcome = world.take(one, GA, ASSIGNMENT, by=world.pra)
        ok(outcome)
    refused(
        group_members.remove_member(world.deps, world.caller(world.pra), group, world.ann),
        Code.LAST_ADMINISTRATOR,
    )
    refused(delete_group.delete_group(world.deps, world.caller(world.pra), group), Code.LAST_ADMINISTRATOR)


# ---------------------------------------------------------------- approval


def test_named_approvers_decide(world, groups):
    group = world.group("Helpers", role_assignable=False)
    ok(groups.give(group, world.ann))
    groups.approval(group, world.bob)
    request = ok(groups.activate(group, world.ann, hours=1))
    assert groups.members(group) == set()
    refused(world.review(request, world.ann), Code.NOT_APPROVER)
    refused(world.review(request, world.ga), Code.NOT_APPROVER)
    world.forward(minutes=30)
    ok(world.review(request, world.bob))
    assert groups.members(group) == {world.ann}
    world.forward(hours=1)
    assert groups.members(group) == set()


def test_denied(world, groups):
    group = world.group("Helpers", role_assignable=False)
    ok(groups.give(group, world.ann))
    groups.approval(group, world.bob)
    request = ok(groups.activate(group, world.ann))
    ok(world.review(request, world.bob, DENY))
    assert groups.members(group) == set()
    assert world.request(request.id).status.value == "Denied"


def test_members_of_a_group_decide_while_they_are_in_it(world, groups):
    group, deciders = (
        world.group("Helpers", role_assignable=False),
        world.group("Deciders", role_assignable=False),
    )
    ok(groups.give(group, world.ann))
    ok(groups.give(deciders, world.bob))
    world.write(lambda tx: tx.groups.add_member(deciders, tx.principals.get(world.cyd)))
    groups.approval(group, groups=(deciders,))
    request = ok(groups.activate(group, world.ann))
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    ok(groups.activate(deciders, world.bob, hours=1))
    world.forward(hours=1)
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    world.forward(minutes=1)
    ok(groups.activate(deciders, world.bob, hours=1))
    ok(world.review(request, world.bob))
    assert groups.members(group) == {world.ann}


def test_owners_are_asked_when_no_named_approver_is_left(world, groups):
    group = world.group("Helpers", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(group, world.cyd))
    ok(groups.give(group, world.ann))
    groups.approval(group, world.bob)
    world.disable(world.bob)
    request = ok(groups.activate(group, world.ann))
    ok(world.review(request, world.cyd))
    assert groups.members(group) == {world.ann}


def test_one_approver_must_be_named(world, groups):
    group = world.group("Helpers", role_assignable=False)
    found = refused(groups.policy(group, approval=ApprovalSettings(required=True)), Code.INVALID)
    assert "at least one approver" in found.message


# ---------------------------------------------------------------- apart


def test_a_group_that_is_an_id_of_a_role_scope_stays_a_group(world, groups):
    """Grants of two providers never answer for each other."""
    group = world.group("Helpers")
    ok(groups.give(group, world.ann))
    from dataclasses import replace

    wrong = replace(groups.ask(Action.SELF_ACTIVATE, group, world.ann), provider=Provider.DIRECTORY)
    refused(world.submit(wrong, world.ann), Code.ROLE_MISSING)
    wrong = replace(groups.ask(Action.SELF_ACTIVATE, group, world.ann), provider=Provider.RESOURCE)
    refused(world.submit(wrong, world.ann), Code.ROLE_MISSING)


def test_other_tenants_are_not_touched(world, groups):
    other = World(world.database)
    group = world.group("Helpers")
    ok(groups.give(group, world.ann))
    abroad = GroupWorld(other)
    refused(abroad.give(group, other.ann), Code.SCOPE_MISSING)
    refused(abroad.give(other.group("Own"), world.ann), Code.SUBJECT_MISSING)


def test_everything_is_on_record(world, groups):
    group = world.group("Helpers")
    ok(groups.give(group, world.ann))
    ok(groups.activate(group, world.ann))
    refused(groups.activate(group, world.bob), Code.ASSIGNMENT_MISSING)
    found = [event for event in world.events() if any(target.id == group for target in event.targets)]
    assert {event.category for event in found} == {"GroupManagement"}
    assert {event.result for event in found} >= {"success", "failure"}
