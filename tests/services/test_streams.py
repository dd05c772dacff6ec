"""The audit history reaches its destinations at least once, whatever dies; and only its administrators set them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code
from openpim.core.roles import GLOBAL_READER, SECURITY_ADMINISTRATOR
from openpim.core.streams import MOST_STREAMS, Stream, StreamKind, pause_after
from openpim.ports.streams import NotTakenError, Outgoing
from openpim.services.streams import manage
from openpim.services.streams import send as sending
from openpim.services.streams.manage import Wanted
from tests.world import ASSIGNMENT, TEAMS, World, ok, refused

PLACE = "https://siem.example.com/in"


@dataclass
class Receiver:
    """A sender with a memory. orders: for each coming batch "no" (not taken), "large", "wait", "lost" (taken, and then we
    die), or a function."""

    orders: list[str | Callable[[], None]] = field(default_factory=list)
    got: list[Outgoing] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def send(self, stream: Stream, secret: str, batch: Sequence[Outgoing]) -> str:
        order = self.orders.pop(0) if self.orders else ""
        self.batches.append(len(batch))
        if order == "no":
            raise NotTakenError("It is down.")
        if order == "wait":
            raise NotTakenError("Slow down.", wait_seconds=120)
        if order == "large":
            raise NotTakenError("Too large.", too_large=True)
        self.got += batch
        self.secrets.append(secret)
        if order == "lost":
            raise KeyboardInterrupt
        if callable(order):
            order()
        return "it rejected 1" if order == "some" else ""

    @property
    def positions(self) -> list[int]:
        return [one.position for one in self.got]


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    ok(world.give(world.ann, SECURITY_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=world.ga))
    world.grow()
    yield world
    world.close()


def made(
    world: World,
    name: str = "siem",
    *,
    from_beginning: bool = True,
    kind: StreamKind = StreamKind.OCSF,
    **more: Any,
) -> str:
    address = "tls://siem.example.com" if kind is StreamKind.SYSLOG else PLACE
    wanted = Wanted(name=name, address=address, **more)
    view = manage.create(world.deps, world.caller(world.ann), kind, wanted, from_beginning=from_beginning)
    return ok(view).stream.id


def turn(world: World, receiver: Receiver) -> int:
    """One look of the worker, for this world's tenant."""
    world.grow()
    senders = dict.fromkeys(StreamKind, receiver)
    found = [(tenant, one) for tenant, one in sending.due(world.deps) if tenant == world.tenant_id]
    return sum(sending.send(world.deps, senders, tenant, one.id) for tenant, one in found)


def lag(world: World, stream_id: str) -> manage.Lag:
    return ok(manage.get(world.deps, world.caller(world.ann), stream_id)).lag


def stream(world: World, stream_id: str) -> Stream:
    return ok(manage.get(world.deps, world.caller(world.ann), stream_id)).stream


# ---------------------------------------------------------------- sending


def test_everything_arrives_once_and_in_order(world: World) -> None:
    stream_id = made(world)
    receiver = Receiver()
    size = world.grow()
    assert turn(world, receiver) == size
    assert receiver.positions == list(range(size))
    assert [one.event.id for one in receiver.got] == [one.id for one in world.events()]
    assert turn(world, receiver) == 0
    world.eligible(world.bob)
    assert turn(world, receiver) == world.grow() - size
    assert lag(world, stream_id).events == 0


def test_from_now_on_tells_nothing_of_before(world: World) -> None:
    before = world.grow()
    made(world, from_beginning=False)
    receiver = Receiver()
    turn(world, receiver)
    assert receiver.positions == list(range(before, world.grow()))
    assert receiver.got[0].event.activity == manage.ADDED


def test_a_receiver_that_was_away_for_a_day_loses_nothing(world: World) -> None:
    stream_id = made(world)
    receiver = Receiver()
    turn(world, receiver)
    receiver.orders = ["no"] * 1000
    world.eligible(world.bob)
    since = world.now
    while world.now < since + timedelta(days=1):
        turn(world, receiver)
        assert stream(world, stream_id).error == "It is down."
        world.forward(minutes=30)
    behind = lag(world, stream_id)
    assert behind.events > 0
    assert behind.seconds(world.now) >= 86400
    receiver.orders = []
    turn(world, receiver)
    assert receiver.positions == list(range(world.grow()))
    assert stream(world, stream_id).error == ""
    assert stream(world, stream_id).failures == 0


