"""Groups and resources have their own recipients; webhooks and chats of the organisation are told what they want."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.channels import Channel, ChannelKind
from openpim.core.grants import Action, Provider
from openpim.core.notification_preferences import Preferences
from openpim.core.permissions import OWNER, READER, USER_ACCESS_ADMINISTRATOR
from openpim.core.policy import Notification
from openpim.ports.channels import Message, Outcome
from openpim.services.notices import preferences
from openpim.services.notices.sending import Ways
from tests.faces.arm.client import Arm
from tests.plans import look, noted
from tests.services.groups import GroupWorld
from tests.services.notices.telling import Telling
from tests.world import ASSIGNMENT, ELIGIBILITY, ok

BIG = ("deliveries", "schedules", "audit_events", "audit_leaves", "notification_preferences")


def test_a_groups_permanent_owners_are_told(telling: Telling) -> None:
    world = telling.world
    groups = GroupWorld(world)
    group = world.group("Ops", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(group, world.dan))
    ok(groups.give(group, world.cyd, "owner", ASSIGNMENT, days=30))
    telling.told()
    ok(groups.give(group, world.ann))
    assert telling.told() == {"dan": ["assignedEligible"], "ann": ["assignedEligible"]}
    ok(groups.activate(group, world.ann, hours=1))
    assert telling.told() == {"dan": ["activated"], "ann": ["activated"]}


def test_without_permanent_owners_those_of_now_then_the_eligible_then_the_directorys(
    telling: Telling,
) -> None:
    world = telling.world
    groups = GroupWorld(world)
    of_now, eligible, nobodys = (
        world.group(name, role_assignable=False) for name in ("Now", "Eligible", "Nobody")
    )
    ok(groups.give(of_now, world.cyd, "owner", ASSIGNMENT, days=30))
    ok(groups.give(eligible, world.bob, "owner", ELIGIBILITY, days=30))
    telling.told()
    for group, told in ((of_now, {"cyd"}), (eligible, {"bob"}), (nobodys, {"Gala", "Gustav"})):
        ok(groups.give(group, world.ann))
        assert set(telling.told()) == told | {"ann"}


def test_a_groups_own_settings_hold(telling: Telling) -> None:
    world = telling.world
    groups = GroupWorld(world)
    group = world.group("Ops", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(group, world.dan))
    quiet = {
        "Admin_EndUser_Assignment": Notification(default_recipients=False, recipients=("ops@example.com",))
    }
    present = ok(groups.policy(group)).notifications
    ok(groups.policy(group, notifications=present | quiet))
    ok(groups.give(group, world.ann))
    telling.told()
    ok(groups.activate(group, world.ann, hours=1))
    assert set(telling.told()) == {"ann", "ops@example.com"}


@pytest.fixture
def azure(telling: Telling) -> Arm:
    arm = Arm(telling.world)
    arm.plant()
    telling.told()
    return arm


def activate(azure: Arm, person: str, role: str, scope: str) -> None:
    world = azure.world
    ask = replace(world.ask(Action.SELF_ACTIVATE, person, role, scope, hours=1), provider=Provider.RESOURCE)
    ok(world.submit(ask, person))


def test_owners_at_the_place_are_told_or_at_the_nearest_above(telling: Telling, azure: Arm) -> None:
    world = telling.world
    azure.eligible(world.ann, READER, azure.web)
    told = telling.told()
    assert set(told) == {"Olga", "ann"}  # at the root
    azure.assigned(world.bob, USER_ACCESS_ADMINISTRATOR, azure.prod)
    telling.told()
    activate(azure, world.ann, READER, azure.web)
    assert set(telling.told()) == {"bob", "ann"}


def test_where_no_owner_is_active_the_eligible_ones_of_a_place_are_told(telling: Telling, azure: Arm) -> None:
    world = telling.world
    azure.eligible(world.cyd, OWNER, azure.prod)
    azure.eligible(world.ann, READER, azure.web)
    world.disable(azure.owner)
    telling.told()
    activate(azure, world.ann, READER, azure.web)
    assert set(telling.told()) == {"cyd", "ann"}


def test_names_of_places_are_told(telling: Telling, azure: Arm) -> None:
    azure.eligible(telling.world.ann, READER, azure.web)
    lines = dict(next(one for one in telling.tell() if one.name == "ann").notices[0].lines)
    assert lines["Role"] == "Reader"
    assert lines["Where"].startswith("Web (")


class Receiver:
    """A sender of channels that keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Message]] = []
        self.outcomes: list[Outcome] = []

    def __call__(self, target: str, message: Message) -> Outcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome(sent=True)
        if outcome.sent:
            self.got.append((target, message))
        return outcome


