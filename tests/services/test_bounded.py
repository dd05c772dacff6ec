"""What the overview, the timeline and the pages of the directory ask is answered through an index on either database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from openpim.core.grants import Kind, Provider
from openpim.services import becoming, overview, timeline
from tests.plans import look, noted
from tests.world import ELIGIBILITY, HELPDESK, TEAMS, World, ok

BIG = ("schedules", "requests", "principals", "users", "group_members", "resources")
DIRECTORY = Provider.DIRECTORY
AGO = timedelta(days=30)

QUESTIONS = {
    "overview": lambda w, c: overview.summary(w.deps, c),
    "timeline of a person": lambda w, c: timeline.of_person(w.deps, c, w.ann, w.now - AGO, w.now),
    "timeline of a role": lambda w, c: timeline.of_role(w.deps, c, DIRECTORY, TEAMS, w.now - AGO, w.now),
    "timeline of the tenant": lambda w, c: timeline.of_scope(w.deps, c, DIRECTORY, "/", w.now - AGO, w.now),
    "timeline of a place": lambda w, c: timeline.of_scope(w.deps, c, DIRECTORY, "/x", w.now - AGO, w.now),
    "a person": lambda w, c: becoming.of_principal(w.deps, c, w.ann),
    "a place": lambda w, c: becoming.at_place(w.deps, c, DIRECTORY, "/", Kind.ASSIGNMENT),
    "a group": lambda w, c: becoming.at_place(w.deps, c, Provider.GROUP, w.ann, ELIGIBILITY),
}


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    made.eligible(made.ann, HELPDESK)
    ok(made.activate(made.ann, HELPDESK, hours=1))
    made.assigned(made.group("Watch", [made.ann]), TEAMS)
    yield made
    made.close()


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_big_table_is_scanned(world: World, name: str) -> None:
    with noted(world.database) as statements:
        QUESTIONS[name](world, world.caller(world.ga))
    asked = [(text, given) for text, given in statements if any(table in text for table in BIG)]
    assert asked
    assert len(statements) < 40, "a fixed number of questions"
    for text, given in asked:
        found = look(world.database, text, given, BIG)
        assert found.scan is None, f"{found.scan}\n{text}\n{found.plan}"
