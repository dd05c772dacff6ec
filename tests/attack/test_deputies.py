"""One's own request by a detour: through a group one is in, a batch, another spelling of the address, the older dialect,
another tenant's deputy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.grants import Kind
from openpim.core.policy import ApprovalSettings, Stage
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import GROUPS_ADMINISTRATOR, USER_ADMINISTRATOR
from openpim.services.delegation import delegate
from tests.faces.arm.client import AUTH, OWNER, READER, Arm, Who
from tests.faces.graph.client import Graph
from tests.faces.legacy.conftest import Legacy
from tests.services.groups import GroupWorld
from tests.world import TEAMS, World, ok, refused

LEGACY = "https://localhost:8443/api/v2/privilegedAccess"


@pytest.fixture
def arm(world: World) -> Iterator[Arm]:
    made = Arm(world)
    made.plant()
    return made


# ---------------------------------------------------------------- approvers


def test_nobody_decides_his_own_through_a_group(world: World) -> None:
    """Neither by being in the approving group, nor by coming into it, nor by handing it on to himself."""
    approvers = world.group("approvers", [world.ann, world.bob], role_assignable=False)
    world.approval(groups=[approvers])
    world.eligible(world.ann)
    asked = ok(world.activate(world.ann))
    refused(world.review(asked, world.ann), Code.NOT_APPROVER)
    world.write(lambda tx: tx.groups.add_owner(approvers, world.ann))
    refused(world.review(asked, world.ann), Code.NOT_APPROVER)
    ok(world.review(asked, world.bob))


def test_nobody_decides_his_own_in_the_tree(arm: Arm) -> None:
    """The owner of a place is its default approver, but not for himself; nor is a group he is in."""
    world, ann = arm.world, arm.world.ann
    group = world.group("owners", [ann, world.bob])
    arm.assigned(group, OWNER, arm.prod)
    arm.approval(READER, arm.web, group)
    arm.eligible(ann, READER, arm.web)
    asked = arm.activate(ann, arm.web).json()
    path = f"{asked['properties']['approvalId']}/stages/{asked['name']}"
    body = {"properties": {"reviewResult": "Approve", "justification": "me"}}
    assert arm.put(path, ann, body).status_code == 403
    item = {"httpMethod": "PUT", "url": f"{path}?api-version=2021-01-01-preview", "content": body}
    assert arm.post("/batch", ann, {"requests": [item]}).json()["responses"][0]["httpStatusCode"] == 403
    assert arm.put(path, world.bob, body).status_code == 200


def test_who_lost_the_place_above_decides_nothing_below(arm: Arm) -> None:
    world, bob = arm.world, arm.world.bob
    arm.assigned(bob, OWNER, arm.it)
    arm.policy(READER, arm.web, approval=ApprovalSettings(required=True, stages=(Stage(),)))
    arm.eligible(world.ann, READER, arm.web)
    asked = arm.activate(world.ann, arm.web).json()
    path = f"{asked['properties']['approvalId']}/stages/{asked['name']}"
    assert arm.get(path, bob).status_code == 200
    number = arm.prod.rsplit("/", 1)[1]
    assert arm.put(f"{arm.hr}/subscriptions/{number}", arm.owner).status_code == 200
    body = {"properties": {"reviewResult": "Approve", "justification": "still me"}}
    assert arm.put(path, bob, body).status_code == 403
    assert arm.get(path, bob).status_code == 403
    assert arm.rows(f"/{AUTH}/roleAssignmentApprovals?$filter=asApprover()", bob) == []
    assert arm.put(path, arm.owner, body).status_code == 200


def test_no_deputy_in_another_tenant(world: World) -> None:
    other = World(world.database)
    until = world.now + timedelta(days=9)
    outcome = delegate(world.deps, world.caller(world.bob), other.ann, None, until)
    assert isinstance(outcome, Refusal)
    world.approval(world.bob)
    world.eligible(world.ann)
    asked = ok(world.activate(world.ann))
    for stranger in (other.ann, other.ga):
        assert isinstance(other.review(asked, stranger), Refusal)


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize("role", [USER_ADMINISTRATOR, GROUPS_ADMINISTRATOR])
def test_a_group_that_carries_roles_is_not_managed_by_lesser_roles(world: World, role: str) -> None:
    powerful, plain = world.group("powerful"), world.group("plain", role_assignable=False)
    world.assigned(world.bob, role)
    groups, bob = GroupWorld(world), world.caller(world.bob)
    for kind in Kind:
        refused(groups.give(powerful, world.bob, kind=kind, by=bob), Code.FORBIDDEN)
        refused(groups.give(powerful, world.bob, "owner", kind=kind, by=bob), Code.FORBIDDEN)
        ok(groups.give(plain, world.bob, kind=kind, by=bob))
    refused(groups.policy(powerful, by=bob, activation_requires=frozenset()), Code.FORBIDDEN)
    ok(groups.policy(plain, by=bob, activation_requires=frozenset()))


def test_an_owner_rules_his_group_and_no_other(world: World) -> None:
    """He may make himself eligible and change its settings, but his own request he does not decide."""
    mine, other = world.group("mine"), world.group("other")
    world.write(lambda tx: tx.groups.add_owner(mine, world.bob))
    groups, bob = GroupWorld(world), world.caller(world.bob)
    for kind in Kind:
        refused(groups.give(other, world.bob, kind=kind, by=bob), Code.FORBIDDEN)
    refused(groups.policy(other, by=bob, activation_requires=frozenset()), Code.FORBIDDEN)
    ok(groups.give(mine, world.bob, by=bob))
    groups.approval(mine, world.bob, world.dan)
    asked = ok(groups.activate(mine, world.bob, hours=1))
    refused(world.review(asked, world.bob), Code.NOT_APPROVER)
    ok(world.review(asked, world.dan))


def test_who_may_become_owner_rules_nothing_yet(world: World) -> None:
    group = world.group("theirs")
    groups = GroupWorld(world)
    ok(groups.give(group, world.bob, "owner"))
    for kind in Kind:
        refused(groups.give(group, world.bob, kind=kind, by=world.bob), Code.FORBIDDEN)
    refused(groups.policy(group, by=world.bob, activation_requires=frozenset()), Code.FORBIDDEN)


# ---------------------------------------------------------------- the older dialect


@pytest.mark.parametrize("provider", ["aadGroups", "aadRoles", "azureResources"])
def test_the_older_dialect_asks_for_all_that_the_settings_ask(arm: Arm, provider: str) -> None:
    world, ann = arm.world, arm.world.ann
    old, groups, group = Legacy(world), GroupWorld(world), world.group("team", role_assignable=False)
    world.eligible(ann)
    ok(groups.give(group, ann))
    arm.eligible(ann, READER, arm.it)
    world.approval(world.dan)
    groups.approval(group, world.dan)
    arm.approval(READER, arm.it, world.dan)  # above the place that is asked for
    named = {
        "aadGroups": {"roleDefinitionId": "member", "resourceId": group},
        "aadRoles": {"roleDefinitionId": TEAMS, "resourceId": world.tenant_id},
        "azureResources": {"roleDefinitionId": READER, "resourceId": arm.web},
    }[provider]

    def ask(**more: Any) -> Any:
        schedule = more.pop("schedule", {"type": "Once", "duration": "PT60M"})
        body = {
            **named,
            "type": "UserAdd",
            "assignmentState": "Active",
            "subjectId": ann,
            "reason": "because",
        }
        return old.post(
            f"{LEGACY}/{provider}/roleAssignmentRequests", ann, {**body, "schedule": schedule, **more}
        )

    assert ask(reason="").status_code == 400
    assert ask(schedule={"type": "Once", "duration": "P3D"}).status_code == 400
    assert ask(type="AdminAdd").status_code == 403
    assert ask(type="AdminAdd", assignmentState="Eligible").status_code == 403
    assert ask(subjectId=world.bob).status_code == 403
    made = ask()
    assert made.status_code == 201, made.text
    assert made.json()["status"]["subStatus"] == "PendingApproval"


def test_the_older_dialect_gives_no_eligibility_for_the_permission_to_assign(world: World) -> None:
    old = Legacy(world)
    robot = old.app(world.app("Robot"), "RoleAssignmentSchedule.ReadWrite.Directory")
    body = {
        "roleDefinitionId": TEAMS, "resourceId": world.tenant_id, "subjectId": world.ann, "type": "AdminAdd",
        "reason": "because", "schedule": {"type": "Once", "duration": "PT60M"},
    }  # fmt: skip
    path = f"{LEGACY}/aadRoles/roleAssignmentRequests"
    assert old.post(path, robot, {**body, "assignmentState": "Eligible"}).status_code == 403
    assert old.post(path, robot, {**body, "assignmentState": "Active"}).status_code == 201


# ---------------------------------------------------------------- batches and addresses


def test_a_batch_gives_nobody_another_name(arm: Arm) -> None:
    """Neither the items' own headers nor another host in their addresses change who asks."""
    world = arm.world
    key = arm.headers(arm.owner)["Authorization"]
    url = f"{arm.prod}/{AUTH}/roleAssignments?api-version=2022-04-01"
    for item in (
        {"httpMethod": "GET", "url": url, "headers": {"Authorization": key}},
        {"httpMethod": "GET", "url": f"https://elsewhere.example{url}"},
        {"httpMethod": "GET", "url": f"https://{world.bob}@localhost{url}"},
        {"httpMethod": "GET", "url": url, "requestHeaderDetails": {"Authorization": key}},
    ):
        answer = arm.post("/batch", world.bob, {"requests": [item]}).json()["responses"][0]
        assert answer["httpStatusCode"] == 403, answer
    assert arm.post("/batch", None, {"requests": [{"httpMethod": "GET", "url": url}]}).status_code == 401
    graph = Graph(world)
    token = graph.headers(world.ga)["Authorization"]
    inner = {
        "id": "1",
        "method": "GET",
        "url": "/roleManagement/directory/roleEligibilitySchedules",
        "headers": {"Authorization": token},
    }
    answer = graph.post("/$batch", world.bob, {"requests": [inner]}).json()["responses"][0]
    assert answer["status"] == 403, answer


