"""Another system is asked before a role is activated: what it may say, what follows, and what it can never do."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from openpim.core.approval import Verdict
from openpim.core.grants import Action
from openpim.core.lifecycle import ApprovalStatus, RequestStatus
from openpim.core.policy import ApprovalSettings, AskFirst, Reviewers, Stage, WhenDown
from openpim.core.refusals import Code
from openpim.services.channels import asking, manage
from openpim.services.channels.manage import Wanted
from openpim.workers.channels import Asking
from tests.notify.hostile import answers, replies, says, serve
from tests.services.channels.helper import ask_first, call, chancy, channel
from tests.world import DENY, TEAMS, World, ok, refused

APPROVED, AUTO, DENIED = "Approved", "AutoApproved", "Denied"


def said(outcome: str, *reasons: str) -> Any:
    return replies(
        lambda _: (200, {"evaluationId": "e-1", "evaluationOutcome": outcome, "reason": list(reasons)})
    )


def asked_for(world: World, **more: Any) -> Any:
    world.eligible(world.ann)
    return ok(world.activate(world.ann, hours=1, **more))


def test_an_approval_by_the_system_alone_activates(world: World) -> None:
    with serve(said(APPROVED, "on call")) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id)
        request = asked_for(world)
        assert request.status is RequestStatus.PENDING_APPROVAL
        assert not world.holds(world.ann)
        world.work()
    assert world.holds(world.ann)
    assert world.request(request.id).status is RequestStatus.PROVISIONED
    question = json.loads(server.asked[0].body)
    assert question["@odata.type"] == "#microsoft.graph.unifiedRoleAssignmentScheduleRequest"
    assert (question["id"], question["principalId"], question["roleDefinitionId"]) == (
        request.id,
        world.ann,
        TEAMS,
    )
    assert question["openPim"]["callbackUrl"].endswith(f"/hooks/{world.tenant_id}/{shown.channel.id}")
    (event,) = world.events("Add member to role request approved (PIM activation)")
    assert (event.actor_kind, event.actor_id) == ("extension", shown.channel.id)
    assert ("EvaluationOutcome", APPROVED) in event.details
    assert event.reason == "on call"


def test_the_question_is_signed_as_standard_webhooks_are(world: World) -> None:
    oracle = pytest.importorskip("standardwebhooks")
    with serve(said(APPROVED)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id)
        asked_for(world)
        world.work()
    asked = server.asked[0]
    hook = oracle.Webhook(shown.secret)
    hook.verify  # noqa: B018 - it is there
    timestamp = int(asked.headers["webhook-timestamp"])
    wanted = hook.sign(
        asked.headers["webhook-id"],
        world.now.fromtimestamp(timestamp, tz=world.now.tzinfo),
        asked.body.decode(),
    )
    assert asked.headers["webhook-signature"] == wanted


def test_approved_means_that_people_still_decide(world: World) -> None:
    with serve(said(APPROVED)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, world.cyd, quorum=2)
        request = asked_for(world)
        refused(world.review(request, world.bob), Code.NOT_APPROVER)  # it is not his turn yet
        world.work()
    assert not world.holds(world.ann)
    ok(world.review(request, world.bob))
    assert not world.holds(world.ann), "the system's yes is none of the quorum"
    ok(world.review(request, world.cyd))
    assert world.holds(world.ann)


@pytest.mark.parametrize("allowed", [True, False])
def test_auto_approved_takes_the_place_of_people_only_where_the_settings_say_so(
    world: World, allowed: bool
) -> None:
    with serve(said(AUTO)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, auto=allowed)
        request = asked_for(world)
        world.work()
    assert world.holds(world.ann) is allowed
    if not allowed:
        ok(world.review(request, world.bob))
        assert world.holds(world.ann)


def test_denied_denies_and_the_requestor_reads_why(world: World) -> None:
    with serve(said(DENIED, "No change window", "Ask on Monday")) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, auto=True)
        request = asked_for(world)
        world.work()
    assert world.request(request.id).status is RequestStatus.DENIED
    assert world.request(request.id).failure == "No change window Ask on Monday"
    refused(world.review(request, world.bob), Code.ALREADY_DECIDED)
    assert not world.holds(world.ann)
    (event,) = world.events("Add member to role request denied (PIM activation)")
    assert event.actor_kind == "extension"


def test_no_person_decides_the_systems_stage(world: World) -> None:
    with serve(None) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, when_down=WhenDown.WAIT)
        request = asked_for(world)
        for one in (world.bob, world.ga, world.pra, world.ann):
            refused(world.review(request, one), Code.NOT_APPROVER)


def test_the_facts_are_read_again_before_the_grant(world: World) -> None:
    def meanwhile(_: Any) -> tuple[int, Any]:
        world.take(world.ann)
        return 200, {"evaluationOutcome": APPROVED}

    with serve(replies(meanwhile)) as server:
        shown = channel(world, server.url(), timeout_ms=20_000)
        ask_first(world, shown.channel.id)
        request = asked_for(world)
        world.work()
    assert not world.holds(world.ann)
    assert world.request(request.id).status is RequestStatus.FAILED


def test_a_request_cancelled_while_it_was_asked_stays_cancelled(world: World) -> None:
    box: list[Any] = []

    def meanwhile(_: Any) -> tuple[int, Any]:
        ok(world.cancel(box[0], world.ann))
        return 200, {"evaluationOutcome": APPROVED}

    with serve(replies(meanwhile)) as server:
        shown = channel(world, server.url(), timeout_ms=20_000)
        ask_first(world, shown.channel.id)
        box.append(asked_for(world))
        world.work()
    assert world.request(box[0].id).status is RequestStatus.CANCELED
    assert not world.holds(world.ann)


# ---------------------------------------------------------------- it does not answer, or not so that it can be used

BAD = {
    "slow": None,
    "nonsense": says(b"nonsense\r\n"),
    "half": says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "huge": answers(b'{"evaluationOutcome":"Approved","x":"' + b"x" * 100_000 + b'"}'),
    "error": answers(b'{"evaluationOutcome":"Approved"}', "500 Oops"),
    "redirect": answers(b'{"evaluationOutcome":"Approved"}', "302 Found", "Location: http://127.0.0.1:1/"),
    "no json": answers(b"Approved"),
    "a list": answers(b'["Approved"]'),
    "another word": answers(b'{"evaluationOutcome":"approved"}'),
    "no word": answers(b"{}"),
    "a number": answers(b'{"evaluationOutcome":1}'),
    "an odd id": answers(b'{"evaluationOutcome":"Approved","evaluationId":{}}'),
    "odd reasons": answers(b'{"evaluationOutcome":"Approved","reason":[1]}'),
    "empty": answers(b""),
    "deep": answers(b'{"evaluationOutcome":' + b"[" * 20_000),
}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", BAD)
def test_refuse_means_that_the_request_fails(world: World, kind: str) -> None:
    with serve(BAD[kind]) as server:
        shown = channel(world, server.url(), retries=1)
        ask_first(world, shown.channel.id, world.bob, when_down=WhenDown.REFUSE)
        request = asked_for(world)
        world.work()
        assert world.request(request.id).status is RequestStatus.PENDING_APPROVAL
        world.forward(seconds=60)  # beyond the pause
        world.work()
    assert server.connections == 2
    assert world.request(request.id).status is RequestStatus.FAILED
    assert not world.holds(world.ann)
    (event,) = world.events("Approval not answered by another system")
    assert event.result == "failure"
    assert event.reason
    ids = {one.headers["webhook-id"] for one in server.asked}
    assert len(ids) <= 1, "the same question has the same id at every try"


def test_people_means_that_the_next_stage_decides(world: World) -> None:
    with serve(BAD["error"]) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, when_down=WhenDown.PEOPLE)
        request = asked_for(world)
        world.work()
    assert world.events("Approval passed on to people")
    assert not world.holds(world.ann)
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)


def test_people_means_the_default_approvers_where_nobody_else_is_named(world: World) -> None:
    with serve(BAD["error"]) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, when_down=WhenDown.PEOPLE)
        request = asked_for(world)
        world.work()
        world.work()  # what the settings say today does not take it back from them
        refused(world.review(request, world.bob), Code.NOT_APPROVER)
        refused(world.review(request, world.ann), Code.NOT_APPROVER)
        ok(world.review(request, world.pra))
    assert world.holds(world.ann)


def test_wait_means_to_ask_until_the_time_is_over(world: World) -> None:
    with serve(BAD["error"]) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, when_down=WhenDown.WAIT, minutes=10)
        request = asked_for(world)
        for _ in range(5):
            world.work()
            world.forward(seconds=61)
        assert server.connections == 5
        assert world.request(request.id).status is RequestStatus.PENDING_APPROVAL
        world.forward(minutes=10)
        world.work()
    assert world.request(request.id).status is RequestStatus.TIMED_OUT
    assert server.connections == 5


@pytest.mark.parametrize("rule", WhenDown)
def test_a_system_that_was_switched_off_or_removed_does_not_answer(world: World, rule: WhenDown) -> None:
    with serve(said(APPROVED)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, when_down=rule)
        request = asked_for(world)
        ok(manage.remove(world.deps, world.caller(world.pra), shown.channel.id))
        world.work()
    assert server.connections == 0
    assert not world.holds(world.ann)
    wanted = RequestStatus.FAILED if rule is WhenDown.REFUSE else RequestStatus.PENDING_APPROVAL
    assert world.request(request.id).status is wanted


def test_a_settings_change_meanwhile_holds(world: World) -> None:
    """Another system is to decide now: what the first one says no longer counts."""
    with serve(said(APPROVED)) as first, serve(said(DENIED)) as second:
        one, two = channel(world, first.url(), name="one"), channel(world, second.url(), name="two")
        ask_first(world, one.channel.id)
        request = asked_for(world)
        ask_first(world, two.channel.id)
        world.work()
    assert first.connections == 0
    assert world.request(request.id).status is RequestStatus.DENIED


def test_only_what_an_administrator_has_set_up_can_be_asked(world: World) -> None:
    from openpim.services import policies

    hook = channel(world, "https://example.com/x", manage.ChannelKind.WEBHOOK, name="told")
    for wrong in ("00000000-0000-4000-8000-000000000001", hook.channel.id):
        stage = Stage(callout=AskFirst(wrong))
        found = policies.get(world.deps, world.system, _directory(), TEAMS)
        outcome = policies.update(
            world.deps,
            world.caller(world.pra),
            ok(found).id,
            lambda policy, stage=stage: _with(policy, stage),
        )
        refused(outcome, Code.INVALID)
    good = channel(world, "https://example.com/y", name="asked")
    for stage in (
        Stage(callout=AskFirst(good.channel.id), primary=Reviewers((world.bob,))),
        Stage(callout=AskFirst(good.channel.id), quorum=2),
    ):
        found = policies.get(world.deps, world.system, _directory(), TEAMS)
        refused(
            policies.update(
                world.deps,
                world.caller(world.pra),
                ok(found).id,
                lambda policy, stage=stage: _with(policy, stage),
            ),
            Code.INVALID,
        )


def _directory() -> Any:
    from openpim.core.grants import Provider

    return Provider.DIRECTORY


def _with(policy: Any, stage: Stage) -> Any:
    from dataclasses import replace

    return replace(policy, approval=ApprovalSettings(required=True, stages=(stage,)))


# ---------------------------------------------------------------- it answers later


def later(world: World) -> tuple[Any, Any, str]:
    """A request whose system will call back: the request, the channel, and the question's id."""
    with serve(replies(lambda _: (202, {}))) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, minutes=60)
        request = asked_for(world)
        world.work()
        world.forward(seconds=120)
        world.work()
    assert server.connections == 1, "who will call back is not asked again"
    return request, shown, json.loads(server.asked[0].body)["openPim"]["calloutId"]


