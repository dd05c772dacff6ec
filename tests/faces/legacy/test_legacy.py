"""What older tools do: list what they may activate, try it, activate, look, give back; of all three providers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from openpim.core.grants import Action, Kind, Provider
from openpim.core.resources import Resource, ResourceKind, canonical
from openpim.core.signin.scopes import GRAPH_DELEGATED
from openpim.faces.legacy.dispatch import ENDPOINTS
from tests.faces.graph.client import error, person, wrapped
from tests.services.groups import GroupWorld, give_group
from tests.world import HELPDESK, TEAMS, ok

BASE = "https://localhost:8443/api/v2/privilegedAccess"
EXPAND = "$expand=linkedEligibleRoleAssignment,subject,scopedResource,roleDefinition($expand=resource)"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"


def asked(found: dict[str, Any], type_: str = "UserAdd", **more: Any) -> dict[str, Any]:
    """As such tools build it from a row of roleAssignments."""
    return {
        "roleDefinitionId": found["roleDefinitionId"],
        "resourceId": found["resourceId"],
        "subjectId": found["subjectId"],
        "assignmentState": "Active",
        "type": type_,
        "reason": "because",
        "ticketNumber": "",
        "ticketSystem": "",
        "schedule": {
            "type": "Once", "startDateTime": None, "endDateTime": None, "duration": "PT120M",
        },
        "linkedEligibleRoleAssignmentId": found["id"],
        "scopedResourceId": found["scopedResourceId"] or "",
        **more,
    }  # fmt: skip


def eligible(old: Any, provider: str, who: str) -> list[dict[str, Any]]:
    return list(
        old.rows(
            f"{BASE}/{provider}/roleAssignments?{EXPAND}&$filter=(subject/id eq '{who}') and (assignmentState eq 'Eligible')",
            who,
        )
    )


def prepare(old: Any, provider: str) -> str:
    """The name of the resource."""
    world = old.world
    if provider == "aadGroups":
        give_group(world, world.group("sg-admins", role_assignable=False), world.ann)
        return "sg-admins"
    if provider == "aadroles":
        world.eligible(world.ann, TEAMS)
        return str(world.read(lambda tx: tx.tenants.current()).name)
    key = SUBSCRIPTION.rsplit("/", 1)[1]
    kind = ResourceKind.SUBSCRIPTION
    found = Resource(
        SUBSCRIPTION, SUBSCRIPTION, "/", kind, "Microsoft.Resources/subscriptions", key, "prod", world.now
    )
    world.write(lambda tx: tx.resources.add(found))
    ask = world.ask(
        Action.ADMIN_ASSIGN, world.ann, OWNER, SUBSCRIPTION, kind=Kind.ELIGIBILITY, permanent=True
    )
    ok(world.submit(replace(ask, provider=Provider.RESOURCE), world.system))
    return "prod"


@pytest.mark.parametrize("provider", ["aadGroups", "aadroles", "azureResources"])
def test_the_life_of_an_activation(old, provider):
    world = old.world
    name = prepare(old, provider)
    found = eligible(old, provider, world.ann)
    assert len(found) == 1
    one = found[0]
    assert one["assignmentState"] == "Eligible"
    assert one["subject"]["displayName"] == "ann"
    assert one["subject"]["type"] == "User"
    assert one["roleDefinition"]["resource"]["displayName"] == name
    assert one["roleDefinition"]["displayName"] in {"Member", "Teams Administrator", "Owner"}
    assert one["memberType"] == "Direct"
    (place,) = old.rows(f"{BASE}/{provider}/resources", world.ann)
    kind, root = {"azureResources": ("subscription", SUBSCRIPTION), "aadroles": ("tenant", None)}.get(
        provider, ("group", None)
    )
    assert (place["id"], place["type"], place["registeredRoot"]) == (one["resourceId"], kind, root)
    for key in ("id", "resourceId", "roleDefinitionId", "subjectId"):
        UUID(one[key])

    requests = f"{BASE}/{provider}/roleAssignmentRequests"
    tried = old.post(f"{requests}?evaluateOnly=true", world.ann, asked(one))
    assert tried.status_code == 201, tried.text
    assert not old.rows(f"{requests}?$filter=subjectId eq '{world.ann}' and type eq 'UserAdd'", world.ann)

    made = old.post(requests, world.ann, asked(one))
    assert made.status_code == 201, made.text
    assert made.json()["status"]["subStatus"] == "Provisioned"
    assert made.json()["schedule"]["duration"] == "PT120M"
    active = old.rows(
        f"{BASE}/{provider}/roleAssignments?{EXPAND}&$filter=(subject/id eq '{world.ann}') and (assignmentState eq 'Active')",
        world.ann,
    )
    assert [row["roleDefinitionId"] for row in active] == [one["roleDefinitionId"]]
    assert active[0]["linkedEligibleRoleAssignment"]["id"] == one["id"]
    again = error(old.post(requests, world.ann, asked(one)), 400, "RoleAssignmentExists")
    assert again["innerError"]["code"] == "assignment_exists"
    world.forward(minutes=10)
    gone = old.post(requests, world.ann, asked(one, "UserRemove"))
    assert gone.json()["status"] == {"status": "Closed", "subStatus": "Revoked", "statusDetails": []}
    assert not old.rows(f"{BASE}/{provider}/roleAssignments?$filter=assignmentState eq 'Active'", world.ann)
    shown = old.rows(f"{BASE}/{provider}/resources", world.ann)
    assert [row["displayName"] for row in shown] == [name]
    assert old.ok(f"{BASE}/{provider}/resources/{shown[0]['id']}", world.ann)["id"] == one["resourceId"]


def test_waiting_and_approvers(old):
    world = old.world
    group = world.group("sg-admins", role_assignable=False)
    give_group(world, group, world.ann)
    GroupWorld(world).approval(group, world.bob)
    one = eligible(old, "aadGroups", world.ann)[0]
    requests = f"{BASE}/aadGroups/roleAssignmentRequests"
    made = old.post(requests, world.ann, asked(one)).json()
    assert made["status"] == {"status": "InProgress", "subStatus": "PendingApproval", "statusDetails": []}
    listing = f"{requests}?$filter=status/subStatus eq 'PendingApproval'&$expand=subject,roleDefinition($expand=resource)"
    for who in (world.ann, world.bob):
        rows = old.rows(listing, who)
        assert [row["id"] for row in rows] == [made["id"]]
        assert rows[0]["subject"]["displayName"] == "ann"
        assert old.ok(f"{requests}/{made['id']}", who)["id"] == made["id"]
    assert old.rows(listing, world.cyd) == []
    error(old.get(f"{requests}/{made['id']}", world.cyd), 404, "ResourceNotFound")
    error(
        old.get(f"{requests}?$filter=subjectId eq '{world.ann}'", world.cyd),
        403,
        "Authorization_RequestDenied",
    )


def test_through_a_group_and_in_a_unit(old):
    world = old.world
    team = world.group("Team", [world.ann])
    world.eligible(team, HELPDESK, world.unit("Berlin"))
    one = eligible(old, "aadRoles", world.ann)[0]
    assert one["memberType"] == "Group"
    assert one["subjectId"] == world.ann
    assert one["scopedResource"]["displayName"] == "Berlin"
    made = old.post(f"{BASE}/aadRoles/roleAssignmentRequests", world.ann, asked(one))
    assert made.json()["scopedResourceId"] == one["scopedResourceId"], made.text


def test_of_others(old):
    world = old.world
    group = world.group("sg-admins", role_assignable=False)
    give_group(world, group, world.ann)
    for query in (f"subjectId eq '{world.ann}'", f"resourceId eq '{group}'"):
        rows = old.rows(f"{BASE}/aadGroups/roleAssignments?$filter={query}&$expand=subject", world.pra)
        assert [row["subject"]["displayName"] for row in rows] == ["ann"]
        assert "roleDefinition" not in rows[0]
        error(
            old.get(f"{BASE}/aadGroups/roleAssignments?$filter={query}", world.bob),
            403,
            "Authorization_RequestDenied",
        )


def test_bad_input(old):
    world = old.world
    group = world.group("sg-admins", role_assignable=False)
    give_group(world, group, world.ann)
    one = eligible(old, "aadGroups", world.ann)[0]
    requests = f"{BASE}/aadGroups/roleAssignmentRequests"
    for wrong in (
        {"type": "UserDance"}, {"type": None}, {"subjectId": "x"}, {"roleDefinitionId": world.new_id()},
        {"resourceId": "x"}, {"schedule": {"type": "Weekly"}}, {"schedule": {"duration": "soon"}}, {"schedule": 1},
        {"assignmentState": "Maybe"}, {"roleDefinitionId": None},
    ):  # fmt: skip
        error(old.post(requests, world.ann, asked(one, **wrong)), 400, "InvalidRoleAssignmentRequest")
    error(old.post(requests, world.ann, asked(one, subjectId=world.bob)), 403, "Authorization_RequestDenied")
    azure = f"{BASE}/azureResources/roleAssignmentRequests"
    error(old.post(azure, world.ann, asked(one)), 400, "InvalidRoleAssignmentRequest")
    error(old.post(azure, world.ann, asked(one, resourceId="/subscriptions/x")), 404, "RoleNotFound")
    for path in ("/aadThings/roleAssignments", "/aadGroups/nothing", "/", ""):
        error(old.get(BASE + path, world.ann), 400, "BadRequest")
    error(
        old.get(f"{BASE}/aadGroups/roleAssignments?$filter=assignmentState eq 'Maybe'", world.ann),
        400,
        "BadRequest",
    )
    error(old.get(f"{BASE}/aadGroups/roleAssignments", None), 401, "InvalidAuthenticationToken")
    error(old.get(f"{BASE}/aadGroups/roleAssignments/{one['id']}", world.ann), 400, "BadRequest")


def test_permissions_are_per_provider(old):
    world = old.world
    roles = person(
        world.ann,
        scopes=frozenset(x for x in GRAPH_DELEGATED if "Group" not in x and "AccessAsUser" not in x),
    )
    for method, name in (
        ("GET", "roleAssignments"),
        ("GET", "roleAssignmentRequests"),
        ("GET", "resources"),
        ("POST", "roleAssignmentRequests"),
    ):
        for provider in ("aadGroups", "azureResources"):
            wrapped(
                old.send(method, f"{BASE}/{provider}/{name}", roles, {} if method == "POST" else None),
                403,
                "PermissionScopeNotGranted",
            )
    assert old.get(f"{BASE}/aadroles/roleAssignments", roles).status_code == 200


def test_who_may_what(old):
    """Every endpoint of this face: nobody without a token, no application without permission, nothing of others."""
    world = old.world
    group = world.group("sg-admins", role_assignable=False)
    give_group(world, group, world.ann)
    one = eligible(old, "aadGroups", world.ann)[0]
    robot = old.app(world.app("Robot"), "Nothing.At.All")
    for endpoint in ENDPOINTS:
        path = f"{BASE}/" + endpoint.address.replace("{provider}", "aadGroups").replace("{id}", group)
        body = asked(one) if endpoint.method == "POST" else None
        error(old.send(endpoint.method, path, None, body), 401, "InvalidAuthenticationToken")
        wrapped(old.send(endpoint.method, path, robot, body), 403, "PermissionScopeNotGranted")
        answer = old.send(endpoint.method, path, world.bob, body)
        assert group not in answer.text or answer.status_code in {403, 404}
    assert GroupWorld(world).members(group) == set()


def test_a_resource_says_its_type_and_its_subscription(old):
    world = old.world
    prepare(old, "azureResources")
    path = f"{SUBSCRIPTION}/resourceGroups/Web/providers/Microsoft.Compute/virtualMachines/VM1"
    group, type_ = canonical(f"{SUBSCRIPTION}/resourceGroups/Web"), "Microsoft.Compute/virtualMachines"
    places = (
        Resource(group, f"{SUBSCRIPTION}/resourceGroups/Web", SUBSCRIPTION, ResourceKind.RESOURCE_GROUP,
                 "Microsoft.Resources/resourceGroups", "Web", "Web", world.now),
        Resource(canonical(path), path, group, ResourceKind.RESOURCE, type_, "VM1", "VM1", world.now),
    )  # fmt: skip
    for each in places:
        world.write(lambda tx, each=each: tx.resources.add(each))
        ask = world.ask(Action.ADMIN_ASSIGN, world.ann, OWNER, each.id, kind=Kind.ELIGIBILITY, permanent=True)
        ok(world.submit(replace(ask, provider=Provider.RESOURCE), world.system))
    found = {row["displayName"]: row for row in old.rows(f"{BASE}/azureResources/resources", world.ann)}
    assert {name: row["type"] for name, row in found.items()} == {
        "prod": "subscription",
        "Web": "resourcegroup",
        "VM1": type_,
    }
    assert {row["registeredRoot"] for row in found.values()} == {SUBSCRIPTION}
    assert found["VM1"]["externalId"] == path
