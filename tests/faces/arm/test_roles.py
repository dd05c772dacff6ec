"""Role definitions, role assignments, deny assignments, permissions."""

from __future__ import annotations

import pytest

from tests.faces.arm.client import AUTH, CONTRIBUTOR, OWNER, READER, UAA, error

DEFINITIONS = f"{AUTH}/roleDefinitions"
CUSTOM = {
    "roleName": "VM starter",
    "description": "starts",
    "type": "CustomRole",
    "permissions": [
        {"actions": ["Microsoft.Compute/virtualMachines/*", "*/read"], "notActions": ["Microsoft.Compute/virtualMachines/delete"]}
    ],
}  # fmt: skip


def custom(arm, scope, **changes):
    return {"properties": {**CUSTOM, "assignableScopes": [scope], **changes}}


def test_the_built_in_roles(arm):
    rows = arm.rows(f"{arm.prod}/{DEFINITIONS}?api-version=2022-05-01-preview", arm.world.bob)
    assert len(rows) > 900
    (reader,) = arm.rows(f"{arm.prod}/{DEFINITIONS}?$filter=roleName eq 'reader'", arm.world.bob)
    assert reader["name"] == READER
    assert reader["id"] == f"{arm.prod}/{AUTH}/roleDefinitions/{READER}"
    assert reader["properties"]["type"] == "BuiltInRole"
    assert reader["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert arm.rows(f"/{DEFINITIONS}?$filter=type eq 'CustomRole'", arm.owner) == []
    assert arm.ok(f"/{DEFINITIONS}/{OWNER}", arm.world.bob)["properties"]["roleName"] == "Owner"
    error(arm.get(f"/{DEFINITIONS}/{arm.world.new_id()}", arm.owner), 404, "RoleDefinitionDoesNotExist")


def test_roles_of_ones_own(arm):
    name, bob = arm.world.new_id(), arm.world.bob
    path = f"{arm.prod}/{DEFINITIONS}/{name}"
    error(arm.put(path, bob, custom(arm, arm.prod)), 403, "AuthorizationFailed")
    made = arm.put(path, arm.owner, custom(arm, arm.prod))
    assert made.status_code == 201, made.text
    assert made.json()["properties"]["type"] == "CustomRole"
    # Seen by those who have anything to do with the place.
    assert arm.rows(f"{arm.web}/{DEFINITIONS}?$filter=type eq 'CustomRole'", bob) == []
    error(arm.get(path, bob), 404, "RoleDefinitionDoesNotExist")
    arm.eligible(bob, READER, arm.vm)
    assert [
        one["name"] for one in arm.rows(f"{arm.web}/{DEFINITIONS}?$filter=type eq 'CustomRole'", bob)
    ] == [name]
    assert arm.rows(f"{arm.staff}/{DEFINITIONS}?$filter=type eq 'CustomRole'", bob) == []
    # It does what it says, no more, and a change counts at once.
    assert arm.put(f"{arm.web}/{AUTH}/roleAssignments/{arm.world.new_id()}", arm.owner,
                   {"properties": {"roleDefinitionId": path, "principalId": bob}}).status_code == 201  # fmt: skip
    assert arm.put(arm.vm, bob, {"tags": {"a": "1"}}).status_code == 200
    error(arm.delete(arm.vm, bob), 403, "AuthorizationFailed")
    error(arm.delete(path, arm.owner), 400, "RoleDefinitionHasAssignments")
    changed = custom(arm, arm.prod, permissions=[{"actions": ["*/read"]}])
    assert arm.put(path, arm.owner, changed).status_code == 201
    error(arm.put(arm.vm, bob, {}), 403, "AuthorizationFailed")
    error(arm.put(f"{arm.staff}/{AUTH}/roleAssignments/{arm.world.new_id()}", arm.owner,
                  {"properties": {"roleDefinitionId": path, "principalId": bob}}), 400, "InvalidRequestContent")  # fmt: skip


def test_what_a_role_cannot_be(arm):
    def put(**changes):
        return arm.put(
            f"{arm.prod}/{DEFINITIONS}/{arm.world.new_id()}", arm.owner, custom(arm, arm.prod, **changes)
        )

    error(put(roleName="Reader"), 409, "RoleDefinitionWithSameNameExists")
    error(put(roleName=""), 400, "InvalidRequestContent")
    error(put(assignableScopes=["/"]), 400, "InvalidRequestContent")
    error(put(assignableScopes=[f"/subscriptions/{arm.world.new_id()}"]), 400, "InvalidRequestContent")
    error(put(permissions=[{"actions": ["everything"]}]), 400, "InvalidRequestContent")
    error(put(permissions=[]), 400, "InvalidRequestContent")
    group = arm.path(arm.it)
    error(
        put(assignableScopes=[group], permissions=[{"dataActions": ["Microsoft.Storage/*"]}]),
        400,
        "InvalidRequestContent",
    )
    error(arm.put(f"/{DEFINITIONS}/{READER}", arm.owner, custom(arm, arm.prod)), 400, "InvalidRequestContent")
    error(arm.delete(f"/{DEFINITIONS}/{READER}", arm.owner), 400, "InvalidRequestContent")
    assert arm.delete(f"/{DEFINITIONS}/{arm.world.new_id()}", arm.owner).status_code == 204


def test_nobody_reaches_further_by_a_role_than_he_may(arm):
    """The right at one scope makes no role for another, nor takes one away from there."""
    bob = arm.world.bob
    arm.assigned(bob, UAA, arm.prod)
    path = f"{arm.prod}/{DEFINITIONS}/{arm.world.new_id()}"
    error(arm.put(path, bob, custom(arm, arm.staff)), 403, "AuthorizationFailed")
    assert arm.put(path, arm.owner, custom(arm, arm.staff)).status_code == 201
    error(arm.put(path, bob, custom(arm, arm.prod)), 403, "AuthorizationFailed")
    error(arm.delete(path, bob), 403, "AuthorizationFailed")


def test_assignments_outside_pim(arm):
    bob, name = arm.world.bob, arm.world.new_id()
    path = f"{arm.prod}/{AUTH}/roleAssignments/{name}"
    body = {"properties": {"roleDefinitionId": f"{arm.prod}/{DEFINITIONS}/{READER}", "principalId": bob}}
    error(arm.put(path, bob, body), 403, "AuthorizationFailed")
    made = arm.put(f"{path}?api-version=2022-04-01", arm.owner, body)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["properties"]["scope"]) == (name, arm.prod)
    assert made.json()["properties"]["principalType"] == "User"
    assert arm.put(path, arm.owner, body).status_code == 200
    other = f"{arm.prod}/{AUTH}/roleAssignments/{arm.world.new_id()}"
    error(arm.put(other, arm.owner, body), 409, "RoleAssignmentExists")
    moved = {"properties": {**body["properties"], "principalId": arm.world.cyd}}
    error(arm.put(path, arm.owner, moved), 409, "Conflict")
    nobody = {"properties": {**body["properties"], "principalId": arm.world.new_id()}}
    error(arm.put(other, arm.owner, nobody), 400, "PrincipalNotFound")
    no_role = {"properties": {**body["properties"], "roleDefinitionId": arm.world.new_id()}}
    error(arm.put(other, arm.owner, no_role), 404, "RoleDefinitionDoesNotExist")
    # One thing, seen from two sides.
    (instance,) = arm.rows(f"/{AUTH}/roleAssignmentScheduleInstances?$filter=asTarget()", bob)
    assert (instance["name"], instance["properties"]["assignmentType"]) == (name, "Assigned")
    (seen,) = arm.rows(
        f"{arm.web}/{AUTH}/roleAssignments?$filter=atScope() and assignedTo('{bob}')", arm.owner
    )
    assert seen["id"] == made.json()["id"]
    assert arm.ok(path, bob)["name"] == name
    assert arm.delete(path, arm.owner).json()["name"] == name
    assert arm.delete(path, arm.owner).status_code == 204
    error(arm.get(path, arm.owner), 404, "RoleAssignmentNotFound")


