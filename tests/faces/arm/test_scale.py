"""A big tree: 5,000 subscriptions, 200,000 resources, a person with 500 eligibilities, 928 roles.

What is asked costs what the person has, not what there is. The same questions are put to a tree of 500 subscriptions
and, after it has grown tenfold, again: as many statements, no more work in any of them, no plan that scans a big table.
Seconds are for the benchmarks: `make bench BENCH_ARGS="--only tree"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from openpim.core.grants import Kind
from openpim.core.permissions import OWNER, READER
from openpim.services import eligibilities
from openpim.store.resource_roles import built_in
from tests.big_tree import VMS, fill, grant, machine, settle, subscription
from tests.faces.arm.client import AUTH, Arm
from tests.plans import look, noted
from tests.world import World

ELIGIBILITIES, STRANGERS, OTHERS = 500, 20, 20_000
BEFORE, AFTER = 500, 5_000  # subscriptions
BIG = ("resources", "schedules", "requests", "audit_events", "principals")
MOST_STATEMENTS = 30  # of one request, with hundreds of rows in it
PAGE = 1_000


@dataclass
class Big:
    arm: Arm
    person: str
    strangers: list[str]

    def grow(self, numbers: range) -> None:
        world = self.arm.world
        fill(world.database, world.tenant_id, self.arm.it, numbers, world.now)
        settle(world.database)

    def questions(self) -> dict[str, tuple[str, str, int]]:
        """By name: path, who asks, how many rows come."""
        me, owner, seven = self.person, self.arm.owner, subscription(7)
        child = f"{machine(7, 3)}/{AUTH}"
        return {
            "what I may activate": (
                f"/{AUTH}/roleEligibilityScheduleInstances?$filter=asTarget()",
                me,
                ELIGIBILITIES,
            ),
            "my schedules": (f"/{AUTH}/roleEligibilitySchedules?$filter=asTarget()", me, ELIGIBILITIES),
            "mine below a group": (
                f"{self.arm.it}/{AUTH}/roleEligibilityScheduleInstances?$filter=asTarget()",
                me,
                ELIGIBILITIES,
            ),
            "mine at a machine": (f"{child}/roleEligibilityScheduleInstances?$filter=asTarget()", me, 1),
            "what is active": (f"/{AUTH}/roleAssignmentScheduleInstances?$filter=asTarget()", me, 0),
            "my requests": (f"/{AUTH}/roleAssignmentScheduleRequests?$filter=asTarget()", me, 0),
            "waiting for me": (f"/{AUTH}/roleAssignmentScheduleRequests?$filter=asApprover()", me, 0),
            "subscriptions I see": ("/subscriptions", me, ELIGIBILITIES),
            "children of a group": (f"{self.arm.it}/{AUTH}/eligibleChildResources", me, ELIGIBILITIES),
            "children of a subscription": (f"{seven}/{AUTH}/eligibleChildResources", me, 1),
            "roles": (f"/{AUTH}/roleDefinitions", me, len(built_in())),
            "everybody's in a subscription": (f"{seven}/{AUTH}/roleEligibilitySchedules", owner, 41),
            "requests in a subscription": (f"{seven}/{AUTH}/roleAssignmentScheduleRequests", owner, 0),
            "resources": (f"{seven}/resources", owner, VMS),
            "resources of another": (f"{seven}/resources", self.strangers[7], 0),
            "resource groups": (f"{seven}/resourcegroups", owner, 1),
            "a setting": (
                f"{seven}/{AUTH}/roleManagementPolicyAssignments?$filter=roleDefinitionId eq '{READER}'",
                me,
                1,
            ),
        }


@pytest.fixture
def big(database_url: str) -> Iterator[Big]:
    world = World(database_url)
    arm = Arm(world)
    arm.plant()
    person = world.user("Eve")
    strangers = [world.user(f"S{number}") for number in range(STRANGERS)]
    found = Big(arm, person, strangers)
    found.grow(range(BEFORE))
    roles = sorted(built_in())

    def held(count: int, *whom: str) -> list[tuple[str, str, str]]:
        return [
            (whom[number % len(whom)], roles[number % len(roles)], subscription(number % BEFORE))
            for number in range(count)
        ]

    grant(world.database, world.tenant_id, held(ELIGIBILITIES, person), world.now)
    grant(world.database, world.tenant_id, held(OTHERS, *strangers), world.now, first=ELIGIBILITIES)
    yield found
    world.close()


def asked(big: Big) -> dict[str, tuple[int, list[str], int]]:
    """By question: how many statements, what is wrong with them, and their work."""
    database = big.arm.world.database
    found = {}
    for name, (path, who, rows) in big.questions().items():
        with noted(database) as statements:
            assert len(big.arm.rows(path, who)) == rows, name
        looks = [(statement, look(database, statement, given, BIG)) for statement, given in statements]
        scans = [f"{name}: {seen.scan}\n{statement}\n{seen.plan}" for statement, seen in looks if seen.scan]
        found[name] = len(statements), scans, sum(seen.work for _, seen in looks)
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_question_costs_what_the_person_has_not_what_there_is(big: Big) -> None:
    before = asked(big)
    big.grow(range(BEFORE, AFTER))
    after = asked(big)
    for name, (statements, scans, work) in after.items():
        assert not scans, "\n\n".join(scans)
        assert statements == before[name][0] <= MOST_STATEMENTS, name
        assert work <= before[name][2] * 1.1 + 1_000, name


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_list_of_everybody_comes_in_pages_of_a_thousand(big: Big) -> None:
    arm = big.arm
    seen: set[str] = set()
    following = f"{arm.it}/{AUTH}/roleEligibilityScheduleInstances?api-version=2020-10-01"
    while following:
        with noted(arm.world.database) as statements:
            body = arm.ok(following, arm.owner)
        assert len(statements) <= MOST_STATEMENTS
        ids = [one["id"] for one in body["value"]]
        assert len(ids) <= PAGE
        assert seen.isdisjoint(ids)
        seen.update(ids)
        following = body.get("nextLink", "").removeprefix("https://localhost:8444")
    assert len(seen) == ELIGIBILITIES + OTHERS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_who_owns_the_top_sees_all_of_it_with_a_few_questions(big: Big) -> None:
    arm = big.arm
    grant(
        arm.world.database,
        arm.world.tenant_id,
        [(big.person, OWNER, arm.it)],
        arm.world.now,
        kind=Kind.ASSIGNMENT,
        first=1_000_000,
    )
    with noted(arm.world.database) as statements:
        assert len(arm.rows("/subscriptions", big.person)) == BEFORE + 1  # and the one that was planted
    assert len(statements) <= MOST_STATEMENTS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_everything_one_may_activate_takes_a_fixed_number_of_questions(big: Big) -> None:
    world = big.arm.world
    with noted(world.database) as statements:
        found = eligibilities.mine(world.deps, world.caller(big.person))
    assert len(found) == ELIGIBILITIES
    assert len(statements) <= MOST_STATEMENTS
    looks = [look(world.database, statement, given, BIG) for statement, given in statements]
    assert [one.plan for one in looks if one.scan] == []
