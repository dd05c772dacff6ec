"""Push (RFC 8935) and poll (RFC 8936): order, repetition, receivers that fail, hang, send us elsewhere or lie; streams that
are paused, disabled, or lose their receiver."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from openpim.core.grants import Kind
from openpim.core.signals import HELD_FOR, MOST_POLLED, VERIFICATION, Signal
from openpim.faces.signals import poll
from openpim.faces.signals.poll import MOST_OF_ONE, MOST_WAITING, Waiting
from openpim.ports.outbound import Answer, OutboundFault
from openpim.services.monitoring import gauges
from openpim.services.signals import planning, subjects
from openpim.services.signals import push as pushing
from openpim.services.signals.planning import of_stream, plan
from openpim.services.signals.push import due, push, tidy
from tests.faces.signals.judge import SSF, set_faults
from tests.faces.signals.stage import EVERYTHING, PLACE, POLL, TAKEN, Receiver, Stage, event_in, pushed, read
from tests.world import ok

NO = Answer(503, {}, b"")


def happen(stage: Stage, *people: str) -> None:
    """One event about each of them, and what it becomes is planned."""
    for name in people:
        stage.world.assigned(getattr(stage.world, name))
    stage.world.grow()
    while plan(stage.deps, stage.tenant):
        pass


def about(stage: Stage, claims: list[dict[str, Any]]) -> list[str]:
    names = {user_id: name for name, user_id in stage.world.people.items()}
    return [names[one["sub_id"]["sub"]] for one in claims]


def error(err: str, description: str = "") -> Answer:
    return Answer(400, {}, json.dumps({"err": err, "description": description}).encode())


def stream(stage: Stage, stream_id: str) -> Any:
    return stage.world.read(lambda tx: tx.signal_streams.get(stream_id))


# ---------------------------------------------------------------- push


def test_what_is_sent(stage: Stage, crm: Receiver) -> None:
    crm.create(delivery=pushed(authorization_header="Bearer xyz"), events_requested=EVERYTHING)
    happen(stage, "ann")
    stage.tell()
    ((url, headers, body),) = stage.net.calls
    assert url == PLACE
    assert headers == {
        "Content-Type": "application/secevent+jwt",
        "Accept": "application/json",
        "Authorization": "Bearer xyz",
    }
    assert list(set_faults(body, stage.jwks(), stage.issuer, crm.face.app_id, EVERYTHING)) == []


@pytest.mark.parametrize(
    "failure",
    [
        NO,
        OutboundFault.TIMED_OUT,
        OutboundFault.UNREACHABLE,
        Answer(302, {"location": "https://evil.example/"}, b""),
        Answer(401, {}, b""),
        Answer(404, {}, b""),
        error("authentication_failed"),
        error("invalid_key"),
        Answer(400, {}, b"<html>"),
    ],
)
def test_a_receiver_that_is_away_finds_everything_in_its_order(
    stage: Stage, crm: Receiver, failure: Any
) -> None:
    stream_id = crm.everything()
    stage.net.answers[PLACE] = [failure]
    happen(stage, "ann", "bob")
    for _ in range(20):
        stage.tell()
        stage.world.forward(minutes=3)
    happen(stage, "cyd")
    tries = len(stage.net.calls)
    assert 5 < tries <= 21
    assert len(set(stage.pushed_to())) == 1, "the first again and again, and nothing else"
    assert stream(stage, stream_id).error
    stage.net.answers[PLACE] = [TAKEN]
    stage.world.forward(minutes=5)
    stage.tell()
    assert about(stage, stage.claims()[tries:]) == ["ann", "bob", "cyd"]
    now = stream(stage, stream_id)
    assert (now.sent, now.failures, now.error, now.dropped) == (3, 0, "", 0)
    assert {url for url, _, _ in stage.net.calls} == {PLACE}, "nothing is followed"


@pytest.mark.parametrize("err", ["invalid_request", "invalid_issuer", "invalid_audience"])
def test_an_event_that_will_never_be_taken_holds_up_no_other(stage: Stage, crm: Receiver, err: str) -> None:
    stream_id = crm.everything()
    stage.net.answers[PLACE] = [error(err, "no\r\nthanks\x1b[31m"), TAKEN]
    happen(stage, "ann", "bob")
    assert stage.tell() == 2
    now = stream(stage, stream_id)
    assert (now.sent, now.dropped) == (1, 1)
    assert about(stage, stage.claims()) == ["ann", "bob"]
    events = stage.world.read(lambda tx: tx.signal_streams.held(stream_id))
    assert events == (0, None)


def test_what_a_receiver_says_harms_nothing(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.everything()
    happen(stage, "ann")
    for body in (
        b"\xff",
        b"[" * 100_000,
        b'{"err": 7, "description": []}',
        b'{"err": "' + b"x" * 9000 + b'"}',
        b"null",
    ):
        stage.net.answers[PLACE] = [Answer(400, {}, body)]
        stage.tell()
        stage.world.forward(minutes=6)
    stage.net.answers[PLACE] = [error("authentication_failed", "line\r\nline\x1b]0;x\x07<script>")]
    stage.tell()
    said = stream(stage, stream_id).error
    assert said.isprintable()
    assert len(said) < 300


def test_a_receiver_may_ask_us_to_wait(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.everything()
    stage.net.answers[PLACE] = [
        Answer(429, {"retry-after": "600"}, b""),
        Answer(429, {"retry-after": "999999"}, b""),
        TAKEN,
    ]
    happen(stage, "ann")
    stage.tell()
    stage.world.forward(minutes=9)
    stage.tell()
    assert len(stage.net.calls) == 1
    stage.world.forward(minutes=2)
    stage.tell()
    assert len(stage.net.calls) == 2
    assert (stream(stage, stream_id).next_at - stage.world.now).total_seconds() == 3600, "an hour at most"


def test_a_failure_after_a_success_rests_too(stage: Stage, crm: Receiver) -> None:
    crm.everything()
    stage.net.answers[PLACE] = [TAKEN, NO, TAKEN]
    happen(stage, "ann", "bob")
    assert stage.tell() == 1
    assert len(stage.net.calls) == 2
    stage.world.forward(seconds=1)
    assert stage.tell() == 1
    assert about(stage, stage.claims()) == ["ann", "bob", "bob"]


def test_dying_between_the_push_and_the_commit(stage: Stage, crm: Receiver) -> None:
    """It is sent again, as the same event: the receiver knows it by its jti."""
    crm.everything()

    def dies(_: str) -> Answer:
        raise KeyboardInterrupt

    stage.net.answers[PLACE] = [dies, TAKEN]
    happen(stage, "ann")
    with pytest.raises(KeyboardInterrupt):
        stage.tell()
    assert stage.tell() == 0, "somebody may still be at it"
    stage.world.forward(minutes=2)
    assert stage.tell() == 1
    first, second = stage.claims()
    assert first == second


def test_one_that_was_overtaken_changes_nothing(stage: Stage, crm: Receiver) -> None:
    """A worker that was away for longer than its lease: the other has pushed meanwhile."""
    stream_id = crm.everything()

    def overtaken(_: str) -> Answer:
        stage.world.forward(minutes=2)
        stage.net.answers[PLACE] = [TAKEN]
        assert push(stage.signin, stage.tenant, stream_id) == 1
        return TAKEN

    stage.net.answers[PLACE] = [overtaken]
    happen(stage, "ann")
    assert stage.tell() == 0
    assert stream(stage, stream_id).sent == 1
    first, second = stage.claims()
    assert first == second


def test_planning_twice_plans_once(stage: Stage, crm: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers look at the same event: one of them moves the cursor, the other throws away what it worked out."""
    stream_id = crm.everything()
    told, again = planning.told_of, [True]

    def together(*arguments: Any) -> Any:
        if again and again.pop():
            assert plan(stage.deps, stage.tenant)
        return told(*arguments)

    monkeypatch.setattr(planning, "told_of", together)
    happen(stage, "ann")
    assert stage.world.read(lambda tx: tx.signal_streams.held(stream_id))[0] == 1


