"""Tickets: what their numbers look like, what the ticket system says before anything is granted, and what ends with them."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.core import tickets as core
from openpim.core.grants import Action, Ticket
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import ApprovalSettings, Requirement
from openpim.core.refusals import Code, Refusal
from openpim.core.tickets import TicketRules, TicketsDown
from openpim.services.channels import manage
from openpim.services.channels import tickets as asking
from openpim.services.channels.tickets import sweep
from openpim.services.channels.turns import Turns
from tests.notify.hostile import answers, replies, says, serve
from tests.services.channels.helper import call, channel
from tests.world import TEAMS, World, ok, refused

INC = Ticket("INC0012345", "ServiceNow")


def knows(states: dict[str, str]) -> Any:
    def answer(asked: Any) -> tuple[int, Any]:
        return 200, {
            "state": states.get(json.loads(asked.body)["ticketNumber"], "unknown"),
            "reason": "says the desk",
        }

    return replies(answer)


def rules(world: World, **more: Any) -> None:
    world.policy(TEAMS, tickets=TicketRules(**more))
    world.eligible(world.ann)


# ---------------------------------------------------------------- what a number looks like


@pytest.mark.parametrize(
    ("pattern", "number", "fits"),
    [
        ("INC#######", "INC0012345", True), ("INC#######", "inc0012345 ", True), ("INC#######", "INC001234", False),
        ("INC#######", "INC00123456", False), ("CHG#+", "CHG1", True), ("CHG#+", "CHG", False), ("CHG#+", "CHG123x", False),
        ("*", "", True), ("*", "anything at all", True), ("A*Z", "AZ", True), ("A*Z", "A--Z", True), ("A*Z", "A", False),
        ("OPS-#+", "OPS-77", True), ("OPS-#+", "OPS77", False), ("?#", "a1", True), ("?#", "-1", False), ("#+#+", "12", True),
        ("#+#+", "1", False), ("A+", "A+", True), ("A.B", "AxB", False), ("(a|b)", "a", False), ("#+", "१२", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, number: str, fits: bool) -> None:
    assert core.fits(pattern, number) is fits


def test_a_pattern_takes_a_bounded_time_whatever_is_written() -> None:
    began = time.process_time()
    assert not core.fits("*#+" * 33 + "!", "1" * core.LONGEST_NUMBER)
    assert not core.fits("*" * 99 + "!", "1" * core.LONGEST_NUMBER)
    assert not core.fits("#+", "1" * 1_000_000)
    assert time.process_time() - began < 3, "seconds of processor time: it does not grow with what is tried"


@given(st.text(max_size=120), st.text(max_size=120))
def test_no_text_breaks_it(pattern: str, number: str) -> None:
    assert core.fits(pattern, number) in {True, False}


@given(st.text(alphabet="abcXYZ019-_", min_size=1, max_size=60))
def test_what_is_written_out_fits_itself(text: str) -> None:
    assert core.fits(text, text)
    assert core.fits("*", text)


def test_a_number_that_does_not_fit_is_refused_with_what_it_should_look_like(world: World) -> None:
    rules(world, patterns=("INC#######", "CHG#+"))
    said = refused(world.activate(world.ann, hours=1, ticket=Ticket("nope", "ServiceNow")), Code.POLICY)
    assert said.rules == ("TicketingRule",)
    assert "INC#######" in said.message
    ok(world.activate(world.ann, hours=1, ticket=Ticket("chg7", "ServiceNow")))


def test_a_ticket_is_demanded_by_its_own_rule_only(world: World) -> None:
    rules(world, patterns=("INC#######",))
    ok(world.activate(world.ann, hours=1))
    world.policy(TEAMS, activation_requires=frozenset({Requirement.TICKETING}))
    world.deactivate(world.ann)
    world.forward(minutes=10)
    ok(world.deactivate(world.ann))
    refused(world.activate(world.ann, hours=1), Code.POLICY)


# ---------------------------------------------------------------- what the system says


@pytest.mark.parametrize(("state", "granted"), [("valid", True), ("closed", False), ("unknown", False)])
def test_the_system_is_asked_first(world: World, state: str, granted: bool) -> None:
    with serve(knows({INC.number or "": state})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id)
        outcome = world.activate(world.ann, hours=1, ticket=INC)
    asked = json.loads(server.asked[0].body)
    assert (asked["type"], asked["ticketNumber"], asked["principalId"]) == (
        "ticket.asked",
        INC.number,
        world.ann,
    )
    if granted:
        ok(outcome)
        (event,) = world.events("Ticket checked")
        assert (event.actor_kind, event.actor_id) == ("extension", shown.channel.id)
        assert ("TicketState", "valid") in event.details
    else:
        assert "says the desk" in refused(outcome, Code.POLICY).message
    assert world.holds(world.ann) is granted


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "script",
    [None, says(b"x"), answers(b"", "500 Oops"), answers(b"valid"), answers(b'{"state":"yes"}'), answers(b'{"state":["valid"]}'),
     answers(b'{"state":"valid","x":"' + b"x" * 100_000 + b'"}'), answers(b'{"state":"valid"}', "302 Found", "Location: /x")],
)  # fmt: skip
@pytest.mark.parametrize("rule", TicketsDown)
def test_the_rule_for_when_it_is_down(world: World, script: Any, rule: TicketsDown) -> None:
    with serve(script) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id, when_down=rule)
        outcome = world.activate(world.ann, hours=1, ticket=INC)
    assert world.holds(world.ann) is (rule is TicketsDown.ACCEPT)
    if rule is TicketsDown.REFUSE:
        refused(outcome, Code.POLICY)
    else:
        (event,) = world.events("Ticket checked")
        assert event.result == "failure"


def test_nobody_else_can_try_out_numbers(world: World) -> None:
    with serve(knows({})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id, patterns=("INC#+",))
        refused(world.activate(world.bob, hours=1, ticket=INC), Code.ASSIGNMENT_MISSING)
        refused(world.activate(world.ann, hours=1, ticket=Ticket("' OR 1=1", "x")), Code.POLICY)
    assert server.connections == 0


def test_settings_that_change_between_asking_and_deciding_hold(world: World) -> None:
    """The check that was made is not one that the role asks for now."""
    with serve(knows({INC.number or "": "valid"})) as second:
        other = channel(world, second.url(), name="the new one")

        def changing(_: Any) -> tuple[int, Any]:
            world.policy(TEAMS, tickets=TicketRules(system_id=other.channel.id))
            return 200, {"state": "valid"}

        with serve(replies(changing)) as first:
            shown = channel(world, first.url(), name="the old one", timeout_ms=20_000)
            rules(world, system_id=shown.channel.id)
            refused(world.activate(world.ann, hours=1, ticket=INC), Code.POLICY)
            assert not world.holds(world.ann)
            ok(world.activate(world.ann, hours=1, ticket=INC))


def test_a_ticket_closed_while_the_request_waited_is_found_at_the_approval(world: World) -> None:
    states = {INC.number or "": "valid"}
    with serve(knows(states)) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id)
        world.approval(world.bob)
        request = ok(world.activate(world.ann, hours=1, ticket=INC))
        states[INC.number or ""] = "closed"
        ok(world.review(request, world.bob))
    assert world.request(request.id).status is RequestStatus.FAILED
    assert not world.holds(world.ann)
    assert len(server.asked) == 2


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_of_several_approvals_the_last_one_asks(world: World) -> None:
    with serve(knows({INC.number or "": "valid"})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id)
        world.approval(world.bob, world.cyd, quorum=2)
        request = ok(world.activate(world.ann, hours=1, ticket=INC))
        ok(world.review(request, world.bob))
        assert len(server.asked) == 1, "for the request alone"
        ok(world.review(request, world.cyd))
        assert len(server.asked) == 2
    assert world.holds(world.ann)
    assert len(world.events("Ticket checked")) == 2


def test_a_later_start_is_not_asked_about_again(world: World) -> None:
    with serve(knows({INC.number or "": "valid"})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id)
        ok(world.activate(world.ann, hours=1, ticket=INC, start=world.now + timedelta(hours=2)))
    world.forward(hours=2)
    world.work()
    assert world.holds(world.ann)


def test_many_at_once_go_without_an_import_that_skips_the_question(world: World) -> None:
    """Whoever decides an activation without having asked the ticket system is refused, not waved through."""
    from openpim.services.submit import in_transaction

    shown = channel(world, "https://example.com/x")
    rules(world, system_id=shown.channel.id)
    ask = world.ask(Action.SELF_ACTIVATE, world.ann, ticket=INC, hours=1)
    outcome = world.write(lambda tx: in_transaction(tx, world.deps, world.caller(world.ann), ask, world.now))
    refused(outcome, Code.POLICY)


# ---------------------------------------------------------------- it ends with its ticket


def closed(number: str = INC.number or "") -> dict[str, str]:
    return {"type": "ticket.closed", "ticketNumber": number, "ticketSystem": "ServiceNow"}


def running(world: World, **more: Any) -> manage.Shown:
    """Ann's role is active with a ticket that its system knows."""
    with serve(knows({INC.number or "": "valid"})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id, **{"ends_with_ticket": True, **more})
        ok(world.activate(world.ann, hours=4, ticket=INC))
    assert world.holds(world.ann)
    return shown


