"""Role definitions, role assignments, deny assignments, permissions and what surrounds them, by azure-mgmt-authorization."""

from __future__ import annotations

import uuid

import pytest

from tests.conformance.arm_client import (
    CONTRIBUTOR,
    MAJOR,
    OWNER,
    READER,
    ROOT,
    USER_ACCESS_ADMINISTRATOR,
    model,
    refused,
    role_id,
)

EVERYBODY = "00000000-0000-0000-0000-000000000000"


def assignment(scope, who, role=READER, **more):
    return model(
        "RoleAssignmentCreateParameters", role_definition_id=role_id(scope, role), principal_id=who, **more
    )


# ---------------------------------------------------------------- role definitions


def test_built_in_roles(field):
    roles = field.boss.client.role_definitions
    found = {each.name: each for each in roles.list(field.subscription)}
    assert len(found) > 900
    owner = found[OWNER]
    assert (owner.role_name, owner.role_type, owner.assignable_scopes) == ("Owner", "BuiltInRole", ["/"])
    assert owner.permissions[0].actions == ["*"]
    (reader,) = roles.list(field.rg_a, filter="roleName eq 'Reader'")
    assert reader.id == role_id(field.subscription, READER)
    assert {each.role_type for each in roles.list("", filter="type eq 'BuiltInRole'")} == {"BuiltInRole"}
    assert roles.get(field.subscription, OWNER).id == owner.id
    assert roles.get_by_id(owner.id).role_name == "Owner"
    assert roles.get_by_id(f"{ROOT}/roleDefinitions/{OWNER}").role_name == "Owner"
    with refused("RoleDefinitionDoesNotExist", 404):
        roles.get(field.subscription, str(uuid.uuid4()))


def test_a_role_of_ones_own(field):
    roles = field.boss.client.role_definitions
    name, title = str(uuid.uuid4()), f"Restarts machines {field.mark}"
    wanted = model(
        "RoleDefinition",
        role_name=title,
        role_type="CustomRole",
        description="And does nothing else",
        assignable_scopes=[field.subscription],
        permissions=[
            model(
                "Permission",
                actions=["Microsoft.Compute/*/read", "Microsoft.Compute/virtualMachines/restart/action"],
                not_actions=["Microsoft.Compute/disks/read"],
                data_actions=[],
                not_data_actions=[],
            )
        ],
    )
    made = roles.create_or_update(field.subscription, name, wanted)
    assert (made.name, made.role_name, made.role_type) == (name, title, "CustomRole")
    assert made.assignable_scopes == [field.subscription]
    assert made.permissions[0].not_actions == ["Microsoft.Compute/disks/read"]
    assert [each.name for each in roles.list(field.rg_a, filter="type eq 'CustomRole'") if each.name == name]
    wanted.description = "Changed"
    assert roles.create_or_update(field.subscription, name, wanted).description == "Changed"
    with refused("RoleDefinitionWithSameNameExists", 409):
        roles.create_or_update(field.subscription, str(uuid.uuid4()), wanted)
    held = field.boss.client.role_assignments.create(
        field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, field.desk("osei").id, name)
    )
    with refused("RoleDefinitionHasAssignments"):
        roles.delete(field.subscription, name)
    field.boss.client.role_assignments.delete_by_id(held.id)
    assert roles.delete(field.subscription, name).name == name
    assert roles.delete(field.subscription, name) is None  # 204
    with refused("AuthorizationFailed", 403):
        field.desk("osei").client.role_definitions.create_or_update(
            field.subscription, str(uuid.uuid4()), wanted
        )


# ---------------------------------------------------------------- role assignments