def test_an_event_nobody_understands_keeps_none_from_being_told(
    stage: Stage, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.everything()
    told = planning.told_of

    def confused(tx: Any, event: Any, now: Any) -> Any:
        if any(one.id == stage.world.ann for one in event.targets):
            raise KeyError("what?")
        return told(tx, event, now)

    monkeypatch.setattr(planning, "told_of", confused)
    happen(stage, "bob", "ann", "cyd")
    stage.tell()
    assert about(stage, stage.claims()) == ["bob", "cyd"]


def test_the_secret_goes_to_its_own_address_alone(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.create(delivery=pushed(authorization_header="Bearer xyz"), events_requested=EVERYTHING)[
        "stream_id"
    ]
    path = f"{stage.base}/streams"
    elsewhere = "https://elsewhere.example/"
    crm.call("PATCH", path, {"stream_id": stream_id, "delivery": pushed(elsewhere)})
    happen(stage, "ann")
    stage.tell()
    assert "Authorization" not in stage.net.calls[0][1]
    crm.call("PATCH", path, {"stream_id": stream_id, "delivery": pushed(authorization_header="Bearer new")})
    happen(stage, "bob")
    stage.tell()
    assert stage.net.calls[1][1]["Authorization"] == "Bearer new"
    secret = stream(stage, stream_id).secret
    assert "new" not in secret
    # Whoever writes another address into the database does not get it either.
    stage.world.write(lambda tx: _move(tx, stream_id, elsewhere))
    happen(stage, "cyd")
    stage.tell()
    assert len(stage.net.calls) == 2
    assert "Set it again" in stream(stage, stream_id).error
    crm.call("PATCH", path, {"stream_id": stream_id, "delivery": pushed(authorization_header=None)})
    stage.tell()
    assert "Authorization" not in stage.net.calls[2][1]


def _move(tx: Any, stream_id: str, address: str) -> None:
    tx.signal_streams.put(replace(tx.signal_streams.get(stream_id), endpoint_url=address))


def test_a_long_queue_goes_in_turns(stage: Stage, crm: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "PUSHES", 3)
    monkeypatch.setattr(pushing, "_BATCH", 2)
    crm.everything()
    happen(stage, "ann", "bob", "cyd", "dan")
    assert stage.tell() == 4
    assert about(stage, stage.claims()) == ["ann", "bob", "cyd", "dan"]


# ---------------------------------------------------------------- status


@pytest.mark.parametrize("method", ["push", "poll"])
def test_a_paused_stream_holds_and_a_disabled_one_does_not(stage: Stage, crm: Receiver, method: str) -> None:
    stream_id = crm.everything() if method == "push" else crm.polled()

    def arrived() -> list[str]:
        stage.tell()
        return about(stage, stage.claims() if method == "push" else list(crm.got(stream_id).values()))

    assert crm.status(stream_id, "paused", reason="lunch").json() == {
        "stream_id": stream_id,
        "status": "paused",
        "reason": "lunch",
    }
    assert crm.call("GET", f"{stage.base}/status?stream_id={stream_id}").json()["reason"] == "lunch"
    happen(stage, "ann")
    assert arrived() == []
    crm.status(stream_id, "enabled")
    assert crm.call("GET", f"{stage.base}/status?stream_id={stream_id}").json() == {
        "stream_id": stream_id,
        "status": "enabled",
    }
    happen(stage, "bob")
    assert arrived() == ["ann", "bob"]
    crm.status(stream_id, "paused")
    happen(stage, "cyd")
    crm.status(stream_id, "disabled")
    happen(stage, "dan")
    crm.status(stream_id, "enabled")
    before = ["ann", "bob"] if method == "push" else []
    assert arrived() == before


@pytest.mark.parametrize("way", ["permissions", "enabled", "removed"])
def test_a_receiver_that_may_no_more_is_told_no_more(stage: Stage, crm: Receiver, way: str) -> None:
    stream_id = crm.everything()
    happen(stage, "ann")
    match way:
        case "permissions":
            crm.let(permissions=("Directory.Read.All",))
        case "enabled":
            crm.let(enabled=False)
        case _:
            stage.world.write(lambda tx: tx.service_principals.remove(crm.face.id, stage.world.now))
    happen(stage, "bob")
    stage.tell()
    assert stage.net.calls == []
    assert (stream(stage, stream_id) is None) == (way == "removed")
    if way != "removed":
        crm.let(permissions=("ssf.read",), enabled=True)
        stage.world.forward(minutes=6)
        stage.tell()
        assert about(stage, stage.claims()) == ["ann"], "what happened meanwhile was none of its business"


def test_what_nobody_comes_for_is_dropped_and_counted(
    stage: Stage, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MOST_HELD", 2)
    stream_id = crm.polled()
    happen(stage, "ann", "bob", "cyd")
    assert tidy(stage.deps) == 1
    assert about(stage, list(crm.got(stream_id).values())) == ["bob", "cyd"]
    assert stream(stage, stream_id).dropped == 1
    stage.world.forward(days=HELD_FOR.days, minutes=1)
    assert tidy(stage.deps, limit=1) == 1
    assert tidy(stage.deps) == 1
    crm.renew()
    assert crm.got(stream_id) == {}
    assert stream(stage, stream_id).dropped == 3


# ---------------------------------------------------------------- poll


def test_polling(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.polled()
    assert crm.poll(stream_id).json() == {"sets": {}, "moreAvailable": False}
    happen(stage, "ann", "bob", "cyd")
    answer = crm.poll(stream_id, maxEvents=2).json()
    assert answer["moreAvailable"] is True
    for token in answer["sets"].values():
        assert list(set_faults(token, stage.jwks(), stage.issuer, crm.face.app_id, EVERYTHING)) == []
    first = {jti: read(token) for jti, token in answer["sets"].items()}
    assert all(claims["jti"] == jti for jti, claims in first.items())
    assert about(stage, list(first.values())) == ["ann", "bob"]
    assert about(stage, list(crm.got(stream_id, maxEvents=2).values())) == ["ann", "bob"], (
        "not acknowledged: given again"
    )
    rest = crm.poll(stream_id, ack=list(first)).json()
    assert (about(stage, [read(one) for one in rest["sets"].values()]), rest["moreAvailable"]) == (
        ["cyd"],
        False,
    )
    last = list(rest["sets"])
    assert crm.poll(stream_id, maxEvents=0, ack=last).json() == {"sets": {}, "moreAvailable": False}
    assert crm.got(stream_id) == {}
    now = stream(stage, stream_id)
    assert (now.sent, now.dropped, now.polled_at) == (3, 0, stage.world.now)


def test_a_receiver_says_what_is_wrong(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.polled()
    happen(stage, "ann", "bob")
    first, second = crm.got(stream_id)
    errors = {first: {"err": "invalid_audience", "description": "not\r\nme"}}
    assert list(crm.got(stream_id, setErrs=errors)) == [second]
    now = stream(stage, stream_id)
    assert (now.dropped, now.error) == (1, "The receiver refused an event: invalid_audience: not me")


def test_events_of_others_are_not_acknowledged(stage: Stage, crm: Receiver) -> None:
    mine, theirs = crm.polled(), stage.receiver("Other")
    other = theirs.polled()
    happen(stage, "ann")
    (jti,) = theirs.got(other)
    assert jti not in crm.got(mine)
    crm.poll(mine, ack=[jti], setErrs={jti: {"err": "x"}})
    assert list(theirs.got(other)) == [jti]


def test_no_more_than_so_many_at_once(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.polled()

    def fill(tx: Any) -> None:
        events = [
            of_stream(stage.deps, stream_id, VERIFICATION, {}, stage.world.now)
            for _ in range(MOST_POLLED + 1)
        ]
        tx.signal_streams.queue(stream_id, events)

    stage.world.write(fill)
    answer = crm.poll(stream_id, maxEvents=10_000).json()
    assert (len(answer["sets"]), answer["moreAvailable"]) == (MOST_POLLED, True)


def test_a_poll_that_waits(stage: Stage, crm: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered when something happens, and with nothing when nothing does; acknowledging is done at once."""
    monkeypatch.setattr(poll, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(poll, "LONGEST_WAIT", 0.05)
    stream_id = crm.polled()
    assert crm.poll(stream_id, returnImmediately=False).json() == {"sets": {}, "moreAvailable": False}
    looks = poll._look
    turns = iter(range(100))

    def later(*arguments: Any) -> Any:
        if next(turns) == 2:
            happen(stage, "ann")
        return looks(*arguments)

    monkeypatch.setattr(poll, "_look", later)
    assert about(
        stage, [read(one) for one in crm.poll(stream_id, returnImmediately=False).json()["sets"].values()]
    ) == ["ann"]
    for jti in crm.got(stream_id):
        crm.poll(stream_id, ack=[jti])
    turns = iter(range(100))

    def shut_out(*arguments: Any) -> Any:
        if next(turns) == 2:
            crm.let(enabled=False)
        return looks(*arguments)

    monkeypatch.setattr(poll, "_look", shut_out)
    assert crm.poll(stream_id, returnImmediately=False).status_code == 401, "who may no more is told no more"


def test_so_many_wait_at_once_and_no_more() -> None:
    waiting = Waiting()
    assert [waiting.enter("a") for _ in range(MOST_OF_ONE + 1)] == [True] * MOST_OF_ONE + [False]
    assert all(waiting.enter(str(number)) for number in range(MOST_WAITING - MOST_OF_ONE))
    assert not waiting.enter("b")
    waiting.leave("a")
    assert waiting.enter("b")
    waiting.close()
    waiting.leave("b")
    assert not waiting.enter("b")


# ---------------------------------------------------------------- verification


@pytest.mark.parametrize("method", ["push", "poll"])
def test_verification(stage: Stage, crm: Receiver, method: str) -> None:
    stream_id = crm.everything() if method == "push" else crm.polled()
    assert crm.verify(stream_id, state="VGhpcyBpcw==").status_code == 204
    assert crm.verify(stream_id).status_code == 204
    stage.tell()
    found = stage.claims() if method == "push" else list(crm.got(stream_id).values())
    assert [one["sub_id"] for one in found] == [{"format": "opaque", "id": stream_id}] * 2
    assert [one["events"] for one in found] == [
        {f"{SSF}verification": {"state": "VGhpcyBpcw=="}},
        {f"{SSF}verification": {}},
    ]
    tokens = stage.pushed_to() if method == "push" else list(crm.poll(stream_id).json()["sets"].values())
    for token in tokens:
        assert list(set_faults(token, stage.jwks(), stage.issuer, crm.face.app_id, [])) == []


def test_verification_is_not_asked_for_all_the_time(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.polled()
    assert [crm.verify(stream_id).status_code for _ in range(11)] == [204] * 10 + [429]
    answer = crm.verify(stream_id)
    assert 0 < int(answer.headers["retry-after"]) <= 61
    stage.world.forward(minutes=1)
    assert crm.verify(stream_id).status_code == 204


def test_verification_waits_while_the_stream_is_paused(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.polled()
    crm.status(stream_id, "paused")
    assert crm.verify(stream_id, state="a").status_code == 204
    assert crm.got(stream_id) == {}
    crm.status(stream_id, "enabled")
    assert [event_in(one) for one in crm.got(stream_id).values()] == [("verification", {"state": "a"})]


# ---------------------------------------------------------------- subjects


@pytest.mark.parametrize("default", ["ALL", "NONE"])
def test_whom_a_stream_tells_of(stage: Stage, crm: Receiver, default: str) -> None:
    world = stage.world
    world.change_user(world.ann, mail="Ann@Example.com")
    stream_id = crm.everything(default_subjects=default)
    by_mail = {"format": "email", "email": "ann@EXAMPLE.com"}
    by_sub = {"format": "iss_sub", "iss": stage.issuer, "sub": world.bob}
    complex_ = {"format": "complex", "user": by_sub, "tenant": {"format": "opaque", "id": stage.tenant}}
    elsewhere = {
        **complex_,
        "tenant": {"format": "opaque", "id": "another"},
        "user": {**by_sub, "sub": world.cyd},
    }
    what, status = ("add", 200) if default == "NONE" else ("remove", 204)
    for subject in (by_mail, complex_, elsewhere):
        assert crm.subject(what, stream_id, subject).status_code == status
    happen(stage, "ann", "bob", "cyd")
    stage.tell()
    named = ["ann", "bob"]
    assert about(stage, stage.claims()) == (named if default == "NONE" else ["cyd"])
    world.forward(minutes=1)
    back = "remove" if default == "NONE" else "add"
    assert (
        crm.subject(back, stream_id, {"format": "iss_sub", "iss": stage.issuer, "sub": world.ann}).status_code
        < 300
    )
    stage.net.calls.clear()
    world.forward(minutes=10)
    for name in ("ann", "bob"):
        ok(world.take(getattr(world, name), kind=Kind.ASSIGNMENT))
    stage.tell()
    told = set(about(stage, stage.claims()))
    assert told == ({"bob"} if default == "NONE" else {"ann"}), "what was said last counts"


def test_everybody_of_the_tenant(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.everything(default_subjects="NONE")
    everybody = {"format": "complex", "tenant": {"format": "opaque", "id": stage.tenant}}
    crm.subject("add", stream_id, everybody)
    crm.subject("remove", stream_id, {"format": "iss_sub", "iss": stage.issuer, "sub": stage.world.bob})
    happen(stage, "ann", "bob")
    stage.tell()
    assert about(stage, stage.claims()) == ["ann"]


def test_a_stream_names_so_many_subjects(
    stage: Stage, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "MOST_SUBJECTS", 1)
    stream_id = crm.polled()
    ann, bob = ({"format": "email", "email": f"{name}@example.com"} for name in ("ann", "bob"))
    assert crm.subject("remove", stream_id, ann).status_code == 204
    assert crm.subject("remove", stream_id, bob).status_code == 403
    assert crm.subject("add", stream_id, ann).status_code == 200


# ---------------------------------------------------------------- side by side


def test_one_that_is_away_holds_up_no_other(stage: Stage, crm: Receiver) -> None:
    crm.everything("https://away.example/")
    crm.everything()
    stage.net.answers["https://away.example/"] = [OutboundFault.TIMED_OUT]
    happen(stage, "ann")
    assert len(due(stage.deps)) == 2
    stage.tell()
    assert about(stage, stage.claims()) == ["ann"]


def test_a_stream_of_another_kind_keeps_what_waits(stage: Stage, crm: Receiver) -> None:
    """A receiver changes from push to poll: nothing is lost."""
    stream_id = crm.everything()
    stage.net.answers[PLACE] = [NO]
    happen(stage, "ann")
    stage.tell()
    crm.call("PATCH", f"{stage.base}/streams", {"stream_id": stream_id, "delivery": {"method": POLL}})
    stage.tell()
    assert about(stage, list(crm.got(stream_id).values())) == ["ann"]
    assert len(stage.net.calls) == 1


def test_numbers_are_given_in_order(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.polled()
    events = [Signal(stream_id, 0, stage.deps.new_id(), "{}", stage.world.now) for _ in range(1200)]
    stage.world.write(lambda tx: tx.signal_streams.queue(stream_id, events))
    crm.verify(stream_id)
    waiting = stage.world.read(lambda tx: tx.signal_streams.waiting(stream_id, 2000))
    assert [one.jti for one in waiting[:1200]] == [one.jti for one in events]
    assert [one.number for one in waiting] == list(range(1, 1202))


def test_the_operators_figures(stage: Stage, crm: Receiver) -> None:
    def figures() -> list[float]:
        now = stage.world.now
        found = stage.deps.store.read("", lambda tx: gauges(tx, stage.deps, now))
        names = (
            "openpim_signals_waiting",
            "openpim_signals_oldest_seconds",
            "openpim_signal_streams_failing",
        )
        return [found[name][()] for name in names]

    crm.everything()
    assert figures() == [0, 0, 0]
    stage.net.answers[PLACE] = [NO, TAKEN]
    happen(stage, "ann", "bob")
    stage.tell()
    stage.world.forward(minutes=1)
    assert figures() == [2, 60, 1]
    stage.tell()
    assert figures() == [0, 0, 0]
