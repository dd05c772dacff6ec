"""Lists in memory answer like lists in the database: see tests/store/directory for the same over tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from openpim.core import query as q
from openpim.core.matching import Attributes, matches, page

DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Thing:
    id: str
    name: str | None
    size: int
    tags: tuple[str, ...] = ()
    at: datetime = DAY


ATTRIBUTES = Attributes(("id", "name", "size", "tags", "at"), names=("name",))
THINGS = (
    Thing("3", "Beta", 2, ("x", "y")),
    Thing("1", "alpha", 2),
    Thing("2", None, 1),
    Thing("4", "Gamma", 3, ("x",)),
)


def found(where=None, **more):
    return [thing.id for thing in page(ATTRIBUTES, q.Query(where, **more), THINGS).items]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (None, ["1", "2", "3", "4"]),
        (q.Compare("name", "eq", "BETA"), ["3"]),
        (q.Compare("name", "ne", "beta"), ["1", "2", "4"]),
        (q.Compare("name", "eq", None), ["2"]),
        (q.Compare("name", "ne", None), ["1", "3", "4"]),
        (q.Compare("name", "startswith", "AL"), ["1"]),
        (q.Compare("name", "endswith", "MA"), ["4"]),
        (q.Compare("name", "contains", "et"), ["3"]),
        (q.Compare("size", "ge", 2), ["1", "3", "4"]),
        (q.Compare("size", "gt", 2), ["4"]),
        (q.Compare("size", "le", 1), ["2"]),
        (q.Compare("size", "lt", 2), ["2"]),
        (q.Compare("tags", "eq", "x"), ["3", "4"]),
        (q.Compare("at", "ge", DAY), ["1", "2", "3", "4"]),
        (q.AnyOf("name", ("ALPHA", None)), ["1", "2"]),
        (q.All((q.Compare("size", "eq", 2), q.Not(q.Compare("name", "eq", "beta")))), ["1"]),
        (q.Some((q.Compare("id", "eq", "1"), q.Compare("id", "eq", "4"))), ["1", "4"]),
        (q.All(()), ["1", "2", "3", "4"]),
        (q.Some(()), []),
    ],
)
def test_conditions(where, ids):
    assert found(where) == ids


@pytest.mark.parametrize(
    "where",
    [
        q.Compare("nothing", "eq", "x"),
        q.Compare("size", "eq", "2"),
        q.Compare("at", "ge", "2026"),
        q.Compare("name", "gt", None),
        q.AnyOf("nothing", ("x",)),
    ],
)
def test_questions_that_make_no_sense(where):
    with pytest.raises(q.UnknownFieldError):
        found(where)


def test_order_is_total_and_nulls_come_first_or_last():
    assert found(order=(q.Order("size"),)) == ["2", "1", "3", "4"]
    assert found(order=(q.Order("size", descending=True),)) == ["4", "1", "3", "2"]
    assert found(order=(q.Order("name"),)) == ["2", "1", "3", "4"]
    assert found(order=(q.Order("name", descending=True),)) == ["4", "3", "1", "2"]
    assert found(order=(q.Order("size"), q.Order("name", descending=True))) == ["2", "3", "1", "4"]
    with pytest.raises(q.UnknownFieldError):
        found(order=(q.Order("nothing"),))


def test_pages_follow_each_other():
    first = page(ATTRIBUTES, q.Query(limit=3, count=True), THINGS)
    assert (len(first.items), first.total) == (3, 4)
    second = page(ATTRIBUTES, q.Query(limit=3, after=first.next), THINGS)
    assert ([thing.id for thing in second.items], second.next) == (["4"], None)
    assert found(skip=1, limit=2) == ["2", "3"]
    with pytest.raises(q.UnknownFieldError):
        found(after="not one of ours")


def test_a_single_item_can_be_asked():
    assert matches(ATTRIBUTES, q.Compare("name", "eq", "alpha"), THINGS[1])
