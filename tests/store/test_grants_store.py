"""Schedules, requests, approvals and the history as they are kept: what goes in comes out, and terminal states stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.approval import Approval, ApprovalStage, Decision, StageStatus, Verdict
from openpim.core.audit import AuditEvent, Target
from openpim.core.grants import (
    Action,
    AssignmentType,
    Duration,
    ExpirationType,
    Kind,
    Provider,
    Request,
    Schedule,
    Ticket,
    Window,
)
from openpim.core.lifecycle import (
    REQUEST_MOVES,
    SCHEDULE_MOVES,
    ApprovalStatus,
    IllegalMoveError,
    RequestStatus,
    ScheduleStatus,
)
from openpim.core.policy import Reviewers, Stage
from openpim.core.query import Compare, Order, Query, UnknownFieldError
from tests.world import DIRECTORY, MICROSECOND, TEAMS, World


def schedule(world: World, **changes) -> Schedule:
    made = Schedule(
        id=world.new_id(),
        kind=Kind.ASSIGNMENT,
        provider=DIRECTORY,
        principal_id=world.ann,
        role_id=TEAMS,
        scope="/",
        starts_at=world.now,
        ends_at=world.now + timedelta(hours=1, microseconds=7),
        status=ScheduleStatus.PROVISIONED,
        assignment_type=AssignmentType.ACTIVATED,
        created_at=world.now - MICROSECOND,
        modified_at=world.now,
        request_id=world.new_id(),
        linked_id=world.new_id(),
        window=Window(world.now, ExpirationType.AFTER_DURATION, None, Duration("PT60M", 0, 3600)),
    )
    return replace(made, **changes)


def request(world: World, **changes) -> Request:
    made = Request(
        id=world.new_id(),
        kind=Kind.ASSIGNMENT,
        provider=DIRECTORY,
        action=Action.SELF_ACTIVATE,
        status=RequestStatus.PENDING_APPROVAL,
        principal_id=world.ann,
        role_id=TEAMS,
        scope="/",
        created_at=world.now,
        created_by=world.ann,
        justification="“why”\n'; DROP TABLE requests; --",
        ticket=Ticket("1", "SNOW"),
        window=Window(None, ExpirationType.AFTER_DATE_TIME, world.now, None),
        custom_data='{"a": 1}',
        amr=("mfa", "pwd"),
        acrs=tuple(f"c{number}" for number in range(1, 100)),
        failure="none",
    )
    return replace(made, **changes)


def test_a_schedule_comes_back_as_it_was(world: World) -> None:
    full, bare = (
        schedule(world),
        schedule(
            world,
            ends_at=None,
            assignment_type=None,
            modified_at=None,
            request_id=None,
            linked_id=None,
            window=Window(),
        ),
    )
    for one in (full, bare):
        world.write(lambda tx, one=one: tx.schedules.add(one))
        assert world.read(lambda tx, one=one: tx.schedules.get(one.id)) == one
    assert world.read(lambda tx: tx.schedules.get(world.new_id())) is None


def test_a_request_comes_back_as_it_was(world: World) -> None:
    for one in (
        request(world),
        request(world, justification=None, ticket=Ticket(), acrs=(), window=Window()),
    ):
        world.write(lambda tx, one=one: tx.requests.add(one))
        assert world.read(lambda tx, one=one: tx.requests.get(one.id)) == one


@pytest.mark.parametrize("before", ScheduleStatus)
def test_schedules_move_along_the_table_only(world: World, before: ScheduleStatus) -> None:
    for after in ScheduleStatus:
        one = schedule(world, status=before)
        world.write(lambda tx, one=one: tx.schedules.add(one))
        if after is before or after in SCHEDULE_MOVES[before]:
            world.write(lambda tx, one=one, after=after: tx.schedules.save(replace(one, status=after)))
        else:
            with pytest.raises(IllegalMoveError):
                world.write(lambda tx, one=one, after=after: tx.schedules.save(replace(one, status=after)))
            assert world.read(lambda tx, one=one: tx.schedules.get(one.id)) == one


@pytest.mark.parametrize("before", RequestStatus)
def test_requests_move_along_the_table_only(world: World, before: RequestStatus) -> None:
    for after in RequestStatus:
        one = request(world, status=before)
        world.write(lambda tx, one=one: tx.requests.add(one))
        if after is before or after in REQUEST_MOVES[before]:
            world.write(lambda tx, one=one, after=after: tx.requests.save(replace(one, status=after)))
        else:
            with pytest.raises(IllegalMoveError):
                world.write(lambda tx, one=one, after=after: tx.requests.save(replace(one, status=after)))


def test_what_is_not_there_is_not_saved(world: World) -> None:
    with pytest.raises(IllegalMoveError):
        world.write(lambda tx: tx.schedules.save(schedule(world)))
    with pytest.raises(IllegalMoveError):
        world.write(lambda tx: tx.requests.save(request(world)))
    with pytest.raises(LookupError):
        world.write(lambda tx: tx.approvals.save(approval(world)))


def test_many_principals_at_once(world: World) -> None:
    """More ids than a database takes as parameters of one statement."""
    one = schedule(world)
    world.write(lambda tx: tx.schedules.add(one))
    crowd = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(70_000)]
    found = world.read(lambda tx: tx.schedules.of([*crowd, world.ann]))
    assert one in found
    assert world.read(lambda tx: tx.schedules.of([])) == []


def test_in_force_and_due(world: World) -> None:
    now = world.now
    states = {
        "on": schedule(world, starts_at=now, ends_at=now + MICROSECOND),
        "over": schedule(world, starts_at=now - timedelta(hours=1), ends_at=now),
        "later": schedule(world, starts_at=now + MICROSECOND, ends_at=None),
        "waiting": schedule(world, starts_at=now, status=ScheduleStatus.GRANTED),
        "revoked": schedule(world, status=ScheduleStatus.REVOKED),
    }
    for one in states.values():
        world.write(lambda tx, one=one: tx.schedules.add(one))
    names = {one.id: name for name, one in states.items()}

    def named(found) -> set[str]:
        return {names[one.id] for one in found if one.id in names}

    mine = Query(Compare("principal_id", "eq", world.ann), limit=1000)
    read = world.read
    assert named(
        read(lambda tx: tx.schedules.page(DIRECTORY, Kind.ASSIGNMENT, mine, in_force_at=now)).items
    ) == {"on"}
    live = read(lambda tx: tx.schedules.page(DIRECTORY, Kind.ASSIGNMENT, mine, live_at=now)).items
    assert named(live) == {"on", "later", "waiting"}
    assert named(read(lambda tx: tx.schedules.of([world.ann], live_at=now))) == {"on", "later", "waiting"}
    assert named(read(lambda tx: tx.schedules.of_role(DIRECTORY, Kind.ASSIGNMENT, TEAMS, "/", now=now))) == {
        "on"
    }
    assert named(read(lambda tx: tx.schedules.due_to_end(now, 10))) == {"over"}
    assert named(read(lambda tx: tx.schedules.due_to_start(now, 10))) == {"waiting"}
    assert named(read(lambda tx: tx.schedules.resting_on(states["on"].linked_id, now))) == {"on"}
    assert read(lambda tx: tx.schedules.resting_on(states["over"].linked_id, now)) == []
    still = world.write(lambda tx: tx.schedules.still_due_to_end([one.id for one in states.values()], now))
    assert named(still) == {"over"}


def test_pages_in_every_order(world: World) -> None:
    for number in range(7):
        ends_at = None if number % 3 == 0 else world.now + timedelta(hours=number)
        one = schedule(world, ends_at=ends_at, provider=Provider.GROUP, scope=world.bob)
        world.write(lambda tx, one=one: tx.schedules.add(one))
    for order in (
        (),
        (Order("id", descending=True),),
        (Order("ends_at"),),
        (Order("ends_at", descending=True), Order("starts_at")),
        (Order("starts_at"), Order("id", descending=True)),
    ):
        seen, after = [], None
        while True:
            query = Query(Compare("scope", "eq", world.bob), order, limit=2, after=after)
            page = world.read(
                lambda tx, query=query: tx.schedules.page(Provider.GROUP, Kind.ASSIGNMENT, query)
            )
            seen += [one.id for one in page.items]
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 7, order


@pytest.mark.parametrize(
    "query",
    [
        Query(Compare("nonsense", "eq", "x")),
        Query(order=(Order("nonsense"),)),
        Query(Compare("starts_at", "eq", "x")),
        Query(Compare("role_id", "eq", 7)),
        Query(Compare("ends_at", "gt", None)),
        Query(after="nonsense"),
        Query(after="W10"),
        Query(after="WzFd"),
    ],
)
def test_nonsense_is_refused(world: World, query: Query) -> None:
    with pytest.raises(UnknownFieldError):
        world.read(lambda tx: tx.schedules.page(DIRECTORY, Kind.ASSIGNMENT, query))


# ---------------------------------------------------------------- approvals


def approval(world: World, **changes) -> Approval:
    id = world.new_id()
    settings = Stage(primary=Reviewers((world.bob,), ("g",)), quorum=2, escalation=Reviewers((world.cyd,)))
    stages = tuple(
        ApprovalStage(
            id if number == 1 else world.new_id(),
            number,
            StageStatus.IN_PROGRESS if number == 1 else StageStatus.NOT_STARTED,
            settings,
            frozenset({world.bob, f"role:{TEAMS}", f"only{number}"}),
            started_at=world.now,
            deadline=world.now + timedelta(hours=number),
            escalates_at=world.now + timedelta(minutes=30) if number == 1 else None,
        )
        for number in (1, 2)
    )
    made = Approval(id, world.ann, ApprovalStatus.IN_PROGRESS, stages, deadline=world.now)
    return replace(made, **changes)


def test_an_approval_comes_back_as_it_was(world: World) -> None:
    one = approval(world)
    world.write(lambda tx: tx.approvals.add(one))
    assert world.read(lambda tx: tx.approvals.get(one.id)) == one
    decisions = (
        Decision(one.id, world.bob, Verdict.APPROVE, "ok", world.now, world.bob),
        Decision(one.id, world.dan, Verdict.APPROVE, "ok", world.now, world.cyd),
    )
    first = replace(one.stages[0], status=StageStatus.COMPLETED, escalated=True, fell_back=True)
    second = replace(one.stages[1], status=StageStatus.IN_PROGRESS)
    changed = replace(one, decisions=decisions, stages=(first, second))
    world.write(lambda tx: tx.approvals.save(changed))
    found = world.read(lambda tx: tx.approvals.get(one.id))
    assert replace(found, decisions=()) == replace(changed, decisions=())
    assert set(found.decisions) == set(decisions)


def test_waiting_follows_the_current_stage(world: World) -> None:
    one = approval(world)
    world.write(lambda tx: tx.approvals.add(one))

    def waiting(key: str) -> bool:
        return one.id in world.read(lambda tx: tx.approvals.waiting_for([key, "nobody"]))

    assert waiting("only1")
    assert not waiting("only2")
    second = replace(
        one,
        stages=(
            replace(one.stages[0], status=StageStatus.COMPLETED),
            replace(one.stages[1], status=StageStatus.IN_PROGRESS),
        ),
    )
    world.write(lambda tx: tx.approvals.save(second))
    assert not waiting("only1")
    assert waiting("only2")
    world.write(lambda tx: tx.approvals.save(replace(second, status=ApprovalStatus.CANCELED)))
    assert not waiting("only2")
    assert world.read(lambda tx: tx.approvals.waiting_for([])) == []


def test_approvals_move_along_the_table_only(world: World) -> None:
    one = approval(world, status=ApprovalStatus.DENIED)
    world.write(lambda tx: tx.approvals.add(one))
    for status in set(ApprovalStatus) - {ApprovalStatus.DENIED}:
        with pytest.raises(IllegalMoveError):
            world.write(lambda tx, status=status: tx.approvals.save(replace(one, status=status)))


def test_due_are_the_longest_due_first(world: World) -> None:
    one, other = approval(world), approval(world)
    other = replace(other, stages=(replace(other.stages[0], deadline=world.now), other.stages[1]))
    for each in (one, other):
        world.write(lambda tx, each=each: tx.approvals.add(each))
    due = world.read(lambda tx: tx.approvals.due(world.now, 9))
    assert other.id in due
    assert one.id not in due
    later = world.read(lambda tx: tx.approvals.due(world.now + timedelta(minutes=30), 9))
    assert [id for id in later if id in {one.id, other.id}] == [other.id, one.id]


# ---------------------------------------------------------------- the history


def test_an_event_comes_back_as_it_was(world: World) -> None:
    event = AuditEvent(
        id=world.new_id(),
        at=world.now + MICROSECOND,
        activity="Something",
        category="RoleManagement",
        result="failure",
        reason="“no”",
        actor_id=world.ann,
        actor_kind="user",
        actor_name="a" * 300,
        actor_upn="ann@x.test",
        app_id="app",
        ip="::1",
        client="c" * 300,
        amr=("mfa",),
        correlation_id="x" * 70,
        targets=(
            Target("Role", TEAMS, "Teams", (("a", None, "1"), ("b", "1", None))),
            Target("User", "u" * 90),
            Target("Other", ""),
        ),
        details=(("k", "v"), ("k", "w")),
    )
    world.write(lambda tx: tx.audit.add(event))
    found = world.read(lambda tx: tx.audit.get(event.id))
    cut = replace(event, actor_name="a" * 256, client="c" * 256, correlation_id="x" * 64)
    assert replace(found, sequence=0) == cut

    def about(**where) -> list[str]:
        ((field, value),) = where.items()
        query = Query(Compare(field, "eq", value), limit=1000)
        return [one.id for one in world.read(lambda tx: tx.audit.page(query)).items]

    assert event.id in about(target_id="u" * 90)
    assert event.id not in about(target_id="u" * 80)
    assert event.id in about(concerns=world.ann)
    assert event.id in about(concerns=TEAMS)
    assert event.id not in about(target_id=world.bob)
    for field in ("target_id", "concerns"):
        with pytest.raises(UnknownFieldError):
            world.read(lambda tx, field=field: tx.audit.page(Query(Compare(field, "ne", "x"))))
        with pytest.raises(UnknownFieldError):
            world.read(lambda tx, field=field: tx.audit.page(Query(Compare(field, "eq", 5))))


def test_delegations_are_replaced(world: World) -> None:
    hour = world.now + timedelta(hours=1)
    world.write(lambda tx: tx.approvals.delegate(world.ann, world.bob, world.now, hour))
    world.write(lambda tx: tx.approvals.delegate(world.ann, world.bob, hour, hour + timedelta(hours=1)))
    assert world.read(lambda tx: tx.approvals.delegators_of(world.bob, world.now)) == []
    assert world.read(lambda tx: tx.approvals.delegators_of(world.bob, hour)) == [world.ann]