def test_deleting_one_leaves_the_other(arm):
    """An activation and a plain assignment of the same role: each ends alone."""
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.prod)
    held = arm.assigned(bob, READER, arm.prod)
    assert arm.activate(bob, arm.prod).status_code == 201
    assert arm.delete(f"{arm.prod}/{AUTH}/roleAssignments/{held}", arm.owner).status_code == 200
    arm.ok(arm.web, bob)
    (left,) = arm.rows(f"/{AUTH}/roleAssignmentScheduleInstances?$filter=asTarget()", bob)
    assert left["properties"]["assignmentType"] == "Activated"
    assert arm.delete(f"{arm.prod}/{AUTH}/roleAssignments/{left['name']}", arm.owner).status_code == 200
    error(arm.get(arm.web, bob), 403, "AuthorizationFailed")


def test_deny_assignments_win(arm):
    bob, name = arm.world.bob, arm.world.new_id()
    arm.assigned(bob, CONTRIBUTOR, arm.prod)
    path = f"{arm.web}/{AUTH}/denyAssignments/{name}"
    body = {
        "properties": {
            "denyAssignmentName": "No deletes",
            "permissions": [{"actions": ["*/delete"]}],
            "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
            "excludePrincipals": [{"id": arm.owner, "type": "User"}],
        }
    }
    error(arm.put(path, bob, body), 403, "AuthorizationFailed")
    made = arm.put(f"{path}?api-version=2024-07-01-preview", arm.owner, body)
    assert made.status_code == 201, made.text
    assert arm.put(path, arm.owner, body).status_code == 200
    error(arm.delete(arm.vm, bob), 403, "AuthorizationFailed")
    (row,) = arm.rows(f"{arm.vm}/{AUTH}/denyAssignments", bob)
    assert row["properties"]["denyAssignmentEffect"] == "enforced"
    assert row["properties"]["principals"][0]["displayName"] == "Everyone"
    assert arm.rows(f"{arm.data}/{AUTH}/denyAssignments", bob) == []
    for scope, asked, count in (
        (arm.prod, "", 1),
        (arm.prod, "?$filter=atScope()", 0),
        (arm.prod, "?$filter=atScopeAndBelow()", 1),
        (arm.vm, "?$filter=atScopeAndBelow()", 0),
        (arm.vm, "?$filter=atScope()", 1),
        (arm.it, "", 1),
        (arm.hr, "", 0),
    ):
        assert len(arm.rows(f"{scope}/{AUTH}/denyAssignments{asked}", arm.owner)) == count, (scope, asked)
    assert len(arm.rows(f"{arm.web}/{AUTH}/denyAssignments?$filter=assignedTo('{bob}')", bob)) == 1
    audit = {"properties": {**body["properties"], "denyAssignmentEffect": "audit"}}
    assert arm.put(path, arm.owner, audit).status_code == 200
    assert arm.delete(arm.vm, bob).status_code == 200
    assert arm.delete(path, arm.owner).status_code == 200
    assert arm.delete(path, arm.owner).status_code == 204
    error(arm.get(path, arm.owner), 404, "DenyAssignmentNotFound")
    unknown = {"properties": {**body["properties"], "principals": [{"id": arm.world.new_id()}]}}
    error(arm.put(path, arm.owner, unknown), 400, "PrincipalNotFound")