def test_role_assignments(field):
    made_by = field.boss.client.role_assignments
    who = field.desk("astrid")
    name = str(uuid.uuid4())
    made = made_by.create(field.rg_a, name, assignment(field.rg_a, who.id, principal_type="User"))
    assert (made.name, made.scope, made.principal_id, made.principal_type) == (
        name,
        field.rg_a,
        who.id,
        "User",
    )
    assert made.created_on is not None
    with refused("RoleAssignmentExists", 409):
        made_by.create(field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, who.id))
    assert made_by.get(field.rg_a, name).id == made.id
    assert made_by.get_by_id(made.id).name == name

    def names(found):
        mine = [each for each in found if each.principal_id == who.id]
        return [each.name for each in mine if each.scope.startswith(field.subscription)]

    assert names(made_by.list_for_subscription()) == [name]
    assert names(made_by.list_for_resource_group("rg-a")) == [name]
    assert names(made_by.list_for_resource_group("rg-b")) == []
    on_the_machine = made_by.list_for_resource("rg-a", "Microsoft.Compute", "virtualMachines", "vm1")
    assert names(on_the_machine) == [name]
    for scope, asked, count in (
        (field.rg_a, f"principalId eq '{who.id}'", 1),
        (field.vm, "atScope()", 1),
        (field.subscription, "atScope()", 0),
        (field.subscription, None, 1),
        (field.subscription, f"assignedTo('{who.id}')", 1),
        (field.rg_a, f"atScope() and assignedTo('{who.id}')", 1),
        (field.rg_a, f"(principalId eq '{who.id}') and atScope()", 1),
        (field.rg_b, f"assignedTo('{who.id}')", 0),
        ("", f"principalId eq '{who.id}'", 1),
    ):
        assert len(names(made_by.list_for_scope(scope, filter=asked))) == count, (scope, asked)
    # The same grant as PIM sees it.
    (seen,) = who.active(field.rg_a)
    assert (seen.name, seen.assignment_type, seen.origin_role_assignment_id) == (name, "Assigned", made.id)

    by_id = f"{field.rg_b}{ROOT}/roleAssignments/{uuid.uuid4()}"
    assert made_by.create_by_id(by_id, assignment(field.rg_b, who.id)).id == by_id
    assert made_by.delete_by_id(by_id).id == by_id
    assert made_by.delete(field.rg_a, name).name == name
    assert made_by.delete(field.rg_a, name) is None  # 204
    assert who.active(field.rg_a) == []
    with refused("RoleAssignmentNotFound", 404):
        made_by.get(field.rg_a, name)
    with refused("AuthorizationFailed", 403):
        who.client.role_assignments.create(
            field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, who.id, OWNER)
        )
    with refused("PrincipalNotFound"):
        made_by.create(field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, str(uuid.uuid4())))
    with refused("RoleDefinitionDoesNotExist", 404):
        made_by.create(field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, who.id, str(uuid.uuid4())))


def test_at_the_root_and_in_a_management_group(field):
    boss, who = field.boss, field.desk("astrid")
    held = [
        each
        for each in boss.client.role_assignments.list_for_scope("", filter=f"principalId eq '{boss.id}'")
        if each.scope == "/"
    ]
    assert USER_ACCESS_ADMINISTRATOR in {each.role_definition_id.rsplit("/", 1)[-1] for each in held}
    made = boss.client.role_assignments.create(
        field.group, str(uuid.uuid4()), assignment(field.group, who.id)
    )
    assert made.scope == field.group
    assert made.role_definition_id == f"{ROOT}/roleDefinitions/{READER}"
    found = boss.client.role_assignments.list_for_scope(field.rg_a, filter=f"principalId eq '{who.id}'")
    assert [each.scope for each in found] == [field.group]
    (seen,) = who.active(field.vm)
    assert seen.member_type == "Inherited"
    assert {
        each.role_name for each in who.client.role_definitions.list(field.rg_a, filter="roleName eq 'Owner'")
    } == {"Owner"}
    boss.client.role_assignments.delete_by_id(made.id)


# ---------------------------------------------------------------- what is denied, what is allowed


