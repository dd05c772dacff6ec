"""The overview keeps what it has counted: and still says what there is, whatever happened, and however much time passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from openpim.core.approval import Verdict
from openpim.ports.kept import MOST, Kept
from openpim.services import overview, role_assignments
from openpim.services.overview import Overview
from openpim.store import tallies
from tests.plans import noted
from tests.world import HELPDESK, READER, TEAMS, World, ok

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def shown(world: World) -> Overview:
    return ok(overview.summary(world.deps, world.caller(world.ga)))


def counted_anew(world: World) -> Overview:
    return ok(overview.summary(replace(world.deps, kept=Kept()), world.caller(world.ga)))


def asked(world: World) -> list[Any]:
    with noted(world.database) as statements:
        shown(world)
    return statements


def changes(world: World) -> list[Callable[[], Any]]:
    """Everything that can change a number, one after the other; none of it looks at the overview."""
    asked_for: dict[str, Any] = {}

    def wait(who: str) -> None:
        asked_for[who] = ok(world.activate(who))

    return [
        lambda: world.approval(world.dan, role=TEAMS),
        lambda: world.eligible(world.ann, HELPDESK),
        lambda: world.eligible(world.bob, HELPDESK, days=20),
        lambda: world.eligible(world.cyd, TEAMS),
        lambda: world.eligible(world.ann, TEAMS),
        lambda: world.eligible(world.bob, TEAMS),
        lambda: ok(world.activate(world.ann, HELPDESK, hours=1)),
        lambda: world.forward(hours=1),
        lambda: ok(world.activate(world.ann, HELPDESK, hours=1, start=world.now + timedelta(hours=2))),
        lambda: world.forward(hours=2),
        world.work,
        lambda: world.forward(hours=1),
        lambda: wait(world.cyd),
        lambda: wait(world.ann),
        lambda: wait(world.bob),
        lambda: ok(world.review(asked_for[world.cyd], world.dan)),
        lambda: ok(world.review(asked_for[world.ann], world.dan, Verdict.DENY)),
        lambda: ok(world.cancel(asked_for[world.bob], world.bob)),
        lambda: world.assigned(world.dan, READER, days=3, start=world.now + timedelta(days=1)),
        lambda: world.forward(days=1),
        lambda: world.forward(days=3),
        lambda: ok(role_assignments.create(world.deps, world.caller(world.ga), READER, world.dan, "/")),
        lambda: wait(world.bob),
        lambda: world.forward(days=2),
        world.work,
        lambda: ok(world.take(world.cyd, TEAMS)),
        lambda: world.forward(days=28),
    ]


def test_what_is_kept_is_what_there_is(world: World) -> None:
    seen = [shown(world).counts]
    for number, change in enumerate(changes(world)):
        change()
        assert shown(world) == counted_anew(world), f"after change {number}"
        seen.append(shown(world).counts)
    told = sum(before != after for before, after in pairwise(seen))
    assert told > 20, "nearly each of them shows"


@SQLITE
def test_nothing_is_counted_twice(own_world: World) -> None:
    world = own_world  # the next turn is any tenant's
    world.eligible(world.ann, HELPDESK)
    world.forward(hours=1)
    first, again = asked(world), asked(world)
    assert len(again) < len(first) - 8
    assert not [text for text, _ in again if "count(" in text and "audit_queue" not in text]
    world.forward(hours=1)
    assert len(asked(world)) == len(again), "time alone changes nothing here"


@SQLITE
def test_nothing_is_kept_while_the_log_is_far_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_COUNTED", 3)
    world.eligible(world.ann, HELPDESK)
    assert world.read(lambda tx: tx.tallies.changes()) == 0
    assert len(asked(world)) == len(asked(world))
    world.eligible(world.bob, HELPDESK)
    assert shown(world).counts.eligible == 2
    world.grow()
    assert world.read(lambda tx: tx.tallies.changes()) > 3
    assert len(asked(world)) > len(asked(world)), "now it is"


@SQLITE
def test_a_clock_that_was_put_back_counts_again(world: World) -> None:
    world.assigned(world.ann, HELPDESK, hours=2)
    world.forward(hours=3)
    assert shown(world) == counted_anew(world)
    world.now -= timedelta(hours=2)
    assert shown(world) == counted_anew(world)


@SQLITE
def test_names_are_never_kept(world: World) -> None:
    world.assigned(world.ann, HELPDESK)
    shown(world)

    def work(tx: Any) -> None:
        tx.users.save(replace(tx.users.get(world.ann), display_name="Anna"))

    world.write(work)  # without the event that the act writes: the name alone
    assert "Anna" in [row.principal.display_name for row in shown(world).standing if row.principal]


def test_few_values_are_kept() -> None:
    kept = Kept()
    for number in range(MOST + 1):
        kept.keep(number, str(number))
    assert kept.get(0) is None
    assert kept.get(1) == "1"
    kept.keep(1, "one")
    kept.keep("new", "new")
    assert kept.get(1) == "one"
    assert kept.get(2) is None