def test_a_failing_one_is_tried_after_growing_pauses(world: World) -> None:
    made(world)
    receiver = Receiver(orders=["no"] * 4)
    turn(world, receiver)
    turn(world, receiver)
    assert len(receiver.batches) == 1, "no time has passed"
    world.forward(seconds=1)
    turn(world, receiver)
    assert len(receiver.batches) == 2
    world.forward(seconds=1)
    turn(world, receiver)
    assert len(receiver.batches) == 2
    world.forward(seconds=1)
    turn(world, receiver)
    assert len(receiver.batches) == 3
    assert pause_after(1000) == timedelta(minutes=5)


def test_a_receiver_may_ask_for_a_longer_pause(world: World) -> None:
    made(world)
    receiver = Receiver(orders=["wait"])
    turn(world, receiver)
    world.forward(seconds=119)
    assert turn(world, receiver) == 0
    world.forward(seconds=1)
    assert turn(world, receiver) > 0


def test_what_is_too_large_goes_in_smaller_batches(world: World) -> None:
    made(world)
    size = world.grow()
    receiver = Receiver(orders=["large", "large"])
    world.grow()
    while turn(world, receiver):
        pass
    assert receiver.positions == list(range(size))
    assert receiver.batches[:3] == [size, size // 2, size // 4]


def test_the_cursor_moves_only_after_the_receiver_took_it(world: World) -> None:
    """We die between the receiver's yes and our own record: the same events come again, with the same ids."""
    stream_id = made(world)
    size = world.grow()
    receiver = Receiver(orders=["lost"])
    with pytest.raises(KeyboardInterrupt):
        turn(world, receiver)
    assert lag(world, stream_id).events == size
    assert turn(world, receiver) == 0, "the lease of the dead one still holds"
    world.forward(seconds=sending.LEASE.total_seconds())
    assert turn(world, receiver) == size
    assert receiver.positions == [*range(size), *range(size)]


def test_a_late_one_changes_nothing(world: World) -> None:
    """It is so slow that its lease ends and another server takes over: its late yes does not move the cursor again."""
    stream_id = made(world)
    size = world.grow()
    other = Receiver()

    def meanwhile() -> None:
        world.forward(seconds=sending.LEASE.total_seconds())
        assert turn(world, other) == size

    slow = Receiver(orders=[meanwhile])
    assert turn(world, slow) == 0
    assert slow.positions == other.positions == list(range(size))
    found = stream(world, stream_id)
    assert found.sent == size
    assert lag(world, stream_id).events == 0


def test_two_servers_share_one_destination(world: World) -> None:
    made(world)
    second = Receiver()
    first = Receiver(orders=[lambda: turn(world, second) and None])
    turn(world, first)
    assert second.got == [], "leased by the first"


def test_one_that_fails_holds_up_no_other(world: World) -> None:
    bad, good = made(world, "bad"), made(world, "good")
    world.grow()
    receiver = Receiver(orders=["no"])
    turn(world, receiver)
    behind = sorted(lag(world, one).events for one in (bad, good))
    assert behind[0] == 0
    assert behind[1] > 0


def test_a_syslog_receiver_that_failed_gets_its_last_events_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no way to say that what it had read was in its memory when it died."""
    monkeypatch.setattr(sending, "OVERLAP", 3)
    made(world, kind=StreamKind.SYSLOG)
    receiver = Receiver()
    turn(world, receiver)
    world.eligible(world.bob)
    size = world.grow()
    receiver.got, receiver.orders = [], ["no", "no", "no"]
    for _ in range(5):
        turn(world, receiver)
        world.forward(minutes=5)
    new = size - receiver.positions[0] - 3
    assert receiver.positions == list(range(size - new - 3, size)), (
        "three of the old, once, and all of the new"
    )
    assert new > 0


def test_who_says_yes_over_http_gets_nothing_twice(world: World) -> None:
    made(world)
    receiver = Receiver()
    turn(world, receiver)
    world.eligible(world.bob)
    receiver.orders = ["no"]
    turn(world, receiver)
    world.forward(minutes=5)
    turn(world, receiver)
    assert receiver.positions == list(range(world.grow()))


def test_paused_is_paused_and_resumed_goes_on(world: World) -> None:
    stream_id = made(world)
    receiver = Receiver(orders=["no"])
    turn(world, receiver)
    ok(manage.update(world.deps, world.caller(world.ann), stream_id, Wanted(paused=True)))
    world.forward(days=1)
    assert turn(world, receiver) == 0
    ok(manage.update(world.deps, world.caller(world.ann), stream_id, Wanted(paused=False)))
    turn(world, receiver)
    assert receiver.positions == list(range(world.grow()))


def test_paused_in_the_middle_stops_after_the_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH", 2)
    stream_id = made(world)

    def pause() -> None:
        ok(manage.update(world.deps, world.caller(world.ann), stream_id, Wanted(paused=True)))

    receiver = Receiver(orders=[pause])
    assert turn(world, receiver) == 2
    assert receiver.batches == [2]


def test_a_correction_is_tried_at_once(world: World) -> None:
    stream_id = made(world)
    receiver = Receiver(orders=["no"])
    turn(world, receiver)
    ok(manage.update(world.deps, world.caller(world.ann), stream_id, Wanted(address=f"{PLACE}/2")))
    assert turn(world, receiver) > 0


def test_what_a_receiver_rejects_for_good_is_said(world: World) -> None:
    stream_id = made(world)
    receiver = Receiver(orders=["some"])
    turn(world, receiver)
    assert stream(world, stream_id).error == "it rejected 1"
    assert lag(world, stream_id).events == 0


def test_events_that_retention_took_away_stop_nothing(world: World) -> None:
    stream_id = made(world)
    world.grow()
    world.write(lambda tx: tx.connection.exec_driver_sql("DELETE FROM audit_events"))
    receiver = Receiver()
    senders = dict.fromkeys(StreamKind, receiver)
    assert sending.send(world.deps, senders, world.tenant_id, stream_id) == 0
    assert lag(world, stream_id).events == 0


# ---------------------------------------------------------------- who may, and what is kept


def test_only_security_and_global_administrators_set_them(world: World) -> None:
    stream_id = made(world)
    ok(world.give(world.cyd, GLOBAL_READER, ASSIGNMENT, permanent=True, by=world.ga))
    act = [
        lambda by: manage.create(world.deps, by, StreamKind.OCSF, Wanted("x", PLACE)),
        lambda by: manage.update(world.deps, by, stream_id, Wanted(paused=True)),
        lambda by: manage.remove(world.deps, by, stream_id),
    ]
    look = [lambda by: manage.all_of(world.deps, by), lambda by: manage.get(world.deps, by, stream_id)]
    app = Caller(
        world.tenant_id,
        world.ga,
        CallerKind.SERVICE_PRINCIPAL,
        permissions=frozenset({"Directory.ReadWrite.All"}),
    )
    for by in (world.caller(world.bob), world.caller(world.pra), app):
        for one in (*act, *look):
            refused(one(by), Code.FORBIDDEN)
    for one in act:
        refused(one(world.caller(world.cyd)), Code.FORBIDDEN)
    for one in look:
        ok(one(world.caller(world.cyd)))
    ok(manage.remove(world.deps, world.caller(world.ga), stream_id))


def test_other_tenants_see_and_touch_nothing(world: World) -> None:
    stream_id = made(world)
    other = World(world.database)
    by = other.caller(other.ga)
    assert ok(manage.all_of(other.deps, by)) == []
    refused(manage.get(other.deps, by, stream_id), Code.NOT_FOUND)
    refused(manage.update(other.deps, by, stream_id, Wanted(paused=True)), Code.NOT_FOUND)
    refused(manage.remove(other.deps, by, stream_id), Code.NOT_FOUND)
    receiver = Receiver()
    world.grow()
    other.grow()
    assert sending.send(other.deps, dict.fromkeys(StreamKind, receiver), other.tenant_id, stream_id) == 0
    turn(world, receiver)
    assert {one.tenant_id for one in receiver.got} == {world.tenant_id}


def test_a_secret_goes_in_and_never_out(world: World) -> None:
    stream_id = made(world, secret="Bearer sesame")
    receiver = Receiver()
    turn(world, receiver)
    assert receiver.secrets == ["Bearer sesame"]
    assert "sesame" not in repr(stream(world, stream_id))
    assert "sesame" not in repr(world.events())
    by = world.caller(world.ga)
    for change in (Wanted(address="https://evil.example.com/"), Wanted(header="X-Other")):
        assert refused(manage.update(world.deps, by, stream_id, change), Code.INVALID).member == "secret"
    ok(
        manage.update(
            world.deps, by, stream_id, Wanted(address="https://new.example.com/", secret="Bearer two")
        )
    )
    turn(world, receiver)
    assert receiver.secrets == ["Bearer sesame", "Bearer two"]
    ok(manage.update(world.deps, by, stream_id, Wanted(secret="")))
    turn(world, receiver)
    assert receiver.secrets[-1] == ""


def test_a_secret_that_no_longer_opens_is_said(world: World) -> None:
    stream_id = made(world, secret="Bearer sesame")
    world.write(lambda tx: tx.connection.exec_driver_sql("UPDATE audit_streams SET secret = 'nonsense'"))
    receiver = Receiver()
    assert turn(world, receiver) == 0
    assert "Set it again" in stream(world, stream_id).error


def test_a_secret_is_bound_to_its_place(world: World) -> None:
    """Whoever can write to the database, and has no key file, does not get it sent to himself."""
    stream_id = made(world, secret="Bearer sesame")
    evil = "https://evil.example.com/"
    world.write(lambda tx: tx.connection.exec_driver_sql(f"UPDATE audit_streams SET address = '{evil}'"))
    receiver = Receiver()
    assert turn(world, receiver) == 0
    assert receiver.secrets == []
    assert "another address" in stream(world, stream_id).error


def test_every_change_is_in_the_history(world: World) -> None:
    stream_id = made(world, secret="Bearer sesame")
    by = world.caller(world.ann)
    ok(manage.update(world.deps, by, stream_id, Wanted(name="other", paused=True, secret="Bearer 2")))
    ok(manage.update(world.deps, by, stream_id, Wanted(name="other")))
    manage.remove(world.deps, by, stream_id)
    found = [one for one in world.events() if "audit stream" in one.activity]
    assert [one.activity for one in found] == [manage.ADDED, manage.UPDATED, manage.DELETED]
    assert all(one.targets[0].id == stream_id and one.actor_id == world.ann for one in found)
    changed = {name: (old, new) for name, old, new in found[1].targets[0].changes}
    assert changed == {
        "name": ("siem", "other"),
        "paused": ("False", "True"),
        "secret": ("set", "set anew"),
    }


@pytest.mark.parametrize(
    ("kind", "wanted", "member"),
    [
        (StreamKind.OCSF, Wanted("", PLACE), "name"),
        (StreamKind.OCSF, Wanted("x" * 61, PLACE), "name"),
        (StreamKind.OCSF, Wanted("a\x00b", PLACE), "name"),
        (StreamKind.OCSF, Wanted("SIEM", PLACE), "name"),
        (StreamKind.OCSF, Wanted("x", "ftp://siem.example.com"), "address"),
        (StreamKind.OCSF, Wanted("x", "http://siem.example.com/"), "address"),
        (StreamKind.OCSF, Wanted("x", "https://10.0.0.1/"), "address"),
        (StreamKind.OCSF, Wanted("x", "https://169.254.169.254/latest"), "address"),
        (StreamKind.OTLP, Wanted("x", "https://[::ffff:10.0.0.1]/"), "address"),
        (StreamKind.OCSF, Wanted("x", "https://user:word@siem.example.com/"), "address"),
        (StreamKind.OCSF, Wanted("x", "https://siem.example.com/" + "a" * 2000), "address"),
        (StreamKind.OCSF, Wanted("x", PLACE, header="Host"), "header"),
        (StreamKind.OCSF, Wanted("x", PLACE, header="X\r\nY"), "header"),
        (StreamKind.OCSF, Wanted("x", PLACE, secret="a\r\nX: y"), "secret"),
        (StreamKind.SYSLOG, Wanted("x", "tls://siem.example.com:6514", secret="s"), "secret"),
        (StreamKind.SYSLOG, Wanted("x", "siem.example.com"), "address"),
        (StreamKind.SYSLOG, Wanted("x", "tls://10.0.0.1:6514"), "address"),
        (StreamKind.SYSLOG, Wanted("x", "tcp://siem.example.com:514"), "address"),
        (StreamKind.SYSLOG, Wanted("x", "tls://siem.example.com:6514/path"), "address"),
        (StreamKind.SYSLOG, Wanted("x", "tls://siem.example.com:99999"), "address"),
        (StreamKind.SYSLOG, Wanted("x", "tls://siem.example.com", facility=24), "facility"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_cannot_be_is_refused(world: World, kind: StreamKind, wanted: Wanted, member: str) -> None:
    made(world, "siem")
    said = refused(manage.create(world.deps, world.caller(world.ann), kind, wanted), Code.INVALID)
    assert said.member == member


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_there_are_not_endless_many(world: World) -> None:
    for number in range(MOST_STREAMS):
        made(world, f"siem {number}")
    by = world.caller(world.ann)
    refused(manage.create(world.deps, by, StreamKind.OCSF, Wanted("one more", PLACE)), Code.INVALID)


def test_activation_is_told_with_its_reason(world: World) -> None:
    made(world)
    world.eligible(world.bob)
    ok(world.activate(world.bob, hours=1, justification="because of the outage"))
    receiver = Receiver()
    turn(world, receiver)
    assert any("because of the outage" in repr(one.event) for one in receiver.got)
    assert any(target.id == TEAMS for one in receiver.got for target in one.event.targets)
