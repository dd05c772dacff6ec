"""Activation: who may, for how long, what the policy demands, and what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action, AssignmentType, ExpirationType, Ticket
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.policy import Expiry, Requirement
from openpim.core.refusals import Code
from openpim.core.settings import Settings
from openpim.services import due
from tests.world import ASSIGNMENT, ELIGIBILITY, MICROSECOND, TEAMS, World, lasting, ok, refused

NONE = frozenset()


def test_at_once(world: World) -> None:
    eligibility = world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=2))
    schedule = world.schedule(request)
    assert (request.status, request.completed_at) == (RequestStatus.PROVISIONED, world.now)
    assert (schedule.starts_at, schedule.ends_at) == (world.now, world.now + timedelta(hours=2))
    assert schedule.assignment_type is AssignmentType.ACTIVATED
    assert schedule.linked_id == eligibility.schedule_id
    assert (request.amr, request.created_by) == (("mfa", "pwd"), world.ann)


def test_the_longest_that_is_allowed_unless_said(world: World) -> None:
    world.eligible(world.ann)
    assert world.schedule(ok(world.activate(world.ann))).ends_at == world.now + timedelta(hours=8)


def test_without_limit_where_the_policy_has_none(world: World) -> None:
    world.policy(activation=Expiry(required=False, maximum=None))
    world.eligible(world.ann)
    assert world.schedule(ok(world.activate(world.ann))).ends_at is None
    world.forward(hours=1)
    refused(world.extend(world.ann, hours=1), Code.INVALID)  # it would be shortened


def test_not_without_eligibility(world: World) -> None:
    refused(world.activate(world.ann, hours=1), Code.ASSIGNMENT_MISSING)
    world.eligible(world.ann)
    refused(world.activate(world.bob, hours=1), Code.ASSIGNMENT_MISSING)
    assert not world.holds(world.bob)


def test_eligible_from_until(world: World) -> None:
    start, end = world.now + timedelta(hours=1), world.now + timedelta(hours=10)
    world.eligible(world.ann, start=start, until=end)
    for moment, may in (
        (start - MICROSECOND, False),
        (start, True),
        (end - timedelta(minutes=20), True),
        (end - MICROSECOND, True),
        (end, False),
    ):
        world.at(moment)
        outcome = world.activate(world.ann, hours=1)
        if not may:
            refused(outcome, Code.ASSIGNMENT_MISSING)
            continue
        assert world.schedule(ok(outcome)).ends_at == min(moment + timedelta(hours=1), end)
        world.forward(minutes=5)
        if world.now < end:
            ok(world.deactivate(world.ann))


def test_the_end_is_clamped_to_the_eligibility(world: World) -> None:
    eligibility = world.eligible(world.ann, hours=3)
    request = ok(world.activate(world.ann, hours=8))
    assert world.schedule(request).ends_at == world.schedule(eligibility).ends_at
    world.forward(hours=3)
    assert not world.holds(world.ann)


def test_it_rests_on_the_eligibility_that_lasts_longest(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(world.ann, hours=2)
    long = world.eligible(team, hours=5)
    request = ok(world.activate(world.ann, hours=4))
    assert world.schedule(request).linked_id == long.schedule_id
    assert world.schedule(request).ends_at == world.now + timedelta(hours=4)
    for_good = world.eligible(world.bob)
    world.eligible(world.group("others", [world.bob]), hours=9)
    assert world.schedule(ok(world.activate(world.bob))).linked_id == for_good.schedule_id


# ---------------------------------------------------------------- who


def test_only_for_oneself(world: World) -> None:
    world.eligible(world.ann)
    for action in (Action.SELF_ACTIVATE, Action.SELF_DEACTIVATE, Action.SELF_EXTEND, Action.SELF_RENEW):
        for other in (world.bob, world.ga, world.system):
            refusal = refused(world.submit(world.ask(action, world.ann, hours=1), other), Code.FORBIDDEN)
            assert refusal.member == "principalId"
    app = world.app("robot")
    as_app = Caller(world.tenant_id, app, CallerKind.SERVICE_PRINCIPAL)
    refused(world.submit(world.ask(Action.SELF_ACTIVATE, app, hours=1), as_app), Code.FORBIDDEN)


def test_a_group_activates_nothing(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(team)
    refused(world.submit(world.ask(Action.SELF_ACTIVATE, team, hours=1), world.ann), Code.FORBIDDEN)


def test_a_disabled_or_deleted_person_does_not(world: World) -> None:
    world.eligible(world.ann)
    world.eligible(world.bob)
    world.disable(world.ann)
    refused(world.activate(world.ann, hours=1), Code.FORBIDDEN)
    world.delete(world.bob)
    refused(world.activate(world.bob, hours=1), Code.SUBJECT_MISSING)


def test_who_is_disabled_while_active_has_nothing(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.disable(world.ann)
    assert not world.holds(world.ann)


def test_a_guest(world: World) -> None:
    guest = world.guest("Gus")
    world.eligible(guest)
    ok(world.activate(guest, hours=1))
    assert world.holds(guest)


def test_through_a_group(world: World) -> None:
    team = world.group("team", [world.ann])
    basis = world.eligible(team)
    request = ok(world.activate(world.ann, hours=1))
    assert world.schedule(request).linked_id == basis.schedule_id
    assert world.schedule(request).principal_id == world.ann
    assert world.holds(world.ann)
    assert not world.holds(world.bob)


def test_through_groups_in_groups(world: World) -> None:
    inner = world.group("inner", [world.ann])
    middle = world.group("middle", [inner])
    outer = world.group("outer", [middle])
    world.eligible(outer)
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=10)
    ok(world.deactivate(world.ann))
    world.leave(outer, middle)
    refused(world.activate(world.ann, hours=1), Code.ASSIGNMENT_MISSING)


def test_a_group_that_holds_the_role_actively(world: World) -> None:
    team = world.group("team", [world.ann])
    world.assigned(team)
    assert world.holds(world.ann)
    world.leave(team, world.ann)
    assert not world.holds(world.ann)


# ---------------------------------------------------------------- where


def test_in_a_unit_only(world: World) -> None:
    north, south = world.unit("north"), world.unit("south")
    world.eligible(world.ann, scope=north)
    refused(world.activate(world.ann, hours=1), Code.ASSIGNMENT_MISSING)
    refused(world.activate(world.ann, scope=south, hours=1), Code.ASSIGNMENT_MISSING)
    ok(world.activate(world.ann, scope=north, hours=1))
    assert world.holds(world.ann, scope=north)
    assert not world.holds(world.ann, scope=south)
    assert not world.holds(world.ann)


def test_eligible_everywhere_active_in_a_part(world: World) -> None:
    north, south = world.unit("north"), world.unit("south")
    basis = world.eligible(world.ann)
    request = ok(world.activate(world.ann, scope=north, hours=1))
    assert world.schedule(request).linked_id == basis.schedule_id
    assert world.holds(world.ann, scope=north)
    assert not world.holds(world.ann, scope=south)
    ok(world.activate(world.ann, scope=south, hours=1))
    ok(world.take(world.ann))
    assert not world.holds(world.ann, scope=north)
    assert not world.holds(world.ann, scope=south)


# ---------------------------------------------------------------- what the policy demands


def test_every_failed_rule_is_named_at_once(world: World) -> None:
    world.policy(activation_requires=frozenset(Requirement))
    world.eligible(world.ann)
    bare = world.caller(world.ann, mfa=False)
    refusal = refused(world.activate(world.ann, by=bare, hours=9, justification=" \t"), Code.POLICY)
    assert refusal.rules == ("ExpirationRule", "JustificationRule", "TicketingRule", "MfaRule")
    for justification, ticket, caller, hours, missing in (
        ("x", Ticket("1", "S"), bare, 8, ("MfaRule",)),
        ("x", Ticket("1"), world.ann, 8, ("TicketingRule",)),
        ("x", Ticket("1", " "), world.ann, 8, ("TicketingRule",)),
        (None, Ticket("1", "S"), world.ann, 8, ("JustificationRule",)),
        ("x", Ticket("1", "S"), world.ann, 8.001, ("ExpirationRule",)),
    ):
        refusal = refused(
            world.activate(
                world.ann, by=world.caller(caller), hours=hours, justification=justification, ticket=ticket
            ),
            Code.POLICY,
        )
        assert refusal.rules == missing
    ok(world.activate(world.ann, hours=8, ticket=Ticket("1", "S")))


def test_permanent_is_too_long(world: World) -> None:
    world.eligible(world.ann)
    assert refused(world.activate(world.ann, permanent=True), Code.POLICY).rules == ("ExpirationRule",)


def test_too_long_is_too_long_even_where_it_would_be_clamped(world: World) -> None:
    world.eligible(world.ann, hours=2)
    assert refused(world.activate(world.ann, hours=9), Code.POLICY).rules == ("ExpirationRule",)


def test_an_authentication_context(world: World) -> None:
    world.policy(activation_requires=NONE, context_enabled=True, context="c1")
    world.eligible(world.ann)
    refusal = refused(world.activate(world.ann, hours=1), Code.STEP_UP)
    assert refusal.detail == "c1"
    refused(world.activate(world.ann, by=world.caller(world.ann, acrs=["c2"]), hours=1), Code.STEP_UP)
    refusal = refused(world.activate(world.ann, hours=9), Code.POLICY)
    assert (refusal.rules, refusal.detail) == (("ExpirationRule",), "c1"), "the step-up is named as well"
    ok(world.activate(world.ann, by=world.caller(world.ann, acrs=["c1"]), hours=1))


def test_a_context_that_is_switched_off_is_not_asked_for(world: World) -> None:
    world.policy(activation_requires=NONE, context_enabled=False, context="c1")
    world.eligible(world.ann)
    ok(world.activate(world.ann, by=world.caller(world.ann, mfa=False), hours=1, justification=None))


def test_an_approval_asks_for_a_justification(world: World) -> None:
    world.policy(activation_requires=NONE)
    world.approval(world.bob)
    world.eligible(world.ann)
    refusal = refused(world.activate(world.ann, hours=1, justification=""), Code.POLICY)
    assert refusal.rules == ("JustificationRule",)


# ---------------------------------------------------------------- when


def test_five_minutes_at_least(world: World) -> None:
    world.eligible(world.ann)
    refused(world.activate(world.ann, minutes=4.99), Code.TOO_SHORT)
    refused(world.activate(world.ann, until=world.now + timedelta(minutes=5) - MICROSECOND), Code.TOO_SHORT)
    ok(world.activate(world.ann, until=world.now + timedelta(minutes=5)))
    world.forward(minutes=5, microseconds=-1)
    refused(world.deactivate(world.ann), Code.TOO_SHORT)


def test_the_minimum_can_be_switched_off(shared_database) -> None:
    world = World(shared_database, settings=Settings(minimum_minutes=0))
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, minutes=1 / 60))
    ok(world.deactivate(world.ann))
    assert world.schedule(request).ends_at == world.now
    assert not world.holds(world.ann)
    ok(world.activate(world.ann, minutes=1 / 60))
    world.forward(seconds=1)
    assert not world.holds(world.ann)


def test_deactivation_after_five_minutes(world: World) -> None:
    world.eligible(world.ann)
    active = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=5, microseconds=-1)
    refused(world.deactivate(world.ann), Code.TOO_SHORT)
    world.forward(microseconds=1)
    request = ok(world.deactivate(world.ann))
    assert (request.status, request.completed_at) == (RequestStatus.REVOKED, world.now)
    assert request.schedule_id == active.schedule_id
    assert world.schedule(active).status is ScheduleStatus.REVOKED
    assert not world.holds(world.ann)
    refused(world.deactivate(world.ann), Code.ASSIGNMENT_MISSING)
    ok(world.activate(world.ann, hours=1))
    assert world.holds(world.ann)


def test_deactivation_of_what_is_not_there(world: World) -> None:
    refused(world.deactivate(world.ann), Code.ASSIGNMENT_MISSING)
    world.assigned(world.ann)
    world.forward(minutes=6)
    refused(world.deactivate(world.ann), Code.ASSIGNMENT_MISSING)  # assigned, not activated
    assert world.holds(world.ann)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)
    refused(world.deactivate(world.ann, schedule_id=world.new_id()), Code.ASSIGNMENT_MISSING)
    refused(world.deactivate(world.ann, kind=ELIGIBILITY), Code.ASSIGNMENT_MISSING)
    ok(world.deactivate(world.ann))
    assert world.holds(world.ann), "what was assigned is still there"


def test_a_later_start(world: World) -> None:
    world.eligible(world.ann)
    start = world.now + timedelta(hours=3)
    request = ok(world.activate(world.ann, start=start, hours=2))
    assert request.status is RequestStatus.GRANTED
    assert world.schedule(request).status is ScheduleStatus.GRANTED
    assert not world.holds(world.ann)
    world.at(start - MICROSECOND)
    world.work()
    assert world.schedule(request).status is ScheduleStatus.GRANTED
    world.at(start)
    assert not world.holds(world.ann), "nobody has read the facts again"
    world.work()
    assert world.holds(world.ann)
    assert world.request(request.id).status is RequestStatus.PROVISIONED
    assert world.schedule(request).ends_at == start + timedelta(hours=2)
    world.forward(hours=2)
    assert not world.holds(world.ann)


@pytest.mark.parametrize("how", ["removed", "ended", "disabled", "deleted", "policy", "role", "left"])
def test_a_later_start_reads_the_facts_again(world: World, how: str) -> None:
    team = world.group("team", [world.ann])
    role = world.custom_role("Group maker")
    start = world.now + timedelta(hours=3)
    if how == "left":
        world.eligible(team, role)
    elif how == "ended":
        world.eligible(world.ann, role, hours=9)
    else:
        world.eligible(world.ann, role)
    request = ok(world.activate(world.ann, role, start=start, hours=2))
    if how == "removed":
        ok(world.take(world.ann, role))
    elif how == "disabled":
        world.disable(world.ann)
    elif how == "deleted":
        world.delete(world.ann)
    elif how == "policy":
        world.policy(role, activation=Expiry(required=True, maximum=lasting(3600)))
    elif how == "role":
        world.write(lambda tx: tx.roles.save(replace(tx.roles.get(role), enabled=False)))
    elif how == "left":
        world.leave(team, world.ann)
    else:
        world.give(world.ann, role, action=Action.ADMIN_UPDATE, hours=1)
    world.at(start)
    world.work()
    assert world.request(request.id).status is RequestStatus.FAILED
    assert world.request(request.id).failure
    assert world.schedule(request).status is ScheduleStatus.FAILED
    assert not world.holds(world.ann, role)
    assert world.request(request.id).completed_at is not None


def test_a_later_start_rests_on_what_carries_it_then(world: World) -> None:
    """The eligibility it was asked under has ended by itself; another one, shorter, is there."""
    team = world.group("team", [world.ann])
    start = world.now + timedelta(hours=3)
    first = world.eligible(world.ann, until=start + timedelta(hours=8))
    second = world.eligible(team, until=start + timedelta(hours=1))
    request = ok(world.activate(world.ann, start=start, hours=2))
    assert world.schedule(request).linked_id == first.schedule_id
    world.write(  # as a clock that jumped would leave it: nobody was told
        lambda tx: tx.schedules.save(
            replace(tx.schedules.get(first.schedule_id), ends_at=start - timedelta(hours=1))
        )
    )
    world.at(start)
    world.work()
    schedule = world.schedule(request)
    assert schedule.linked_id == second.schedule_id
    assert schedule.ends_at == start + timedelta(hours=1), "not beyond the eligibility"


def test_a_later_start_that_nobody_noticed(world: World) -> None:
    world.eligible(world.ann)
    start = world.now + timedelta(hours=3)
    late = ok(world.activate(world.ann, start=start, hours=2))
    world.at(start + timedelta(hours=2) - timedelta(minutes=1))
    world.work()
    assert world.holds(world.ann), "one minute is left, and it is his"
    world.forward(minutes=1)
    assert not world.holds(world.ann)
    over = ok(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=1))
    world.forward(hours=2)
    world.work()
    assert world.request(late.id).status is RequestStatus.PROVISIONED
    assert world.request(over.id).status is RequestStatus.FAILED


def test_a_start_in_the_past_means_now(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, start=world.now - timedelta(hours=1), hours=1))
    assert world.schedule(request).ends_at == world.now + timedelta(hours=1)


def test_absurd_windows(world: World) -> None:
    world.eligible(world.ann)
    refused(world.activate(world.ann, until=world.now), Code.INVALID)
    refused(world.activate(world.ann, until=world.now - timedelta(days=400)), Code.INVALID)
    refused(world.activate(world.ann, start=world.now + timedelta(days=366 * 60), hours=1), Code.INVALID)
    ask = world.ask(Action.SELF_ACTIVATE, world.ann, hours=1)
    for kind in (ExpirationType.AFTER_DATE_TIME, ExpirationType.AFTER_DURATION):
        empty = replace(ask, window=replace(ask.window, type=kind, duration=None, end=None))
        refused(world.submit(empty, world.ann), Code.INVALID)


# ---------------------------------------------------------------- only one


def test_not_twice(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=2))
    refused(world.activate(world.ann, hours=2), Code.ASSIGNMENT_EXISTS)
    refused(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=2), Code.ASSIGNMENT_EXISTS)
    ok(world.activate(world.ann, start=world.now + timedelta(hours=2), hours=1))
    refused(world.activate(world.ann, start=world.now + timedelta(hours=2), hours=1), Code.ASSIGNMENT_EXISTS)


def test_not_while_one_waits(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    refused(world.activate(world.ann, hours=1), Code.REQUEST_PENDING)
    ok(world.cancel(request, world.ann))
    ok(world.activate(world.ann, hours=1))


def test_one_whose_time_is_over_does_not_stand_in_the_way(world: World) -> None:
    """No worker has noticed that nobody decided."""
    world.approval(world.bob, timeout_minutes=60)
    world.eligible(world.ann)
    first = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=60, microseconds=-1)
    refused(world.activate(world.ann, hours=1), Code.REQUEST_PENDING)
    world.forward(microseconds=1)
    second = ok(world.activate(world.ann, hours=1))
    assert world.request(first.id).status is RequestStatus.TIMED_OUT
    assert world.request(second.id).status is RequestStatus.PENDING_APPROVAL


def test_assigned_and_activated_at_once(world: World) -> None:
    world.eligible(world.ann)
    world.assigned(world.ann, hours=1)
    ok(world.activate(world.ann, hours=2))
    world.forward(hours=1)
    assert world.holds(world.ann)
    world.forward(hours=1)
    assert not world.holds(world.ann)


def test_no_activation_of_an_eligibility(world: World) -> None:
    world.eligible(world.ann)
    assert refused(world.activate(world.ann, kind=ELIGIBILITY, hours=1), Code.INVALID).member == "action"


# ---------------------------------------------------------------- validation only


@pytest.mark.parametrize("good", [True, False])
def test_validation_only_leaves_nothing_behind(world: World, good: bool) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    world.eligible(world.cyd, role="729827e3-9c14-49f7-bb1b-9608f156bbb8")
    hours = 1 if good else 99
    before = world.snapshot()
    outcomes = [
        world.activate(world.ann, hours=hours, validation_only=True),
        world.activate(world.cyd, "729827e3-9c14-49f7-bb1b-9608f156bbb8", hours=hours, validation_only=True),
        world.give(
            world.dan, kind=ASSIGNMENT, hours=hours, validation_only=True, by=None if good else world.bob
        ),
        world.take(world.ann, validation_only=True, by=None if good else world.bob),
    ]
    assert world.snapshot() == before
    for outcome in outcomes:
        if good:
            assert ok(outcome).validation_only
        else:
            assert outcome.code in {Code.POLICY, Code.FORBIDDEN}
    assert not world.holds(world.cyd, "729827e3-9c14-49f7-bb1b-9608f156bbb8")


def test_validation_says_what_would_become_of_it(world: World) -> None:
    world.eligible(world.ann)
    assert ok(world.activate(world.ann, hours=1, validation_only=True)).status is RequestStatus.PROVISIONED
    world.approval(world.bob)
    status = ok(world.activate(world.ann, hours=1, validation_only=True)).status
    assert status is RequestStatus.PENDING_APPROVAL


# ---------------------------------------------------------------- workers


def test_starts_are_done_once(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=1))
    world.forward(hours=1)
    assert due.start(world.deps, world.tenant_id) == 1
    assert due.start(world.deps, world.tenant_id) == 0
    assert len(world.events("Add member to role completed (PIM activation)")) == 1


def test_the_role_of_these_stories_exists(world: World) -> None:
    assert world.read(lambda tx: tx.roles.get(TEAMS)).display_name == "Teams Administrator"


def test_a_late_worker_and_what_comes_after(world: World) -> None:
    """Two activations, one after the other: the first, started late, was counted anew from then, ran into the second
    and failed."""
    world.eligible(world.ann)
    start = world.now + timedelta(hours=1)
    first = ok(world.activate(world.ann, start=start, hours=1))
    second = ok(world.activate(world.ann, start=start + timedelta(hours=1), hours=1))
    world.at(start + timedelta(minutes=10))
    world.work()
    assert world.request(first.id).status is RequestStatus.PROVISIONED
    world.forward(hours=1)
    world.work()
    assert world.request(second.id).status is RequestStatus.PROVISIONED