def answer(callout_id: str, outcome: str = APPROVED) -> dict[str, Any]:
    return {
        "type": "callout.answered",
        "calloutId": callout_id,
        "evaluationOutcome": outcome,
        "evaluationId": "late",
    }


def test_a_call_back_decides(world: World) -> None:
    request, shown, callout_id = later(world)
    assert ok(call(world, shown, answer(callout_id))).status == "accepted"
    assert world.holds(world.ann)
    assert world.approval_of(request).status is ApprovalStatus.APPROVED
    (event,) = world.events("Add member to role request approved (PIM activation)")
    assert (event.actor_kind, event.ip) == ("extension", "203.0.113.9")


def test_answering_twice(world: World) -> None:
    _, shown, callout_id = later(world)
    ok(call(world, shown, answer(callout_id)))
    assert ok(call(world, shown, answer(callout_id))).status == "seen"  # the very same message
    assert ok(call(world, shown, answer(callout_id), message_id="msg_2")).status == "seen"
    refused(call(world, shown, answer(callout_id, DENIED), message_id="msg_3"), Code.ALREADY_DECIDED)
    assert world.holds(world.ann)
    assert len(world.events("Add member to role request approved (PIM activation)")) == 1


def test_answering_after_the_decision(world: World) -> None:
    request, shown, callout_id = later(world)
    ok(world.cancel(request, world.ann))
    refused(call(world, shown, answer(callout_id)), Code.ALREADY_DECIDED)
    assert not world.holds(world.ann)