def test_deny_assignments(field):
    boss, who = field.boss, field.desk("astrid")
    name = str(uuid.uuid4())
    boss.client.role_assignments.create(
        field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, who.id, CONTRIBUTOR)
    )
    if MAJOR > 4:
        body = model(
            "DenyAssignment",
            deny_assignment_name=f"Kept {field.mark}",
            permissions=[model("DenyAssignmentPermission", actions=["*/delete"])],
            principals=[model("DenyAssignmentPrincipal", id=EVERYBODY, type="SystemDefined")],
            exclude_principals=[model("DenyAssignmentPrincipal", id=boss.id, type="User")],
        )
        boss.client.deny_assignments.create_or_update(field.rg_a, name, body)
    else:
        body = {
            "denyAssignmentName": f"Kept {field.mark}",
            "permissions": [{"actions": ["*/delete"], "notActions": []}],
            "principals": [{"id": EVERYBODY, "type": "SystemDefined"}],
            "excludePrincipals": [{"id": boss.id, "type": "User"}],
        }
        path = f"{field.rg_a}{ROOT}/denyAssignments/{name}"
        assert boss.send("PUT", path, {"properties": body}, "2024-07-01-preview").status_code == 201
    denials = boss.client.deny_assignments
    found = denials.get(field.rg_a, name)
    assert (found.deny_assignment_name, found.scope) == (f"Kept {field.mark}", field.rg_a)
    assert [each.id for each in found.principals] == [EVERYBODY]
    assert [each.id for each in found.exclude_principals] == [boss.id]
    assert found.permissions[0].actions == ["*/delete"]
    assert denials.get_by_id(found.id).name == name
    for listed in (
        denials.list(),
        denials.list_for_scope(field.rg_a, filter="atScope()"),
        denials.list_for_scope(field.rg_a, filter=f"denyAssignmentName eq 'Kept {field.mark}'"),
        denials.list_for_resource_group("rg-a"),
        denials.list_for_resource("rg-a", "Microsoft.Compute", "", "virtualMachines", "vm1"),
    ):
        assert name in {each.name for each in listed}
    assert list(denials.list_for_resource_group("rg-b")) == []
    assert who.send("DELETE", field.vm).status_code == 403
    path = f"{field.rg_a}{ROOT}/denyAssignments/{name}"
    assert boss.send("DELETE", path, version="2024-07-01-preview").status_code == 200
    with refused("DenyAssignmentNotFound", 404):
        denials.get(field.rg_a, name)


def test_permissions(field):
    who = field.desk("nadia")
    field.boss.client.role_assignments.create(field.rg_a, str(uuid.uuid4()), assignment(field.rg_a, who.id))
    for found in (
        who.client.permissions.list_for_resource_group("rg-a"),
        who.client.permissions.list_for_resource("rg-a", "Microsoft.Compute", "", "virtualMachines", "vm1"),
    ):
        (one,) = list(found)
        assert (one.actions, one.not_actions) == (["*/read"], [])
    assert list(who.client.permissions.list_for_resource_group("rg-b")) == []


def test_what_surrounds_them(field):
    client = field.boss.client
    namespaces = {each.name: each for each in client.provider_operations_metadata.list()}
    assert "Microsoft.Compute" in namespaces
    assert client.provider_operations_metadata.get("Microsoft.Authorization").operations
    assert list(client.classic_administrators.list()) == []
    assert client.operations.list() is not None
    assert [each.name for each in client.operations.list()]
    with refused("AuthorizationFailed", 403):
        field.desk("nadia").client.global_administrator.elevate_access()


@pytest.mark.parametrize(
    "scope",
    [
        "/subscriptions/{id}",
        "subscriptions/{id}",
        "/providers/Microsoft.Subscription/subscriptions/{id}",
        "SUBSCRIPTIONS/{id}/",
    ],
)
def test_the_forms_of_a_scope(field, scope):
    scope = scope.format(id=field.subscription_id)
    (reader,) = field.boss.client.role_definitions.list(scope, filter="roleName eq 'Reader'")
    assert reader.id == role_id(field.subscription, READER)
    assert field.boss.client.role_eligibility_schedules.list_for_scope(scope) is not None
