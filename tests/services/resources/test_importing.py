"""The import in the store: one unit of work, what hangs on places goes or comes along, and all of it is on record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.core.grants import Kind, Provider
from openpim.core.permissions import CONTRIBUTOR, OWNER, READER, Permission, ResourceRole
from openpim.core.refusals import Code
from openpim.services.resources import custom_roles, shaping
from openpim.services.resources.importing import Faulty, Imported, Line, import_tree
from openpim.services.resources.shaping import Wanted
from tests.faces.arm.client import Arm
from tests.world import World, ok, refused


@pytest.fixture
def arm(world: World) -> Iterator[Arm]:
    made = Arm(world)
    made.plant()
    yield made
    made.client.close()


def run(arm: Arm, *lines: tuple, by: object = None, **how) -> object:
    wanted = [Line(path, Wanted(**more), number) for number, (path, more) in enumerate(lines, start=1)]
    return import_tree(arm.world.deps, by or arm.world.system, wanted, **how)


def done(outcome: object) -> Imported:
    assert isinstance(outcome, Imported), outcome
    return outcome


def whole(arm: Arm) -> list[tuple]:
    """The tree as it is, as lines of a file."""
    places = arm.world.write(lambda tx: list(tx.resources.every()))
    upper = {"managementgroup", "subscription"}
    return [
        (one.path, {"parent_id": one.parent_id} if one.kind in upper else {})
        for one in places
        if one.id != arm.root
    ]


def mg(name: str) -> str:
    return f"/providers/Microsoft.Management/managementGroups/{name}"


def gone(arm: Arm, *paths: str) -> list[tuple]:
    return [(path, more) for path, more in whole(arm) if path.lower() not in paths]


def live(arm: Arm, request) -> bool:
    schedule = arm.world.schedule(request)
    return schedule.live(arm.world.now)


def test_a_tree_is_made_and_made_again(arm):
    sub = f"/subscriptions/{arm.world.new_id()}"
    lines = (
        (f"{sub}/resourceGroups/New", {"location": "north", "tags": (("a", "b"),)}),
        (sub, {"display_name": "New", "parent_id": mg("team")}),
        (mg("team"), {"parent_id": arm.it}),
    )
    made = done(run(arm, *lines))
    assert [one.kind for one in made.plan.create] == ["managementgroup", "subscription", "resourcegroup"]
    chain = arm.world.read(lambda tx: tx.resources.chain(f"{sub}/resourcegroups/new"))
    assert chain[1:4] == (sub, mg("team").lower(), arm.it)
    before = arm.world.snapshot()
    again = done(run(arm, *lines))
    assert again.plan.empty
    assert again.plan.unchanged == 3
    assert arm.world.snapshot() == before  # nothing happened, nothing is on record


def test_a_dry_run_says_what_the_run_will_do_and_does_nothing(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.data)
    lines = [
        *gone(arm, arm.data),
        (arm.prod, {"parent_id": arm.hr, "display_name": "Moved"}),
        (f"{arm.web}/providers/A.B/c/d", {}),
    ]
    lines = [line for number, line in enumerate(lines) if line[0] != arm.prod or number > 3]
    before = arm.world.snapshot(), whole(arm)
    would = done(run(arm, *lines, prune=True, dry_run=True))
    assert (arm.world.snapshot(), whole(arm)) == before
    did = done(run(arm, *lines, prune=True))
    assert would.plan == did.plan
    assert would.ended == did.ended
    assert did.ended.eligibilities == 1
    assert [len(part) for part in (did.plan.create, did.plan.move, did.plan.rename, did.plan.delete)] == [
        1,
        1,
        1,
        1,
    ]


def test_nothing_is_done_when_one_line_is_wrong(arm):
    before = arm.world.snapshot(), whole(arm)
    outcome = run(arm, (mg("good"), {}), ("nonsense", {}), (arm.prod, {"parent_id": mg("nowhere")}))
    assert isinstance(outcome, Faulty)
    assert [fault.line for fault in outcome.faults] == [2, 3]
    assert (arm.world.snapshot(), whole(arm)) == before


def test_what_is_deleted_takes_along_what_hung_on_it(arm):
    world, bob, ann = arm.world, arm.world.bob, arm.world.ann
    eligible = arm.eligible(bob, READER, arm.vm)
    assigned = arm.assigned(ann, READER, arm.vm)
    arm.approval(READER, arm.vm, arm.owner)
    arm.activate(bob, arm.vm)
    waiting = world.read(lambda tx: tx.requests.open_of(bob))[0]
    elsewhere = arm.eligible(bob, READER, arm.data)
    outcome = done(run(arm, *gone(arm, arm.web, arm.vm), prune=True))
    assert outcome.ended.eligibilities == 1
    assert outcome.ended.assignments == 1
    assert outcome.ended.requests == 1
    assert not live(arm, eligible)
    assert live(arm, elsewhere)
    assert world.request(waiting.id).status == "Canceled"
    (told,) = world.events("Add member to role canceled (PIM activation)")
    assert (told.reason, told.correlation_id) == ("The resource was removed.", waiting.id)
    assert world.read(lambda tx: tx.schedules.get(assigned)).status == "Revoked"
    removed = [event for event in world.events(shaping.DELETED) if event.targets[0].id == arm.web]
    assert len(removed) == 1  # the vm went with it
    assert len(world.events("Remove member from role completed (resource removed)")) == 2
    # A new place of the same name begins anew.
    assert not world.read(lambda tx: tx.policies.at_scope(Provider.RESOURCE, arm.vm))


def test_a_whole_subscription_of_many_thousands_goes(arm):
    """Also what lies beyond the first few thousand, which once stayed behind with its grants."""
    lines = [(f"{arm.web}/providers/Microsoft.Compute/virtualMachines/m{n:05}", {}) for n in range(5_200)]
    done(run(arm, *lines))
    last = f"{arm.web}/providers/microsoft.compute/virtualmachines/m05199"
    eligible = arm.eligible(arm.world.bob, READER, last)
    ok(shaping.delete(arm.world.deps, arm.world.system, arm.prod))
    assert not live(arm, eligible)
    assert [path for path, _ in whole(arm) if path.startswith(arm.prod)] == []


def test_what_is_moved_keeps_its_own_and_loses_what_it_inherited(arm):
    world, bob, ann = arm.world, arm.world.bob, arm.world.ann
    above, own = arm.eligible(bob, READER, arm.it), arm.eligible(ann, READER, arm.prod)
    assert arm.activate(bob, arm.prod).status_code == 201
    assert arm.activate(ann, arm.prod).status_code == 201
    outcome = done(run(arm, (arm.prod, {"parent_id": arm.hr})))
    assert (outcome.ended.eligibilities, outcome.ended.assignments) == (0, 1)
    assert live(arm, above)
    assert live(arm, own)
    held = world.read(lambda tx: tx.schedules.of([bob, ann], kind=Kind.ASSIGNMENT, live_at=world.now))
    assert [one.principal_id for one in held] == [ann]
    assert len(world.events(shaping.MOVED)) == 1


def test_an_activation_that_another_eligibility_carries_outlives_the_move(arm):
    world, bob = arm.world, arm.world.bob
    arm.eligible(bob, READER, arm.it)
    arm.eligible(bob, READER, arm.hr)
    assert arm.activate(bob, arm.prod).status_code == 201
    assert done(run(arm, (arm.prod, {"parent_id": arm.hr}))).ended.assignments == 0
    assert world.read(lambda tx: tx.schedules.of([bob], kind=Kind.ASSIGNMENT, live_at=world.now))


def test_a_request_that_waits_is_closed_when_its_eligibility_stays_behind(arm):
    world, bob = arm.world, arm.world.bob
    arm.eligible(bob, READER, arm.it)
    arm.approval(READER, arm.prod, arm.owner)
    arm.activate(bob, arm.prod)
    request = world.read(lambda tx: tx.requests.open_of(bob))[0]
    assert request.status == "PendingApproval"
    assert arm.put(f"{mg('HR')}/subscriptions/{arm.prod.rsplit('/', 1)[1]}", arm.owner).status_code in {
        200,
        204,
    }
    after = world.request(request.id)
    assert after.status == "Canceled"
    assert "moved" in after.failure
    (told,) = world.events("Add member to role canceled (PIM activation)")
    assert (told.reason, told.actor_id) == (after.failure, arm.owner)
    assert world.approval_of(after).status == "Canceled"


def test_who_decided_by_a_role_further_up_decides_no_more(arm):
    """No approver is named: owners at the place and above decide. After the move those above it there do."""
    world, bob = arm.world, arm.world.bob
    former, latter = world.user("Ivo"), world.user("Hedda")
    arm.assigned(former, OWNER, arm.it)
    arm.assigned(latter, OWNER, arm.hr)
    arm.eligible(bob, READER, arm.prod)
    arm.approval(READER, arm.prod)
    arm.activate(bob, arm.prod)
    request = world.read(lambda tx: tx.requests.open_of(bob))[0]
    done(run(arm, (arm.prod, {"parent_id": arm.hr})))
    refused(world.review(request, former), Code.NOT_APPROVER)
    assert world.review(request, latter).status == "Approved"


def test_a_role_of_the_tenant_in_use_stays_where_it_can_be_assigned(arm):
    world = arm.world
    role = ResourceRole(
        world.new_id(), "Runner", (Permission(("A.B/c/read",)),), False, assignable_scopes=(arm.it,)
    )
    assert custom_roles.put(world.deps, world.system, role)
    arm.eligible(world.bob, role.id, arm.web)
    refusal = refused(run(arm, (arm.prod, {"parent_id": arm.hr})), Code.CONFLICT)
    assert "Runner" in refusal.message
    assert world.read(lambda tx: tx.resources.get(arm.prod)).parent_id == arm.it
    refused(shaping.move(world.deps, world.system, arm.prod, arm.hr), Code.CONFLICT)
    done(run(arm, (arm.staff, {"parent_id": arm.it})))


def test_rights_are_needed_for_everything(arm):
    world = arm.world
    carl = world.user("Carl")
    arm.assigned(carl, CONTRIBUTOR, arm.web)
    by = world.caller(carl)
    done(run(arm, (f"{arm.web}/providers/A.B/c/d", {}), by=by))
    for lines, how in (
        ([(f"{arm.data}/providers/A.B/c/d", {})], {}),
        ([(arm.prod, {"display_name": "Mine"})], {}),
        ([(arm.prod, {})], {}),
        ([(arm.prod, {"parent_id": arm.hr})], {}),
        (
            [(mg("IT"), {"parent_id": mg("HR")}), (mg("HR"), {"parent_id": mg("IT")})],
            {},
        ),  # a fault he may not see
        ([], {"prune": True}),
    ):
        refused(run(arm, *lines, by=by, **how), Code.FORBIDDEN)
    events = world.events("Import resources")
    assert [event.result for event in events].count("failure") == 6
    assert world.read(lambda tx: tx.resources.get(arm.prod)).display_name == "Production"


def test_the_history_says_what_was_done(arm):
    world = arm.world
    how = {"details": (("FileSha256", "abc"), ("OperatingSystemUser", "ada"))}
    done(
        run(
            arm,
            (mg("new"), {}),
            (f"{arm.web}/providers/A.B/c/d", {}),
            (arm.prod, {"display_name": "P"}),
            **how,
        )
    )
    event = world.events("Import resources")[-1]
    assert dict(event.details) == {
        "Created": "2",
        "Renamed": "1",
        "FileSha256": "abc",
        "OperatingSystemUser": "ada",
    }
    assert [event.targets[0].id for event in world.events(shaping.UPDATED)] == [arm.prod]
    assert mg("new").lower() in {event.targets[0].id for event in world.events(shaping.CREATED)}


def test_tenants_do_not_meet(arm):
    other = Arm(World(arm.world.database))
    other.plant()
    before = whole(other)
    done(run(arm, (mg("only"), {}), prune=True))
    assert len(whole(arm)) == 1
    assert whole(other) == before