def test_answering_too_late(world: World) -> None:
    request, shown, callout_id = later(world)
    world.forward(hours=2)  # no worker has run
    refused(call(world, shown, answer(callout_id)), Code.ALREADY_DECIDED)
    world.work()
    assert world.request(request.id).status is RequestStatus.TIMED_OUT


def test_an_answer_for_another_request(world: World) -> None:
    """The question's id is in what is signed, so an answer cannot be moved to another question."""
    _, shown, callout_id = later(world)
    other = channel(world, "https://example.com/other", name="another system")
    refused(call(world, other, answer(callout_id)), Code.NOT_FOUND)
    refused(call(world, shown, answer("00000000-0000-4000-8000-000000000009")), Code.NOT_FOUND)
    assert not world.holds(world.ann)


def test_another_tenants_systems_say_nothing_here(world: World) -> None:
    _, shown, callout_id = later(world)
    other = World(world.database)
    theirs = channel(other, "https://example.com/theirs")
    theirs_here = manage.Shown(theirs.channel, theirs.secret)
    refused(
        call(other, theirs_here, answer(callout_id), at=world.now, tenant_id=world.tenant_id), Code.SIGN_IN
    )
    other.now = world.now
    refused(call(other, theirs_here, answer(callout_id)), Code.NOT_FOUND)
    mixed = manage.Shown(shown.channel, theirs.secret)
    refused(call(world, mixed, answer(callout_id)), Code.SIGN_IN)
    assert not world.holds(world.ann)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_" + "A" * 43 + "="},
        {"webhook-id": "another"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "x"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,AAAA v2,BBBB"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 1000},
    ],
)
def test_a_signature_that_does_not_fit(world: World, wrong: dict[str, str]) -> None:
    _, shown, callout_id = later(world)
    refused(call(world, shown, answer(callout_id), **wrong), Code.SIGN_IN)
    assert not world.holds(world.ann)