def test_permissions_and_operations(arm):
    assert arm.rows(f"{arm.web}/{AUTH}/permissions", arm.world.bob) == []
    arm.assigned(arm.world.bob, READER, arm.prod)
    (found,) = arm.rows(f"{arm.web}/{AUTH}/permissions?api-version=2022-04-01", arm.world.bob)
    assert found["actions"] == ["*/read"]
    compute = arm.ok(f"/{AUTH}/providerOperations/microsoft.compute?$expand=resourceTypes", arm.world.bob)
    assert compute["name"] == "Microsoft.Compute"
    assert compute["operations"]
    error(arm.get(f"/{AUTH}/providerOperations/none.such", arm.world.bob), 404, "NotFound")
    assert arm.rows(f"{arm.prod}/{AUTH}/classicAdministrators", arm.world.bob) == []


@pytest.mark.parametrize("who", ["disabled", "guest"])
def test_who_is_out_has_nothing(arm, who):
    bob = arm.world.bob
    arm.assigned(bob, READER, arm.prod)
    arm.ok(arm.web, bob)
    if who == "disabled":
        arm.world.disable(bob)
        error(arm.get(arm.web, bob), 403, "AuthorizationFailed")
    else:
        guest = arm.world.guest("Gil")
        error(arm.get(arm.web, guest), 403, "AuthorizationFailed")


