"""Who has some power over a place in the tree wants more: by moving it, deleting it, changing a role, denying others,
or looking where nothing is his."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.core.caller import CallerKind
from openpim.core.grants import Kind, Provider
from openpim.core.query import Query
from openpim.core.resources import read_path
from tests.faces.arm.client import AUTH, CONTRIBUTOR, OWNER, READER, UAA, Arm, Who, error
from tests.world import GA, World

MG = "/providers/Microsoft.Management/managementGroups"
WRITER = "Microsoft.Authorization/roleDefinitions/write"
EVERYBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def arm(database_url: str) -> Iterator[Arm]:
    made = Arm(World(database_url))
    made.plant()
    yield made
    made.world.close()


def parent(arm: Arm, place: str) -> str:
    return arm.world.read(lambda tx: tx.resources.get(place)).parent_id


def move(arm: Arm, who: str, group: str):
    return arm.put(f"{MG}/{group}/subscriptions/{arm.prod.rsplit('/', 1)[1]}", who)


# ---------------------------------------------------------------- moving and deleting


def test_a_contributor_does_not_move_a_subscription_under_his_own_group(arm: Arm) -> None:
    """As owner of a management group of his own he would own what he moves into it."""
    bob = arm.world.bob
    arm.assigned(bob, CONTRIBUTOR, arm.root)
    mine = arm.put(f"{MG}/mine", bob, {"properties": {"displayName": "Mine"}})
    assert mine.status_code < 300, mine.text
    assert any(
        one["properties"]["roleDefinitionId"].endswith(OWNER)
        for one in arm.rows(f"{MG}/mine/{AUTH}/roleAssignments?$filter=assignedTo('{bob}')", bob)
    )
    error(move(arm, bob, "mine"), 403, "AuthorizationFailed")
    assert parent(arm, arm.prod) == arm.it
    # Nor by the other roads to the same.
    body = {"properties": {"subscriptionId": arm.prod.rsplit("/", 1)[1], "managementGroupId": "mine"}}
    assert arm.put("/providers/Microsoft.Subscription/aliases/x", bob, body).status_code == 403
    lines = {"resources": [{"id": arm.prod, "parentId": f"{MG}/mine"}]}
    assert arm.post("/providers/OpenPIM/importResources", bob, lines).status_code == 403
    assert (
        arm.put(f"{MG}/IT", bob, {"properties": {"details": {"parent": {"id": f"{MG}/mine"}}}}).status_code
        == 403
    )
    assert parent(arm, arm.prod) == arm.it
    assert move(arm, arm.owner, "HR").status_code == 200


def test_an_owner_does_not_take_his_subscription_from_under_what_holds_above_it(arm: Arm) -> None:
    """What the management group's owner and its deny assignments say would no longer hold."""
    bob = arm.world.bob
    arm.assigned(bob, OWNER, arm.prod)
    arm.assigned(bob, OWNER, arm.hr)
    error(move(arm, bob, "HR"), 403, "AuthorizationFailed")
    assert parent(arm, arm.prod) == arm.it


def test_a_contributor_does_not_own_a_subscription_by_making_it_anew(arm: Arm) -> None:
    bob = arm.world.bob
    arm.assigned(bob, CONTRIBUTOR, arm.root)
    error(arm.post(f"{arm.prod}/providers/Microsoft.Subscription/cancel", bob), 403, "AuthorizationFailed")
    assert arm.get(arm.web, arm.owner).status_code == 200
    assert arm.delete(f"{MG}/HR", bob).status_code == 403
    assert arm.post(f"{arm.prod}/providers/Microsoft.Subscription/cancel", arm.owner).status_code == 200


# ---------------------------------------------------------------- roles


def role(arm: Arm, by: str, actions: list[str], *scopes: str, name: str = "Mine", id: str = ""):
    id = id or arm.world.new_id()
    body = {"roleName": name, "permissions": [{"actions": actions}], "assignableScopes": list(scopes)}
    return id, arm.put(f"{scopes[0]}/{AUTH}/roleDefinitions/{id}", by, {"properties": body})


