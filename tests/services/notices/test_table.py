"""The literal tables of notices: complete, and about events that are really written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openpim.core.notice_words import worded
from openpim.core.notices import ACTIVITIES, KINDS, Audience, Concerned, Event, Facts, Topic, event_of, told
from openpim.core.policy import NOTIFICATION_KEYS, Level, Notification
from tools.activities import activities

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
PEOPLE = Concerned(("admin",), ("assignee",), ("approver",))


def test_every_activity_that_leads_to_a_notice_is_written_somewhere() -> None:
    written = {one.name for one in activities()}
    assert set(ACTIVITIES) <= written


def test_every_kind_of_notice_has_a_row_and_words() -> None:
    assert set(KINDS) == set(Topic)
    for topic in Topic:
        for audience in Audience:
            notice = worded(
                Facts(topic, AT, subject_name="Ann", role_name="R"),
                audience,
                "https://x",
                ("UTC", UTC),
                critical=False,
            )
            assert notice.title
            assert notice.lead
            assert notice.link.startswith("https://x/portal/")


@pytest.mark.parametrize("topic", Topic)
@pytest.mark.parametrize("eligibility", [True, False])
@pytest.mark.parametrize("activation", [True, False])
def test_each_setting_counts_for_its_own_cell_alone(
    topic: Topic, eligibility: bool, activation: bool
) -> None:
    facts = Facts(topic, AT, eligibility=eligibility, activation=activation)
    kind, event = KINDS[topic], event_of(facts)
    by_default = {one.person for one in told(facts, {}, PEOPLE).recipients}
    assert len(by_default) == len(kind.told)
    for key in NOTIFICATION_KEYS:
        own = {f"{audience}_{event}" for audience in kind.told} if event is not Event.NONE else set()
        for level in Level:
            found = {one.person for one in told(facts, {key: Notification(level)}, PEOPLE).recipients}
            silent = level is Level.NONE or (level is Level.CRITICAL and not kind.critical)
            lost = {PEOPLE.of(Audience(key.partition("_")[0]))[0]} if key in own and silent else set()
            assert found == by_default - lost, (key, level)
        other = told(
            facts, {key: Notification(default_recipients=False, recipients=("X@e.com", "x@E.com "))}, PEOPLE
        )
        extra = [one.address for one in other.recipients if one.address]
        assert extra == (["X@e.com"] if key in own else []), key


def test_each_person_is_told_once_as_what_concerns_him_most() -> None:
    facts = Facts(Topic.ACTIVATED, AT, activation=True)
    found = told(facts, {}, Concerned(("ann", "bob"), ("ann",))).recipients
    assert [(one.person, one.audience) for one in found] == [("ann", "Requestor"), ("bob", "Admin")]


def test_who_did_it_is_left_out_unless_it_is_critical() -> None:
    people = Concerned(("ann", "bob"), ("cyd",))
    done = {one.person for one in told(Facts(Topic.EXTENDED, AT, actor_id="ann"), {}, people).recipients}
    outside = {
        one.person for one in told(Facts(Topic.ASSIGNED_OUTSIDE, AT, actor_id="ann"), {}, people).recipients
    }
    assert done == {"bob", "cyd"}
    assert outside == {"ann", "bob", "cyd"}


def test_the_limit() -> None:
    many = Concerned(tuple(f"p{number:04}" for number in range(1200)), ("ann",))
    found = told(Facts(Topic.ACTIVATED, AT, activation=True), {}, many)
    assert (len(found.recipients), found.left_out) == (1000, 201)
    assert found.recipients[0].person == "ann"  # whom it concerns most is told first