def test_it_ends_when_its_ticket_is_closed(world: World) -> None:
    shown = running(world)
    done = ok(call(world, shown, closed(" inc0012345 ")))
    assert (done.status, done.ended) == ("accepted", 1)
    assert not world.holds(world.ann)
    (event,) = world.events("Remove member from role completed (PIM deactivate)")
    assert (event.actor_kind, event.actor_id) == ("extension", shown.channel.id)
    assert "INC0012345" in event.reason.upper()
    assert world.events("Ticket closed")


def test_the_same_message_again_does_nothing(world: World) -> None:
    shown = running(world)
    ok(call(world, shown, closed()))
    again = ok(call(world, shown, closed()))
    assert (again.status, again.ended) == ("seen", 0)
    assert len(world.events("Ticket closed")) == 1


def test_a_replay_cannot_end_what_came_after_the_ticket_was_opened_again(world: World) -> None:
    shown = running(world)
    ok(call(world, shown, closed(), message_id="m1"))
    ok(call(world, shown, {**closed(), "type": "ticket.reopened"}, message_id="m2"))
    with serve(knows({INC.number or "": "valid"})) as server:
        ok(
            manage.update(
                world.deps, world.caller(world.pra), shown.channel.id, manage.Wanted(address=server.url())
            )
        )
        ok(world.activate(world.ann, hours=1, ticket=INC))
    world.forward(minutes=1)
    assert ok(call(world, shown, closed(), message_id="m1")).status == "seen"
    assert world.holds(world.ann)