def test_who_may_write_roles_does_not_widen_the_one_he_has(arm: Arm) -> None:
    bob = arm.world.bob
    mine, made = role(arm, arm.owner, [WRITER, "*/read"], arm.prod)
    assert made.status_code == 201, made.text
    arm.assigned(bob, mine, arm.prod)
    assert role(arm, bob, ["Microsoft.Compute/*"], arm.prod, name="Another")[1].status_code == 201
    for actions in (["*"], ["Microsoft.Authorization/*"], ["*/write"]):
        error(role(arm, bob, actions, arm.prod, id=mine)[1], 403, "AuthorizationFailed")
    assert (
        arm.put(
            f"{arm.prod}/{AUTH}/roleAssignments/{arm.world.new_id()}",
            bob,
            {"properties": {"roleDefinitionId": OWNER, "principalId": bob}},
        ).status_code
        == 403
    )


@pytest.mark.parametrize("above", ["root", "it", "staff"])
def test_a_role_is_not_assignable_above_or_beside_ones_own_place(arm: Arm, above: str) -> None:
    bob = arm.world.bob
    arm.assigned(bob, OWNER, arm.prod)
    elsewhere = getattr(arm, above)
    mine, made = role(arm, bob, ["*"], arm.prod, elsewhere)
    error(made, 403, "AuthorizationFailed")
    mine, made = role(arm, bob, ["*"], arm.prod)
    assert made.status_code == 201
    error(role(arm, bob, ["*"], arm.prod, elsewhere, id=mine)[1], 403, "AuthorizationFailed")
    assert role(arm, bob, ["*"], "/")[1].status_code in {400, 403}
    body = {"roleDefinitionId": mine, "principalId": bob}
    answer = arm.put(f"{elsewhere}/{AUTH}/roleAssignments/{arm.world.new_id()}", bob, {"properties": body})
    assert answer.status_code in {400, 403}


def test_a_role_that_is_used_elsewhere_too_is_not_changed_from_here(arm: Arm) -> None:
    bob = arm.world.bob
    shared, made = role(arm, arm.owner, ["*/read"], arm.prod, arm.staff)
    assert made.status_code == 201
    arm.assigned(bob, OWNER, arm.prod)
    error(role(arm, bob, ["*"], arm.prod, id=shared)[1], 403, "AuthorizationFailed")
    assert arm.delete(f"{arm.prod}/{AUTH}/roleDefinitions/{shared}", bob).status_code == 403


def test_a_subscription_does_not_move_away_with_a_role_of_the_old_place_in_use(arm: Arm) -> None:
    """Who owns the old management group could go on deciding what the role allows in it."""
    bob = arm.world.bob
    arm.assigned(bob, OWNER, arm.it)
    mine, made = role(arm, bob, ["*/read"], arm.it)
    assert made.status_code == 201
    assigned = arm.assigned(bob, mine, arm.web)
    error(move(arm, arm.owner, "HR"), 409, "Conflict")
    assert parent(arm, arm.prod) == arm.it
    assert arm.delete(f"{arm.web}/{AUTH}/roleAssignments/{assigned}", arm.owner).status_code == 200
    assert move(arm, arm.owner, "HR").status_code == 200


# ---------------------------------------------------------------- denying


def deny(arm: Arm, by: str, place: str, *, spare: str):
    key = arm.world.new_id()
    body = {
        "denyAssignmentName": "mine",
        "permissions": [{"actions": ["*"]}],
        "principals": [{"id": EVERYBODY}],
        "excludePrincipals": [{"id": spare}],
    }
    assert arm.put(f"{place}/{AUTH}/denyAssignments/{key}", by, {"properties": body}).status_code == 201
    return f"{place}/{AUTH}/denyAssignments/{key}"


def test_nobody_locks_out_those_above_him(arm: Arm) -> None:
    bob = arm.world.bob
    arm.assigned(bob, OWNER, arm.web)
    key = deny(arm, bob, arm.web, spare=bob)
    error(arm.delete(arm.web, arm.owner), 403, "AuthorizationFailed")
    peer = arm.world.cyd
    arm.assigned(peer, OWNER, arm.web)
    error(arm.delete(key, peer), 403, "AuthorizationFailed")  # who has no more than he is denied like all
    assert arm.ok(key, arm.owner)["name"] == key.rsplit("/", 1)[1]
    assert key.rsplit("/", 1)[1] in {
        one["name"] for one in arm.rows(f"{arm.web}/{AUTH}/denyAssignments", arm.owner)
    }
    assert arm.delete(key, arm.owner).status_code == 200
    assert arm.delete(arm.web, arm.owner).status_code == 200


