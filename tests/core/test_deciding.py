"""The decisions alone: facts in, a grant or a refusal out. Each rule at its very edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.core import deciding
from openpim.core.ask import Ask
from openpim.core.deciding import Grant, Proof
from openpim.core.grants import (
    END_OF_TIME,
    Action,
    AssignmentType,
    Duration,
    ExpirationType,
    Kind,
    Provider,
    Schedule,
    Ticket,
    Window,
    days,
    hours,
)
from openpim.core.lifecycle import (
    APPROVAL_MOVES,
    AWAITING_DECISION,
    CANCELLABLE,
    OPEN,
    REQUEST_MOVES,
    SCHEDULE_MOVES,
    ApprovalStatus,
    IllegalMoveError,
    RequestStatus,
    ScheduleStatus,
    check_approval_move,
    check_request_move,
    check_schedule_move,
)
from openpim.core.policy import ApprovalSettings, Expiry, Policy, Requirement
from openpim.core.refusals import Code, Refusal

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)
MFA = Proof(frozenset({"pwd", "mfa"}), frozenset())
POLICY = Policy(id="p", role_id="r", activation_requires=frozenset(), assignment_requires=frozenset())


def held(start: datetime = NOW - HOUR, end: datetime | None = None, id: str = "e", **changes) -> Schedule:
    made = Schedule(
        id,
        Kind.ELIGIBILITY,
        Provider.DIRECTORY,
        "u",
        "r",
        "/",
        start,
        end,
        ScheduleStatus.PROVISIONED,
        None,
        start,
    )
    return replace(made, **changes)


def active(start: datetime, end: datetime | None, id: str = "a") -> Schedule:
    return held(start, end, id, kind=Kind.ASSIGNMENT, assignment_type=AssignmentType.ACTIVATED)


def ask(length: timedelta | None = None, *, start=None, end=None, permanent=False, **changes) -> Ask:
    window = Window(start)
    if permanent:
        window = Window(start, ExpirationType.NO_EXPIRATION)
    elif end is not None:
        window = Window(start, ExpirationType.AFTER_DATE_TIME, end=end)
    elif length is not None:
        duration = Duration("x", 0, int(length.total_seconds()))
        window = Window(start, ExpirationType.AFTER_DURATION, duration=duration)
    made = Ask(Kind.ASSIGNMENT, Provider.DIRECTORY, Action.SELF_ACTIVATE, "u", "r", "/", "why", window=window)
    return replace(made, **changes)


def activation(wanted: Ask, policy: Policy = POLICY, eligible=None, others=(), **more) -> Grant | Refusal:
    facts = {"proof": MFA, "minimum": FIVE, "now": NOW} | more
    carrying = [held()] if eligible is None else eligible
    return deciding.activation(wanted, policy=policy, eligibilities=carrying, activations=others, **facts)


def code(outcome: Grant | Refusal) -> Code | None:
    return outcome.code if isinstance(outcome, Refusal) else None


# ---------------------------------------------------------------- activation


def test_the_minimum_at_its_edge() -> None:
    assert code(activation(ask(end=NOW + FIVE - TICK))) is Code.TOO_SHORT
    assert code(activation(ask(end=NOW + FIVE))) is None


def test_the_maximum_at_its_edge() -> None:
    eight = timedelta(hours=8)
    assert code(activation(ask(end=NOW + eight))) is None
    assert activation(ask(end=NOW + eight + TICK)).rules == ("ExpirationRule",)
    later = NOW + timedelta(days=3)
    assert code(activation(ask(start=later, end=later + eight))) is None
    assert activation(ask(start=later, end=later + eight + TICK)).rules == ("ExpirationRule",)


def test_a_maximum_that_is_not_required_is_none() -> None:
    free = replace(POLICY, activation=Expiry(required=False, maximum=hours(1)))
    assert activation(ask(permanent=True), free).ends_at is None
    assert activation(ask(timedelta(days=9)), free).ends_at == NOW + timedelta(days=9)
    assert activation(ask(), free).ends_at == NOW + HOUR, "but it is what is meant when nothing is said"


def test_eligible_at_the_start_that_is_asked_for() -> None:
    coming = held(NOW + HOUR, NOW + 3 * HOUR)
    assert code(activation(ask(HOUR), eligible=[coming])) is Code.ASSIGNMENT_MISSING
    assert code(activation(ask(HOUR, start=NOW + HOUR - TICK), eligible=[coming])) is Code.ASSIGNMENT_MISSING
    assert code(activation(ask(HOUR, start=NOW + HOUR), eligible=[coming])) is None
    assert code(activation(ask(HOUR, start=NOW + 3 * HOUR), eligible=[coming])) is Code.ASSIGNMENT_MISSING
    ended = held(status=ScheduleStatus.REVOKED)
    assert code(activation(ask(HOUR), eligible=[ended])) is Code.ASSIGNMENT_MISSING


@given(st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=1, max_size=6), st.integers(1, 8))
def test_the_end_is_the_earlier_of_what_is_asked_and_what_carries_furthest(ends, length) -> None:
    eligible = [
        held(end=None if end is None else NOW + end * HOUR, id=str(number)) for number, end in enumerate(ends)
    ]
    grant = activation(ask(length * HOUR), eligible=eligible)
    furthest = None if None in ends else max(ends)
    assert grant.ends_at == NOW + (length if furthest is None else min(length, furthest)) * HOUR
    assert deciding.best_eligibility(eligible, NOW) == grant.eligibility
    assert deciding.best_eligibility(list(reversed(eligible)), NOW) == grant.eligibility


@pytest.mark.parametrize(
    ("start", "end", "clash"),
    [
        (-2, 0, False),
        (-1, 1, True),
        (1, 2, False),
        (0, 1, True),
        (0.5, 9, True),
        (-1, None, True),
        (2, 3, False),
    ],
)
def test_two_at_the_same_time(start: float, end: float | None, clash: bool) -> None:
    other = active(NOW + start * HOUR, None if end is None else NOW + end * HOUR)
    assert (code(activation(ask(HOUR), others=[other])) is Code.ASSIGNMENT_EXISTS) is clash


def test_every_failed_rule_and_each_once() -> None:
    strict = replace(
        POLICY,
        activation_requires=frozenset(Requirement),
        approval=ApprovalSettings(required=True),
        context_enabled=True,
        context="c3",
    )
    bare = ask(timedelta(days=2), justification=None)
    refusal = activation(bare, strict, proof=Proof(frozenset(), frozenset()))
    assert refusal.rules == ("ExpirationRule", "JustificationRule", "TicketingRule", "MfaRule")
    assert refusal.detail == "c3"
    for word in ("duration", "justification", "ticket", "multi-factor"):
        assert word in refusal.message


def test_who_must_approve() -> None:
    assert not activation(ask(HOUR)).needs_approval
    required = replace(POLICY, approval=ApprovalSettings(required=True))
    assert activation(ask(HOUR), required).needs_approval
    unexplained = replace(
        POLICY, approval=ApprovalSettings(required=True, requestor_justification_required=False)
    )
    assert activation(ask(HOUR, justification=None), unexplained).needs_approval
    extending = replace(POLICY, approval=ApprovalSettings(required_for_extension=True))
    assert not activation(ask(HOUR), extending).needs_approval
    running = active(NOW - HOUR, NOW + HOUR / 2)
    assert activation(ask(HOUR), extending, extending=running).needs_approval


def test_an_extension_begins_where_the_first_began_and_counts_from_now() -> None:
    running = active(NOW - 3 * HOUR, NOW + HOUR)
    grant = activation(ask(8 * HOUR), others=[running], extending=running)
    assert (grant.starts_at, grant.ends_at) == (running.starts_at, NOW + 8 * HOUR)
    assert code(activation(ask(HOUR), extending=running)) is Code.INVALID
    assert code(activation(ask(HOUR + timedelta(seconds=1)), extending=running)) is None
    assert activation(ask(8 * HOUR + timedelta(seconds=1)), extending=running).rules == ("ExpirationRule",)
    clamped = activation(ask(8 * HOUR), eligible=[held(end=NOW + HOUR)], extending=running)
    assert code(clamped) is Code.INVALID
    follower = active(NOW + 2 * HOUR, NOW + 3 * HOUR, "b")
    assert (
        code(activation(ask(8 * HOUR), others=[running, follower], extending=running))
        is Code.ASSIGNMENT_EXISTS
    )
    assert code(activation(ask(8 * HOUR), extending=active(NOW - HOUR, None))) is Code.INVALID


# ---------------------------------------------------------------- what administrators give


def give(wanted: Ask, policy: Policy = POLICY, existing=(), replacing=None) -> Grant | Refusal:
    return deciding.assignment(
        wanted, policy=policy, existing=existing, proof=MFA, minimum=FIVE, now=NOW, replacing=replacing
    )


def test_what_an_administrator_gives() -> None:
    assert give(ask(permanent=True)) == Grant(NOW, None)
    assert give(ask()) == Grant(NOW, None)
    assert give(ask(HOUR, start=NOW + HOUR)) == Grant(NOW + HOUR, NOW + 2 * HOUR)
    assert code(give(ask(timedelta(seconds=299)))) is Code.TOO_SHORT
    assert code(give(ask(end=NOW))) is Code.INVALID
    bounded = replace(POLICY, assignment=Expiry(required=True, maximum=days(1)))
    assert give(ask(permanent=True), bounded).rules == ("ExpirationRule",)
    assert code(give(ask(timedelta(days=1)), bounded)) is None
    assert give(ask(timedelta(days=1, seconds=1)), bounded).rules == ("ExpirationRule",)
    eligible = ask(permanent=True, kind=Kind.ELIGIBILITY)
    assert code(give(eligible, bounded)) is None


def test_what_is_there_already() -> None:
    assert code(give(ask(HOUR), existing=[held()])) is Code.ASSIGNMENT_EXISTS
    assert code(give(ask(HOUR), existing=[active(NOW, NOW + HOUR)])) is None
    assert code(give(ask(HOUR), existing=[held(end=NOW)])) is None
    assert code(give(ask(HOUR), existing=[held()], replacing=held())) is None


def test_a_replacement_keeps_its_beginning() -> None:
    assert give(ask(HOUR), replacing=held()) == Grant(NOW - HOUR, NOW + HOUR)
    assert give(ask(HOUR), replacing=held(NOW + HOUR)) == Grant(NOW, NOW + HOUR)
    assert give(ask(HOUR, start=NOW + HOUR), replacing=held()) == Grant(NOW + HOUR, NOW + 2 * HOUR)


def test_five_minutes_before_an_end() -> None:
    def early(one: Schedule) -> bool:
        return deciding.removable([one], minimum=FIVE, now=NOW) is not None

    assert early(active(NOW - FIVE + TICK, None))
    assert not early(active(NOW - FIVE, None))
    assert not early(active(NOW + HOUR, None))
    assert not early(held(NOW))
    assert deciding.removable([active(NOW, None)], minimum=timedelta(0), now=NOW) is None


def test_extension_and_renewal_have_their_days() -> None:
    def extend(end: datetime | None, wanted: Ask | None = None) -> Code | None:
        wanted = wanted or ask(timedelta(days=99))
        refusal = deciding.extension_asked(held(end=end), wanted, window_days=14, now=NOW)
        return refusal.code if refusal else None

    assert extend(None) is Code.INVALID
    assert extend(NOW + timedelta(days=14)) is None
    assert extend(NOW + timedelta(days=14) + TICK) is Code.INVALID
    assert extend(NOW + HOUR, ask(HOUR)) is Code.INVALID
    assert extend(NOW + HOUR, ask()) is None
    assert extend(NOW + HOUR, ask(permanent=True)) is None
    nothing = replace(ask(), window=Window(type=ExpirationType.AFTER_DURATION))
    assert extend(NOW + HOUR, nothing) is Code.INVALID

    def renew(ended: Schedule | None) -> Code | None:
        refusal = deciding.renewal_asked(ended, window_days=30, now=NOW)
        return refusal.code if refusal else None

    assert renew(None) is Code.ASSIGNMENT_MISSING
    assert renew(held()) is Code.ASSIGNMENT_MISSING
    assert renew(held(end=NOW - timedelta(days=30))) is None
    assert renew(held(end=NOW - timedelta(days=30) - TICK)) is Code.INVALID


# ---------------------------------------------------------------- values


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 20_000 * 12), st.integers(0, 10**12))
def test_a_duration_never_overflows_and_never_goes_back(start, months, seconds) -> None:
    end = Duration("x", months, seconds).after(start)
    assert min(start, END_OF_TIME) <= end <= END_OF_TIME


def test_months_end_on_their_last_day() -> None:
    january = datetime(2027, 1, 31, 12, tzinfo=UTC)
    assert Duration("P1M", 1, 0).after(january) == datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert Duration("P13M", 13, 0).after(january) == datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert Duration("P11M", 11, 60).after(january) == datetime(2027, 12, 31, 12, 1, tzinfo=UTC)
    assert Duration("PT9999999999H", 0, 9_999_999_999 * 3600).after(january) == END_OF_TIME


@given(st.integers(-3, 3), st.one_of(st.none(), st.integers(-3, 3)), st.sampled_from(ScheduleStatus))
def test_in_force_is_live_and_begun(start, end, status) -> None:
    one = held(NOW + start * TICK, None if end is None else NOW + end * TICK, status=status)
    truth = status is ScheduleStatus.PROVISIONED and start <= 0 and (end is None or end > 0)
    assert one.in_force(NOW) is truth
    assert one.live(NOW) or not truth


def test_a_ticket_is_a_number_and_a_system() -> None:
    assert Ticket("1", "S").complete
    for ticket in (Ticket(), Ticket("1"), Ticket(None, "S"), Ticket(" ", "S"), Ticket("1", "\t")):
        assert not ticket.complete


def test_the_table_is_closed() -> None:
    """Terminal states never return, whatever is tried."""
    for moves, check, kind in (
        (REQUEST_MOVES, check_request_move, RequestStatus),
        (SCHEDULE_MOVES, check_schedule_move, ScheduleStatus),
        (APPROVAL_MOVES, check_approval_move, ApprovalStatus),
    ):
        assert set(moves) == set(kind)
        for old in kind:
            for new in kind:
                if new in moves[old]:
                    check(old, new)
                else:
                    with pytest.raises(IllegalMoveError):
                        check(old, new)
    assert all(not REQUEST_MOVES[status] for status in RequestStatus if status not in OPEN)
    assert CANCELLABLE <= OPEN
    assert AWAITING_DECISION <= OPEN