def test_errors_that_say_what_it_is_about(arm):
    """The codes that tools tell apart: a name that is taken, a role that is in use, an assignment that is gone."""
    name, bob = arm.world.new_id(), arm.world.bob
    path = f"{arm.prod}/{DEFINITIONS}/{name}"
    assert arm.put(path, arm.owner, custom(arm, arm.prod)).status_code == 201
    twin = arm.put(f"{arm.prod}/{DEFINITIONS}/{arm.world.new_id()}", arm.owner, custom(arm, arm.prod))
    error(twin, 409, "RoleDefinitionWithSameNameExists")
    held = arm.assigned(bob, name, arm.web)
    error(arm.delete(path, arm.owner), 400, "RoleDefinitionHasAssignments")
    assert arm.delete(f"{arm.web}/{AUTH}/roleAssignments/{held}", arm.owner).status_code == 200
    assert arm.delete(path, arm.owner).status_code == 200
    error(arm.get(f"{arm.web}/{AUTH}/roleAssignments/{held}", arm.owner), 404, "RoleAssignmentNotFound")


def test_the_providers_own_operations(arm):
    rows = arm.rows(f"/{AUTH}/operations?api-version=2021-12-01-preview", arm.world.bob)
    assert "Microsoft.Authorization/roleAssignments/write" in {row["name"] for row in rows}
    assert set(rows[0]) == {"name", "isDataAction", "display", "origin"}


def test_an_assignment_can_be_tried(arm):
    """Of the oldest version with PIM: what would come of it, and nothing does."""
    bob = arm.world.bob

    def tried(who, role=READER, principal=bob):
        path = (
            f"{arm.web}/{AUTH}/roleAssignments/{arm.world.new_id()}/validate?api-version=2020-10-01-preview"
        )
        body = {"roleDefinitionId": f"{arm.prod}/{AUTH}/roleDefinitions/{role}", "principalId": principal}
        return arm.post(path, who, {"properties": body})

    def wrong(answer):
        assert (answer.status_code, answer.json()["isValid"]) == (200, False), answer.text
        assert answer.json()["errorInfo"]["message"]
        return answer.json()["errorInfo"]["code"]

    assert tried(arm.owner).json() == {"isValid": True}
    assert arm.rows(f"{arm.web}/{AUTH}/roleAssignments?$filter=principalId eq '{bob}'", arm.owner) == []
    assert wrong(tried(arm.owner, principal=arm.world.new_id())) == "PrincipalNotFound"
    assert wrong(tried(arm.owner, role=arm.world.new_id())) == "RoleDefinitionDoesNotExist"
    arm.assigned(bob, READER, arm.web)
    assert wrong(tried(arm.owner)) == "RoleAssignmentExists"
    error(tried(bob), 403, "AuthorizationFailed")
    error(tried(arm.owner, principal="bob"), 400, "InvalidRequestContent")