def test_a_closed_ticket_is_good_for_nothing_until_it_is_opened_again(world: World) -> None:
    shown = running(world)
    ok(call(world, shown, closed()))
    with serve(knows({INC.number or "": "valid"})) as server:
        ok(
            manage.update(
                world.deps, world.caller(world.pra), shown.channel.id, manage.Wanted(address=server.url())
            )
        )
        refused(world.activate(world.ann, hours=1, ticket=INC), Code.POLICY)


def test_who_does_not_ask_for_it_keeps_it(world: World) -> None:
    shown = running(world, ends_with_ticket=False)
    assert ok(call(world, shown, closed())).ended == 0
    assert world.holds(world.ann)


def test_other_tickets_other_systems_and_other_tenants_end_nothing(world: World) -> None:
    shown = running(world)
    assert ok(call(world, shown, closed("INC0099999"), message_id="a")).ended == 0
    other = channel(world, "https://example.com/o", name="another system")
    assert ok(call(world, other, closed(), message_id="b")).ended == 0
    elsewhere = World(world.database)
    elsewhere.now = world.now
    theirs = channel(elsewhere, "https://example.com/t")
    assert ok(call(elsewhere, theirs, closed(), message_id="c")).ended == 0
    refused(call(elsewhere, theirs, closed(), message_id="d", tenant_id=world.tenant_id), Code.SIGN_IN)
    world.work()
    assert world.holds(world.ann)


def test_what_an_administrator_assigned_stays(world: World) -> None:
    shown = running(world)
    world.assigned(world.ann)
    ok(call(world, shown, closed()))
    assert world.holds(world.ann)


def test_an_extension_with_another_ticket_moves_it_to_that_one(world: World) -> None:
    shown = running(world)
    with serve(knows({"INC2": "valid"})) as server:
        ok(
            manage.update(
                world.deps, world.caller(world.pra), shown.channel.id, manage.Wanted(address=server.url())
            )
        )
        world.forward(hours=1)
        ok(world.extend(world.ann, hours=6, ticket=Ticket("INC2", "ServiceNow")))
    assert ok(call(world, shown, closed(), message_id="a")).ended == 0
    assert world.holds(world.ann)
    assert ok(call(world, shown, closed("INC2"), message_id="b")).ended == 1
    assert not world.holds(world.ann)


