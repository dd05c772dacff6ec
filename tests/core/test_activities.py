"""One table of all activities: what the code can write is in it, and what is in it the code can write."""

from __future__ import annotations

from openpim.core.activities import ACTIVITIES
from openpim.core.notices import Topic
from openpim.proof.history import ALARMS, KEPT, RETENTION
from tools.activities import activities


def test_the_table_is_what_the_code_writes() -> None:
    written = {one.name for one in activities()}
    assert not written - ACTIVITIES.keys(), "add these to core/activities.py, with their category and notice"
    assert not ACTIVITIES.keys() - written, "nothing writes these"


def test_categories_are_those_that_are_written() -> None:
    for one in activities():
        if one.category and ACTIVITIES[one.name].category is not None:
            assert ACTIVITIES[one.name].category == one.category, one


def test_every_row_has_a_notice_that_there_is_or_says_none() -> None:
    for row in ACTIVITIES.values():
        assert row.notice is None or Topic(row.notice)


def test_what_a_check_knows_by_name_is_there() -> None:
    assert {RETENTION, *ALARMS, *KEPT} <= ACTIVITIES.keys()