def test_a_global_administrator_ends_any_denial(arm: Arm) -> None:
    bob, ga = arm.world.bob, arm.world.ga
    arm.assigned(bob, UAA, "/")
    key = deny(arm, bob, "", spare=bob)
    assert arm.post("/providers/Microsoft.Authorization/elevateAccess", ga).status_code == 200
    assert arm.get(f"/{AUTH}/roleAssignments", ga).status_code == 403
    assert arm.delete(key, ga).status_code == 200
    assert arm.get(f"/{AUTH}/roleAssignments", ga).status_code == 200


def test_a_denial_from_above_is_not_ended_between(arm: Arm) -> None:
    bob = arm.world.bob
    arm.assigned(bob, OWNER, arm.prod)
    deny(arm, arm.owner, arm.it, spare=arm.owner)
    key = deny(arm, arm.owner, arm.web, spare=arm.owner)
    error(arm.delete(key, bob), 403, "AuthorizationFailed")


# ---------------------------------------------------------------- looking


def test_who_holds_something_far_down_does_not_see_what_lies_beside_it(arm: Arm) -> None:
    bob = arm.world.bob
    arm.assigned(bob, READER, arm.data)
    other = arm.staff.rsplit("/", 1)[1]
    for path in (
        f"{arm.root}?$expand=children&$recurse=true",
        f"{arm.root}?$expand=children",
        f"{arm.root}/descendants",
        f"{arm.it}/subscriptions",
        "/subscriptions",
        "/providers/Microsoft.Management/managementGroups",
    ):
        answer = arm.get(path, bob)
        assert answer.status_code in {200, 403}, answer.text
        assert other not in answer.text
        assert "HR" not in answer.text
        assert "Web" not in answer.text
    assert arm.prod.rsplit("/", 1)[1] in arm.get(f"{arm.it}/subscriptions", bob).text
    assert arm.get(arm.hr, bob).status_code == 403


def test_role_settings_are_read_by_those_they_concern(arm: Arm) -> None:
    """They name approvers, and what is asked of whom."""
    world = arm.world
    arm.approval(READER, arm.prod, world.dan)
    path = f"{arm.prod}/{AUTH}/roleManagementPolicies?$filter=roleDefinitionId eq '{READER}'"
    (found,) = arm.rows(path, arm.owner)
    guest, robot = world.guest("Guest"), Who(world.app("Robot"))
    arm.assigned(world.cyd, OWNER, arm.staff)
    for who in (guest, robot, world.bob, world.cyd):
        error(arm.get(path, who), 403, "AuthorizationFailed")
        error(arm.get(found["id"], who), 403, "AuthorizationFailed")
        error(arm.get(path.replace("Policies?", "PolicyAssignments?"), who), 403, "AuthorizationFailed")
    arm.eligible(world.bob, READER, arm.web)
    assert arm.get(found["id"], world.bob).status_code == 200
    arm.eligible(guest, READER, arm.it)
    assert arm.get(found["id"], guest).status_code == 200