def test_messages_that_are_old_or_of_the_future(world: World) -> None:
    from datetime import timedelta

    _, shown, callout_id = later(world)
    for off in (timedelta(minutes=-6), timedelta(minutes=6)):
        refused(call(world, shown, answer(callout_id), at=world.now + off), Code.SIGN_IN)
    ok(call(world, shown, answer(callout_id), at=world.now - timedelta(minutes=4)))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nonsense", b"[]", b"null", b"[" * 20_000, {"type": "callout.answered"}, {"type": "x"}, {},
        {"type": "callout.answered", "calloutId": 1, "evaluationOutcome": APPROVED},
        {"type": "callout.answered", "calloutId": "a\x00b", "evaluationOutcome": APPROVED},
        {"type": "callout.answered", "calloutId": "x", "evaluationOutcome": "Yes"},
        {"type": ["callout.answered"]},
        {"type": "ticket.closed"}, {"type": "ticket.closed", "ticketNumber": " "}, {"type": "ticket.closed", "ticketNumber": "x" * 200},
        {"type": "ticket.closed", "ticketNumber": "\ud800"},
    ],
)  # fmt: skip
def test_what_is_signed_and_makes_no_sense(world: World, data: Any) -> None:
    shown = channel(world, "https://example.com/x")
    refused(call(world, shown, data), Code.INVALID)


def test_a_secret_that_was_rotated_counts_for_a_day(world: World) -> None:
    shown = channel(world, "https://example.com/x")
    closed = {"type": "ticket.closed", "ticketNumber": "INC1"}
    fresh = ok(manage.rotate(chancy(world), world.caller(world.pra), shown.channel.id))
    assert fresh.secret != shown.secret
    ok(call(world, shown, closed, message_id="old secret"))
    ok(call(world, fresh, closed, message_id="new secret"))
    world.forward(hours=24)
    refused(call(world, shown, closed, message_id="old secret again"), Code.SIGN_IN)
    ok(call(world, fresh, closed, message_id="new secret again"))
    again = ok(manage.rotate(chancy(world), world.caller(world.pra), shown.channel.id))
    refused(call(world, shown, closed, message_id="two before"), Code.SIGN_IN)
    ok(call(world, again, closed, message_id="newest"))