def channel(telling: Telling, kind: ChannelKind, *notices: str, **more: Any) -> Channel:
    world = telling.world
    made = Channel(
        world.new_id(),
        kind,
        f"{kind} {len(notices)}",
        "https://x.example",
        "sealed",
        world.now,
        notices=notices,
        **more,
    )
    world.write(lambda tx: tx.channels.add(made))
    return made


def test_the_organisations_channels_are_told_what_they_want(telling: Telling) -> None:
    world = telling.world
    hook = channel(telling, ChannelKind.WEBHOOK, "activated")
    room = channel(telling, ChannelKind.CHAT, "*")
    channel(telling, ChannelKind.WEBHOOK, "denied")
    channel(telling, ChannelKind.CHAT, "*", enabled=False)
    hooks, rooms = Receiver(), Receiver()
    telling.ways = Ways(telling.office, {"webhook": hooks, "chat": rooms})
    people = [world.user(f"p{number}") for number in range(3)]
    for person in people:
        world.eligible(person)
    telling.told()
    assert hooks.got == []
    assert [target for target, _ in rooms.got] == [room.id]
    for person in people:
        ok(world.activate(person, hours=1))
    telling.told()
    assert [target for target, _ in hooks.got] == [hook.id] * 3  # a program is told of each
    message = hooks.got[0][1]
    assert (message.notice, message.data["roleName"], message.tenant_id) == (
        "activated",
        "Teams Administrator",
        world.tenant_id,
    )
    assert {one.data["principalId"] for _, one in hooks.got} == set(people)
    assert rooms.got[-1][1].title == "3 roles have been activated"
    assert "p0 has activated Teams Administrator" in rooms.got[-1][1].text


def test_a_channel_that_fails_is_tried_again_under_the_same_id(telling: Telling) -> None:
    world = telling.world
    channel(telling, ChannelKind.WEBHOOK, "*")
    hooks = Receiver()
    hooks.outcomes = [Outcome(sent=False, reason="no answer")]
    telling.ways = Ways(telling.office, {"webhook": hooks})
    world.eligible(world.ann)
    telling.told()
    assert hooks.got == []
    waiting = [one for one in telling.deliveries() if one.due_at is not None]
    assert [(one.failures, one.reason) for one in waiting] == [(1, "no answer")]
    telling.told()
    assert [message.id for _, message in hooks.got] == [waiting[0].id]


def test_a_channel_that_does_not_answer_is_not_waited_for_with_every_message(telling: Telling) -> None:
    """Each try may take ten seconds, and messages to all others wait behind it."""
    world = telling.world
    channel(telling, ChannelKind.WEBHOOK, "*")
    channel(telling, ChannelKind.CHAT, "*")
    hooks, rooms = Receiver(), Receiver()
    hooks.outcomes = [Outcome(sent=False, reason="no answer")]
    telling.ways = Ways(telling.office, {"webhook": hooks, "chat": rooms})
    for number in range(5):
        world.eligible(world.user(f"p{number}"))
    telling.plan()
    telling.send()
    assert hooks.outcomes == []
    assert hooks.got == []  # nor the four others
    assert len(rooms.got) == 1
    waiting = [one for one in telling.deliveries() if one.due_at is not None]
    assert sorted(one.failures for one in waiting) == [0, 0, 0, 0, 1]
    telling.tell()
    assert len(hooks.got) == 5


def test_a_person_is_told_by_the_channel_he_chose(telling: Telling) -> None:
    world = telling.world
    room = channel(telling, ChannelKind.CHAT, offered=True)
    rooms = Receiver()
    telling.ways = Ways(telling.office, {"chat": rooms})
    ok(preferences.choose(world.deps, world.caller(world.ann), Preferences(channels=(room.key,))))
    world.eligible(world.ann)
    assert "ann" not in telling.told()
    assert [target for target, _ in rooms.got] == [room.id]
    world.write(lambda tx: tx.channels.save(replace(room, offered=False)))
    ok(world.activate(world.ann, hours=1))
    telling.told()
    assert len(rooms.got) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_scans_a_big_table(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, days=14)
    telling.told()
    world.eligible(world.bob)
    world.forward(days=13, hours=1)
    with noted(world.database) as statements:
        telling.tell()
        world.database.write("", lambda tx: tx.deliveries.forget(world.now - timedelta(days=90), 100))
    assert any("FROM deliveries" in statement for statement, _ in statements)
    for statement, parameters in statements:
        if any(f"FROM {table}" in statement for table in BIG):
            found = look(world.database, statement, parameters, BIG)
            assert found.scan is None, f"{statement}\n{found.plan}"
