"""What administrators do: assign, update, extend, renew, remove."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action, AssignmentType, Duration, ExpirationType, Ticket, Window
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.policy import Expiry, Requirement
from openpim.core.refusals import Code
from openpim.services import role_assignments
from tests.world import (
    ASSIGNMENT,
    ELIGIBILITY,
    GA,
    HELPDESK,
    READER,
    World,
    lasting,
    ok,
    refused,
)

KINDS = pytest.mark.parametrize("kind", [ELIGIBILITY, ASSIGNMENT])


@KINDS
def test_for_good_at_once(world: World, kind) -> None:
    request = ok(world.give(world.ann, kind=kind, permanent=True))
    schedule = world.schedule(request)
    assert (request.status, schedule.status) == (RequestStatus.PROVISIONED, ScheduleStatus.PROVISIONED)
    assert (schedule.starts_at, schedule.ends_at) == (world.now, None)
    assert request.completed_at == world.now
    assert schedule.assignment_type is (AssignmentType.ASSIGNED if kind is ASSIGNMENT else None)
    assert world.holds(world.ann) is (kind is ASSIGNMENT)


@KINDS
def test_for_a_time(world: World, kind) -> None:
    request = ok(world.give(world.ann, kind=kind, days=10))
    assert world.schedule(request).ends_at == world.now + timedelta(days=10)
    until = world.now + timedelta(days=3)
    request = ok(world.give(world.bob, kind=kind, until=until))
    assert world.schedule(request).ends_at == until


@KINDS
def test_from_a_later_day_on(world: World, kind) -> None:
    start = world.now + timedelta(days=2)
    request = ok(world.give(world.ann, kind=kind, start=start, days=5))
    schedule = world.schedule(request)
    assert request.status is RequestStatus.GRANTED
    assert (schedule.starts_at, schedule.ends_at) == (start, start + timedelta(days=5))
    assert not schedule.in_force(world.now)
    world.at(start)
    # By time alone: no worker has run.
    assert world.schedule(request).in_force(world.now)
    assert world.holds(world.ann) is (kind is ASSIGNMENT)
    world.work()
    assert world.request(request.id).status is RequestStatus.PROVISIONED


def test_a_start_in_the_past_means_now(world: World) -> None:
    request = ok(world.give(world.ann, start=world.now - timedelta(days=1), days=1))
    assert world.schedule(request).starts_at == world.now


@KINDS
def test_not_twice(world: World, kind) -> None:
    ok(world.give(world.ann, kind=kind, permanent=True))
    before = world.schedules(kind)
    refused(world.give(world.ann, kind=kind, permanent=True), Code.ASSIGNMENT_EXISTS)
    assert world.schedules(kind) == before


def test_two_times_that_do_not_meet(world: World) -> None:
    ok(world.give(world.ann, hours=2))
    start = world.now + timedelta(hours=2)
    ok(world.give(world.ann, start=start, hours=2))
    refused(
        world.give(world.ann, start=start - timedelta(microseconds=1), minutes=10), Code.ASSIGNMENT_EXISTS
    )
    refused(world.give(world.ann, start=start + timedelta(hours=1), hours=8), Code.ASSIGNMENT_EXISTS)


def test_eligible_and_active_are_two_things(world: World) -> None:
    ok(world.give(world.ann, kind=ELIGIBILITY, permanent=True))
    ok(world.give(world.ann, kind=ASSIGNMENT, permanent=True))
    assert world.holds(world.ann)
    ok(world.take(world.ann, kind=ELIGIBILITY))
    assert world.holds(world.ann)


# ---------------------------------------------------------------- who may


def test_only_managers(world: World) -> None:
    for caller in (world.ann, world.bob):
        before = world.schedules(ELIGIBILITY)
        refused(world.give(world.ann, by=caller, permanent=True), Code.FORBIDDEN)
        refused(world.take(world.ga, GA, ASSIGNMENT, by=caller), Code.FORBIDDEN)
        assert world.schedules(ELIGIBILITY) == before
    ok(world.give(world.ann, by=world.ga, permanent=True))
    ok(world.give(world.bob, by=world.pra, permanent=True))


def test_a_manager_whose_role_has_ended_is_none(world: World) -> None:
    ok(world.give(world.cyd, GA, ASSIGNMENT, hours=1))
    ok(world.give(world.ann, by=world.cyd, permanent=True))
    world.forward(hours=1)
    refused(world.give(world.bob, by=world.cyd, permanent=True), Code.FORBIDDEN)


def test_a_disabled_or_deleted_manager_is_none(world: World) -> None:
    world.disable(world.ga)
    refused(world.give(world.ann, by=world.ga, permanent=True), Code.FORBIDDEN)
    world.delete(world.pra)
    refused(world.give(world.ann, by=world.pra, permanent=True), Code.FORBIDDEN)


def test_a_manager_of_a_part_manages_nothing(world: World) -> None:
    unit = world.unit("north")
    ok(world.give(world.cyd, GA, ASSIGNMENT, unit, permanent=True))
    refused(world.give(world.ann, by=world.cyd, permanent=True), Code.FORBIDDEN)


def test_an_application_needs_the_permission(world: World) -> None:
    app = world.app("robot")
    plain = Caller(
        world.tenant_id, app, CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({"User.Read.All"})
    )
    refused(world.give(world.ann, by=plain, permanent=True), Code.FORBIDDEN)
    permission = "RoleManagement.ReadWrite.Directory"
    granted = replace(plain, permissions=frozenset({permission}), amr=frozenset())
    request = ok(world.give(world.ann, by=granted, permanent=True))
    assert (request.created_by, request.created_by_kind) == (app, "servicePrincipal")


# ---------------------------------------------------------------- what is named must exist


def test_unknown_things(world: World) -> None:
    nobody = world.new_id()
    assert refused(world.give(nobody, permanent=True), Code.SUBJECT_MISSING).member == "principalId"
    assert (
        refused(world.give(world.ann, nobody, permanent=True), Code.ROLE_MISSING).member == "roleDefinitionId"
    )
    for scope in (f"/administrativeUnits/{nobody}", f"/{nobody}", "", "x", "//", "/a/b", f"/{world.bob}"):
        refusal = refused(world.give(world.ann, scope=scope, permanent=True), Code.SCOPE_MISSING)
        assert refusal.member == "directoryScopeId"
    refused(world.take(nobody), Code.SUBJECT_MISSING)
    refused(world.take(world.ann), Code.ASSIGNMENT_MISSING)
    refused(world.give(world.ann, action=Action.ADMIN_UPDATE, hours=1), Code.ASSIGNMENT_MISSING)
    refused(world.give(world.ann, action=Action.ADMIN_EXTEND, hours=1), Code.ASSIGNMENT_MISSING)
    refused(world.give(world.ann, action=Action.ADMIN_RENEW, hours=1), Code.ASSIGNMENT_MISSING)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "x" * 600], ids=["nul", "surrogate", "long"])
@pytest.mark.parametrize("member", ["principal_id", "role_id", "scope", "schedule_id", "request_id"])
def test_ids_that_no_database_can_keep(world: World, member: str, text: str) -> None:
    ask = replace(world.ask(Action.ADMIN_ASSIGN, world.ann, kind=ELIGIBILITY), **{member: text})
    refused(world.submit(ask, world.pra), Code.INVALID)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "x" * 10_001], ids=["nul", "surrogate", "long"])
def test_texts_that_no_database_can_keep(world: World, text: str) -> None:
    ask = world.ask(Action.ADMIN_ASSIGN, world.ann, kind=ELIGIBILITY)
    assert (
        refused(world.submit(replace(ask, justification=text), world.pra), Code.INVALID).member
        == "justification"
    )
    assert (
        refused(world.submit(replace(ask, custom_data=text), world.pra), Code.INVALID).member == "customData"
    )
    refused(world.submit(replace(ask, ticket=Ticket(text, "ok")), world.pra), Code.INVALID)
    refused(world.submit(replace(ask, ticket=Ticket("1", text)), world.pra), Code.INVALID)


def test_a_custom_role(world: World) -> None:
    role = world.custom_role("Group maker")
    world.eligible(world.ann, role)
    ok(world.activate(world.ann, role, hours=1))
    assert world.holds(world.ann, role)
    off = world.custom_role("Switched off", enabled=False)
    assert refused(world.give(world.ann, off, permanent=True), Code.INVALID).member == "roleDefinitionId"


def test_an_application_is_active_only(world: World) -> None:
    app = world.app("robot")
    refused(world.give(app, kind=ELIGIBILITY, permanent=True), Code.SUBJECT_NOT_ALLOWED)
    ok(world.give(app, kind=ASSIGNMENT, permanent=True))
    assert world.holds(app)


def test_a_role_over_one_application(world: World) -> None:
    app = world.app("robot")
    ok(world.give(world.ann, HELPDESK, ASSIGNMENT, f"/{app}", permanent=True))
    assert world.holds(world.ann, HELPDESK, f"/{app}")
    assert not world.holds(world.ann, HELPDESK)


def test_only_groups_made_for_it(world: World) -> None:
    plain = world.group("plain", role_assignable=False)
    refused(world.give(plain, permanent=True), Code.SUBJECT_NOT_ALLOWED)
    ok(world.give(world.group("special"), permanent=True))


def test_a_guest_and_a_disabled_person_may_be_assigned(world: World) -> None:
    guest = world.guest("Gus")
    ok(world.give(guest, kind=ASSIGNMENT, hours=1))
    assert world.holds(guest)
    world.disable(world.ann)
    ok(world.give(world.ann, kind=ASSIGNMENT, hours=1))
    assert not world.holds(world.ann), "a disabled person has nothing"


# ---------------------------------------------------------------- the policy


def test_every_failed_rule_is_named_at_once(world: World) -> None:
    world.policy(
        assignment=Expiry(required=True, maximum=lasting(86400)),
        assignment_requires=frozenset({Requirement.MFA, Requirement.JUSTIFICATION, Requirement.TICKETING}),
    )
    without = world.caller(world.pra, mfa=False)
    refusal = refused(
        world.give(world.ann, kind=ASSIGNMENT, permanent=True, by=without, justification="  "), Code.POLICY
    )
    assert refusal.rules == ("ExpirationRule", "JustificationRule", "TicketingRule", "MfaRule")
    refusal = refused(world.give(world.ann, kind=ASSIGNMENT, hours=25), Code.POLICY)
    assert refusal.rules == ("ExpirationRule", "TicketingRule")
    ok(world.give(world.ann, kind=ASSIGNMENT, hours=24, ticket=Ticket("1", "SNOW")))


def test_an_eligibility_has_rules_of_its_own(world: World) -> None:
    world.policy(
        eligibility=Expiry(required=True, maximum=lasting(3600)),
        eligibility_requires=frozenset({Requirement.TICKETING}),
    )
    refusal = refused(world.give(world.ann, permanent=True, justification=None), Code.POLICY)
    assert refusal.rules == ("ExpirationRule", "TicketingRule")
    ok(world.give(world.ann, kind=ASSIGNMENT, permanent=True))


def test_five_minutes_at_least(world: World) -> None:
    refused(world.give(world.ann, minutes=4.9), Code.TOO_SHORT)
    refused(world.give(world.ann, until=world.now + timedelta(minutes=4)), Code.TOO_SHORT)
    ok(world.give(world.ann, minutes=5))
    ok(world.give(world.bob, kind=ASSIGNMENT, hours=1))
    world.forward(minutes=5, microseconds=-1)
    refused(world.take(world.bob, kind=ASSIGNMENT), Code.TOO_SHORT)
    world.forward(microseconds=1)
    ok(world.take(world.bob, kind=ASSIGNMENT))


@pytest.mark.parametrize(
    ("window", "member"),
    [
        (Window(type=ExpirationType.AFTER_DURATION), "duration"),
        (Window(type=ExpirationType.AFTER_DATE_TIME), "endDateTime"),
    ],
)
def test_windows_without_an_end(world: World, window: Window, member: str) -> None:
    ask = replace(world.ask(Action.ADMIN_ASSIGN, world.ann, kind=ELIGIBILITY), window=window)
    assert refused(world.submit(ask, world.pra), Code.INVALID).member == member


def test_windows_that_make_no_sense(world: World) -> None:
    past, far = world.now - timedelta(days=1), world.now + timedelta(days=366 * 51)
    assert refused(world.give(world.ann, until=past), Code.INVALID).member == "endDateTime"
    assert refused(world.give(world.ann, until=world.now), Code.INVALID).member == "endDateTime"
    assert refused(world.give(world.ann, start=far, hours=1), Code.INVALID).member == "startDateTime"
    ask = world.ask(Action.ADMIN_ASSIGN, world.ann, kind=ELIGIBILITY)
    ages = Duration("P99999Y", 99999 * 12, 0)
    endless = replace(ask, window=Window(type=ExpirationType.AFTER_DURATION, duration=ages))
    schedule = world.schedule(ok(world.submit(endless, world.pra)))
    assert schedule.ends_at is not None
    assert schedule.ends_at.year == 9999


# ---------------------------------------------------------------- update, extend, renew


@KINDS
def test_update_changes_in_place(world: World, kind) -> None:
    first = ok(world.give(world.ann, kind=kind, days=2))
    world.forward(hours=1)
    second = ok(world.give(world.ann, kind=kind, action=Action.ADMIN_UPDATE, days=5))
    assert second.schedule_id == first.schedule_id
    schedule = world.schedule(second)
    assert schedule.ends_at == world.now + timedelta(days=5)
    assert schedule.starts_at == world.now - timedelta(hours=1), "no gap"
    assert schedule.modified_at == world.now
    ok(world.give(world.ann, kind=kind, action=Action.ADMIN_UPDATE, permanent=True))
    assert world.schedule(second).ends_at is None
    assert len([one for one in world.schedules(kind) if one.principal_id == world.ann]) == 1


def test_update_to_a_later_start(world: World) -> None:
    request = ok(world.give(world.ann, kind=ASSIGNMENT, days=2))
    later = world.now + timedelta(days=1)
    ok(world.give(world.ann, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, start=later, days=1))
    assert not world.holds(world.ann)
    world.at(later)
    assert world.holds(world.ann)
    assert world.schedule(request).ends_at == later + timedelta(days=1)


def test_update_puts_off_what_has_not_begun(world: World) -> None:
    start = world.now + timedelta(days=1)
    request = ok(world.give(world.ann, kind=ASSIGNMENT, start=start, days=1))
    later = start + timedelta(days=3)
    ok(world.give(world.ann, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, start=later, days=1))
    world.at(start)
    world.work()
    assert world.request(request.id).status is RequestStatus.GRANTED, "it has not started"
    world.at(later)
    world.work()
    assert world.request(request.id).status is RequestStatus.PROVISIONED
    assert world.holds(world.ann)


def test_update_of_the_one_that_is_named(world: World) -> None:
    first = ok(world.give(world.ann, hours=2))
    second = ok(world.give(world.ann, start=world.now + timedelta(hours=3), hours=2))
    start = world.now + timedelta(hours=4)
    ok(
        world.give(
            world.ann, action=Action.ADMIN_UPDATE, schedule_id=second.schedule_id, start=start, hours=1
        )
    )
    assert world.schedule(second).starts_at == start
    assert world.schedule(first).ends_at == world.now + timedelta(hours=2)
    refused(
        world.give(world.ann, action=Action.ADMIN_UPDATE, schedule_id=world.new_id(), hours=1),
        Code.ASSIGNMENT_MISSING,
    )
    refused(  # it would run into the other one
        world.give(world.ann, action=Action.ADMIN_UPDATE, schedule_id=first.schedule_id, hours=9),
        Code.ASSIGNMENT_EXISTS,
    )


def test_update_obeys_the_policy(world: World) -> None:
    request = ok(world.give(world.ann, days=1))
    world.policy(eligibility=Expiry(required=True, maximum=lasting(86400)))
    refusal = refused(world.give(world.ann, action=Action.ADMIN_UPDATE, permanent=True), Code.POLICY)
    assert refusal.rules == ("ExpirationRule",)
    assert world.schedule(request).ends_at is not None


def test_an_activation_is_not_updated(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    refused(
        world.give(world.ann, kind=ASSIGNMENT, action=Action.ADMIN_UPDATE, permanent=True),
        Code.ASSIGNMENT_MISSING,
    )


@KINDS
def test_extend(world: World, kind) -> None:
    request = ok(world.give(world.ann, kind=kind, days=2))
    extended = ok(world.give(world.ann, kind=kind, action=Action.ADMIN_EXTEND, days=20))
    assert extended.schedule_id == request.schedule_id
    assert world.schedule(request).ends_at == world.now + timedelta(days=20)
    refused(world.give(world.ann, kind=kind, action=Action.ADMIN_EXTEND, days=3), Code.INVALID)
    ok(world.give(world.ann, kind=kind, action=Action.ADMIN_EXTEND, permanent=True))
    refused(world.give(world.ann, kind=kind, action=Action.ADMIN_EXTEND, permanent=True), Code.INVALID)


@KINDS
@pytest.mark.parametrize("worker", [True, False])
def test_renew(world: World, kind, worker: bool) -> None:
    first = ok(world.give(world.ann, kind=kind, hours=1))
    refused(world.give(world.ann, kind=kind, action=Action.ADMIN_RENEW, days=1), Code.ASSIGNMENT_EXISTS)
    world.forward(hours=1)
    if worker:
        world.work()
    second = ok(world.give(world.ann, kind=kind, action=Action.ADMIN_RENEW, days=1))
    assert second.schedule_id != first.schedule_id
    assert world.schedule(second).in_force(world.now)
    world.work()
    assert world.schedule(first).status is ScheduleStatus.EXPIRED
    assert world.schedule(second).status is ScheduleStatus.PROVISIONED


def test_what_was_removed_is_not_renewed(world: World) -> None:
    ok(world.give(world.ann, days=1))
    ok(world.take(world.ann))
    world.forward(days=2)
    refused(world.give(world.ann, action=Action.ADMIN_RENEW, days=1), Code.ASSIGNMENT_MISSING)


# ---------------------------------------------------------------- remove


def test_remove(world: World) -> None:
    given = ok(world.give(world.ann, kind=ASSIGNMENT, permanent=True))
    world.forward(minutes=5)
    removed = ok(world.take(world.ann, kind=ASSIGNMENT))
    assert (removed.status, removed.completed_at) == (RequestStatus.REVOKED, world.now)
    assert removed.schedule_id == given.schedule_id
    schedule = world.schedule(given)
    assert (schedule.status, schedule.ends_at) == (ScheduleStatus.REVOKED, world.now)
    assert not world.holds(world.ann)
    refused(world.take(world.ann, kind=ASSIGNMENT), Code.ASSIGNMENT_MISSING)


def test_remove_what_has_not_begun(world: World) -> None:
    given = ok(world.give(world.ann, start=world.now + timedelta(days=1), days=1))
    ok(world.take(world.ann))
    assert world.schedule(given).status is ScheduleStatus.CANCELED
    assert world.request(given.id).status is RequestStatus.CANCELED
    world.forward(days=1)
    world.work()
    assert world.request(given.id).status is RequestStatus.CANCELED


def test_remove_what_began_unnoticed(world: World) -> None:
    given = ok(world.give(world.ann, kind=ASSIGNMENT, start=world.now + timedelta(hours=1), days=1))
    world.forward(hours=2)
    assert world.holds(world.ann)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    assert not world.holds(world.ann)
    world.work()
    assert world.request(given.id).status is RequestStatus.PROVISIONED, "it was in force for two hours"
    assert world.schedule(given).status is ScheduleStatus.REVOKED


def test_remove_ends_the_activation_too(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    world.forward(minutes=10)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    assert not world.holds(world.ann)
    assert world.schedule(request).status is ScheduleStatus.REVOKED


def test_remove_calls_off_a_waiting_activation(world: World) -> None:
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, start=world.now + timedelta(hours=1), hours=1))
    ok(world.take(world.ann, kind=ASSIGNMENT))
    assert world.request(request.id).status is RequestStatus.FAILED
    assert world.schedule(request).status is ScheduleStatus.FAILED
    world.forward(hours=1)
    world.work()
    assert not world.holds(world.ann)


def test_remove_only_the_one_that_is_named(world: World) -> None:
    first = ok(world.give(world.ann, hours=2))
    second = ok(world.give(world.ann, start=world.now + timedelta(hours=3), hours=2))
    ok(world.take(world.ann, schedule_id=second.schedule_id))
    assert world.schedule(first).status is ScheduleStatus.PROVISIONED
    assert world.schedule(second).status is ScheduleStatus.CANCELED


def test_remove_a_service_principal_and_a_scoped_one(world: World) -> None:
    app, unit = world.app("robot"), world.unit("north")
    ok(world.give(app, kind=ASSIGNMENT, scope=unit, permanent=True))
    world.forward(minutes=6)
    refused(world.take(app, kind=ASSIGNMENT), Code.ASSIGNMENT_MISSING)
    ok(world.take(app, kind=ASSIGNMENT, scope=unit))
    assert not world.holds(app, scope=unit)


# ---------------------------------------------------------------- outside of PIM


def test_a_plain_role_assignment(world: World) -> None:
    caller = world.caller(world.ga)

    def create(principal: str, role: str = READER, scope: str = "/", by=caller):
        return role_assignments.create(world.deps, by, role, principal, scope)

    made = ok(create(world.ann))
    assert (made.ends_at, made.request_id, made.assignment_type) == (None, None, AssignmentType.ASSIGNED)
    assert world.holds(world.ann, READER)
    refused(create(world.ann), Code.ASSIGNMENT_EXISTS)
    refused(create(world.new_id()), Code.SUBJECT_MISSING)
    refused(create(world.ann, world.new_id()), Code.ROLE_MISSING)
    refused(create(world.ann, READER, "/nowhere"), Code.SCOPE_MISSING)
    refused(create("\x00"), Code.INVALID)
    refused(create(world.group("plain", role_assignable=False)), Code.SUBJECT_NOT_ALLOWED)
    refused(create(world.bob, by=world.caller(world.ann)), Code.FORBIDDEN)
    assert world.events(role_assignments.OUTSIDE)[-1].result == "failure"

    def delete(principal: str, by=caller):
        return role_assignments.delete(world.deps, by, READER, principal, "/")

    refused(delete(world.ann, world.caller(world.bob)), Code.FORBIDDEN)
    ok(delete(world.ann))
    assert not world.holds(world.ann, READER)
    refused(delete(world.ann), Code.NOT_FOUND)
