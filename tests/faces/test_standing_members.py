"""A role that a group has for good, and somebody who is in the group for good: what the lists show him and others."""

from __future__ import annotations

import pytest

from openpim.core.grants import Provider
from openpim.core.permissions import READER
from openpim.services import role_assignments
from openpim.store.database import Database
from tests.faces.arm.client import AUTH, Arm
from tests.faces.graph.client import Graph
from tests.world import TEAMS, World, ok

INSTANCES = "/roleManagement/directory/roleAssignmentScheduleInstances"


@pytest.fixture
def world(database_url: str) -> World:
    database = Database(database_url)
    yield World(database)
    database.close()


def test_a_directory_role(world):
    graph = Graph(world)
    team = world.group("Team", [world.ann])
    ok(role_assignments.create(world.deps, world.caller(world.pra), TEAMS, team, "/"))
    mine = graph.rows(f"{INSTANCES}/filterByCurrentUser(on='principal')", world.ann)
    assert [(row["principalId"], row["memberType"], row["assignmentType"]) for row in mine] == [
        (team, "Group", "Assigned")
    ]
    assert mine[0]["endDateTime"] is None
    # A filter by principal is by who holds it himself: the group, not its members.
    assert graph.rows(f"{INSTANCES}?$filter=principalId eq '{world.ann}'", world.ann) == []
    theirs = graph.rows(f"{INSTANCES}?$filter=principalId eq '{team}'", world.pra)
    assert [row["memberType"] for row in theirs] == ["Direct"]
    world.leave(team, world.ann)
    assert graph.rows(f"{INSTANCES}/filterByCurrentUser(on='principal')", world.ann) == []


def test_a_role_on_resources(world):
    arm = Arm(world)
    arm.plant()
    team = world.group("Team", [world.ann])
    ok(role_assignments.create(world.deps, world.system, READER, team, arm.it, Provider.RESOURCE))
    path = f"{arm.prod}/{AUTH}/roleAssignmentScheduleInstances?$filter="
    for who, asked in ((world.ann, "asTarget()"), (arm.owner, f"assignedTo('{world.ann}')")):
        (row,) = arm.rows(path + asked, who)
        assert (row["properties"]["principalId"], row["properties"]["memberType"]) == (team, "Group")
        assert "endDateTime" not in row["properties"]
    assert arm.rows(f"{path}principalId eq '{world.ann}'", arm.owner) == []
    (row,) = arm.rows(f"{path}principalId eq '{team}'", arm.owner)
    assert row["properties"]["memberType"] == "Inherited"  # it was given further up
    assert arm.rows(path + "asTarget()", world.bob) == []
