"""Sending: grouped, only what still holds, tried again and at last given up, never lost, and not doubled by two who send."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from openpim.core.deliveries import DeliveryStatus
from openpim.core.grants import Action
from openpim.core.notification_preferences import Preferences, Quiet
from openpim.core.query import Query
from openpim.core.refusals import Code
from openpim.ports.channels import Outcome
from openpim.services.audit_log import grow
from openpim.services.notices import administration, planning, preferences
from openpim.services.notices.planning import plan
from openpim.services.notices.sending import LEASE, Ways, send_due
from tests.services.notices.telling import PostOffice, Telling
from tests.world import ASSIGNMENT, DENY, PRA, TEAMS, World, ok, refused

DOWN = Outcome(sent=False, reason="The mail server does not answer.")


def waiting(telling: Telling, people: int = 1) -> list[Any]:
    """So many people ask Bob at once."""
    world = telling.world
    world.approval(world.bob)
    asking = [world.user(f"p{number}") for number in range(people)]
    for person in asking:
        world.eligible(person)
    telling.told()
    return [ok(world.activate(person, hours=1)) for person in asking]


def to_bob(telling: Telling) -> list[Any]:
    return [letter for letter in telling.office.letters if letter.name == "bob"]


def of(telling: Telling, status: DeliveryStatus) -> list[Any]:
    return [one for one in telling.deliveries() if one.status is status]


def test_ten_requests_are_one_letter(telling: Telling) -> None:
    waiting(telling, 10)
    telling.plan()
    telling.send()
    (letter,) = to_bob(telling)
    assert len(letter.notices) == 10
    assert letter.subject == "10 requests wait for your decision"
    assert letter.link.endswith("/portal/approvals")


def test_one_letter_a_minute(telling: Telling) -> None:
    """The first goes out at once; what comes after it within the minute goes out together when that is over."""
    world = telling.world
    world.approval(world.bob)
    people = [world.user(f"p{number}") for number in range(4)]
    for person in people:
        world.eligible(person)
    telling.told()
    for person in people:
        ok(world.activate(person, hours=1))
        telling.plan()
        telling.send()
        world.forward(seconds=10)
    assert [len(letter.notices) for letter in to_bob(telling)] == [1]
    world.forward(seconds=19)
    telling.send()
    assert len(to_bob(telling)) == 1
    world.forward(seconds=1)
    telling.send()
    assert [len(letter.notices) for letter in to_bob(telling)] == [1, 3]


def test_what_was_decided_before_it_went_out_is_not_sent(telling: Telling) -> None:
    (request,) = waiting(telling)
    telling.plan()
    ok(telling.world.review(request, telling.world.bob, DENY))
    telling.send()
    assert to_bob(telling) == []
    dropped = [one for one in of(telling, DeliveryStatus.DROPPED) if one.topic == "approvalWanted"]
    assert [one.reason for one in dropped] == ["It was decided, or withdrawn, before this was sent."]


def test_what_was_withdrawn_or_has_timed_out_is_not_sent(telling: Telling) -> None:
    first, _second = waiting(telling, 2)
    telling.plan()
    ok(telling.world.cancel(first, first.principal_id))
    telling.world.forward(days=2)  # nobody has recorded the time-out
    telling.send()
    assert to_bob(telling) == []


def test_who_can_no_longer_decide_is_not_told(telling: Telling) -> None:
    waiting(telling)
    telling.plan()
    telling.world.approval(telling.world.cyd)
    telling.world.work()
    telling.send()
    assert to_bob(telling) == []


def test_who_is_disabled_or_no_administrator_is_not_told(telling: Telling) -> None:
    world = telling.world
    ok(world.give(world.dan, PRA, by=world.ga, kind=ASSIGNMENT, days=1))
    telling.told()
    world.eligible(world.ann)
    telling.plan()
    world.disable(world.ga)
    world.forward(days=2)
    telling.office.letters.clear()
    telling.send()
    assert {letter.name for letter in telling.office.letters} == {"Gustav", "ann"}


def test_an_end_that_was_put_off_is_not_told(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, days=10)
    telling.told()
    world.forward(days=9, hours=1)
    telling.plan()
    ok(world.give(world.ann, action=Action.ADMIN_EXTEND, days=40))
    telling.send()
    assert [
        one for letter in telling.office.letters for one in letter.notices if one.topic == "endingSoon"
    ] == []


def test_a_failure_is_tried_again_ever_more_slowly_and_given_up_after_three_days(telling: Telling) -> None:
    world = telling.world
    waiting_since = world.now
    world.approval(world.bob, timeout_minutes=60 * 24 * 30)
    world.eligible(world.ann)
    telling.told()
    ok(world.activate(world.ann, hours=1))
    telling.plan()
    telling.office.outcomes = [DOWN] * 200
    tries: list[datetime] = []
    while of(telling, DeliveryStatus.WAITING):
        (one,) = of(telling, DeliveryStatus.WAITING)
        world.at(max(world.now, one.due_at))
        tries.append(world.now)
        telling.send()
        assert len(tries) < 100
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses == sorted(pauses)
    assert max(pauses) == timedelta(hours=2)
    assert timedelta(days=3) <= tries[-1] - tries[0] <= timedelta(days=3, hours=2)
    (dead,) = of(telling, DeliveryStatus.DEAD)
    assert dead.reason == DOWN.reason
    assert waiting_since < world.now
    # An administrator has it tried again; others may not.
    refused(administration.retry(world.deps, world.caller(world.ann), dead.id), Code.FORBIDDEN)
    ok(administration.retry(world.deps, world.caller(world.pra), dead.id))
    refused(administration.retry(world.deps, world.caller(world.pra), dead.id), Code.CONFLICT)
    telling.office.outcomes = []
    telling.send()
    assert [letter.name for letter in to_bob(telling)] == ["bob"]


def test_what_is_refused_for_good_is_given_up_at_once(telling: Telling) -> None:
    waiting(telling)
    telling.plan()
    telling.office.outcomes = [Outcome(sent=False, reason="550 no such user", retry=False)]
    telling.send()
    assert [one.reason for one in of(telling, DeliveryStatus.DEAD)] == ["550 no such user"]


def test_a_server_that_is_away_is_tried_once_not_for_each_letter(telling: Telling) -> None:
    telling.world.eligible(telling.world.ann)
    telling.plan()
    telling.office.reachable = False
    telling.office.outcomes = [DOWN] * 10
    telling.send()
    assert telling.office.tries == 1
    assert {one.reason for one in of(telling, DeliveryStatus.WAITING)} == {DOWN.reason}


def test_a_sender_that_dies_leaves_it_to_the_next(telling: Telling) -> None:
    world = telling.world
    waiting(telling)
    telling.plan()

    class Dies(PostOffice):
        def send(self, letter: Any) -> Outcome:
            self.letters.append(letter)
            raise KeyboardInterrupt

    dead = Dies()
    with pytest.raises(KeyboardInterrupt):
        send_due(world.deps, Ways(dead))
    telling.send()
    assert to_bob(telling) == []  # still leased
    world.forward(seconds=LEASE.total_seconds())
    telling.send()
    (letter,) = to_bob(telling)
    assert letter.id == dead.letters[0].id  # so that it is known as the same


def test_who_finishes_late_changes_nothing(telling: Telling) -> None:
    world = telling.world
    waiting(telling)
    telling.plan()
    claim = lambda: world.database.write("", lambda tx: tx.deliveries.claim(world.now, world.now + LEASE, 10))  # noqa: E731
    (late,) = claim()
    world.forward(seconds=LEASE.total_seconds())
    (current,) = claim()
    assert (late.attempt, current.attempt) == (1, 2)
    finish = lambda one: world.write(lambda tx: tx.deliveries.finish(one, DeliveryStatus.SENT, "", world.now))  # noqa: E731
    assert not finish(late)
    assert not world.write(lambda tx: tx.deliveries.again(late, world.now, "", failed=True))
    assert finish(current)
    assert not finish(current)


def test_two_who_send_at_once_double_nothing(telling: Telling) -> None:
    world = telling.world
    group = world.group("Many", [world.user(f"m{number}") for number in range(30)])
    world.eligible(group)
    telling.plan()
    offices = [PostOffice(), PostOffice()]
    barrier = Barrier(2)

    def run(office: PostOffice) -> None:
        barrier.wait()
        while send_due(world.deps, Ways(office), limit=3):
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, offices))
    sent = [letter.to for office in offices for letter in office.letters]
    assert len(sent) == len(set(sent)) == 32  # 30 in the group, two administrators
    assert of(telling, DeliveryStatus.WAITING) == []


def test_two_who_plan_at_once_double_nothing(telling: Telling) -> None:
    world = telling.world
    for number in range(8):
        world.eligible(world.user(f"m{number}"))
    while grow(world.deps, world.tenant_id):
        pass
    barrier = Barrier(2)

    def run(_: int) -> None:
        barrier.wait()
        for _ in range(20):
            plan(world.deps, world.tenant_id, limit=3)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    made = [one for one in telling.deliveries() if one.topic == "assignedEligible"]
    assert len({one.key for one in made}) == len(made) == 8 * 3


def test_quiet_hours_hold_back_what_is_not_critical(telling: Telling) -> None:
    world = telling.world
    quiet = Quiet("20:00", "07:00", "Europe/Oslo")
    for person in (world.ann, world.bob):
        ok(preferences.choose(world.deps, world.caller(person), Preferences(quiet=quiet)))
    world.at(datetime(2026, 11, 3, 20, 30, tzinfo=UTC))  # 21:30 in Oslo
    world.eligible(world.ann)
    world.approval(world.bob)
    ok(world.activate(world.ann, hours=1))
    told = telling.told()
    assert "ann" not in told
    assert told["bob"] == ["approvalWanted"]
    world.at(datetime(2026, 11, 4, 5, 59, tzinfo=UTC))
    telling.send()
    assert [one for one in telling.office.letters if one.name == "ann"] == []
    world.forward(minutes=1)
    telling.send()
    assert [one.name for one in telling.office.letters if one.name == "ann"] == ["ann"]


def test_who_wants_no_mail_gets_what_is_critical(telling: Telling) -> None:
    world = telling.world
    ok(preferences.choose(world.deps, world.caller(world.bob), Preferences(channels=())))
    world.eligible(world.bob, TEAMS)
    assert "bob" not in telling.told()
    waiting(telling)
    assert telling.told()["bob"] == ["approvalWanted"]


def test_times_are_written_in_the_zone_of_the_reader(telling: Telling) -> None:
    world = telling.world
    ok(preferences.choose(world.deps, world.caller(world.ann), Preferences(zone="Asia/Tokyo")))
    world.eligible(world.ann, until=datetime(2027, 1, 4, 15, 0, tzinfo=UTC))
    until = {letter.name: dict(letter.notices[0].lines)["Until"] for letter in telling.tell()}
    assert until["ann"] == "Tue 5 Jan 2027 00:00 Asia/Tokyo (15:00 UTC)"
    assert until["Gala"] == "Mon 4 Jan 2027 16:00 Europe/Oslo (15:00 UTC)"


def test_somebody_without_an_address(telling: Telling) -> None:
    world = telling.world
    guest = world.user("Guest", user_principal_name="guest_x.test#EXT#@world.test")
    world.eligible(guest)
    telling.tell()
    assert [one.reason for one in of(telling, DeliveryStatus.DEAD)] == [
        "The recipient has no mail address. Write one into the account."
    ]


def test_old_deliveries_are_forgotten(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    telling.tell()
    assert of(telling, DeliveryStatus.SENT)
    world.database.write("", lambda tx: tx.deliveries.forget(world.now + timedelta(seconds=1), 1000))
    assert of(telling, DeliveryStatus.SENT) == []


def test_settings_and_test_mail_are_for_administrators(telling: Telling) -> None:
    world = telling.world
    ann, pra = world.caller(world.ann), world.caller(world.pra)
    for act in (
        administration.settings(world.deps, ann),
        administration.change(world.deps, ann, weekly_digest=False),
        administration.page(world.deps, ann, Query()),
        administration.test(world.deps, ann),
    ):
        refused(act, Code.FORBIDDEN)
    ok(administration.change(world.deps, pra, weekly_digest=True, break_glass=[world.dan]))
    (event,) = world.events("Update organisation settings")
    assert {name for name, _, _ in event.targets[0].changes} == {"WeeklyDigest", "BreakGlassAccounts"}
    found = ok(administration.settings(world.deps, pra))
    assert [one.display_name for one in found.break_glass] == ["dan"]
    refused(administration.change(world.deps, pra, break_glass=[world.new_id()]), Code.SUBJECT_MISSING)
    ok(administration.test(world.deps, pra))
    assert telling.told() == {"Petra": ["test"]}
    no_mail = replace(world.deps, settings=replace(world.deps.settings, mail_host=""))
    refused(administration.test(no_mail, pra), Code.CONFLICT)
    names = {one.recipient for one in ok(administration.listed(world.deps, pra, DeliveryStatus.SENT)).items}
    assert "Petra" in names


def test_another_tenant_sees_and_retries_nothing(telling: Telling) -> None:
    waiting(telling)
    telling.plan()
    telling.office.outcomes = [Outcome(sent=False, reason="no", retry=False)]
    telling.send()
    (dead,) = of(telling, DeliveryStatus.DEAD)
    other = World(telling.world.database)
    refused(administration.retry(other.deps, other.caller(other.pra), dead.id), Code.NOT_FOUND)
    assert dead.id not in {
        one.delivery.id for one in ok(administration.page(other.deps, other.caller(other.pra), Query())).items
    }


@pytest.mark.parametrize(
    ("wrong", "member"),
    [
        (Preferences(channels=("chat:nothing",)), "channels"),
        (Preferences(zone="Mars/Olympus"), "zone"),
        (Preferences(quiet=Quiet("25:00", "07:00")), "begins"),
        (Preferences(quiet=Quiet("22:00", "7")), "ends"),
        (Preferences(quiet=Quiet("22:00", "22:00")), "ends"),
        (Preferences(quiet=Quiet("22:00", "07:00", "../etc/passwd")), "zone"),
        (Preferences(zone="x" * 5000), "zone"),
        (Preferences(zone="\x00"), "zone"),
    ],
)
def test_choices_that_cannot_be(telling: Telling, wrong: Preferences, member: str) -> None:
    world = telling.world
    assert (
        refused(preferences.choose(world.deps, world.caller(world.ann), wrong), Code.INVALID).member == member
    )
    assert ok(preferences.mine(world.deps, world.caller(world.ann))).preferences == Preferences()


def test_mail_and_messages_do_not_wait_for_each_other(telling: Telling) -> None:
    world = telling.world
    waiting(telling)
    telling.plan()
    assert send_due(world.deps, Ways(mail=False)) == 0
    assert send_due(world.deps, Ways(telling.office, mail=True)) == 1
    assert [letter.name for letter in to_bob(telling)] == ["bob"]


def test_an_event_that_cannot_be_understood_keeps_nothing_else_from_being_told(
    telling: Telling, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = telling.world
    real = planning.news_of
    bad = [world.eligible(world.ann).id]
    world.eligible(world.bob)

    def news_of(tx: Any, event: Any, break_glass: Any) -> Any:
        if event.correlation_id in bad:
            raise KeyError(event.id)
        return real(tx, event, break_glass)

    monkeypatch.setattr(planning, "news_of", news_of)
    told = telling.told()
    assert "ann" not in told
    assert told["bob"] == ["assignedEligible"]
    assert "cannot be understood" in caplog.text
