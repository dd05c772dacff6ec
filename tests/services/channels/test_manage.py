"""Channels: who manages them, what is never shown again, and that notices arrive, signed, at least once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openpim.core import webhooks
from openpim.core.audit import AuditEvent
from openpim.core.caller import CallerKind
from openpim.core.channels import MOST, ChannelKind
from openpim.core.refusals import Code
from openpim.ports.channels import Message
from openpim.services.channels import manage
from openpim.services.channels.manage import Wanted
from openpim.services.channels.sending import Chats, Webhooks
from tests.notify.hostile import answers, replies, says, serve
from tests.services.channels.helper import chancy, channel
from tests.services.notices.telling import Telling
from tests.world import READER, World, ok, refused

HOOK, CHAT, ASKED = ChannelKind.WEBHOOK, ChannelKind.CHAT, ChannelKind.EXTENSION
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def stored(world: World) -> str:
    """All that the database holds of channels and of the history, as text."""
    from openpim.store.channels import channels

    def work(tx: Any) -> str:
        return repr(tx.connection.execute(channels.select()).all())

    return str(world.read(work)) + repr(world.events())


def test_only_those_who_manage_roles_manage_channels(world: World) -> None:
    reader = world.user("Rea")
    world.assigned(reader, READER)
    shown = channel(world, "https://example.com/x", HOOK)
    deps = world.deps
    for who in (world.ann, reader):
        caller = world.caller(who)
        refused(manage.add(deps, caller, HOOK, Wanted("n", address="https://example.com/y")), Code.FORBIDDEN)
        refused(manage.update(deps, caller, shown.channel.id, Wanted(name="n")), Code.FORBIDDEN)
        refused(manage.rotate(deps, caller, shown.channel.id), Code.FORBIDDEN)
        refused(manage.test(deps, caller, shown.channel.id), Code.FORBIDDEN)
        refused(manage.remove(deps, caller, shown.channel.id), Code.FORBIDDEN)
    refused(manage.all_of(deps, world.caller(world.ann)), Code.FORBIDDEN)
    assert len(ok(manage.all_of(deps, world.caller(reader)))) == 1
    other = World(world.database)
    assert ok(manage.all_of(deps, other.caller(other.ga))) == ()
    refused(manage.get(deps, other.caller(other.ga), shown.channel.id), Code.NOT_FOUND)
    refused(manage.remove(deps, other.caller(other.ga), shown.channel.id), Code.NOT_FOUND)


def test_an_application_needs_the_permission_itself(world: World) -> None:
    from openpim.core.caller import Caller

    def robot(*permissions: str) -> Caller:
        return Caller(
            world.tenant_id, world.new_id(), CallerKind.SERVICE_PRINCIPAL, permissions=frozenset(permissions)
        )

    wanted = Wanted("n", address="https://example.com/y")
    refused(manage.add(world.deps, robot("RoleManagement.ReadWrite.Directory"), HOOK, wanted), Code.FORBIDDEN)
    refused(
        manage.add(world.deps, robot("PrivilegedAccess-CustomExt.Read.All"), HOOK, wanted), Code.FORBIDDEN
    )
    ok(manage.add(world.deps, robot("PrivilegedAccess-CustomExt.ReadWrite.All"), HOOK, wanted))


def test_secrets_and_chat_addresses_are_nowhere_to_be_read(world: World) -> None:
    shown = channel(world, "https://example.com/x?token=SECRET", HOOK, name="hook")
    talk = channel(world, SLACK, CHAT, name="chat", timeout_ms=None, retries=None)
    ok(manage.update(world.deps, world.caller(world.pra), talk.channel.id, Wanted(address=SLACK)))
    fresh = ok(manage.rotate(chancy(world), world.caller(world.pra), shown.channel.id))
    text = stored(world)
    for secret in (shown.secret, fresh.secret, "SECRET", "TIiajkdnlazkcOXrIdevi7FQ", "A1BRTD4JD"):
        assert secret not in text
    assert talk.secret == ""
    for one in ok(manage.all_of(world.deps, world.caller(world.pra))):
        assert "SECRET" not in one.address
        assert "A1BRTD4JD" not in one.address


def test_each_change_is_on_record(world: World) -> None:
    shown = channel(world, "https://example.com/x", HOOK, name="hook")
    admin = world.caller(world.pra)
    ok(manage.update(world.deps, admin, shown.channel.id, Wanted(enabled=False, notices=("activated",))))
    ok(manage.update(world.deps, admin, shown.channel.id, Wanted(enabled=False)))  # nothing new
    ok(manage.rotate(world.deps, admin, shown.channel.id))
    ok(manage.remove(world.deps, admin, shown.channel.id))
    found: list[AuditEvent] = [one for one in world.events() if "channel" in one.activity]
    assert [one.activity for one in found] == [
        "Add channel",
        "Update channel",
        "Rotate secret of channel",
        "Delete channel",
    ]
    assert ("enabled", "True", "False") in found[1].targets[0].changes
    assert all(one.actor_id == world.pra for one in found)


@pytest.mark.parametrize(
    ("kind", "wanted", "member"),
    [
        (HOOK, Wanted(address="https://example.com/"), "name"),
        (HOOK, Wanted("x" * 101, address="https://example.com/"), "name"),
        (HOOK, Wanted("a\x00b", address="https://example.com/"), "name"),
        (HOOK, Wanted("n"), "address"),
        (HOOK, Wanted("n", address="http://example.com/"), "address"),
        (HOOK, Wanted("n", address="https://10.0.0.1/"), "address"),
        (HOOK, Wanted("n", address="https://user:pw@example.com/"), "address"),
        (HOOK, Wanted("n", address="file:///etc/passwd"), "address"),
        (CHAT, Wanted("n", address="json://example.com/"), "address"),
        (CHAT, Wanted("n", address=f"{SLACK}?template=/etc/passwd"), "address"),
        (HOOK, Wanted("n", address="https://example.com/", notices=("nothing",)), "notices"),
        (ASKED, Wanted("n", address="https://example.com/", timeout_ms=1), "timeoutInMilliseconds"),
        (ASKED, Wanted("n", address="https://example.com/", retries=6), "maximumRetries"),
        (HOOK, Wanted("n", "d" * 501, "https://example.com/"), "description"),
    ],
)  # fmt: skip
def test_what_cannot_be(world: World, kind: ChannelKind, wanted: Wanted, member: str) -> None:
    assert (
        refused(manage.add(world.deps, world.caller(world.pra), kind, wanted), Code.INVALID).member == member
    )
    assert not world.events("Add channel")


def test_names_are_taken_once_and_there_is_an_end(world: World) -> None:
    admin = world.caller(world.pra)
    for number in range(MOST):
        channel(world, "https://example.com/x", HOOK, name=f"hook {number}")
    refused(manage.add(world.deps, admin, HOOK, Wanted("more", address="https://example.com/")), Code.INVALID)
    first, second = ok(manage.all_of(world.deps, admin))[:2]
    refused(manage.update(world.deps, admin, first.id, Wanted(name=second.name.upper())), Code.INVALID)


def test_a_test_says_what_came_of_it(world: World) -> None:
    with serve(answers(b"", "204 No Content")) as server:
        shown = channel(world, server.url(), HOOK)
        assert ok(manage.test(world.deps, world.caller(world.pra), shown.channel.id)).sent
    assert json.loads(server.asked[0].body)["type"] == "notice.test"
    outcome = ok(manage.test(world.deps, world.caller(world.pra), shown.channel.id))
    assert not outcome.sent
    assert outcome.reason
    assert len(world.events("Test channel")) == 2


def message(world: World, **more: Any) -> Message:
    return Message(world.new_id(), world.tenant_id, "activated", world.now, "Ann is active", "text", **more)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("script", "retry"),
    [
        (None, True), (says(b"nonsense"), True), (answers(b"", "500 Oops"), True), (answers(b"", "410 Gone"), False),
        (answers(b"", "302 Found", "Location: http://127.0.0.1:1/"), True), (answers(b"x" * 100_000), True),
        (answers(b"", "401 No"), True),
    ],
)  # fmt: skip
def test_a_webhook_that_does_not_take_it(world: World, script: Any, retry: bool) -> None:
    from dataclasses import replace

    class Hasty:
        """Ten seconds are long for a test."""

        def request(self, *given: Any, **more: Any) -> Any:
            return world.deps.outbound.request(*given, **{**more, "seconds": 0.3})

    with serve(script) as server:
        shown = channel(world, server.url(), HOOK)
        outcome = Webhooks(replace(world.deps, outbound=Hasty()))(shown.channel.id, message(world))  # type: ignore[arg-type]
    assert (outcome.sent, outcome.retry) == (False, retry)
    assert outcome.reason


def test_while_a_secret_is_rotated_calls_have_both_signatures(world: World) -> None:
    with serve(answers()) as server:
        shown = channel(world, server.url(), HOOK)
        fresh = ok(manage.rotate(chancy(world), world.caller(world.pra), shown.channel.id))
        Webhooks(world.deps)(shown.channel.id, message(world))
        world.forward(hours=24)
        Webhooks(world.deps)(shown.channel.id, message(world))
    during, after = server.asked

    def fits(secret: str, asked: Any) -> bool:
        moment = world.now.fromtimestamp(int(asked.headers["webhook-timestamp"]), tz=world.now.tzinfo)
        return webhooks.verified([secret], asked.headers, asked.body, moment) is not None

    assert fits(shown.secret, during)
    assert fits(fresh.secret, during)
    assert not fits(shown.secret, after)
    assert fits(fresh.secret, after)


def test_the_library_of_the_specification_takes_what_we_sign(world: World) -> None:
    from datetime import UTC, datetime

    oracle = pytest.importorskip("standardwebhooks")
    secret = webhooks.new_secret("chance")
    body = '{"text":"å ☃"}'.encode()
    now = datetime.now(UTC)  # the library looks at the real clock
    signed = webhooks.headers([secret], "msg_1", now, body)
    assert oracle.Webhook(secret).verify(body, signed) == {"text": "å ☃"}
    with pytest.raises(oracle.WebhookVerificationError):
        oracle.Webhook(secret).verify(body + b" ", signed)
    theirs = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": oracle.Webhook(secret).sign("msg_2", now, body.decode()),
    }
    assert webhooks.verified([secret], theirs, body, now) == "msg_2"
    assert webhooks.verified([secret], theirs, body + b" ", now) is None


def test_what_was_removed_or_switched_off_is_not_called(world: World) -> None:
    with serve(answers()) as server:
        shown = channel(world, server.url(), HOOK)
        assert not Chats(world.deps)(shown.channel.id, message(world)).sent  # of another kind
        ok(manage.update(world.deps, world.caller(world.pra), shown.channel.id, Wanted(enabled=False)))
        assert not Webhooks(world.deps)(shown.channel.id, message(world)).retry
        ok(manage.remove(world.deps, world.caller(world.pra), shown.channel.id))
        assert not Webhooks(world.deps)(shown.channel.id, message(world)).retry
    assert server.connections == 0


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_happens_reaches_the_webhook_at_last(own_world: World) -> None:
    """From the act to the receiver, which is away at first: by the workers alone, and each thing by itself."""
    world = own_world
    state = {"up": False}
    with serve(replies(lambda _: (200 if state["up"] else 503, {}))) as server:
        shown = channel(world, server.url(), HOOK, notices=("activated",))
        telling = Telling(world)
        telling.ways.senders["webhook"] = Webhooks(world.deps)  # type: ignore[index]
        for person in (world.ann, world.bob):
            world.eligible(person)
            ok(world.activate(person, hours=1))
        telling.tell()
        assert server.connections == 1  # the second did not wait for another failure
        state["up"] = True
        for _ in range(5):
            world.forward(minutes=2)
            telling.tell()
    got = [json.loads(one.body) for one in server.asked]
    taken = got[1:]
    assert got[0]["id"] in {one["id"] for one in taken}, "sent again under the same id"
    assert len({one["id"] for one in taken}) == 2
    assert [one["type"] for one in taken] == ["notice.activated"] * 2
    assert len(taken) == 2
    assert all(one["data"] for one in taken)
    assert shown.channel.key


def test_tests_do_not_use_up_the_server(world: World) -> None:
    """Each holds a thread while the other side is slow: one at a time for an organisation."""
    again: list[Any] = []
    found: list[str] = []

    def slow(_: Any) -> tuple[int, Any]:
        again.append(manage.test(world.deps, world.caller(world.pra), found[0]))
        return 200, {}

    with serve(replies(slow)) as server:
        found.append(channel(world, server.url(), ChannelKind.WEBHOOK).channel.id)
        assert ok(manage.test(world.deps, world.caller(world.pra), found[0])).sent
        refused(again[0], Code.THROTTLED)
        assert len(server.asked) == 1