def test_the_activity_log_tells_of_nothing_outside_the_place(arm: Arm) -> None:
    world, bob = arm.world, arm.world.bob
    arm.assigned(bob, READER, arm.data)
    arm.eligible(world.user("Wilma Web"), OWNER, arm.web)
    arm.eligible(world.user("Stan Staff"), OWNER, arm.staff)
    arm.policy(READER, arm.web, activation_requires=frozenset())
    log = "providers/Microsoft.Insights/eventtypes/management/values"
    for place in ("", arm.root, arm.it, arm.prod, arm.web, arm.staff):
        error(arm.get(f"{place}/{log}", bob), 403, "AuthorizationFailed")
    text = arm.get(f"{arm.data}/{log}", bob).text
    for secret in ("Wilma", "Stan", arm.staff, arm.web):
        assert secret not in text
    arm.assigned(world.dan, OWNER, arm.prod)
    text = arm.get(f"{arm.prod}/{log}", world.dan).text
    assert "Wilma" in text
    assert "Stan" not in text


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", [".", "..", "...", "....."])
def test_no_place_is_named_by_dots(arm: Arm, name: str) -> None:
    """Whatever stands between a client and us would read another place."""
    assert read_path(f"{arm.prod}/resourceGroups/{name}") is None
    lines = {"resources": [{"id": f"{arm.prod}/resourceGroups/{name}"}]}
    assert arm.post("/providers/OpenPIM/importResources", arm.owner, lines).status_code == 400
    url = f"{arm.prod}/resourceGroups/{name}?api-version=2021-04-01"
    item = {"requests": [{"httpMethod": "PUT", "url": url, "content": {"location": "x"}}]}
    answer = arm.post("/batch", arm.owner, item)
    assert answer.json()["responses"][0]["httpStatusCode"] in {400, 404}


def test_a_prefix_is_not_a_place(arm: Arm) -> None:
    """Rights in "we" are none in "web", and "Web" is the same as "web"."""
    bob = arm.world.bob
    we, webs = arm.place(f"{arm.prod}/resourceGroups/we"), arm.place(f"{arm.prod}/resourceGroups/webs")
    arm.assigned(bob, OWNER, we)
    vm = f"{arm.web}/providers/Microsoft.Compute/virtualMachines/VM2"
    assert arm.put(vm, bob, {}).status_code == 403
    for place in (arm.web, webs, arm.vm):
        assert arm.get(f"{place}/{AUTH}/roleAssignments", bob).status_code == 403
        assert arm.get(place, bob).status_code == 403
    arm.assigned(arm.world.ann, READER, webs)
    arm.assigned(arm.world.cyd, READER, we)
    found = {one["properties"]["principalId"] for one in arm.rows(f"{we}/{AUTH}/roleAssignments", bob)}
    assert arm.world.ann not in found
    assert arm.world.cyd in found
    text = arm.get(f"{we}/providers/Microsoft.Insights/eventtypes/management/values", bob).text
    assert arm.world.ann not in text
    # An eligibility neither.
    arm.eligible(arm.world.dan, READER, we)
    for place in (arm.web, webs, arm.prod):
        error(arm.activate(arm.world.dan, place), 400, "RoleAssignmentDoesNotExist")
    assert arm.activate(arm.world.dan, we).status_code == 201


def test_nobody_above_by_another_road(arm: Arm) -> None:
    """Owner of a subscription, at the management group above; user access administrator of a group, at the subscription."""
    bob, cyd = arm.world.bob, arm.world.cyd
    arm.assigned(bob, OWNER, arm.prod)
    arm.assigned(cyd, UAA, arm.web)
    for who, place in (
        (bob, arm.it),
        (bob, arm.root),
        (bob, ""),
        (bob, arm.staff),
        (cyd, arm.prod),
        (cyd, arm.data),
    ):
        for kind in ("Assignment", "Eligibility"):
            error(arm.request(kind, who, place, who, role=OWNER), 403, "AuthorizationFailed")
        put = {"properties": {"roleDefinitionId": READER, "principalId": who}}
        error(
            arm.put(f"{place}/{AUTH}/roleAssignments/{arm.world.new_id()}", who, put),
            403,
            "AuthorizationFailed",
        )
        assert not arm.world.read(
            lambda tx, who=who, place=place: [
                one
                for one in tx.requests.page(Provider.RESOURCE, Kind.ASSIGNMENT, Query(limit=100)).items
                if one.scope == (place or "/") and one.created_by == who
            ]
        )


def test_only_a_global_administrator_elevates(arm: Arm) -> None:
    world = arm.world
    robot = world.app("Robot")
    world.assigned(robot, GA, by=world.system)
    for who in (world.pra, world.bob, arm.owner, Who(robot, kind=CallerKind.SERVICE_PRINCIPAL)):
        assert arm.post("/providers/Microsoft.Authorization/elevateAccess", who).status_code == 403
