"""The tree of resources, with the commands that people have for it."""

from __future__ import annotations

import pytest


def test_resource_groups(admin, tree):
    made = admin("group", "create", "--name", "rg-Trial", "--location", "westeurope", "--tags", "a=1", "b=2")
    assert made["id"] == f"{tree.subscription}/resourceGroups/rg-Trial"
    assert (made["type"], made["location"]) == ("Microsoft.Resources/resourceGroups", "westeurope")
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert made["tags"] == {"a": "1", "b": "2"}
    assert admin("group", "show", "--name", "RG-TRIAL") == made
    assert made in admin("group", "list")
    assert [one["name"] for one in admin("group", "list", "--tag", "b=2")] == ["rg-Trial"]
    assert admin("group", "list", "--tag", "b=3") == []
    assert admin("group", "exists", "--name", "rg-trial") is True
    changed = admin("group", "update", "--name", "rg-trial", "--set", "tags.c=3")
    assert changed["tags"] == {"a": "1", "b": "2", "c": "3"}
    again = admin("group", "create", "--name", "rg-trial", "--location", "westeurope")
    assert again["id"] == made["id"]
    admin("group", "delete", "--name", "rg-trial", "--yes")
    assert admin("group", "exists", "--name", "rg-trial") is False
    assert "ResourceGroupNotFound" in admin.refused("group", "show", "--name", "rg-trial")


def test_resources(admin, tree):
    listed = admin("resource", "list")
    assert tree.machine in [one["id"] for one in listed]
    assert [one["name"] for one in admin("resource", "list", "--resource-group", "rg-robots")] == [
        "vm-welder"
    ]
    words = ("--resource-type", "Microsoft.Compute/virtualMachines")
    assert [one["name"] for one in admin("resource", "list", *words)] == ["vm-welder"]
    shown = admin("resource", "show", "--ids", tree.machine, "--api-version", "2024-07-01")
    assert (shown["id"], shown["resourceGroup"]) == (tree.machine, "rg-robots")
    words = ("--resource-group", "rg-paint", "--resource-type", "Microsoft.Storage/storageAccounts")
    words = (*words, "--name", "stpaint", "--api-version", "2023-05-01")
    made = admin("resource", "create", *words, "--location", "norwayeast", "--properties", "{}")
    assert made["id"].endswith("/resourceGroups/rg-paint/providers/Microsoft.Storage/storageAccounts/stpaint")
    admin("resource", "delete", *words)
    assert "ResourceNotFound" in admin.refused("resource", "show", *words)


def test_providers(admin, tree):
    assert "Microsoft.Authorization" in {one["namespace"] for one in admin("provider", "list")}
    shown = admin("provider", "show", "--namespace", "Microsoft.Compute")
    assert shown["registrationState"] == "Registered"
    admin("provider", "register", "--namespace", "Microsoft.Compute")
    assert admin("provider", "operation", "list")
    shown = admin("provider", "operation", "show", "--namespace", "Microsoft.Compute")
    assert shown["name"] == "Microsoft.Compute"


def test_management_groups(server, admin, tree):
    group = ("account", "management-group")
    listed = admin(*group, "list", "--no-register")
    assert {"Robots", server.tenant_id} <= {one["name"] for one in listed}
    assert {one["tenantId"] for one in listed} == {server.tenant_id}
    made = admin(*group, "create", "--name", "Arms", "--parent", "Robots", "--no-register")
    assert made["displayName"] == "Arms"
    assert made["details"]["parent"]["name"] == "Robots"
    changed = admin(*group, "update", "--name", "Arms", "--display-name", "Robot arms")
    assert changed["displayName"] == "Robot arms"
    shown = admin(*group, "show", "--name", "Robots", "--expand", "--recurse", "--no-register")
    assert shown["id"] == tree.above
    assert {one["name"] for one in shown["children"]} == {"Arms", tree.subscription_id}

    subscription = (*group, "subscription")
    words = ("--name", "Arms", "--subscription", tree.subscription_id)
    admin(*subscription, "add", *words)
    assert [one["name"] for one in admin(*subscription, "show-sub-under-mg", "--name", "Arms")] == [
        tree.subscription_id
    ]
    assert admin(*subscription, "show", *words)["parent"]["id"].endswith("/Arms")
    admin(*subscription, "remove", *words)
    admin(*subscription, "add", "--name", "Robots", "--subscription", tree.subscription_id)
    admin(*group, "delete", "--name", "Arms", "--no-register")
    assert "Arms" not in {one["name"] for one in admin(*group, "list", "--no-register")}
    assert admin(*group, "entities", "list")


@pytest.mark.timeout(300)
def test_management_groups_as_without_options(admin, tree):
    """az registers the namespace first and waits ten seconds."""
    assert "Robots" in {one["name"] for one in admin("account", "management-group", "list")}