def test_other_spellings_are_the_same_place_or_none(arm: Arm) -> None:
    bob = arm.world.bob
    arm.assigned(bob, OWNER, arm.data)
    tail = f"{AUTH}/roleAssignments"
    group = "resourceGroups"
    for place in (
        f"{arm.prod}/{group}/data%2f..%2fweb",
        f"{arm.prod}/{group}/data/%2e%2e/web",
        f"{arm.prod}/{group}/data/..;/web",
        f"{arm.prod}/{group}/data%5cweb",
        f"{arm.prod}/{group}/data%00/",
        f"{arm.prod}/{group}/data.",
        f"{arm.prod}/{group}/data%20",
        f"{arm.prod}/{group}/dat%EF%BC%A1",
        f"{arm.prod}/{group}/data/providers/{'x' * 3000}",
        f"{arm.prod}/{group}/{group}/data",
        f"/{group}/data",
        f"{arm.data}{arm.web}",
        f"{arm.web}{arm.data}",
    ):
        answer = arm.get(f"{place}/{tail}", bob)
        assert answer.status_code in {400, 403, 404}, (place, answer.text)
    for place in (
        arm.data.upper(),
        f"//{arm.data.strip('/').replace('/', '//')}",
        arm.data.replace("data", "d%61ta"),
    ):
        assert arm.get(f"{place}/{tail}", bob).status_code == 200, place
        assert (
            arm.get(
                f"{place.replace('data', 'web').replace('DATA', 'WEB').replace('d%61ta', 'w%65b')}/{tail}",
                bob,
            ).status_code
            == 403
        )


def test_an_activation_stays_within_its_eligibility(arm: Arm) -> None:
    world, ann = arm.world, arm.world.ann
    here = arm.eligible(ann, READER, arm.web)
    there = arm.eligible(world.bob, READER, arm.root)
    for place in ("", arm.root, arm.it, arm.prod, arm.data, arm.staff):
        for link in (None, here.id, there.id, f"{arm.root}/{AUTH}/roleEligibilitySchedules/{there.id}"):
            more = {} if link is None else {"linkedRoleEligibilityScheduleId": link}
            answer = arm.activate(ann, place, **more)
            assert answer.status_code == 400, (place, link, answer.text)
        assert arm.activate(ann, place, role=OWNER).status_code == 400
    assert arm.activate(ann, arm.vm, linkedRoleEligibilityScheduleId=there.id).status_code == 400
    assert arm.activate(ann, arm.vm).status_code == 201
    stranger = World(world.database)
    outside = Who(stranger.ann, stranger.tenant_id)
    assert arm.request("Assignment", ann, arm.vm, outside, requestType="SelfActivate").status_code in {
        400,
        403,
        404,
    }
