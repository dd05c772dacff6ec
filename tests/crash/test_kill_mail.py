"""Mail when things die: the sender by `kill -9`, the mail server in the middle, the unit of work at every statement. Every
notice arrives, none is sent for what rolled back, and what is not in doubt arrives once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from openpim.core.deliveries import DeliveryStatus
from openpim.core.query import Query
from openpim.notify.mail import MailServer, SmtpMailer
from openpim.services.audit_log import grow
from openpim.services.notices.planning import plan
from openpim.services.notices.sending import LEASE, Ways, send_due
from tests.crash.test_failing_statements import CrashError, crashing
from tests.crash.victims import Victim
from tests.notify.smtp_sink import Sink
from tests.services.notices.conftest import SETTINGS
from tests.services.notices.telling import Telling
from tests.world import World, ok

PATIENCE = 60.0  # seconds that only a failure takes


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as started:
        yield started


@pytest.fixture
def mail_world(database_url: str) -> Iterator[World]:
    world = World(database_url, settings=SETTINGS)
    Telling(world)  # what made the world is told
    yield world
    world.close()


def mailer(sink: Sink) -> SmtpMailer:
    return SmtpMailer(MailServer("127.0.0.1", sink.port, "none", sender="pim@example.com"))


def happen(world: World, count: int) -> set[str]:
    """So many people are made eligible; their addresses."""
    found = set()
    for number in range(count):
        person = world.user(f"M{number}")
        world.eligible(person)
        found.add(world.read(lambda tx, person=person: tx.users.get(person)).user_principal_name)
    return found


def finish(world: World, sink: Sink) -> None:
    """The ones who come after: everything that is due, at last."""
    ways = Ways(mailer(sink))
    for _ in range(8):
        while grow(world.deps, world.tenant_id):
            pass
        while plan(world.deps, world.tenant_id):
            pass
        while send_due(world.deps, ways):
            pass
        world.forward(seconds=LEASE.total_seconds() / 3)


def arrived(sink: Sink) -> Counter[str]:
    """How often each person got his own notice."""
    return Counter(
        recipients[0]
        for letter, (_, recipients) in zip(sink.letters, sink.envelopes, strict=True)
        if letter["Subject"].startswith("PIM: You are eligible")
    )


def everything_is_sent(world: World) -> None:
    found = world.read(lambda tx: tx.deliveries.page(Query(limit=5000))).items
    assert {one.status for one in found} == {DeliveryStatus.SENT}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_while_it_sends(mail_world: World, sink: Sink, seed: int) -> None:
    world, chance = mail_world, random.Random(seed)
    people = happen(world, 12)
    killed = 0
    for round_number in range(2):
        process = Victim(
            "mail_victim", world.database.url.render_as_string(hide_password=False), world.tenant_id,
            str(9000 + 10 * seed + round_number), world.now.isoformat(), str(sink.port),
        )  # fmt: skip
        wanted = len(sink.letters) + chance.randint(1, 6)
        sink.wait(wanted, PATIENCE)
        assert len(sink.letters) >= wanted, "it is killed in the middle of sending"
        process.kill()
        killed += 1
        world.forward(seconds=LEASE.total_seconds())
    finish(world, sink)
    assert set(arrived(sink)) == people
    # Only what was under way when the sender died may have come twice, and then as the same letter.
    assert sum(arrived(sink).values()) <= len(people) + killed * 4
    ids = {letter["Message-ID"] for letter in sink.letters if letter["Subject"].startswith("PIM: You are")}
    assert len(ids) == len(people)
    everything_is_sent(world)


def test_the_mail_server_dies_in_the_middle_and_comes_back(mail_world: World, sink: Sink) -> None:
    world = mail_world
    people = happen(world, 10)
    while grow(world.deps, world.tenant_id):
        pass
    while plan(world.deps, world.tenant_id):
        pass
    sink.dies_after = 4
    ways = Ways(mailer(sink))
    send_due(world.deps, ways)
    sink.stop()
    assert 0 < len(sink.letters) < 12
    send_due(world.deps, ways)
    sink.dies_after = None
    sink.start()
    finish(world, sink)
    assert set(arrived(sink)) == people
    everything_is_sent(world)


def test_nothing_is_sent_for_what_rolled_back(mail_world: World, sink: Sink) -> None:
    """A fault at each statement of the act, the commit too: no letter; then the act, and its letters, once."""
    world = mail_world
    for statement in range(1, 100):
        try:
            with crashing(world.database, statement):
                world.eligible(world.ann)
        except CrashError:
            finish_once(world, sink)
            assert sink.letters == []
        else:
            break
    finish_once(world, sink)
    assert sorted(recipients[0].split(".")[0] for _, recipients in sink.envelopes) == [
        "ann",
        "gala",
        "gustav",
    ]


def test_a_fault_at_each_statement_of_planning_loses_and_doubles_nothing(
    mail_world: World, sink: Sink
) -> None:
    world = mail_world
    world.eligible(world.ann)
    while grow(world.deps, world.tenant_id):
        pass
    faults = 0
    for statement in range(1, 200):
        try:
            with crashing(world.database, statement):
                plan(world.deps, world.tenant_id)
        except CrashError:
            faults += 1
            assert (
                world.read(lambda tx: [one for one in tx.deliveries.page(Query()).items if one.due_at]) == []
            )
        else:
            break
    assert faults > 3
    finish_once(world, sink)
    assert len(sink.letters) == 3


def test_a_fault_at_each_statement_of_sending_loses_nothing(mail_world: World, sink: Sink) -> None:
    world = mail_world
    world.eligible(world.ann)
    while grow(world.deps, world.tenant_id):
        pass
    plan(world.deps, world.tenant_id)
    ways = Ways(mailer(sink))
    faults = 0
    for statement in range(1, 60):
        world.forward(seconds=LEASE.total_seconds())
        try:
            with crashing(world.database, statement):
                send_due(world.deps, ways)
        except CrashError:
            faults += 1
        else:
            break
    assert faults > 3
    finish(world, sink)
    assert {recipients[0].split(".")[0] for _, recipients in sink.envelopes} == {"ann", "gala", "gustav"}
    assert len({letter["Message-ID"] for letter in sink.letters}) == 3
    everything_is_sent(world)


def finish_once(world: World, sink: Sink) -> None:
    ways = Ways(mailer(sink))
    world.forward(minutes=2)
    while grow(world.deps, world.tenant_id):
        pass
    while plan(world.deps, world.tenant_id):
        pass
    send_due(world.deps, ways)


def test_without_any_worker_acts_go_on_and_everything_arrives_later(mail_world: World, sink: Sink) -> None:
    world = mail_world
    people = happen(world, 3)
    ok(world.activate(_first(world, people), hours=1))
    world.forward(days=2)
    finish(world, sink)
    assert set(arrived(sink)) == people


def _first(world: World, people: set[str]) -> str:
    return str(world.read(lambda tx: tx.users.by_upn(min(people))).id)
