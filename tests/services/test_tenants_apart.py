"""Two tenants in one database never see each other: an id of one means nothing in the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openpim.core.query import Query
from openpim.core.refusals import Code
from openpim.services import (
    approvals,
    audits,
    due,
    policies,
    requests,
    role_assignments,
    schedules,
    timeouts,
)
from openpim.services.reading import Whose
from tests.world import (
    ASSIGNMENT,
    DENY,
    DIRECTORY,
    ELIGIBILITY,
    GA,
    READER,
    TEAMS,
    World,
    ok,
    refused,
)


@pytest.fixture
def here(own_world: World) -> World:
    return own_world


@pytest.fixture
def there(own_world: World) -> World:
    return World(own_world.database)


def test_ids_of_another_tenant_mean_nothing(here: World, there: World) -> None:
    """Our Global Administrator, with every id of theirs."""
    there.approval(there.bob)
    given = there.eligible(there.ann)
    pending = ok(there.activate(there.ann, hours=1))
    unit, role = there.unit("north"), there.custom_role("Theirs")
    team = there.group("team", [there.ann])
    before = there.snapshot()

    admin = here.caller(here.ga)
    refused(here.give(there.ann, permanent=True), Code.SUBJECT_MISSING)
    refused(here.take(there.ann), Code.SUBJECT_MISSING)
    refused(here.give(team, permanent=True), Code.SUBJECT_MISSING)
    refused(here.give(here.ann, role, permanent=True), Code.ROLE_MISSING)
    refused(here.give(here.ann, scope=unit, permanent=True), Code.SCOPE_MISSING)
    refused(here.give(here.ann, scope=f"/{there.app('robot')}", permanent=True), Code.SCOPE_MISSING)
    refused(here.cancel(pending, here.ga), Code.REQUEST_MISSING)
    refused(here.review(pending, here.ga), Code.REQUEST_MISSING)
    refused(here.review(pending, here.ga, DENY), Code.REQUEST_MISSING)
    refused(role_assignments.create(here.deps, admin, READER, there.ann, "/"), Code.SUBJECT_MISSING)
    refused(role_assignments.delete(here.deps, admin, GA, there.ga, "/"), Code.NOT_FOUND)
    refused(approvals.get(here.deps, admin, pending.id), Code.REQUEST_MISSING)
    refused(requests.get(here.deps, admin, DIRECTORY, ASSIGNMENT, pending.id), Code.REQUEST_MISSING)
    refused(schedules.get(here.deps, admin, DIRECTORY, ELIGIBILITY, given.schedule_id), Code.NOT_FOUND)
    refused(
        schedules.instance(
            here.deps, admin, DIRECTORY, ELIGIBILITY, role_id=TEAMS, principal_id=there.ann, scope="/"
        ),
        Code.NOT_FOUND,
    )
    refused(audits.get(here.deps, admin, there.events()[0].id), Code.NOT_FOUND)
    their_policy = ok(policies.get(there.deps, there.system, DIRECTORY, TEAMS))
    refused(policies.by_id(here.deps, admin, their_policy.id), Code.NOT_FOUND)
    refused(policies.update(here.deps, admin, their_policy.id, lambda policy: policy), Code.NOT_FOUND)
    assert there.snapshot() == before


def test_their_people_are_strangers_here(here: World, there: World) -> None:
    """Their Global Administrator with a token for our tenant (which nobody would give him)."""
    stranger = replace(there.caller(there.ga), tenant_id=here.tenant_id)
    refused(here.give(here.ann, by=stranger, permanent=True), Code.FORBIDDEN)
    here.approval(here.bob)
    here.eligible(here.ann)
    request = ok(here.activate(here.ann, hours=1))
    refused(here.review(request, stranger), Code.NOT_APPROVER)
    refused(here.cancel(request, stranger), Code.FORBIDDEN)
    refused(
        schedules.page(here.deps, stranger, DIRECTORY, ELIGIBILITY, Whose.ANYONE, Query()), Code.FORBIDDEN
    )


def test_lists_hold_only_ones_own(here: World, there: World) -> None:
    for world in (here, there):
        world.approval(world.bob)
        world.eligible(world.ann)
        ok(world.activate(world.ann, hours=1))
    for world, other in ((here, there), (there, here)):
        admin = world.caller(world.ga)
        strangers = {other.ann, other.bob, other.ga, other.ga2, other.pra}
        for kind in (ELIGIBILITY, ASSIGNMENT):
            for read in (schedules.page, schedules.instances, requests.page):
                items = ok(read(world.deps, admin, DIRECTORY, kind, Whose.ANYONE, Query(limit=999))).items
                assert items or (read is requests.page)
                assert not {item.principal_id for item in items} & strangers
        events = audits.page(world.deps, admin, Query(limit=999)).items
        assert not {event.actor_id for event in events} & strangers
        assert [
            view.request.principal_id for view in approvals.mine(world.deps, world.caller(world.bob))
        ] == [world.ann]


def test_a_policy_here_changes_nothing_there(here: World, there: World) -> None:
    here.policy(activation_requires=frozenset())
    for world, fine in ((here, True), (there, False)):
        world.eligible(world.ann)
        outcome = world.activate(world.ann, hours=1, justification=None)
        assert (outcome.__class__.__name__ == "Request") is fine


def test_workers_of_one_tenant_leave_the_other_alone(here: World, there: World) -> None:
    for world in (here, there):
        world.eligible(world.ann, hours=1)
        world.approval(world.bob, timeout_minutes=60)
        ok(world.activate(world.ann, hours=1))
        world.forward(hours=1)
    before = there.snapshot()
    assert due.expire(here.deps, here.tenant_id) == 1
    assert timeouts.settle_approvals(here.deps, here.tenant_id) == 1
    timeouts.check_reviewers(here.deps, here.tenant_id)
    due.start(here.deps, here.tenant_id)
    assert there.snapshot() == before


def test_a_target_gets_the_people_of_its_own_tenant_alone(here: World, there: World) -> None:
    for world in (here, there):
        world.assigned(world.ann)
    target, server = here.target()
    here.rule(target)
    here.look(target)
    assert {edge.subject for edge in server.edges.values()} == {here.name_in_target(here.ann)}
    assert there.look(target) is None
    assert there.read(lambda tx: tx.targets.all()) == []
    assert there.read(lambda tx: tx.effects.of_target(target)) == []


def test_the_same_ids_in_two_tenants(here: World) -> None:
    """A guest has the same account in two places; ids of rows are only unique within a tenant."""
    there = World(here.database, number=here._number + 500)
    there._number = here._number  # from now on it makes the ids that the other one has made already
    shared = here.new_id()
    for world in (here, there):
        world.user("Twin", id=shared)
        world.eligible(shared)
    ok(here.activate(shared, hours=1))
    assert here.holds(shared)
    assert not there.holds(shared)