def test_what_slipped_in_while_the_ticket_was_closed_ends_at_the_next_look(world: World) -> None:
    """The activation and the call-back commit at the same moment, and neither sees the other."""
    shown = running(world)
    world.write(lambda tx: tx.channels.close_ticket(shown.channel.id, core.same(INC.number), world.now))
    assert world.holds(world.ann)
    assert sweep(world.deps, world.tenant_id) == 1
    assert not world.holds(world.ann)
    assert sweep(world.deps, world.tenant_id) == 0


def test_a_start_that_comes_due_after_its_ticket_was_closed_fails(world: World) -> None:
    with serve(knows({INC.number or "": "valid"})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id)
        request = ok(world.activate(world.ann, hours=1, ticket=INC, start=world.now + timedelta(hours=2)))
    ok(call(world, shown, closed()))
    world.forward(hours=2)
    world.work()
    assert world.request(request.id).status is RequestStatus.FAILED
    assert not world.holds(world.ann)


# ---------------------------------------------------------------- who would get around it


@pytest.mark.parametrize("number", ["INC1\u200b", "INC\u20601", "INC1" + "0" * 100, "ﷺ" * 60])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_number_hides_from_its_own_end(world: World, number: str) -> None:
    """A system that reads past what nobody sees would say that it is good, and close another number."""
    with serve(replies(lambda _: (200, {"state": "valid"}))) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id, ends_with_ticket=True)
        refused(world.activate(world.ann, hours=1, ticket=Ticket(number, "x")), Code.POLICY)
        assert server.connections == 0
        assert call(world, shown, {"type": "ticket.closed", "ticketNumber": "ﷺ" * 60}).code is Code.INVALID


def test_a_wide_number_is_the_same_ticket(world: World) -> None:
    with serve(replies(lambda _: (200, {"state": "valid"}))) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id, ends_with_ticket=True, patterns=("INC#+",))
        ok(world.activate(world.ann, hours=1, ticket=Ticket("ＩＮＣ００１２３４５", "x")))
    assert call(world, shown, {"type": "ticket.closed", "ticketNumber": "INC0012345"}).ended == 1
    assert not world.holds(world.ann)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rule", TicketsDown)
def test_who_asks_too_much_at_once_is_not_let_through(
    world: World, monkeypatch: pytest.MonkeyPatch, rule: TicketsDown
) -> None:
    """Being too many is in the hands of those who ask: it is no outage that a setting lets pass. And it ends no request
    that waits."""
    with serve(knows({INC.number or "": "valid"})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id, when_down=rule)
        world.approval(world.bob)
        request = ok(world.activate(world.ann, hours=1, ticket=INC))
        busy = Turns(4, 2)
        monkeypatch.setattr(asking, "_turns", busy)
        monkeypatch.setattr(asking, "_WAIT_FOR_A_TURN", 0)
        assert busy.take(world.tenant_id, 0)
        assert busy.take(world.tenant_id, 0)
        refused(world.review(request, world.bob), Code.THROTTLED)
        assert world.request(request.id).status is RequestStatus.PENDING_APPROVAL
        world.policy(TEAMS, approval=ApprovalSettings())
        world.eligible(world.cyd)
        said = refused(world.activate(world.cyd, hours=1, ticket=INC), Code.POLICY)
        assert "too many" in said.message
        assert not world.holds(world.cyd)
        busy.give_back(world.tenant_id)
        ok(world.activate(world.cyd, hours=1, ticket=INC))


def test_one_organisation_does_not_use_up_the_turns_of_others() -> None:
    turns = Turns(4, 2)
    assert turns.take("a", 0)
    assert turns.take("a", 0)
    assert not turns.take("a", 0)
    assert turns.take("b", 0)
    assert turns.take("c", 0)
    assert not turns.take("d", 0)
    turns.give_back("a")
    assert turns.take("d", 0)


def test_nobody_has_the_system_asked_in_anothers_name(world: World) -> None:
    with serve(knows({INC.number or "": "valid"})) as server:
        shown = channel(world, server.url())
        rules(world, system_id=shown.channel.id)
        outcome = world.submit(world.ask(Action.SELF_ACTIVATE, world.ann, hours=1, ticket=INC), world.bob)
        assert isinstance(outcome, Refusal)
        assert server.connections == 0
        world.approval(world.bob)
        request = ok(world.activate(world.ann, hours=1, ticket=INC))
        refused(world.review(request, world.ann), Code.NOT_APPROVER)
    assert len(server.asked) == 1
