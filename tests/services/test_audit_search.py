"""Events are found by their words, wherever they are in the log, and nothing else is found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpim.core.audit import AuditEvent, Target
from openpim.core.audit_words import has, words_of
from openpim.core.query import Compare, Query, UnknownFieldError
from openpim.services import audit_search, audits, recording
from openpim.store.database import Database
from tests.world import World

NAMES = ("Ällis Grün", "bob.stone@contoso.test", "Carol", "Teams Administrator", "50%_off", "naïve")


def tell(world: World, count: int, **more: Any) -> list[AuditEvent]:
    made = [
        AuditEvent(
            world.new_id(), world.now, more.get("activity", f"Event {number}"), "Policy", "success", actor_id=world.ann,
            actor_name="someone", reason=NAMES[number % len(NAMES)], correlation_id=world.new_id(),
            targets=(Target("User", world.bob, "Bob"),), details=(("Number", f"n{number}"),),
        )
        for number in range(count)
    ]  # fmt: skip
    world.write(lambda tx: recording.add(tx, world.deps, *made))
    world.grow()
    return made


def enter(world: World) -> None:
    while audit_search.enter(world.deps, world.tenant_id):
        pass


def search(
    world: World, text: str, where: Any = None, by: str | None = None, limit: int = 100
) -> list[AuditEvent]:
    found: list[AuditEvent] = []
    after = None
    while True:
        page = audits.page(
            world.deps, world.caller(by or world.ga), Query(where, limit=limit, after=after), text
        )
        found += page.items
        after = page.next
        if after is None:
            return found


@pytest.fixture(scope="module")
def _full() -> dict[Database, World]:
    return {}


@pytest.fixture
def full(shared_database: Database, _full: dict[Database, World]) -> World:
    """A long history; one for all tests of a database, which only read it."""
    if shared_database not in _full:
        world = World(shared_database)
        tell(world, 700)
        enter(world)
        tell(world, 90, activity="Later")
        assert world.read(lambda tx: tx.cursors.position(audit_search.CURSOR)) >= 512
        _full[shared_database] = world
    return _full[shared_database]


@pytest.mark.parametrize(
    "text",
    [
        "carol",
        "CAROL",
        "grün",
        "älli",
        "n69",
        "n699",
        "stone contoso",
        "off 50",
        "event carol",
        "later",
        "team admin carol",
        "nothing",
        "naïve",
    ],
)
def test_what_has_the_words_is_found(full: World, text: str) -> None:
    everything = sorted(full.events(), key=lambda one: one.position, reverse=True)
    wanted = [one.id for one in everything if has(one, text.lower().split())]
    assert [one.id for one in search(full, text)] == wanted
    assert [one.id for one in search(full, text, limit=31)] == wanted
    assert bool(wanted) is (text not in {"nothing", "team admin carol"})


def test_an_id_is_looked_up(full: World) -> None:
    event = full.events("Event 300")[0]
    assert [one.id for one in search(full, event.correlation_id)] == [event.id]
    assert [one.id for one in search(full, f"{event.id.upper()} event")] == [event.id]
    assert len(search(full, f"{full.bob} carol", limit=60)) == len(search(full, "carol"))


def test_with_other_conditions(full: World) -> None:
    found = search(full, "carol", Compare("activity", "eq", "Event 302"))
    assert [one.activity for one in found] == ["Event 302"]


def test_everybody_finds_his_own_only(full: World) -> None:
    assert search(full, "carol", by=full.cyd) == []
    assert len(search(full, "carol", by=full.bob)) == len(search(full, "carol"))


@pytest.mark.parametrize("cursor", ["", "x", "p", "p-1", "p1x", "p" + "9" * 40, "WzFd"])
def test_cursors_are_ours(full: World, cursor: str) -> None:
    with pytest.raises(UnknownFieldError):
        audits.page(full.deps, full.caller(full.ga), Query(after=cursor), "carol")


@pytest.mark.parametrize(
    "text", ["---", "%", "' OR 1=1", "\x00", "\ud800", "a" * 5000, " ".join("abcdefghijklmnop")]
)
def test_any_text_is_taken(full: World, text: str) -> None:
    assert len(search(full, text)) < 10


def test_tenants_are_apart(full: World) -> None:
    other = World(full.database)
    other.grow()
    assert search(other, "carol") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.text(max_size=30))
def test_a_text_finds_what_it_was_written_in(text: str) -> None:
    event = AuditEvent("1", None, "x", "Policy", "success", reason=text)  # type: ignore[arg-type]
    assert has(event, sorted(words_of(event)))


def test_runs_are_entered_once(world: World) -> None:
    tell(world, 600)
    assert audit_search.enter(world.deps, world.tenant_id) == 2
    assert audit_search.enter(world.deps, world.tenant_id) == 0
