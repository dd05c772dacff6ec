"""Who may read which grants, through which list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.core.query import All, AnyOf, Compare, Order, Query, Some
from openpim.core.refusals import Code
from openpim.services import requests, schedules
from openpim.services.reading import Whose, pinned
from tests.world import ASSIGNMENT, DIRECTORY, ELIGIBILITY, READER, TEAMS, World, ok, refused

LISTS = pytest.mark.parametrize("read", [schedules.page, schedules.instances, requests.page])


def read_of(world: World, read, who: str, whose: Whose, query: Query | None = None, kind=ELIGIBILITY):
    return read(world.deps, world.caller(who), DIRECTORY, kind, whose, query or Query(limit=1000))


@LISTS
def test_readers_read_all(world: World, read) -> None:
    world.eligible(world.ann)
    refused(read_of(world, read, world.bob, Whose.ANYONE), Code.FORBIDDEN)
    for reader in (world.ga, world.pra):
        assert ok(read_of(world, read, reader, Whose.ANYONE)).items
    ok(world.give(world.bob, READER, ASSIGNMENT, hours=1))
    assert ok(read_of(world, read, world.bob, Whose.ANYONE)).items
    world.forward(hours=1)
    refused(read_of(world, read, world.bob, Whose.ANYONE), Code.FORBIDDEN)


@LISTS
def test_ones_own_may_be_asked_for_by_a_filter(world: World, read) -> None:
    world.eligible(world.ann)
    world.eligible(world.bob)
    mine = Compare("principal_id", "eq", world.ann)
    page = ok(
        read_of(world, read, world.ann, Whose.ANYONE, Query(All((Compare("role_id", "eq", TEAMS), mine))))
    )
    assert [item.principal_id for item in page.items] == [world.ann]
    for where in (
        Compare("principal_id", "eq", world.bob),
        Compare("principal_id", "ne", world.ann),
        Some((mine, Compare("role_id", "eq", TEAMS))),
    ):
        refused(read_of(world, read, world.ann, Whose.ANYONE, Query(where)), Code.FORBIDDEN)


def test_pinned() -> None:
    assert pinned(None, "a") is None
    assert pinned(All((All(()), Compare("a", "eq", "x"))), "a") == "x"
    assert pinned(AnyOf("a", ("x",)), "a") == "x"
    assert pinned(AnyOf("a", ("x", "y")), "a") is None
    assert pinned(Compare("b", "eq", "x"), "a") is None
    assert pinned(AnyOf("b", ("x",)), "a") is None


def test_mine_are_those_of_my_groups_too(world: World) -> None:
    team = world.group("team", [world.ann])
    world.eligible(team)
    world.eligible(world.bob)
    for read in (schedules.page, schedules.instances):
        page = ok(read_of(world, read, world.ann, Whose.PRINCIPAL))
        assert [item.principal_id for item in page.items] == [team]
    request = ok(world.take(team))
    assert request.principal_id == team


def test_schedules_are_asked_for_by_principal_only(world: World) -> None:
    for read in (schedules.page, schedules.instances):
        for whose in (Whose.APPROVER, Whose.CREATED_BY):
            refused(read_of(world, read, world.ann, whose), Code.INVALID)


def test_requests_that_i_made_or_that_are_about_me(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    about = ok(read_of(world, requests.page, world.ann, Whose.PRINCIPAL))
    assert [request.created_by for request in about.items] == [world.pra]
    made = ok(read_of(world, requests.page, world.pra, Whose.CREATED_BY))
    assert [request.principal_id for request in made.items] == [world.ann]
    narrowed = Query(Compare("status", "eq", "Revoked"))
    assert ok(read_of(world, requests.page, world.ann, Whose.PRINCIPAL, narrowed)).items == ()
    pinned = Query(Compare("created_by", "eq", world.ann))
    mine = ok(read_of(world, requests.page, world.ann, Whose.ANYONE, pinned, ASSIGNMENT))
    assert len(mine.items) == 1


def test_one_schedule(world: World) -> None:
    request = world.eligible(world.ann)

    def get(who: str, kind=ELIGIBILITY, schedule_id: str = request.schedule_id):
        return schedules.get(world.deps, world.caller(who), DIRECTORY, kind, schedule_id)

    assert ok(get(world.ann)) == ok(get(world.ga))
    refused(get(world.bob), Code.FORBIDDEN)
    refused(get(world.ann, ASSIGNMENT), Code.NOT_FOUND)
    refused(get(world.ann, schedule_id=world.new_id()), Code.NOT_FOUND)
    ok(world.take(world.ann))
    refused(get(world.ann), Code.NOT_FOUND)


def test_one_instance_is_the_longest(world: World) -> None:
    def instance(who: str, principal: str = world.ann):
        return schedules.instance(
            world.deps,
            world.caller(who),
            DIRECTORY,
            ASSIGNMENT,
            role_id=TEAMS,
            principal_id=principal,
            scope="/",
        )

    refused(instance(world.ann), Code.NOT_FOUND)
    refused(instance(world.bob), Code.FORBIDDEN)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=2))
    ok(world.give(world.ann, kind=ASSIGNMENT, hours=5))
    assert ok(instance(world.ann)).ends_at == world.now + timedelta(hours=5)
    world.forward(minutes=6)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    ok(world.activate(world.ann, hours=2))
    world.assigned(world.ann)
    assert ok(instance(world.ga)).ends_at is None


@LISTS
def test_pages(world: World, read) -> None:
    people = [world.user(f"P{number}") for number in range(7)]
    for person in people:
        world.eligible(person, days=1)
    order = (Order("created_at", descending=True),)
    found, after = [], None
    while True:
        query = Query(order=order, limit=3, after=after, count=True)
        page = ok(read_of(world, read, world.ga, Whose.ANYONE, query))
        assert page.total == 7
        found += [item.principal_id for item in page.items]
        after = page.next
        if after is None:
            break
    assert sorted(found) == sorted(people)
    assert len(found) == 7


def test_a_request_of_nobodys_business(world: World) -> None:
    request = world.eligible(world.ann)
    refused(
        requests.get(world.deps, world.caller(world.bob), DIRECTORY, ELIGIBILITY, request.id), Code.FORBIDDEN
    )
    for who in (world.ann, world.pra, world.ga):
        ok(requests.get(world.deps, world.caller(who), DIRECTORY, ELIGIBILITY, request.id))
