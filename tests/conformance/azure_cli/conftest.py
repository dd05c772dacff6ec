"""People at their machines with `az`, and a small tree of resources that one of them has made with it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.conformance.azure_cli.az import AZ, Az


def pytest_collection_modifyitems(items):
    for item in items:
        if "azure_cli" in item.path.parts:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def az_folder(tmp_path_factory):
    assert AZ.exists(), "make conformance installs az"
    return tmp_path_factory.mktemp("az")


@pytest.fixture
def fresh(server, az_folder, request):
    """A machine on which `az` has just been installed."""
    return Az(server, az_folder, f"{request.module.__name__.rpartition('.')[2]}-{request.node.name}")


@pytest.fixture(scope="session")
def desk(server, az_folder, regulars):
    """desk("marek"): his machine, signed in by device code; the same one for the whole run."""
    made = {}

    def at(key):
        if key not in made:
            made[key] = Az(server, az_folder, key)
            made[key].register()
            made[key].sign_in(regulars(key))
        return made[key]

    return at


@dataclass(frozen=True)
class Tree:
    """root > management group > subscription > two resource groups > a virtual machine."""

    management_group: str
    subscription_id: str

    @property
    def subscription(self):
        return f"/subscriptions/{self.subscription_id}"

    @property
    def group(self):
        return f"{self.subscription}/resourceGroups/rg-robots"

    @property
    def machine(self):
        return f"{self.group}/providers/Microsoft.Compute/virtualMachines/vm-welder"

    @property
    def above(self):
        return f"/providers/Microsoft.Management/managementGroups/{self.management_group}"


@pytest.fixture(scope="session")
def admin(server, desk):
    """A Global Administrator who has taken hold of the tree, as one does with az: elevate, then Owner."""
    az = desk("emergency1")
    az.rest("post", "/providers/Microsoft.Authorization/elevateAccess?api-version=2016-07-01")
    me = server.people["emergency1"].id
    az("role", "assignment", "create", "--role", "Owner", "--scope", "/", "--assignee-object-id", me,
       "--assignee-principal-type", "User")  # fmt: skip
    return az


@pytest.fixture(scope="session")
def tree(admin):
    words = ("create", "--name", "Robots", "--display-name", "Robots of the house", "--no-register")
    admin("account", "management-group", *words)
    made = admin.rest(
        "put",
        "/providers/Microsoft.Subscription/aliases/welding?api-version=2021-10-01",
        {
            "properties": {
                "displayName": "Welding",
                "workload": "Production",
                "additionalProperties": {
                    "managementGroupId": "/providers/Microsoft.Management/managementGroups/Robots"
                },
            }
        },
    )
    tree = Tree("Robots", made["properties"]["subscriptionId"])
    listed = admin("account", "list", "--refresh")
    assert tree.subscription_id in {one["id"] for one in listed}, listed
    admin("account", "set", "--subscription", tree.subscription_id)
    for name in ("rg-robots", "rg-paint"):
        admin("group", "create", "--name", name, "--location", "norwayeast", "--tags", "plant=lisbon")
    machine = {"location": "norwayeast", "properties": {}}
    admin.rest("put", f"{tree.machine}?api-version=2024-07-01", machine)
    return tree