def test_only_extensions_may_call(world: World) -> None:
    told = channel(world, "https://example.com/told", manage.ChannelKind.WEBHOOK, name="told")
    refused(call(world, told, {"type": "ticket.closed", "ticketNumber": "INC1"}), Code.SIGN_IN)
    off = channel(world, "https://example.com/off", name="off")
    ok(manage.update(world.deps, world.caller(world.pra), off.channel.id, Wanted(enabled=False)))
    refused(call(world, off, {"type": "ticket.closed", "ticketNumber": "INC1"}), Code.SIGN_IN)


def test_two_workers_ask_once(world: World) -> None:
    """The second finds that the question is being asked; a late answer of the first is not written over."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(_: Any) -> tuple[int, Any]:
        inside.set()
        go_on.wait(20)
        return 200, {"evaluationOutcome": APPROVED}

    with serve(replies(slow)) as server:
        shown = channel(world, server.url(), timeout_ms=20_000)
        ask_first(world, shown.channel.id)
        asked_for(world)
        first = threading.Thread(target=asking.ask_due, args=(world.deps, world.tenant_id))
        first.start()
        assert inside.wait(20)
        assert asking.ask_due(world.deps, world.tenant_id) == 0
        go_on.set()
        first.join(20)
    assert server.connections == 1
    assert world.holds(world.ann)


def test_an_extension_of_an_activation_is_asked_about_too(world: World) -> None:
    with serve(said(APPROVED)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id)
        asked_for(world)
        world.work()
        before = len(server.asked)
        ok(world.extend(world.ann, hours=2))
        world.work()
    assert len(server.asked) == before + 1
    assert json.loads(server.asked[-1].body)["action"] == Action.SELF_EXTEND.value


def test_verdicts_of_people_after_the_system(world: World) -> None:
    with serve(said(APPROVED)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob)
        request = asked_for(world)
        world.work()
    world.forward(seconds=1)
    ok(world.review(request, world.bob, DENY))
    assert world.request(request.id).status is RequestStatus.DENIED
    assert [one.verdict for one in world.approval_of(request).decisions] == [Verdict.APPROVE, Verdict.DENY]


def test_a_worker_that_dies_while_asking_is_taken_over(world: World) -> None:
    """The question is asked again, under the same id, when its lease is over: at least once, and decided once."""
    with serve(said(APPROVED)) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id)
        request = asked_for(world)
        died = world.write(lambda tx: asking._question(tx, world.deps, request.id, world.now))
        assert died is not None
        world.work()
        assert server.connections == 0
        world.forward(seconds=31)
        world.work()
    assert [one.headers["webhook-id"] for one in server.asked] == [died.callout.id]
    assert world.holds(world.ann)
    asking._settle(world.deps, world.tenant_id, died, asking._Heard(fault="late"))
    assert world.request(request.id).status is RequestStatus.PROVISIONED


def test_those_that_will_be_answered_later_keep_nobody_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait for a call back, the next ones are asked; and looking at them again costs no unit of work."""
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    worker = Asking(world.deps)
    with serve(replies(lambda _: (202, {}))) as server:
        shown = channel(world, server.url(), timeout_ms=20_000)
        ask_first(world, shown.channel.id)
        for number in range(5):
            person = world.user(f"p{number}")
            world.eligible(person)
            ok(world.activate(person, hours=1))
        assert worker() > 2  # there may be more
        assert len(server.asked) == 2
        worker()
        assert len(server.asked) == 4
        worker()
        assert len(server.asked) == 5
        written: list[str] = []
        write = world.deps.store.write
        monkeypatch.setattr(
            type(world.deps.store),
            "write",
            lambda _, tenant, act: (written.append(tenant), write(tenant, act))[1],
        )
        assert worker() == 0
        assert world.tenant_id not in written
        # Settings that name another system meanwhile are found soon.
        other = channel(world, server.url(path="/other"), name="the other", timeout_ms=20_000)
        ask_first(world, other.channel.id)
        world.forward(seconds=15)
        worker()
        assert len(server.asked) == 7
