"""Who is told of what, from the act to the letter: the defaults, the matrix of the role's settings, stages, groups,
resources, and what is not told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from openpim.core import notices
from openpim.core.audit import Target
from openpim.core.connecting import Foreign
from openpim.core.grants import Action
from openpim.core.notices import Topic
from openpim.core.policy import Level, Notification, Reviewers, Stage
from openpim.core.signin.values import Account
from openpim.services import role_assignments
from openpim.services.connecting.telling import FAILED
from openpim.services.recording import record
from openpim.services.signin import events as sign_ins
from openpim.store.audit import events
from tests.services.notices.telling import Telling
from tests.world import ASSIGNMENT, DENY, ELIGIBILITY, GA, PRA, TEAMS, ok

ADMINS = {"Gala", "Gustav", "Petra"}


def test_an_eligible_assignment_is_told_to_administrators_and_the_assignee(telling: Telling) -> None:
    telling.world.eligible(telling.world.ann, days=30)
    # Petra did it herself.
    assert telling.told() == {
        "Gala": ["assignedEligible"],
        "Gustav": ["assignedEligible"],
        "ann": ["assignedEligible"],
    }
    assert telling.told() == {}


def test_an_active_assignment(telling: Telling) -> None:
    telling.world.assigned(telling.world.ann, days=30)
    assert set(telling.told()) == {"Gala", "Gustav", "ann"}


def test_an_activation_is_told_to_administrators_and_who_activated(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    telling.tell()
    ok(world.activate(world.ann, hours=1))
    assert telling.told() == {name: ["activated"] for name in (*ADMINS, "ann")}


def test_an_approval_from_the_request_to_the_answer(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    world.approval(world.bob, world.cyd)
    telling.tell()
    request = ok(world.activate(world.ann, hours=1))
    letters = telling.tell()
    assert {letter.name for letter in letters} == {"bob", "cyd"}
    assert all(letter.link.endswith(f"/portal/approvals/{request.id}") for letter in letters)
    ok(world.review(request, world.bob))
    assert telling.told() == {**{name: ["activated"] for name in ADMINS}, "ann": ["approved"]}


def test_a_denial_and_a_time_out(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    world.approval(world.bob)
    telling.tell()
    request = ok(world.activate(world.ann, hours=1))
    telling.tell()
    ok(world.review(request, world.bob, DENY))
    assert telling.told() == {"ann": ["denied"]}
    ok(world.activate(world.ann, hours=1))
    telling.tell()
    world.forward(days=2)
    world.work()
    assert telling.told() == {"ann": ["requestExpired"]}


def test_each_stage_is_told_when_its_time_has_come(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    stages = (Stage(primary=Reviewers((world.bob,))), Stage(primary=Reviewers((world.cyd,))))
    world.approval(stages=stages)
    telling.tell()
    request = ok(world.activate(world.ann, hours=1))
    assert telling.told() == {"bob": ["approvalWanted"]}
    ok(world.review(request, world.bob))
    assert telling.told() == {"cyd": ["approvalWanted"]}


def test_who_an_approval_escalates_to_is_told_then(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    world.approval(world.bob, escalation=Reviewers((world.cyd,)), escalate_after_minutes=30)
    telling.tell()
    ok(world.activate(world.ann, hours=1))
    assert telling.told() == {"bob": ["approvalWanted"]}
    world.forward(minutes=31)
    world.work()
    assert telling.told() == {"cyd": ["approvalWanted"]}


def test_where_no_approver_is_active_the_eligible_ones_are_told(telling: Telling) -> None:
    """An organisation without standing administrators: its approvers are those who can become one."""
    world = telling.world
    world.eligible(world.dan, GA)
    world.eligible(world.ann)
    world.approval()
    telling.tell()
    for person in (world.ga, world.ga2, world.pra):
        world.disable(person)
    ok(world.activate(world.ann, hours=1))
    assert telling.told() == {"dan": ["approvalWanted"]}


def test_where_no_administrator_is_active_the_eligible_ones_are_told(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.dan, PRA)
    world.eligible(world.ann)
    telling.tell()
    for person in (world.ga, world.ga2, world.pra):
        world.disable(person)
    ok(world.activate(world.ann, hours=1))
    assert telling.told() == {"dan": ["activated"], "ann": ["activated"]}


CELLS = [
    f"{audience}_{event}"
    for event in ("Admin_Eligibility", "Admin_Assignment", "EndUser_Assignment")
    for audience in ("Admin", "Requestor", "Approver")
]


def everything(telling: Telling) -> dict[str, set[str]]:
    """Something of each cell happens; who was told of what kinds."""
    world = telling.world
    told: dict[str, set[str]] = {}

    def tell() -> None:
        for name, kinds in telling.told().items():
            told.setdefault(name, set()).update(kinds)

    world.eligible(world.ann, days=10)
    world.assigned(world.bob, days=10)
    tell()
    ok(world.extend(world.ann, kind=ELIGIBILITY, days=20))
    ok(world.extend(world.bob, kind=ASSIGNMENT, days=20))
    ok(world.activate(world.ann, hours=1))
    tell()
    world.forward(hours=2)
    world.work()
    world.approval(world.dan)
    request = ok(world.activate(world.ann, hours=1))
    tell()
    ok(world.review(request, world.dan, DENY))
    tell()
    return told


def test_each_cell_of_the_matrix_has_its_own_recipients(telling: Telling) -> None:
    """Default recipients off and another address in each: nobody else is told, and each address of its own."""
    telling.world.policy(
        notifications={
            cell: Notification(default_recipients=False, recipients=(f" {cell}@example.com ",))
            for cell in CELLS
        }
    )
    told = everything(telling)
    assert told == {
        "Admin_Admin_Eligibility@example.com": {"assignedEligible"},
        "Requestor_Admin_Eligibility@example.com": {"assignedEligible"},
        "Approver_Admin_Eligibility@example.com": {"approvalWanted"},
        "Admin_Admin_Assignment@example.com": {"assignedActive"},
        "Requestor_Admin_Assignment@example.com": {"assignedActive"},
        "Approver_Admin_Assignment@example.com": {"approvalWanted"},
        "Admin_EndUser_Assignment@example.com": {"activated"},
        "Requestor_EndUser_Assignment@example.com": {"activated", "denied"},
        "Approver_EndUser_Assignment@example.com": {"approvalWanted"},
    }


def test_critical_only(telling: Telling) -> None:
    world = telling.world
    critical = Notification(Level.CRITICAL)
    world.policy(notifications=dict.fromkeys(CELLS, critical))
    assert set().union(*everything(telling).values()) == {"approvalWanted"}


def test_none(telling: Telling) -> None:
    world = telling.world
    world.policy(
        notifications=dict.fromkeys(CELLS, Notification(Level.NONE, recipients=("soc@example.com",)))
    )
    assert everything(telling) == {}


def test_extension_by_an_administrator_is_told_once(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, days=10)
    telling.tell()
    ok(world.give(world.ann, action=Action.ADMIN_EXTEND, days=20))
    assert telling.told() == {name: ["extended"] for name in ("Gala", "Gustav", "ann")}


def test_extension_that_was_asked_for(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, days=10)
    telling.tell()
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=20))
    assert telling.told() == {name: ["approvalWanted"] for name in ADMINS}
    ok(world.review(request, world.ga))
    assert telling.told() == {name: ["extended"] for name in ("Gustav", "Petra", "ann")}


def test_the_end_and_the_renewal(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, hours=2)
    telling.tell()
    world.forward(hours=3)
    world.work()
    assert telling.told() == {name: ["ended"] for name in (*ADMINS, "ann")}
    request = ok(world.renew(world.ann, days=20))
    assert telling.told() == {name: ["approvalWanted"] for name in ADMINS}
    ok(world.review(request, world.ga))
    assert telling.told() == {name: ["renewed"] for name in ("Gustav", "Petra", "ann")}


def test_what_an_administrator_takes_away_is_no_end(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, days=10)
    telling.tell()
    world.forward(minutes=10)
    ok(world.take(world.ann))
    assert telling.told() == {}


def test_ending_soon_is_told_at_14_days_and_at_1_day_once_each(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann, days=20)
    telling.tell()
    world.forward(days=6, minutes=-10)  # `told` is two minutes later
    assert telling.told() == {}
    world.forward(minutes=20)
    assert telling.told() == {name: ["endingSoon"] for name in (*ADMINS, "ann")}
    world.forward(days=5)
    assert telling.told() == {}
    world.forward(days=8)
    assert telling.told() == {name: ["endingSoon"] for name in (*ADMINS, "ann")}
    assert telling.told() == {}


def test_activations_do_not_end_soon(telling: Telling) -> None:
    world = telling.world
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    telling.tell()
    assert telling.told() == {}


def test_assigned_outside_pim(telling: Telling) -> None:
    world = telling.world
    ok(role_assignments.create(world.deps, world.caller(world.ga), TEAMS, world.ann, "/"))
    assert telling.told() == {name: ["assignedOutside"] for name in (*ADMINS, "ann")}


def test_a_group_that_is_assigned_is_told_as_its_people(telling: Telling) -> None:
    world = telling.world
    group = world.group("Ops", [world.ann, world.bob])
    world.eligible(group, days=30)
    assert {"ann", "bob"} < set(telling.told())


def test_a_break_glass_account_in_use(telling: Telling) -> None:
    world = telling.world
    telling.settings(break_glass=(world.dan,))
    origin = sign_ins.Origin(base="https://localhost", ip="203.0.113.9", user_agent="curl")

    def sign_in(tx) -> None:
        account = Account(world.tenant_id, world.dan)
        sign_ins.record(world.deps, tx, account, "Sign in", origin)
        sign_ins.record(world.deps, tx, account, "Sign in", origin, reason="wrong password")
        sign_ins.record(world.deps, tx, Account(world.tenant_id, world.ann), "Sign in", origin)

    world.write(sign_in)
    letters = telling.tell()
    assert {letter.name for letter in letters} == ADMINS
    assert {len(letter.notices) for letter in letters} == {1}
    assert ("Address", "203.0.113.9") in letters[0].notices[0].lines
    world.eligible(world.dan, GA)
    world.forward(minutes=2)
    telling.tell()
    ok(world.activate(world.dan, GA, hours=1))
    assert all("breakGlass" in kinds for name, kinds in telling.told().items() if name in ADMINS)


def test_a_withdrawal_that_fails_is_told_once(alone: Telling) -> None:
    telling, world = alone, alone.world
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.work()
    telling.tell()
    world.forward(hours=2)
    server.failures = ["refuse"] * 12
    for _ in range(6):
        world.work()
        world.forward(minutes=6)
    assert telling.told() == {name: ["revocationFailed"] for name in ADMINS}
    world.work()
    assert not server.edges


@pytest.mark.parametrize("fault", ["refused", "down"])
def test_who_gets_no_access_yet_is_told(alone: Telling, fault: str) -> None:
    telling, world = alone, alone.world
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    telling.tell()
    server.down = fault == "down"
    server.failures = ["refuse"] * 9
    request = ok(world.activate(world.ann, hours=2))
    telling.tell()

    def try_it() -> None:
        for _ in range(4):
            world.look(target)
            world.forward(seconds=10)

    try_it()
    letters = telling.tell()
    to_her = [notice for letter in letters if letter.name == "ann" for notice in letter.notices]
    assert [notice.topic for notice in to_her] == [Topic.ACCESS_WAITS]
    assert to_her[0].title == "Your access could not be given yet"
    assert {("System", "payroll"), ("Role", "Teams Administrator"), ("Access", "payroll_admin")} <= set(
        to_her[0].lines
    )
    assert to_her[0].link.endswith(f"/portal/requests/{request.id}")
    others = {
        kind.value
        for letter in letters
        if letter.name != "ann"
        for kind in (one.topic for one in letter.notices)
    }
    assert others == ({"targetUnreachable"} if fault == "down" else set())
    try_it()
    assert telling.told() == {}, "once"


def test_who_has_his_access_meanwhile_is_not_told_that_he_has_none(alone: Telling) -> None:
    telling, world = alone, alone.world
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=2))
    telling.tell()
    server.failures = ["refuse"] * 3
    for _ in range(4):
        world.look(target)
    assert server.may(world.name_in_target(world.ann), "payroll_admin")
    assert telling.told() == {}


def test_a_strangers_session_that_cannot_be_cut_is_told_with_its_name(alone: Telling) -> None:
    telling, world = alone, alone.world
    target, server = world.target(foreign=Foreign.REMOVE)
    server.give("mallory", "payroll_admin")
    server.failures = ["", *["refuse"] * 4]
    for _ in range(4):
        world.look(target)
    notices = [notice for letter in telling.tell() for notice in letter.notices]
    assert "Access of mallory could not be taken away yet" in {one.title for one in notices}


def test_those_that_are_only_counted_are_others(alone: Telling) -> None:
    """A target has so many strangers that a look names some of them."""
    telling, world = alone, alone.world
    target, _ = world.target(foreign=Foreign.REMOVE)
    world.write(
        lambda tx: record(
            tx, world.deps, world.system, world.now, activity=FAILED, category="ApplicationManagement",
            targets=(Target("Other", target, "payroll"),), result="failure", details=(("Others", "10"),),
        )
    )  # fmt: skip
    titles = {notice.title for letter in telling.tell() for notice in letter.notices}
    assert "Access of others could not be taken away yet" in titles


def test_what_others_change_in_a_real_system_is_told_once_a_day(alone: Telling) -> None:
    telling, world = alone, alone.world
    target, server = world.target()
    adopting, other = world.target("other", foreign=Foreign.ADOPT)
    world.rule(target)
    group = world.group("Payroll", [world.ann])
    ok(world.give(group, TEAMS, ASSIGNMENT, permanent=True))
    world.look(target)
    telling.tell()
    server.give("mallory", "payroll_admin")
    server.give("trudy", "payroll_admin")
    other.give("mallory", "payroll_admin")
    for _ in range(3):  # somebody takes it away again and again
        server.edges.pop((world.name_in_target(world.ann), "payroll_admin", ""))
        world.look(target)
        world.look(adopting)
        world.forward(minutes=1)
    letters = [one for one in telling.tell() if one.notices[0].topic == "targetDrift"]
    assert {letter.name for letter in letters} == ADMINS
    (mine,) = {tuple(sorted(dict(one.lines)["Whose"] for one in letter.notices)) for letter in letters}
    assert mine == tuple(sorted([world.name_in_target(world.ann), "mallory", "trudy"]))
    assert {one.title for one in letters[0].notices} == {"Others have changed access in payroll"}
    world.forward(days=1)
    server.edges.pop((world.name_in_target(world.ann), "payroll_admin", ""))
    world.look(target)
    assert [len(letter.notices) for letter in telling.tell()] == [1] * len(ADMINS)


def test_a_real_system_that_does_not_answer_is_told_and_a_moment_s_pause_is_not(alone: Telling) -> None:
    telling, world = alone, alone.world
    target, server = world.target()
    telling.tell()

    def down(looks: int) -> None:
        server.down = True
        for _ in range(looks):
            world.look(target)
            world.forward(seconds=5)
        server.down = False
        world.look(target)

    down(2)
    assert telling.tell() == []
    down(5)
    down(5)
    letters = telling.tell()
    assert [(one.name, [notice.title for notice in one.notices]) for one in letters] == [
        (name, ["payroll cannot be reached"]) for name in sorted(ADMINS)
    ]
    assert ("Why", "The twin is down.") in letters[0].notices[0].lines


def test_the_digest_on_monday_once(telling: Telling) -> None:
    world = telling.world
    telling.settings(weekly_digest=True)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    ok(role_assignments.create(world.deps, world.caller(world.ga), TEAMS, world.bob, "/"))
    telling.tell()
    world.forward(days=7)
    letters = [one for one in telling.tell() if one.notices[0].topic == "weeklyDigest"]
    assert {letter.name for letter in letters} == ADMINS
    lines = dict(letters[0].notices[0].lines)
    assert lines["Activations"] == "1"
    assert lines["Assigned outside PIM"] == "1"
    assert lines["Most used, 1"] == "Teams Administrator (1)"
    assert [one for one in telling.tell() if one.notices[0].topic == "weeklyDigest"] == []
    telling.settings(weekly_digest=False)
    world.forward(days=7)
    assert [one for one in telling.tell() if one.notices[0].topic == "weeklyDigest"] == []


def test_old_news_is_no_news(telling: Telling) -> None:
    telling.world.eligible(telling.world.ann)
    telling.world.forward(days=8)
    assert telling.told() == {}


def test_without_a_mail_server_nothing_waits_to_be_sent(telling: Telling) -> None:
    world = telling.world
    world.deps = replace(world.deps, settings=replace(world.deps.settings, mail_host=""))
    world.eligible(world.ann)
    telling.plan()
    assert [one for one in telling.deliveries() if one.due_at is not None] == []


def test_at_most_a_thousand_of_one_event_and_a_note_says_so(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = telling.world
    group = world.group("All", [world.ann, world.bob, world.cyd, world.dan])
    assert notices.MOST_PER_EVENT == 1000
    monkeypatch.setattr(notices.told, "__kwdefaults__", {"most": 3})
    world.eligible(group)
    telling.tell()
    found = telling.deliveries()
    made = [one for one in found if one.topic == "assignedEligible"]
    assert sum(one.channel == "mail" for one in made) == 3
    (note,) = [one for one in made if one.channel == "limit"]
    assert "3 more people" in note.reason
    assert note.due_at is None


def test_tampering_with_the_history_is_told(telling: Telling) -> None:
    """However soon: the event was changed before it came into the log."""
    world = telling.world
    world.eligible(world.ann, days=30)
    event = world.events("Add eligible member to role in PIM completed (timebound)")[0]
    changed = update(events).where(events.c.id == event.id).values(actor_name="somebody else")
    world.write(lambda tx: tx.connection.execute(changed))
    told = [
        (letter, one) for letter in telling.tell() for one in letter.notices if one.topic is Topic.AUDIT_ALARM
    ]
    assert {letter.name for letter, _ in told} == ADMINS
    assert any(event.id in value for _, value in told[0][1].lines)
